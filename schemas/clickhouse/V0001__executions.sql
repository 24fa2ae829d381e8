-- What agents record. A row's identity is the sorting key: sent twice, it shows once. Readers add FINAL.
--
-- `version` decides which row of one identity stays: its upper 32 bits are the rank (RUNNING 1, a later part of a
-- running execution its number, a finished one 2^31), the lower ones fall with the time of arrival. Of two equal rows
-- the first therefore stays, with its `inserted_at`, and a page that was read before does not lose it.
--
-- Numbers that were not given are -1, times 0, texts empty; a body that was not given has size -1.
CREATE TABLE IF NOT EXISTS executions
(
    tenant_id             LowCardinality(String),
    environment           LowCardinality(String),
    application           LowCardinality(String),
    instance_id           LowCardinality(String),
    route_id              LowCardinality(String),
    status                LowCardinality(String),
    start_time            DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    end_time              DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    duration_ms           Int64 CODEC(T64, ZSTD(1)),
    execution_id          String CODEC(ZSTD(1)),
    correlation_id        String CODEC(ZSTD(1)),
    exchange_id           String CODEC(ZSTD(1)),
    parent_execution_id   String CODEC(ZSTD(1)),
    replay_of             String CODEC(ZSTD(1)),
    from_endpoint         LowCardinality(String),
    engine_level          LowCardinality(String),
    diagram_hash          LowCardinality(String),
    error_message         String CODEC(ZSTD(1)),
    error_stack_trace     String CODEC(ZSTD(3)),
    failed_processor_id   LowCardinality(String),
    failed_processor_type LowCardinality(String),
    processor_count       UInt32 CODEC(T64, ZSTD(1)),
    attributes            Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    input_body            String CODEC(ZSTD(3)),
    input_body_size       Int64 CODEC(T64, ZSTD(1)),
    input_headers         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    output_body           String CODEC(ZSTD(3)),
    output_body_size      Int64 CODEC(T64, ZSTD(1)),
    output_headers        Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    truncated             Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version               UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at           DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX execution_bloom execution_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX correlation_bloom correlation_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX exchange_bloom exchange_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX inserted_range inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tenant_id, toYYYYMM(start_time))
ORDER BY (environment, start_time, execution_id)
;
-- The steps of an execution; `seq` is the number in pre-order.
CREATE TABLE IF NOT EXISTS processor_executions
(
    tenant_id             LowCardinality(String),
    environment           LowCardinality(String),
    application           LowCardinality(String),
    instance_id           LowCardinality(String),
    route_id              LowCardinality(String),
    execution_id          String CODEC(ZSTD(1)),
    start_time            DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    seq                   UInt32 CODEC(Delta(4), ZSTD(1)),
    parent_seq            Int64 CODEC(T64, ZSTD(1)),
    processor_id          LowCardinality(String),
    processor_type        LowCardinality(String),
    status                LowCardinality(String),
    processor_start_time  DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    duration_ms           Int64 CODEC(T64, ZSTD(1)),
    iteration             Int32 CODEC(T64, ZSTD(1)),
    iteration_size        Int32 CODEC(T64, ZSTD(1)),
    loop_index            Int32 CODEC(T64, ZSTD(1)),
    split_index           Int32 CODEC(T64, ZSTD(1)),
    multicast_index       Int32 CODEC(T64, ZSTD(1)),
    endpoint_uri          LowCardinality(String),
    resolved_endpoint_uri String CODEC(ZSTD(1)),
    error_message         String CODEC(ZSTD(1)),
    error_stack_trace     String CODEC(ZSTD(3)),
    input_body            String CODEC(ZSTD(3)),
    input_body_size       Int64 CODEC(T64, ZSTD(1)),
    input_headers         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    output_body           String CODEC(ZSTD(3)),
    output_body_size      Int64 CODEC(T64, ZSTD(1)),
    output_headers        Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attributes            Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    filter_matched        Int32 CODEC(T64, ZSTD(1)),
    duplicate_message     Int32 CODEC(T64, ZSTD(1)),
    circuit_breaker_state LowCardinality(String),
    truncated             Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version               UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted_at           DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX execution_bloom execution_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tenant_id, toYYYYMM(start_time))
ORDER BY (environment, start_time, execution_id, seq)
;
-- When an unfinished execution was first heard of. Its row in `executions` is replaced when it finishes, and a search
-- that began before must still know that it was there.
CREATE TABLE IF NOT EXISTS execution_arrivals
(
    tenant_id    LowCardinality(String),
    environment  LowCardinality(String),
    start_time   DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    execution_id String CODEC(ZSTD(1)),
    first_seen   SimpleAggregateFunction(min, DateTime64(3)) CODEC(Delta(8), ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY (tenant_id, toYYYYMM(start_time))
ORDER BY (environment, start_time, execution_id)
;
CREATE MATERIALIZED VIEW IF NOT EXISTS execution_arrivals_view TO execution_arrivals AS
SELECT tenant_id, environment, start_time, execution_id, inserted_at AS first_seen
FROM executions
WHERE version < 9223372036854775808
;
