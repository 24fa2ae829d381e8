-- Commands to agents, and the streams that bring them. Several server processes serve the same agents: who may deliver
-- is said by the newest epoch of the agent's stream, what was delivered by the state of the command's row.

create table agent_commands (
  command_id uuid primary key,
  -- The order of delivery, and where a resumed stream goes on.
  position bigint generated always as identity,
  environment text not null references environments (slug) on update cascade on delete cascade,
  agent_id text not null,
  application text not null,
  type text not null check (type in ('config-update', 'deep-trace', 'replay', 'set-traced-processors',
                                     'test-expression', 'route-control')),
  state text not null check (state in ('PENDING', 'DELIVERED', 'ACKNOWLEDGED', 'FAILED', 'EXPIRED')),
  -- As signed: what is sent a second time is the same to the byte.
  payload text not null,
  signature text not null,
  key_id text not null,
  issued_by text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  delivered_at timestamptz,
  settled_at timestamptz,
  message text,
  data jsonb,
  check ((settled_at is not null) = (state in ('ACKNOWLEDGED', 'FAILED', 'EXPIRED')))
);
create index agent_commands_live on agent_commands (environment, agent_id, position)
  where state in ('PENDING', 'DELIVERED');
create index agent_commands_expiry on agent_commands (expires_at) where state in ('PENDING', 'DELIVERED');
create index agent_commands_settled on agent_commands (settled_at) where settled_at is not null;

-- One stream an agent: the newest. An older one ends as soon as its process sees the newer epoch.
create table agent_streams (
  environment text not null references environments (slug) on update cascade on delete cascade,
  agent_id text not null,
  epoch bigint not null,
  process_id uuid not null,
  opened_at timestamptz not null,
  primary key (environment, agent_id)
);

-- An operator names an agent by its id alone.
create index agents_id on agents (agent_id);
