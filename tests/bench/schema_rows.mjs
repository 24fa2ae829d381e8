// Rows as agents send them, made by the engine itself: two tables in the order of arrival, cut into batches as the server inserts them.
//
// 24 applications with 3 instances and 60 routes among them; a route has 5 to 30 steps with ids of its own. Executions start 4 ms apart, with durations of a
// logarithmic normal distribution (median 20 ms), and arrive when their agent next sends, which each does once a second. Three executions share a correlation.
// Ids are what the agent gives: version 4 UUIDs, and exchange ids of Camel's generator. A twentieth fail.

const instants = 'toUnixTimestamp64Milli(toDateTime64(\'2026-11-20 00:00:00\', 3, \'UTC\'))';
const spacing = 4, stepsEach = 17.5;  // milliseconds between executions; steps of one, on average
const chance = (of, what) => `(cityHash64(${of}, '${what}') % 1000003 / 1000003)`;
const uuid = (of, what) => `UUIDNumToString(sipHash128(${of}, '${what}'))`;
const error = `concat('java.lang.IllegalStateException: no stock left for article ', toString(cityHash64(number, 'article') % 20000), ' in warehouse ', char(65 + number % 7))`;
const frames = (route) => `arrayStringConcat(arrayMap(f -> concat('\\n\\tat io.example.', ${route}, '.step', toString(f % 7), '.Handler.process(Handler.java:', toString(40 + f * 3), ')'), range(25)))`;
const body = (side) => `concat('{"order":"', toString(number), '","lines":[', arrayStringConcat(arrayMap(l -> concat('{"article":"',
  lower(hex(toUInt32(cityHash64(number, l, '${side}')))), '","count":', toString(l % 9), ',"price":"', toString(cityHash64(l, number) % 900), '.50"},'), range(bodies))), ']}')`;

