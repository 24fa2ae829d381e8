// Retention: what lies beyond is hidden at once, over two processes; refused; deleted after its delay; and shown again when it is raised in time.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { anExecution, eventually } from './server_process.mjs';
import { SharedEngines } from './shared_engines.mjs';

const vendor = newKeyPair();
const engines = new SharedEngines();
const day = 86_400_000;
const env = { CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey };
// Red keeps the default delay; blue deletes at once.
let red, other, blue;
const admins = new Map();

before(async () => {
  await engines.start();
  red = engines.processOf('red', { license: null, env });
  other = engines.processOf('red', { license: null, env });
  blue = engines.processOf('blue', { license: null, env, flags: ['--retention.deletion-delay-days=0'] });
  await Promise.all([red.start(), blue.start()]);
  await other.start();
  for (const server of [red, blue]) admins.set(server, await server.adminToken());
  admins.set(other, admins.get(red));
});
after(() => engines.dispose());

const call = (server, method, path, json) => server.request(method, `/api/v1/${path}`, { token: admins.get(server), json });
async function done(answer) {
  const { status, text, body } = await answer;
  assert.ok(status < 300, text);
  return body;
}
/** A licence with these caps on executions, logs and metrics. */
const allow = (server, tenant, execution, log = execution, metric = execution) => done(call(server, 'POST', 'admin/license', {
  token: tokenOf(licence({ tenantId: tenant, limits: { max_environments: 9, max_agents: 99, max_execution_retention_days: execution, max_log_retention_days: log, max_metric_retention_days: metric } }), vendor.privateKey),
}));
const wish = (server, slug, days) => done(call(server, 'PUT', `admin/environments/${slug}`, { executionRetentionDays: days }));
const effective = async (server, slug = 'default') => (await done(call(server, 'GET', `admin/environments/${slug}`))).effectiveRetention;
/** Registers an agent and gives what posts data as it. */
async function agentOf(server, slug, secret) {
  const { accessToken } = await done(server.request('POST', '/api/v1/agents/register', {
    token: secret, json: { agentId: `${slug}-agent`, application: 'orders', environmentId: slug, routeIds: ['r1'], capabilities: {} },
  }));
  return (kind, json) => done(server.request('POST', `/api/v1/data/${kind}`, { token: accessToken, json }));
}
/** An execution that began so many days ago. */
const aged = (id, days, more = {}) => anExecution(id, { startTime: Date.now() - days * day, ...more });
const fourWeeks = new Date(Date.now() - 28 * day).toISOString();
const shown = async (server, slug = 'default') =>
  (await done(call(server, 'GET', `environments/${slug}/executions?limit=200&from=${fourWeeks}`))).items.map((one) => one.executionId).sort();
const statusOf = async (server, id, query = '') => (await call(server, 'GET', `environments/default/executions/${id}${query}`)).status;
const ttlOf = async (tenant, table = 'executions') =>
  (await engines.clickhouse(tenant, `SELECT extract(create_table_query, ' TTL (.*) SETTINGS') FROM system.tables WHERE database = currentDatabase() AND name = {table:String}`, { table }))[0]?.[0].replaceAll("\\'", "'");
async function metric(server, name) {
  const { text } = await server.request('GET', '/metrics');
  return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').pop());
}

/** Until the tables delete by it: what they do not know of yet is not taken. */
const reached = (tenant, table, ttl) => eventually(`${table} delete by ${ttl}`, async () => ttl.test(await ttlOf(tenant, table)));

/** Until the tables delete by it, and have: merges come by themselves in minutes, a test asks for them. */
async function merged(tenant, tables, ttl) {
  for (const table of tables) {
    await reached(tenant, table, ttl);
    await engines.clickhouse(tenant, `OPTIMIZE TABLE ${table} FINAL`);
  }
}

