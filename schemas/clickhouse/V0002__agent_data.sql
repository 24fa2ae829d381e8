-- An execution that comes in parts has the `processor_count` 4294967295: readers count its processors.
--
-- Logs, metrics and events carry no identity of their own, so the server gives them one that depends on the request
-- alone: `row_id`, XXH3-128 of agent id, Idempotency-Key or else SHA-256 of the body, and index in the request. The
-- sorting key is the identity; `version` falls with the time of arrival, so that the row that came first stays.
CREATE TABLE IF NOT EXISTS logs
(
    tenant_id    LowCardinality(String),
    environment  LowCardinality(String),
    application  LowCardinality(String),
    instance_id  LowCardinality(String),
    time         DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    row_id       FixedString(16) CODEC(NONE),
    level        LowCardinality(String),
    logger       LowCardinality(String),
    thread       String CODEC(ZSTD(1)),
    message      String CODEC(ZSTD(1)),
    stack_trace  String CODEC(ZSTD(3)),
    mdc          Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    source       LowCardinality(String),
    exchange_id  String CODEC(ZSTD(1)),
    route_id     LowCardinality(String),
    processor_id LowCardinality(String),
    truncated    Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version      UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at  DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX exchange_bloom exchange_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX inserted_range inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tenant_id, toYYYYMM(time))
ORDER BY (environment, time, row_id)
;
CREATE TABLE IF NOT EXISTS agent_metrics
(
    tenant_id   LowCardinality(String),
    environment LowCardinality(String),
    application LowCardinality(String),
    instance_id LowCardinality(String),
    time        DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    row_id      FixedString(16) CODEC(NONE),
    metric_name LowCardinality(String),
    metric_type LowCardinality(String),
    value       Float64 CODEC(ZSTD(1)),
    tags        Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    truncated   Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version     UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX inserted_range inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tenant_id, toYYYYMM(time))
ORDER BY (environment, time, row_id)
;
-- `detail` is JSON text.
CREATE TABLE IF NOT EXISTS agent_events
(
    tenant_id   LowCardinality(String),
    environment LowCardinality(String),
    application LowCardinality(String),
    instance_id LowCardinality(String),
    time        DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    row_id      FixedString(16) CODEC(NONE),
    event_type  LowCardinality(String),
    detail      String CODEC(ZSTD(1)),
    version     UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX inserted_range inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tenant_id, toYYYYMM(time))
ORDER BY (environment, time, row_id)
;
-- Route graphs by content. They are kept as long as the environment: an old execution is shown over the graph that it
-- ran through. `graph` is JSON text with the members nodes and edges.
CREATE TABLE IF NOT EXISTS route_diagrams
(
    tenant_id     LowCardinality(String),
    environment   LowCardinality(String),
    application   LowCardinality(String),
    route_id      LowCardinality(String),
    diagram_hash  String CODEC(ZSTD(1)),
    instance_id   LowCardinality(String),
    first_seen    DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    route_version String CODEC(ZSTD(1)),
    description   String CODEC(ZSTD(1)),
    graph         String CODEC(ZSTD(3)),
    source        String CODEC(ZSTD(3)),
    truncated     Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version       UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at   DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY tenant_id
ORDER BY (environment, application, route_id, diagram_hash)
;
-- Every route that was ever seen, and from when to when. Its rows may be written any number of times in any order.
CREATE TABLE IF NOT EXISTS route_catalog
(
    tenant_id   LowCardinality(String),
    environment LowCardinality(String),
    application LowCardinality(String),
    route_id    LowCardinality(String),
    first_seen  SimpleAggregateFunction(min, DateTime64(3)) CODEC(Delta(8), ZSTD(1)),
    last_seen   SimpleAggregateFunction(max, DateTime64(3)) CODEC(Delta(8), ZSTD(1)),
    inserted_at SimpleAggregateFunction(max, DateTime64(3)) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY tenant_id
ORDER BY (environment, application, route_id)
;
