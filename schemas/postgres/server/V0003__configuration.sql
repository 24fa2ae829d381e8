-- How the agents of an application record. `config` is what was stored last, `applied_config` what was last sent to
-- running agents; both hold what users write, the columns beside them what the server adds. An application needs no
-- row elsewhere. The global sensitive keys are server_config['sensitive_keys'], an array of names.
create table application_configs (
  environment text not null references environments (slug) on update cascade on delete cascade,
  application text not null check (octet_length(application) between 1 and 256),
  config jsonb not null,
  version bigint not null check (version > 0),
  tap_version bigint not null,
  updated_at timestamptz not null,
  updated_by text not null,
  applied_config jsonb,
  applied_version bigint,
  applied_tap_version bigint,
  applied_at timestamptz,
  applied_by text,
  primary key (environment, application),
  check ((applied_config is null) = (applied_version is null)),
  check (applied_version <= version)
);
