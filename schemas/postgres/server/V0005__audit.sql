-- Who did what. Append-only: rows are added in the transaction of the change itself, and chained once they are
-- committed and nothing older can still appear.
create table audit_log (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  timestamp timestamptz not null,
  username text not null,
  user_id text,
  action text not null,
  category text not null check (category in ('AUTH', 'USER_MGMT', 'RBAC', 'CONFIG', 'LICENSE', 'ENVIRONMENT', 'APP',
                                             'DEPLOYMENT', 'AGENT', 'ALERTING', 'OUTBOUND')),
  target text not null default '',
  result text not null check (result in ('SUCCESS', 'FAILURE')),
  detail jsonb not null default '{}',
  remote_address text,
  request_id text
);
create index audit_log_time on audit_log (timestamp, id);
create index audit_log_username on audit_log (username, timestamp);
create index audit_log_action on audit_log (category, action, timestamp);
create index audit_log_xid on audit_log (xid, id);

-- The chain: hash = SHA-256 of the hash before it (32 zero bytes before the first) and the row.
create table audit_seals (
  position bigint primary key check (position > 0),
  audit_id bigint not null unique,
  hash bytea not null check (octet_length(hash) = 32)
);

-- Signed ends of the chain: whoever rewrites rows and seals alike cannot rewrite these.
create table audit_heads (
  position bigint not null,
  signed_at timestamptz not null,
  hash bytea not null check (octet_length(hash) = 32),
  key_id text not null,
  signature text not null,
  primary key (position, signed_at)
);

-- Where the sealer is: one row, locked by the process that seals. Rows up to (last_xid, last_id) are chained.
create table audit_chain (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  hash bytea not null default decode(repeat('00', 32), 'hex'),
  last_xid xid8 not null default '0',
  last_id bigint not null default 0
);
insert into audit_chain default values;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_audit_change();
create trigger append_only before update or delete or truncate on audit_seals
  for each statement execute function refuse_audit_change();
create trigger append_only before update or delete or truncate on audit_heads
  for each statement execute function refuse_audit_change();
