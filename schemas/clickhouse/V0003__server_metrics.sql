-- The server's own figures, as /metrics shows them, taken every few seconds by each process. They have no environment.
--
-- `series` is the labels as text, sorted by name: with the name it is what Prometheus calls a series. Counters begin at
-- zero with their process, whose start is `started_at`: a sample's growth is the difference to the one before of the
-- same start. Counters and histograms that never counted anything are left out.
CREATE TABLE IF NOT EXISTS server_metrics
(
    tenant_id   LowCardinality(String),
    instance_id LowCardinality(String),
    started_at  DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    time        DateTime64(3) CODEC(DoubleDelta, ZSTD(1)),
    metric_name LowCardinality(String),
    metric_type LowCardinality(String),
    series      LowCardinality(String),
    labels      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    value       Float64 CODEC(Gorilla, ZSTD(1)),
    inserted_at DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (tenant_id, toYYYYMM(time))
ORDER BY (metric_name, series, instance_id, started_at, time)
TTL toDateTime(time) + INTERVAL 90 DAY
;
