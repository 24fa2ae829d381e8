// The schema of the telemetry store: made once by processes that start at the same moment, the same by every way, and kept through upgrades.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server_process.mjs';

const folder = new URL('../../schemas/clickhouse/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort().map((name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const statements = text.split(/^[ \t]*;[ \t]*$/m).filter((one) => one.replace(/^\s*--.*$/gm, '').trim());
  return { name, checksum: createHash('sha256').update(text).digest('hex'), statements };
});
const engines = new ServerProcess();
const masterKey = randomBytes(32).toString('base64');
let store, secret;

before(async () => {
  await engines.start();
  const { line } = engines.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  store = `http://${line.slice('listening '.length)}`;
  secret = (engine) => readFileSync(join(engines.folder, 'data', engine, 'password'), 'utf8').trim();
});
after(() => engines.dispose());

/** One process of a tenant on the engines of the first server. */
const processOf = (tenant) => new ServerProcess({
  env: {
    CAMELEER_SERVER_TENANT_ID: tenant, CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey,
    CAMELEER_SERVER_POSTGRES_URL: `host=${join(engines.folder, 'data/postgres/run')} port=5432 dbname=cameleer user=cameleer password=${secret('postgres')}`,
    CAMELEER_SERVER_CLICKHOUSE_URL: store, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer', CAMELEER_SERVER_CLICKHOUSE_PASSWORD: secret('clickhouse'),
  },
});

/** What a statement gives in a database of the store. */
async function ask(statement, database = 'system') {
  const answer = await fetch(`${store}/?${new URLSearchParams({ database, default_format: 'TabSeparatedRaw' })}`,
    { method: 'POST', body: statement, headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': secret('clickhouse') } });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${text}\n${statement}`);
  return text.trim();
}

/** What the tables of a database are made of; how long rows are kept is another matter. */
async function tablesOf(database) {
  const lists = await Promise.all([
    `SELECT name, engine, partition_key, sorting_key, primary_key, replaceAll(as_select, '${database}.', '') FROM tables WHERE database = '${database}' ORDER BY name`,
    `SELECT table, name, type, default_kind, default_expression, compression_codec FROM columns WHERE database = '${database}' ORDER BY table, position`,
    `SELECT table, name, type_full, expr, granularity FROM data_skipping_indices WHERE database = '${database}' ORDER BY table, name`,
  ].map((statement) => ask(statement)));
  return lists.join('\n').split('\n');
}

async function applyByHand(database, some, times = 1) {
  await ask(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await ask(`CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, checksum String, applied_at DateTime64(3) DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY version`, database);
  for (const { name, checksum, statements } of some) {
    for (let time = 0; time < times; time++) for (const statement of statements) await ask(statement, database);
    await ask(`INSERT INTO schema_migrations (version, name, checksum) SELECT ${Number(name.slice(1, 5))}, '${name}', '${checksum}'`, database);
  }
}

test('three processes that start at once on fresh stores make one schema', async () => {
  const trio = [processOf('trio'), processOf('trio'), processOf('trio')];
  try {
    await Promise.all(trio.map((one) => one.start()));
    assert.deepEqual(await tablesOf('tenant_trio'), await tablesOf('tenant_default'), 'the same as one process made alone');
    assert.equal(await ask('SELECT groupArray(name || checksum) FROM (SELECT * FROM schema_migrations FINAL ORDER BY version)', 'tenant_trio'),
      `['${files.map(({ name, checksum }) => name + checksum).join("','")}']`);
    for (const one of trio) assert.equal((await one.request('GET', '/health/ready')).status, 200);
  } finally {
    for (const one of trio) if (one.child) await one.dispose();
  }
});

test('a file of the schema that runs again changes nothing', async () => {
  await applyByHand('tenant_twice', files, 2);
  assert.deepEqual(await tablesOf('tenant_twice'), await tablesOf('tenant_default'));
});

test('an upgrade keeps every row, rewrites none, and they are found as before', async () => {
  const old = files.filter(({ name }) => name < 'V0003');
  await applyByHand('tenant_old', old);
  const kept = ['executions', 'processor_executions', 'execution_arrivals', 'logs', 'agent_metrics', 'agent_events', 'route_diagrams', 'route_catalog'];
  // Two parts each, in which ten identities are twice.
  const now = `toDateTime64(${Math.floor(Date.now() / 1000)}, 3)`;
  for (const offset of [0, 90]) {
    await ask(`INSERT INTO executions (tenant_id, environment, application, route_id, status, start_time, execution_id, correlation_id, error_message, processor_count, attributes, version)
      SELECT 'old', 'default', 'orders', 'r' || toString(number % 3), if(number % 7 = 0, 'RUNNING', 'COMPLETED'), ${now} - toIntervalMinute(number), 'e-' || toString(number), 'c', 'no stock', 2,
        map('orderId', toString(number)), if(number % 7 = 0, 4294967296, 9223372036854775808) FROM numbers(${offset}, 100)`, 'tenant_old');
    await ask(`INSERT INTO processor_executions (tenant_id, environment, start_time, execution_id, seq, parent_seq, processor_id, status)
      SELECT tenant_id, environment, start_time, execution_id, arrayJoin([0, 1]), -1, 'p', status FROM executions`, 'tenant_old');
    await ask(`INSERT INTO logs (tenant_id, environment, time, row_id, message) SELECT 'old', 'default', ${now}, unhex(leftPad(hex(number), 32, '0')), 'line' FROM numbers(${offset}, 100)`, 'tenant_old');
    for (const table of ['agent_metrics', 'agent_events']) {
      await ask(`INSERT INTO ${table} (tenant_id, environment, time, row_id) SELECT 'old', 'default', ${now}, unhex(leftPad(hex(number), 32, '0')) FROM numbers(${offset}, 100)`, 'tenant_old');
    }
    for (const table of ['route_diagrams', 'route_catalog']) {
      await ask(`INSERT INTO ${table} (tenant_id, environment, application, route_id, first_seen) SELECT 'old', 'default', 'orders', toString(number), ${now} FROM numbers(${offset}, 100)`, 'tenant_old');
    }
  }
  // Parts may merge meanwhile, which is no change: what counts is rows as readers see them, and that nothing rewrote parts.
  const rows = async () => Object.fromEntries(await Promise.all(kept.map(async (table) =>
    [table, await ask(`SELECT count(), sum(cityHash64(*)) FROM ${table} FINAL`, 'tenant_old')])));
  const shown = await rows();
  const server = processOf('old');
  try {
    await server.start();
    assert.deepEqual(await rows(), shown);
    // The retention tells parts until when they hold rows; that is no migration, and rewrites nothing either.
    assert.equal(await ask(`SELECT table, command FROM system.mutations WHERE database = 'tenant_old' AND command != '(MATERIALIZE TTL)'`), '', 'no statement rewrites what is there');
    assert.deepEqual(await tablesOf('tenant_old'), await tablesOf('tenant_default'));
    const token = await server.adminToken();
    const { status, body, text } = await server.request('GET', '/api/v1/environments/default/executions?limit=200', { token });
    assert.equal(status, 200, text);
    assert.deepEqual([body.total, new Set(body.items.map((one) => one.executionId)).size], [190, 190]);
    const found = await server.request('GET', '/api/v1/environments/default/executions/e-17', { token });
    assert.deepEqual([found.status, found.body.attributes?.orderId, found.body.processors?.length], [200, '17', 2], found.text);
  } finally {
    if (server.child) await server.dispose();
  }
});