test('the API says what holds and who decides it: environment, licence or default', async () => {
  const capped = (days) => ({ days, decidedBy: 'license' });
  assert.deepEqual(await effective(red), { execution: capped(1), log: capped(1), metric: capped(1) }, 'no licence: the default tier');
  await allow(red, 'red', 30, 20, 5);
  assert.deepEqual(await effective(red), { execution: { days: 30, decidedBy: 'default' }, log: capped(20), metric: capped(5) });
  const changed = await wish(red, 'default', 14);
  assert.deepEqual(changed.effectiveRetention.execution, { days: 14, decidedBy: 'environment' });
  assert.deepEqual((await wish(red, 'default', 31)).effectiveRetention.execution, capped(30));
  await wish(red, 'default', null);
  const [listed] = (await done(call(red, 'GET', 'admin/environments'))).items;
  assert.deepEqual(listed.effectiveRetention.execution, { days: 30, decidedBy: 'default' });
  await reached('red', 'executions', /toIntervalDay\(30\) WHERE environment IN \('default'\)/);
  await reached('red', 'logs', /toIntervalDay\(20\)/);
  await reached('red', 'agent_metrics', /toIntervalDay\(5\)/);
  await eventually('the other process sees the licence', async () => (await effective(other)).log.days === 20);
});

test('ingest refuses what is older than the retention of its kind', async () => {
  const send = await agentOf(red, 'default', red.apiKey ?? other.apiKey);
  const at = (days) => new Date(Date.now() - days * day).toISOString();
  const tooOld = { accepted: 1, rejected: [{ index: 1, reason: 'too_old' }] };
  assert.deepEqual(await send('executions', [aged('e29', 29), aged('e31', 31)]), tooOld);
  const entry = (days) => ({ timestamp: at(days), level: 'INFO', message: 'reserved' });
  assert.deepEqual(await send('logs', [entry(19), entry(21)]), tooOld);
  const figure = (days) => ({ timestamp: at(days), metricName: 'jvm.memory.used', value: 1 });
  assert.deepEqual(await send('metrics', [figure(4), figure(6)]), tooOld);
  await wish(red, 'default', 10);
  assert.deepEqual(await send('executions', [aged('e9', 9), aged('e11', 11)]), tooOld);
  await wish(red, 'default', null);
});

test('what lies beyond a lowered retention is hidden at once, however one asks, and shown again when it is raised', async () => {
  const send = await agentOf(red, 'default', red.apiKey ?? other.apiKey);
  const journey = { correlationId: 'journey' };
  await send('executions', [aged('young', 1, journey), aged('middle', 6, journey), aged('old', 20)]);
  const everything = ['e9', 'middle', 'old', 'young'];
  assert.deepEqual(await shown(red), everything);
  const { startTime } = await done(call(red, 'GET', 'environments/default/executions/old'));
  const before = await ttlOf('red');

  await wish(red, 'default', 5);
  assert.deepEqual(await shown(red), ['young']);
  for (const query of ['', `?at=${startTime}`]) assert.equal(await statusOf(red, 'old', query), 404, query);
  assert.equal(await statusOf(red, 'young'), 200);
  assert.deepEqual((await done(call(red, 'GET', 'environments/default/executions/young'))).correlated, []);
  await eventually('the other process hides it, too', async () => (await shown(other)).join() === 'young', 10);
  await eventually('it is noted that it waits', async () => (await metric(red, 'cameleer_retention_waiting')) === 1);
  assert.equal(await ttlOf('red'), before, 'nothing is deleted yet');

  await wish(other, 'default', null);
  await eventually('all of it is there again', async () => (await shown(red)).join() === everything.join(), 10);
  // By a licence that ends, too.
  await done(call(red, 'DELETE', 'admin/license'));
  assert.deepEqual(await shown(red), []);
  assert.equal(await statusOf(red, 'young'), 404);
  await allow(red, 'red', 30, 20, 5);
  assert.deepEqual(await shown(red), everything);
  assert.equal(engines.sql('red', "select count(*) from retention_days where kind = 'execution' and ended_at is null"), '1');
});

