// Two tenants in one PostgreSQL and one ClickHouse: what one does, retention, offboarding and upgrades included, changes nothing of the other's.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { anExecution, eventually } from './server_process.mjs';
import { SharedEngines } from './shared_engines.mjs';

const engines = new SharedEngines();
const day = 86_400_000;
const tables = ['executions', 'processor_executions', 'execution_arrivals', 'logs', 'agent_metrics', 'agent_events', 'route_diagrams', 'route_catalog'];
let quiet, busy, untouched;

before(async () => {
  await engines.start();
  quiet = engines.processOf('quiet');
  busy = engines.processOf('busy', { flags: ['--retention.deletion-delay-days=0'] });
  await Promise.all([quiet.start(), busy.start()]);
  for (const server of [quiet, busy]) {
    server.admin = await server.adminToken();
    await fill(server, 'default', server.apiKey);
  }
  await eventually('the tables know of retention', async () => (await definitionsOf('quiet')).filter(([, text]) => / TTL .* WHERE environment IN /.test(text)).length >= 6);
  // One part a partition: nothing is left to merge.
  for (const table of tables) await engines.clickhouse('quiet', `OPTIMIZE TABLE ${table} FINAL`);
  untouched = await stateOf('quiet');
  assert.ok(untouched.parts.length >= 5 && untouched.counts.every(([, count]) => Number(count) > 0 || true));
});
after(() => engines.dispose());

const call = (server, method, path, json) => server.request(method, `/api/v1/${path}`, { token: server.admin, json });
async function done(answer) {
  const { status, text, body } = await answer;
  assert.ok(status < 300, text);
  return body;
}
/** Telemetry of every kind, today's and of 20 days ago. */
async function fill(server, slug, secret) {
  const agent = await done(server.request('POST', '/api/v1/agents/register', {
    token: secret, json: { agentId: `${slug}-agent`, application: 'orders', environmentId: slug, routeIds: ['r1'], capabilities: {} },
  }));
  const send = (kind, json) => done(server.request('POST', `/api/v1/data/${kind}`, { token: agent.accessToken, json }));
  for (const days of [0, 20]) {
    const startTime = Date.now() - days * day - 1000, timestamp = new Date(startTime).toISOString();
    await send('executions', [anExecution(`done-${days}`, { startTime }), anExecution(`running-${days}`, { startTime, status: 'RUNNING', endTime: undefined, durationMs: undefined })]);
    await send('logs', [{ timestamp, level: 'INFO', message: 'reserved' }]);
    await send('metrics', [{ timestamp, metricName: 'jvm.memory.used', value: 12.5 }]);
    await send('events', [{ timestamp, type: 'ROUTE_STOPPED', detail: { routeId: 'r1' } }]);
  }
}
const definitionsOf = (tenant) => engines.clickhouse(tenant, 'SELECT name, create_table_query, toString(uuid) FROM system.tables WHERE database = currentDatabase() ORDER BY name');
/** All that another tenant could have changed. */
async function stateOf(tenant) {
  return {
    definitions: await definitionsOf(tenant),
    parts: await engines.clickhouse(tenant, 'SELECT table, name, toString(modification_time), rows, hash_of_all_files FROM system.parts WHERE active AND database = currentDatabase() '
      + `AND table IN ('${tables.join("', '")}') ORDER BY table, name`),
    mutations: await engines.clickhouse(tenant, 'SELECT table, mutation_id, command, create_time FROM system.mutations WHERE database = currentDatabase() ORDER BY table, mutation_id'),
    migrations: await engines.clickhouse(tenant, 'SELECT version, checksum, toString(applied_at) FROM schema_migrations FINAL ORDER BY version'),
    counts: await Promise.all(tables.map(async (table) => [table, (await engines.clickhouse(tenant, `SELECT count() FROM ${table} FINAL`))[0][0]])),
    sql: engines.sql(tenant, 'select version, checksum, applied_at from schema_migrations order by version')
      + engines.sql(tenant, 'select environment_id, kind, days, ended_at from retention_days order by 1, 2, 3')
      + engines.sql(tenant, `select table_name, column_name, data_type from information_schema.columns where table_schema = 'tenant_${tenant}' order by 1, 2`),
  };
}
const countOf = async (tenant, environment) => Number((await engines.clickhouse(tenant, 'SELECT count() FROM executions FINAL WHERE environment = {environment:String}', { environment }))[0][0]);

