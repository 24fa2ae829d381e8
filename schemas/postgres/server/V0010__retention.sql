-- How long telemetry is kept, by environment and kind, and what it was kept for before: a lowered retention hides at
-- once, and deletes when its delay is over, whichever process is there then.
create table retention_days (
  environment_id uuid not null references environments (id) on delete cascade,
  kind text not null check (kind in ('execution', 'log', 'metric')),
  days bigint not null check (days >= 0),
  -- Null: in force. Else the days, more than those in force, were lowered then.
  ended_at timestamptz,
  primary key (environment_id, kind, days)
);
create unique index retention_days_in_force on retention_days (environment_id, kind) where ended_at is null;

-- Whose turn it is to bring the tables of ClickHouse in line.
create table retention_turn (
  one boolean primary key default true check (one),
  busy_until timestamptz not null default to_timestamp(0)
);
insert into retention_turn default values;
