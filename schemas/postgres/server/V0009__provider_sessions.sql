-- Sessions that live on the provider's word: when to ask it again, and who is asking now.
alter table oidc_sessions
  -- Null: the provider gave nothing to ask with.
  add column refresh_after timestamptz,
  add column expires_at timestamptz,
  add column refreshing_until timestamptz,
  add constraint oidc_sessions_times check ((refresh_after is null) = (expires_at is null));
