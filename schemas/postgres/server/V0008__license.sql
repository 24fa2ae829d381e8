-- The licence that an administrator installed, the vendor's list of revoked ones, and what all processes must agree on.

-- One row a tenant, replaced in place.
create table license (
  tenant_id text primary key,
  token text not null,
  license_id text not null,
  installed_at timestamptz not null,
  installed_by text not null
);

create table license_revocations (
  one boolean primary key default true check (one),
  sequence bigint not null,
  token text not null,
  installed_at timestamptz not null,
  installed_by text not null
);

create table license_state (
  one boolean primary key default true check (one),
  -- Grows with each change of the two tables above; processes look at it every two seconds.
  version bigint not null default 0,
  -- A clock far behind it was turned back.
  highest_seen timestamptz not null default to_timestamp(0),
  -- What the audit log said last, so that of several processes one says it.
  standing text not null default '',
  license_id text,
  previous_license_id text
);
insert into license_state default values;