/** Makes `source.executions` and `source.processors`. @param {{executions: number, withSteps: number, bodies: number}} size how many of the first have steps; lines of an order in a body, 48 bytes each */
export async function makeRows(engine, { executions, withSteps, bodies }, batch = 100_000) {
  await engine.run('DROP DATABASE IF EXISTS source SYNC');
  await engine.run('CREATE DATABASE source');
  const settings = 'SETTINGS max_threads = 2, max_block_size = 8192';
  await engine.run(`CREATE TABLE source.executions ENGINE = MergeTree ORDER BY batch AS
    SELECT intDiv(arrival - ${instants}, ${batch * spacing}) AS batch, * FROM (
      WITH ${bodies} AS bodies, ${instants} AS origin, cityHash64(number, 'route') % 60 AS route,
        intDiv(route, 5) * 2 + number % 2 AS app, app * 3 + cityHash64(number, 'instance') % 3 AS instance,
        toInt64(exp(3 + 1.3 * sqrt(-2 * log(${chance('number', 'u')} + 1e-7)) * cos(6.2831853 * ${chance('number', 'v')}))) AS duration,
        ${chance('number', 'failed')} < 0.05 AS failed, origin + number * ${spacing} + cityHash64(number, 'jitter') % 5 AS start,
        cityHash64(instance, 'phase') % 1000 AS phase, (intDiv(start + duration - phase, 1000) + 1) * 1000 + phase + 5 AS arrival
      SELECT number, route AS route_number, start, duration, arrival, failed, 5 + cityHash64(route, 'steps') % 26 AS steps,
        'default' AS tenant_id, 'production' AS environment, concat('application-', toString(app)) AS application, concat('application-', toString(app), '-7d9f8b-', toString(instance)) AS instance_id,
        concat('route-', toString(route)) AS route_id, if(failed, 'FAILED', 'COMPLETED') AS status, fromUnixTimestamp64Milli(start, 'UTC') AS start_time,
        fromUnixTimestamp64Milli(start + duration, 'UTC') AS end_time, duration AS duration_ms, ${uuid('number', 'execution')} AS execution_id, ${uuid('intDiv(number, 3)', 'correlation')} AS correlation_id,
        concat(substring(hex(sipHash128(instance)), 1, 15), '-', leftPad(hex(number), 16, '0')) AS exchange_id, if(number % 3 = 0, '', ${uuid('number - number % 3', 'execution')}) AS parent_execution_id,
        '' AS replay_of, concat('direct:start-', toString(route)) AS from_endpoint, 'REGULAR' AS engine_level, lower(hex(sipHash128(route))) AS diagram_hash,
        if(failed, ${error}, '') AS error_message, if(failed, concat(error_message, ${frames('route_id')}), '') AS error_stack_trace,
        if(failed, concat('to-', toString(route), '-', toString(steps)), '') AS failed_processor_id, if(failed, 'to', '') AS failed_processor_type, toUInt32(steps) AS processor_count,
        map('customer', concat('C-', toString(cityHash64(intDiv(number, 3)) % 20000)), 'orderId', concat('O-', toString(intDiv(number, 3)))) AS attributes,
        if(bodies > 0, ${body('in')}, '') AS input_body, if(bodies > 0, toInt64(length(input_body)), -1) AS input_body_size,
        if(bodies > 0, map('CamelHttpMethod', 'POST', 'breadcrumbId', correlation_id), map()) AS input_headers,
        if(bodies > 0, ${body('out')}, '') AS output_body, if(bodies > 0, toInt64(length(output_body)), -1) AS output_body_size, input_headers AS output_headers,
        CAST([], 'Array(LowCardinality(String))') AS truncated, bitOr(bitShiftLeft(toUInt64(2147483648), 32), toUInt64(4294967295 - bitShiftRight(arrival - 1577836800000, 8))) AS version,
        fromUnixTimestamp64Milli(intDiv(arrival, 250) * 250 + 250, 'UTC') AS inserted_at
      FROM numbers(${executions})) ${settings}`);
  const none = `'' AS input_body, toInt64(-1) AS input_body_size, CAST(map(), 'Map(LowCardinality(String), String)') AS input_headers,
    '' AS output_body, toInt64(-1) AS output_body_size, CAST(map(), 'Map(LowCardinality(String), String)') AS output_headers, CAST(map(), 'Map(LowCardinality(String), String)') AS attributes`;
  await engine.run(`CREATE TABLE source.processors ENGINE = MergeTree ORDER BY batch AS
    SELECT intDiv(arrival - ${instants}, ${Math.round(batch * spacing / stepsEach)}) AS batch, * FROM (
      WITH cityHash64(route_number, step) AS kind, ['log', 'to', 'setHeader', 'bean', 'choice', 'split', 'toD', 'setBody'] AS types
      SELECT arrival, tenant_id, environment, application, instance_id, route_id, execution_id, start_time, toUInt32(step) AS seq,
        toInt64(if(step < 3 OR route_number % 3 = 0, -1, if(route_number % 3 = 1, 1, step - step % 4))) AS parent_seq,
        concat(types[1 + kind % 8], '-', toString(route_number), '-', toString(step)) AS processor_id, types[1 + kind % 8] AS processor_type,
        if(failed AND step + 1 = steps, 'FAILED', 'COMPLETED') AS status,
        fromUnixTimestamp64Milli(start + intDiv(duration * step, steps + 1) + cityHash64(number, step, 'at') % 2, 'UTC') AS processor_start_time,
        toInt64(if(kind % 8 IN (1, 3, 6), intDiv(duration * 3 * (cityHash64(number, step) % 100), steps * 150), cityHash64(number, step) % 8 = 0)) AS duration_ms,
        toInt32(-1) AS iteration, toInt32(-1) AS iteration_size, toInt32(-1) AS loop_index, toInt32(if(route_number % 3 = 1 AND step > 2, step % 3, -1)) AS split_index, toInt32(-1) AS multicast_index,
        if(kind % 8 IN (1, 6), concat('http://service-', toString(kind % 40), '/api'), '') AS endpoint_uri, if(kind % 8 = 6, concat('http://service-', toString(kind % 40), '/api/', toString(kind % 1000)), '') AS resolved_endpoint_uri,
        if(status = 'FAILED', error_message, '') AS error_message, if(status = 'FAILED', error_stack_trace, '') AS error_stack_trace, ${none},
        toInt32(-1) AS filter_matched, toInt32(-1) AS duplicate_message, '' AS circuit_breaker_state, CAST([], 'Array(LowCardinality(String))') AS truncated, version, inserted_at
      FROM (SELECT * EXCEPT(${['batch', 'input_body', 'input_body_size', 'input_headers', 'output_body', 'output_body_size', 'output_headers', 'attributes', 'truncated', 'status', 'duration_ms'].join(', ')}) FROM source.executions
        WHERE number < ${withSteps})
      ARRAY JOIN range(toUInt32(steps)) AS step) ${settings}`);
  const count = (table) => engine.number(`SELECT count() FROM source.${table}`);
  return { executions: await count('executions'), processors: await count('processors') };
}

const columnsOf = async (engine, database, table) =>
  (await engine.rows('SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position', { parameters: { database, table } })).map(({ name }) => name);

/** Inserts all rows of a source into a table, batch by batch as they arrived, and as the server inserts (libs/clickhouse/src/client.cpp). */
export async function fill(engine, database, table, source = table === 'executions' ? 'executions' : 'processors') {
  const known = new Set(await columnsOf(engine, 'source', source));
  const columns = (await columnsOf(engine, database, table)).filter((name) => known.has(name)).join(', ');
  const last = await engine.number(`SELECT max(batch) FROM source.${source}`);
  for (let batch = 0; batch <= last; batch++) {
    await engine.run(`INSERT INTO ${database}.${table} (${columns}) SELECT ${columns} FROM source.${source} WHERE batch = ${batch} SETTINGS max_threads = 1, max_insert_threads = 1, optimize_on_insert = 0`);
  }
}
