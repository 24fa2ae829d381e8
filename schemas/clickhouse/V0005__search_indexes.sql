-- Indexes of the search, and a codec for the columns that the first migrations left to the engine's default, LZ4. The
-- measurements behind both are in docs/adr/0016-clickhouse-schema.md.
--
-- All of it is metadata. Rows that are there already get both when their parts merge, and are found by reading them
-- until then. A query uses an index when it says the same expression (apps/server/executions/execution_query.cpp).
ALTER TABLE executions
    ADD INDEX IF NOT EXISTS attribute_text
        arrayMap((k, v) -> concat(k, '=', v), mapKeys(attributes), mapValues(attributes))
        TYPE text(tokenizer = array),
    ADD INDEX IF NOT EXISTS error_text
        lowerUTF8(concat(error_message, ' ', error_stack_trace))
        TYPE text(tokenizer = splitByNonAlpha),
    ADD INDEX IF NOT EXISTS header_text
        lowerUTF8(concat(substring(arrayStringConcat(mapValues(input_headers), ' '), 1, 4096), ' ',
                         substring(arrayStringConcat(mapValues(output_headers), ' '), 1, 4096)))
        TYPE text(tokenizer = splitByNonAlpha)
;
ALTER TABLE executions
    MODIFY COLUMN tenant_id CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN application CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN route_id CODEC(ZSTD(1)),
    MODIFY COLUMN status CODEC(ZSTD(1)),
    MODIFY COLUMN from_endpoint CODEC(ZSTD(1)),
    MODIFY COLUMN engine_level CODEC(ZSTD(1)),
    MODIFY COLUMN diagram_hash CODEC(ZSTD(1)),
    MODIFY COLUMN failed_processor_id CODEC(ZSTD(1)),
    MODIFY COLUMN failed_processor_type CODEC(ZSTD(1))
;
ALTER TABLE processor_executions
    MODIFY COLUMN tenant_id CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN application CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN route_id CODEC(ZSTD(1)),
    MODIFY COLUMN processor_id CODEC(ZSTD(1)),
    MODIFY COLUMN processor_type CODEC(ZSTD(1)),
    MODIFY COLUMN status CODEC(ZSTD(1)),
    MODIFY COLUMN endpoint_uri CODEC(ZSTD(1)),
    MODIFY COLUMN circuit_breaker_state CODEC(ZSTD(1))
;
ALTER TABLE logs
    MODIFY COLUMN tenant_id CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN application CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN level CODEC(ZSTD(1)),
    MODIFY COLUMN logger CODEC(ZSTD(1)),
    MODIFY COLUMN source CODEC(ZSTD(1)),
    MODIFY COLUMN route_id CODEC(ZSTD(1)),
    MODIFY COLUMN processor_id CODEC(ZSTD(1))
;
ALTER TABLE agent_metrics
    MODIFY COLUMN tenant_id CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN application CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN metric_name CODEC(ZSTD(1)),
    MODIFY COLUMN metric_type CODEC(ZSTD(1))
;
ALTER TABLE agent_events
    MODIFY COLUMN tenant_id CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN application CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN event_type CODEC(ZSTD(1))
;
