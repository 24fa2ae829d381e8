-- What became of the recorded rows, by the minute in which their execution began. A minute is computed anew from the
-- rows whenever some of it arrived since, and replaces what was there (apps/server/rollups).
--
-- `finished`: rows that ended; `timed`: those of them that have a duration, which `duration_sum`, `duration_max` and
-- `durations` are of. `seen`: rows in any state; over a minute it never falls while the rows are whole, so a minute
-- that has lost some to retention is not computed from the rest. A key that is in the minute no more is `deleted`.
CREATE TABLE IF NOT EXISTS route_minutes
(
    tenant_id    LowCardinality(String) CODEC(ZSTD(1)),
    environment  LowCardinality(String) CODEC(ZSTD(1)),
    minute       DateTime CODEC(Delta(4), ZSTD(1)),
    application  LowCardinality(String) CODEC(ZSTD(1)),
    route_id     LowCardinality(String) CODEC(ZSTD(1)),
    finished     UInt64 CODEC(T64, ZSTD(1)),
    failed       UInt64 CODEC(T64, ZSTD(1)),
    timed        UInt64 CODEC(T64, ZSTD(1)),
    duration_sum Int64 CODEC(T64, ZSTD(1)),
    duration_max Int64 CODEC(T64, ZSTD(1)),
    durations    AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Int64) CODEC(ZSTD(1)),
    seen         UInt64 CODEC(T64, ZSTD(1)),
    deleted      UInt8 CODEC(ZSTD(1)),
    rolled_at    DateTime64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(rolled_at, deleted)
PARTITION BY (tenant_id, toYYYYMM(minute))
ORDER BY (environment, minute, application, route_id)
TTL minute + INTERVAL 365 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024
;
-- Processors are asked for by route, so the route comes before the minute.
CREATE TABLE IF NOT EXISTS processor_minutes
(
    tenant_id      LowCardinality(String) CODEC(ZSTD(1)),
    environment    LowCardinality(String) CODEC(ZSTD(1)),
    application    LowCardinality(String) CODEC(ZSTD(1)),
    route_id       LowCardinality(String) CODEC(ZSTD(1)),
    minute         DateTime CODEC(Delta(4), ZSTD(1)),
    processor_id   LowCardinality(String) CODEC(ZSTD(1)),
    processor_type LowCardinality(String) CODEC(ZSTD(1)),
    finished       UInt64 CODEC(T64, ZSTD(1)),
    failed         UInt64 CODEC(T64, ZSTD(1)),
    timed          UInt64 CODEC(T64, ZSTD(1)),
    duration_sum   Int64 CODEC(T64, ZSTD(1)),
    duration_max   Int64 CODEC(T64, ZSTD(1)),
    durations      AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Int64) CODEC(ZSTD(1)),
    seen           UInt64 CODEC(T64, ZSTD(1)),
    deleted        UInt8 CODEC(ZSTD(1)),
    rolled_at      DateTime64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(rolled_at, deleted)
PARTITION BY (tenant_id, toYYYYMM(minute))
ORDER BY (environment, application, route_id, minute, processor_id, processor_type)
TTL minute + INTERVAL 365 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024
;
-- Minutes of late rows are found by their arrival; `executions` has such an index from the start.
ALTER TABLE processor_executions ADD INDEX IF NOT EXISTS inserted_range inserted_at TYPE minmax GRANULARITY 1
;
