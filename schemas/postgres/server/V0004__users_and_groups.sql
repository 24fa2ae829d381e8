-- People from an OpenID provider beside local ones, groups that nest, and the rules that read a token's claims.
alter table users
  add column email text check (length(email) <= 320),
  add column source text not null default 'local' check (source in ('local', 'oidc')),
  add column issuer text,
  add column subject text,
  add column enabled boolean not null default true,
  add column last_login_at timestamptz,
  -- Of the last login with a provider, as they came: for the simulator.
  add column last_claims text,
  add constraint users_identity check ((source = 'oidc') = (issuer is not null and subject is not null)),
  add constraint users_no_foreign_password check (source = 'local' or password_hash is null);
create unique index users_issuer_subject on users (issuer, subject) where issuer is not null;

alter table roles add column description text not null default '';
-- Names differ by more than their case; AGENT is for machines.
create unique index roles_name_lower on roles (lower(name));
alter table roles add constraint roles_not_for_machines check (lower(name) <> 'agent');

create table groups (
  group_id uuid primary key,
  name text not null check (length(name) between 1 and 256),
  description text not null default '',
  parent_group_id uuid references groups on delete restrict,
  created_at timestamptz not null,
  check (parent_group_id <> group_id)
);
create unique index groups_name on groups (lower(name));
create index groups_parent on groups (parent_group_id);

create table group_roles (
  group_id uuid not null references groups on delete cascade,
  role_id uuid not null references roles on delete cascade,
  primary key (group_id, role_id)
);
create index group_roles_role on group_roles (role_id);

create table claim_mapping_rules (
  id uuid primary key,
  claim text not null,
  match_type text not null check (match_type in ('equals', 'contains', 'regex')),
  match_value text not null,
  action text not null check (action in ('assignRole', 'addToGroup')),
  target text not null,
  priority integer not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table user_groups (
  user_id uuid not null references users on delete cascade,
  group_id uuid not null references groups on delete cascade,
  origin text not null default 'direct' check (origin in ('direct', 'managed')),
  mapping_id uuid references claim_mapping_rules on delete cascade,
  created_at timestamptz not null,
  primary key (user_id, group_id, origin),
  check (origin = 'managed' or mapping_id is null)
);
create index user_groups_group on user_groups (group_id);
create index user_groups_mapping on user_groups (mapping_id) where mapping_id is not null;

-- What a rule gave ends with the rule.
alter table user_roles
  add constraint user_roles_mapping foreign key (mapping_id) references claim_mapping_rules on delete cascade,
  add constraint user_roles_origin check (origin = 'managed' or mapping_id is null);
create index user_roles_role on user_roles (role_id);
create index user_roles_mapping_id on user_roles (mapping_id) where mapping_id is not null;
create index refresh_tokens_user on refresh_tokens (user_id) where user_id is not null;