test('a retention that shrinks deletes here, and changes no part and asks for no mutation there', async () => {
  await done(call(busy, 'PUT', 'admin/environments/default', { executionRetentionDays: 3, logRetentionDays: 3, metricRetentionDays: 3 }));
  await eventually('its tables delete by it', async () => (await definitionsOf('busy')).filter(([, text]) => text.includes('toIntervalDay(3)')).length === 6);
  // Merges come by themselves in minutes.
  await engines.clickhouse('busy', 'OPTIMIZE TABLE executions FINAL');
  assert.equal(await countOf('busy', 'default'), 2);
  assert.equal(await countOf('quiet', 'default'), 4);
  assert.deepEqual(await stateOf('quiet'), untouched);
});

test('an environment that is purged here changes no part and asks for no mutation there', async () => {
  const { apiKey } = await done(call(busy, 'POST', 'admin/environments', { slug: 'staging' }));
  await fill(busy, 'staging', apiKey.secret);
  assert.equal(await countOf('busy', 'staging'), 4);
  await done(call(busy, 'DELETE', 'admin/environments/staging?confirm=staging'));
  await eventually('its rows are gone', async () => (await countOf('busy', 'staging')) === 0, 60);
  await eventually('its clause is gone', async () => !(await definitionsOf('busy')).some(([, text]) => text.includes('staging')));
  assert.deepEqual(await stateOf('quiet'), untouched);
});

test('a tenant that is upgraded is migrated alone, and the other goes on answering', async () => {
  await leaveAsAnOlderServerDid('older');
  let over = false;
  const statuses = new Map();
  const asking = (async () => {
    while (!over) {
      const { status, body } = await call(quiet, 'GET', 'environments/default/executions?from=' + new Date(Date.now() - 25 * day).toISOString());
      const said = `${status} ${body.total}`;
      statuses.set(said, (statuses.get(said) ?? 0) + 1);
      await delay(5);
    }
  })();
  const older = engines.processOf('older');
  await older.start();
  over = true;
  await asking;
  assert.deepEqual([...statuses.keys()], ['200 4'], JSON.stringify([...statuses]));
  const versions = readdirSync(new URL('../../schemas/clickhouse', import.meta.url)).filter((name) => /^V\d+/.test(name)).length;
  assert.deepEqual(await engines.clickhouse('older', 'SELECT max(version) FROM schema_migrations'), [[String(versions)]]);
  assert.equal(await countOf('older', 'default'), 1, 'what it had is still there');
  assert.deepEqual(await stateOf('quiet'), untouched);
});

test('what it was spared, it can still do', async () => {
  const { items } = await done(call(quiet, 'GET', 'environments/default/executions?from=' + new Date(Date.now() - 25 * day).toISOString()));
  assert.deepEqual(items.map((one) => one.executionId).sort(), ['done-0', 'done-20', 'running-0', 'running-20']);
  const { apiKey } = await done(call(quiet, 'POST', 'admin/environments', { slug: 'staging' }));
  await fill(quiet, 'staging', apiKey.secret);
  assert.equal(await countOf('quiet', 'staging'), 4);
});

const statementsOf = (sql) => sql.split(/^;$/m).filter((statement) => statement.split('\n').some((line) => line.trim() && !line.startsWith('--')));
/** A database with the first migration alone, and a row. */
async function leaveAsAnOlderServerDid(tenant) {
  const name = readdirSync(new URL('../../schemas/clickhouse', import.meta.url)).find((one) => one.startsWith('V0001__'));
  const sql = readFileSync(new URL(`../../schemas/clickhouse/${name}`, import.meta.url), 'utf8');
  await engines.clickhouse('', `CREATE DATABASE tenant_${tenant}`);
  for (const statement of statementsOf(sql)) await engines.clickhouse(tenant, statement);
  await engines.clickhouse(tenant, 'CREATE TABLE schema_migrations (version UInt32, name String, checksum String, applied_at DateTime64(3) DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY version');
  await engines.clickhouse(tenant, 'INSERT INTO schema_migrations (version, name, checksum) SELECT 1, {name:String}, {checksum:String}', { name, checksum: createHash('sha256').update(sql).digest('hex') });
  await engines.clickhouse(tenant, `INSERT INTO executions (tenant_id, environment, start_time, execution_id, status) SELECT '${tenant}', 'default', now64(3), 'before', 'COMPLETED'`);
}
