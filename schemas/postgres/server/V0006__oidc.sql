-- Sign-in with an OpenID provider. The provider's configuration is a row of server_config, its client secret sealed.

-- A browser that was sent to the provider. Known by its state alone, good once.
create table oidc_attempts (
  state_hash char(64) primary key,
  sealed text not null,
  expires_at timestamptz not null
);
create index oidc_attempts_expiry on oidc_attempts (expires_at);

-- What the provider gave for a session.
create table oidc_sessions (
  session_hash char(64) primary key references sessions on delete cascade,
  sealed text not null
);