test('what waits for its delay is on record: a restart changes nothing', async () => {
  await wish(red, 'default', 5);
  await eventually('it is on record', () => engines.sql('red', "select days from retention_days where kind = 'execution' order by days") === '5\n30');
  await other.stop();
  await other.start();
  await eventually('the new process knows', async () => (await metric(other, 'cameleer_retention_waiting')) === 1);
  assert.match(await ttlOf('red'), /toIntervalDay\(30\) WHERE environment IN \('default'\)/);
  // Seven days later.
  engines.sql('red', "update retention_days set ended_at = ended_at - interval '7 days' where ended_at is not null");
  await merged('red', ['executions'], /toIntervalDay\(5\)/);
  assert.equal((await engines.clickhouse('red', 'SELECT execution_id FROM executions FINAL')).join(), 'young');
  await wish(red, 'default', null);
  assert.deepEqual(await shown(red), ['young']);
});

test('without a delay rows vanish from every table; other environments and other kinds keep theirs', async () => {
  await allow(blue, 'blue', 90);
  const { apiKey } = await done(call(blue, 'POST', 'admin/environments', { slug: 'staging', logRetentionDays: 25 }));
  await reached('blue', 'executions', /toIntervalDay\(30\) WHERE environment IN \('default', 'staging'\)/);
  await reached('blue', 'logs', /toIntervalDay\(25\) WHERE environment IN \('staging'\)/);
  const rowsOf = async (slug) => Object.fromEntries(await Promise.all(['executions', 'processor_executions', 'execution_arrivals', 'logs']
    .map(async (table) => [table, Number((await engines.clickhouse('blue', `SELECT count() FROM ${table} FINAL WHERE environment = {slug:String}`, { slug }))[0][0])])));
  for (const [slug, secret] of [['default', blue.apiKey], ['staging', apiKey.secret]]) {
    const send = await agentOf(blue, slug, secret);
    await send('executions', [aged('young', 1), aged('middle', 6), aged('old', 20), aged('running', 20, { status: 'RUNNING', endTime: undefined, durationMs: undefined })]);
    await send('logs', [{ timestamp: new Date(Date.now() - 20 * day).toISOString(), level: 'INFO', message: 'kept' }]);
  }
  const before = await rowsOf('default');
  assert.deepEqual(before, { executions: 4, processor_executions: 12, execution_arrivals: 1, logs: 1 });
  assert.deepEqual(await rowsOf('staging'), before);
  await wish(blue, 'staging', 5);
  await merged('blue', ['executions', 'processor_executions', 'execution_arrivals'], /toIntervalDay\(5\) WHERE environment IN \('staging'\)/);
  assert.deepEqual(await rowsOf('staging'), { executions: 1, processor_executions: 3, execution_arrivals: 0, logs: 1 });
  assert.deepEqual(await rowsOf('default'), before);
  assert.deepEqual(await shown(blue), ['middle', 'old', 'running', 'young']);
});

test('a store that refuses a change fails nobody: readiness warns, a figure counts, and it is made up for', async () => {
  const readiness = async () => (await blue.request('GET', '/health/ready')).body;
  assert.deepEqual((await readiness()).warnings.filter((one) => one.code === 'retention_refused'), []);
  await engines.clickhouse('blue', 'RENAME TABLE agent_events TO agent_events_away');
  await engines.clickhouse('blue', 'CREATE TABLE agent_events (x UInt8) ENGINE = Memory');
  await allow(blue, 'blue', 12);
  await eventually('readiness warns', async () => (await readiness()).warnings.some((one) => one.code === 'retention_refused' && one.since));
  assert.equal((await blue.request('GET', '/health/ready')).status, 200);
  assert.ok((await metric(blue, 'cameleer_retention_refusals_total')) >= 1);
  assert.equal(await metric(blue, 'cameleer_retention_behind'), 1);
  assert.ok(blue.lines.some((line) => line.event === 'retention_refused' && line.level === 'warning' && line.table === 'agent_events'));
  await reached('blue', 'logs', /toIntervalDay\(12\) WHERE environment IN \('default', 'staging'\)/);
  await engines.clickhouse('blue', 'DROP TABLE agent_events');
  await engines.clickhouse('blue', 'RENAME TABLE agent_events_away TO agent_events');
  await eventually('it is made up for', async () => (await metric(blue, 'cameleer_retention_behind')) === 0, 120);
  assert.match(await ttlOf('blue', 'agent_events'), /toIntervalDay\(12\)/);
});
