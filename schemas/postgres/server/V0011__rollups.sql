-- Rolling recorded rows up to minutes: of several processes one holds the job until `held_until`.
create table rollup_job (
  one boolean primary key default true check (one),
  holder text not null default '',
  held_until timestamptz not null default to_timestamp(0),
  -- Rows that arrived before `taken_before`, by the store's clock, of minutes before `minutes_before` are in the
  -- roll-ups. Null: it never began.
  taken_before timestamptz,
  minutes_before timestamptz,
  check ((taken_before is null) = (minutes_before is null))
);
insert into rollup_job default values;
