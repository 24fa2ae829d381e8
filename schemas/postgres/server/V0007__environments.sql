-- Environments that are made, edited and removed; API keys that are rotated, and when they were last used.
alter table environments
  -- Days; null: as the server's settings say.
  add column execution_retention_days integer check (execution_retention_days between 1 and 36500),
  add column log_retention_days integer check (log_retention_days between 1 and 36500),
  add column metric_retention_days integer check (metric_retention_days between 1 and 36500),
  -- Versions of an application that are kept; null: all.
  add column jar_retention_count integer check (jar_retention_count between 1 and 100000),
  -- What rows of its telemetry carry as environment; null: the slug. Never one that a removed environment had.
  add column data_name text unique check (length(data_name) between 1 and 128);

alter table api_keys add column last_used_at timestamptz;

-- Environments that are gone. Their telemetry, which no name leads to any more, is looked for and deleted, ever more
-- seldom, until nothing of it can come any more; the row stays, so that its name is not given again.
create table removed_environments (
  environment_id uuid primary key,
  slug text not null,
  data_name text not null unique,
  removed_at timestamptz not null,
  next_sweep_at timestamptz,
  -- When a sweep found nothing any more.
  cleared_at timestamptz
);
create index removed_environments_due on removed_environments (next_sweep_at) where next_sweep_at is not null;
create index removed_environments_uncleared on removed_environments (environment_id) where cleared_at is null;

-- What a removed environment's agents hold is found by its name.
create index refresh_tokens_environment on refresh_tokens (environment) where environment is not null;
