// The product's own queries over executions (apps/server/executions/execution_query.cpp, executions_store.cpp), and those that the search indexes are for.
const scope = `tenant_id = {tenant:String} AND environment = {environment:String} AND start_time >= {from:DateTime64(3)} AND start_time < {to:DateTime64(3)}`;
const visible = `(inserted_at <= {as_of:DateTime64(3)} OR (start_time, execution_id) IN (SELECT start_time, execution_id FROM execution_arrivals WHERE ${scope}
  GROUP BY start_time, execution_id HAVING min(first_seen) <= {as_of:DateTime64(3)}))`;
// Each run is a first one: without it the engine would remember which rows a condition left over.
const settings = 'SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1, use_query_condition_cache = 0';
const summary = `environment, application, instance_id, route_id, if(status = 'RUNNING' AND inserted_at < {stale_before:DateTime64(3)}, 'INCOMPLETE', status) AS shown_status, start_time, end_time,
  duration_ms, execution_id, correlation_id, exchange_id, parent_execution_id, replay_of, error_message, failed_processor_id, failed_processor_type, processor_count, attributes`;
const page = (condition = '') => `SELECT ${summary} FROM executions FINAL WHERE ${scope} AND ${visible} ${condition && `AND ${condition}`} ORDER BY start_time DESC, execution_id DESC LIMIT 51 ${settings}`;

/** Expressions of the search indexes; a query has to say the same. */
export const indexed = {
  attributes: "arrayMap((k, v) -> concat(k, '=', v), mapKeys(attributes), mapValues(attributes))",
  errors: "lowerUTF8(concat(error_message, ' ', error_stack_trace))",
  bodies: "lowerUTF8(concat(substring(input_body, 1, 4096), ' ', substring(output_body, 1, 4096)))",
  headers: "lowerUTF8(concat(substring(arrayStringConcat(mapValues(input_headers), ' '), 1, 4096), ' ', substring(arrayStringConcat(mapValues(output_headers), ' '), 1, 4096)))",
};

/** name → SQL; parameters of each run are those of one execution that is there (`sample` in schema.mjs). */
export const queries = {
  'newest 50': page(),
  'newest 50, FAILED and a route': page("status IN ['FAILED'] AND route_id IN {routes:Array(String)}"),
  'how many, up to 10,000': `SELECT count() AS n FROM (SELECT 1 FROM executions FINAL WHERE ${scope} AND ${visible} LIMIT 10001) ${settings}`,
  'newest arrival': `SELECT count() AS n, max(inserted_at) AS newest FROM executions WHERE ${scope}`,
  'an execution by its id': `SELECT ${summary}, error_stack_trace, input_body, output_body FROM executions FINAL WHERE ${scope} AND execution_id = {execution_id:String} ORDER BY start_time DESC LIMIT 1 ${settings}`,
  'an execution by its id and time': `SELECT ${summary}, error_stack_trace, input_body, output_body FROM executions FINAL
    WHERE ${scope.replace('{from:', '{at:').replace('{to:', '{after:')} AND execution_id = {execution_id:String} ORDER BY start_time DESC LIMIT 1 ${settings}`,
  'by correlation id': `SELECT ${summary} FROM executions FINAL WHERE ${scope} AND correlation_id = {correlation_id:String} AND execution_id != {execution_id:String} ORDER BY start_time, execution_id LIMIT 100 ${settings}`,
  'steps of an execution': `SELECT * FROM processor_executions FINAL WHERE ${scope.replace('{from:', '{at:').replace('{to:', '{after:')} AND execution_id = {execution_id:String} ORDER BY seq ${settings}`,
  'text anywhere, as it is': page(`(${['error_message', 'execution_id', 'correlation_id', 'exchange_id', 'route_id'].map((one) => `positionCaseInsensitiveUTF8(${one}, {article:String}) > 0`).join(' OR ')})`),
  'attribute, a scan': page("attributes['orderId'] = {order:String}"),
  'attribute, by index': page(`hasAll(${indexed.attributes}, {attributes:Array(String)})`),
  'words of errors': page(`hasAllTokens(${indexed.errors}, lowerUTF8({words:String}))`),
  'word of bodies': page(`hasAllTokens(${indexed.bodies}, lowerUTF8({body_word:String}))`),
  'word of headers': page(`hasAllTokens(${indexed.headers}, lowerUTF8({correlation_id:String}))`),
};
