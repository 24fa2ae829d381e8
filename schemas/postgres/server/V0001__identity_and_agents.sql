-- Users, sessions and tokens; environments and their API keys; the registry of agents. Truth is these rows: several
-- server processes share them, and what depends on a state is a conditional update.

create table server_config (
  key text primary key,
  value jsonb not null
);

create table users (
  user_id uuid primary key,
  username text not null check (length(username) between 1 and 256),
  display_name text not null,
  password_hash text,
  failed_login_attempts integer not null default 0,
  locked_until timestamptz,
  token_revoked_before timestamptz,
  created_at timestamptz not null
);
create unique index users_username on users (lower(username));

create table roles (
  role_id uuid primary key,
  name text not null unique check (name ~ '^[A-Za-z0-9_:-]{1,64}$'),
  -- What a system role may do is fixed in the program; its row is here for assignments alone.
  system boolean not null default false,
  permissions text[] not null default '{}',
  created_at timestamptz not null default now()
);
insert into roles (role_id, name, system) values
  ('00000000-0000-4000-8000-000000000001', 'VIEWER', true),
  ('00000000-0000-4000-8000-000000000002', 'OPERATOR', true),
  ('00000000-0000-4000-8000-000000000003', 'ADMIN', true);

create table user_roles (
  user_id uuid not null references users on delete cascade,
  role_id uuid not null references roles on delete cascade,
  origin text not null default 'direct' check (origin in ('direct', 'managed')),
  mapping_id uuid,
  created_at timestamptz not null,
  primary key (user_id, role_id, origin)
);

create table sessions (
  session_hash char(64) primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  remote_address text not null,
  user_agent text not null
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

create table environments (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  display_name text not null,
  created_at timestamptz not null
);

create table api_keys (
  id uuid primary key,
  environment_id uuid not null references environments on delete cascade,
  label text not null,
  key_hash char(64) not null unique,
  key_prefix text not null,
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'ROTATED', 'REVOKED')),
  created_at timestamptz not null,
  rotated_at timestamptz,
  grace_until timestamptz,
  revoked_at timestamptz,
  check (status <> 'ROTATED' or grace_until is not null)
);
create index api_keys_environment on api_keys (environment_id);

-- A refresh token is known by its id alone; a family is all that descends from one sign-in or registration.
create table refresh_tokens (
  token_id uuid primary key,
  family_id uuid not null,
  user_id uuid references users on delete cascade,
  environment text,
  agent_id text,
  application text,
  key_ref text,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  spent_at timestamptz,
  successor_id uuid,
  revoked_at timestamptz,
  check ((user_id is null) = (agent_id is not null))
);
create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_expiry on refresh_tokens (expires_at);

create table agents (
  environment text not null references environments (slug) on update cascade on delete cascade,
  agent_id text not null,
  display_name text not null,
  application text not null,
  version text,
  camel_version text,
  runtime text,
  route_ids jsonb not null default '[]',
  route_states jsonb not null default '{}',
  capabilities jsonb not null default '{}',
  state text not null check (state in ('LIVE', 'STALE', 'DEAD', 'SHUTDOWN')),
  registered_at timestamptz not null,
  last_heartbeat_at timestamptz not null,
  state_since timestamptz not null,
  clock_skew_ms bigint,
  key_ref text not null,
  primary key (environment, agent_id)
);
create index agents_silent on agents (state, last_heartbeat_at) where state in ('LIVE', 'STALE');

create table agent_events (
  event_id bigint generated always as identity primary key,
  environment text not null,
  agent_id text not null,
  application text not null,
  type text not null,
  occurred_at timestamptz not null
);
create index agent_events_agent on agent_events (environment, agent_id, occurred_at);
