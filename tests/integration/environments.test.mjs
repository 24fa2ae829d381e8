// Environments: made, edited, deleted with all that belongs to them, and made again; over two processes, with agents
// at work, and with the telemetry store frozen.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually, processesWith } from './server_process.mjs';
import { CommandStream } from './command_stream.mjs';

const server = new ServerProcess();
let other, admin;

const inData = (name) => readFileSync(join(server.folder, 'data', name), 'utf8').trim();
const engineAddress = () => server.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line)).line.slice('listening '.length);
/** A second process of the same tenant, on the engines of the first. */
function secondProcess() {
  return new ServerProcess({
    env: {
      CAMELEER_SERVER_SECURITY_MASTERKEY: readFileSync(join(server.folder, 'data/master.key')).toString('base64'),
      CAMELEER_SERVER_POSTGRES_URL: `host=${join(server.folder, 'data/postgres/run')} port=5432 dbname=cameleer user=cameleer password=${inData('postgres/password')}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${engineAddress()}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
      CAMELEER_SERVER_CLICKHOUSE_PASSWORD: inData('clickhouse/password'),
    },
  });
}
before(async () => {
  await server.start();
  admin = await server.adminToken();
  other = await secondProcess().start();
});
after(async () => {
  if (other && !other.exited) await other.dispose();
  await server.dispose();
});

const environments = '/api/v1/admin/environments';
const call = (method, path = '', json = undefined, at = server) => at.request(method, `${environments}${path}`, { token: admin, json });
async function made(slug, more = {}) {
  const answer = await call('POST', '', { slug, ...more });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}
const remove = (slug, at = server) => call('DELETE', `/${slug}?confirm=${slug}`, undefined, at);
async function removed(slug) {
  const answer = await remove(slug);
  assert.equal(answer.status, 204, answer.text);
}
const register = (agentId, environment, secret, at = server) => at.request('POST', '/api/v1/agents/register', {
  token: secret, json: { agentId, application: 'orders', environmentId: environment, routeIds: ['r1'], capabilities: {} },
});
async function agentOf(environment, secret, agentId = 'a1', at = server) {
  const answer = await register(agentId, environment, secret, at);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.accessToken;
}
const record = (token, id) => server.request('POST', '/api/v1/data/executions', { token, json: anExecution(id) });
const recorded = (environment) => server.request('GET', `/api/v1/environments/${environment}/executions`, { token: admin });
/** Rows of all tables whose environment begins so. */
async function rowsOf(slug) {
  let rows = 0;
  for (const table of ['executions', 'processor_executions', 'route_catalog']) {
    const answer = await fetch(`http://${engineAddress()}/?database=tenant_default&param_slug=${slug}`, {
      method: 'POST', body: `SELECT count() FROM ${table} WHERE startsWith(environment, {slug:String}) FORMAT TSV`,
      headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': inData('clickhouse/password') },
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    rows += Number(text);
  }
  return rows;
}
async function metric(name) {
  const { text } = await server.request('GET', '/metrics');
  return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').pop());
}

test('an environment is made, shown, edited and deleted, and the audit log tells it', async () => {
  const created = await made('shown', { displayName: 'Shown', executionRetentionDays: 14, jarRetentionCount: 3 });
  assert.match(created.apiKey.secret, /^cmk_/);
  const { apiKey, ...shown } = created;
  assert.deepEqual((await call('GET', '/shown')).body, shown);
  assert.ok(!(await call('GET')).text.includes(apiKey.secret));
  const edited = await call('PUT', '/shown', { slug: 'else', displayName: 'Seen', jarRetentionCount: null });
  const { jarRetentionCount, ...rest } = shown;
  assert.deepEqual([edited.status, edited.body, jarRetentionCount], [200, { ...rest, displayName: 'Seen' }, 3]);
  assert.equal((await call('DELETE', '/shown')).status, 400);
  assert.equal((await call('DELETE', '/shown?confirm=default')).body.member, 'confirm');
  await removed('shown');
  assert.equal((await call('GET', '/shown')).body.code, 'environment_not_found');
  const log = await server.request('GET', '/api/v1/admin/audit?category=ENVIRONMENT&target=shown', { token: admin });
  const [first, second, third] = log.body.items.reverse();
  assert.deepEqual([first.action, first.detail.after.displayName], ['create_environment', 'Shown']);
  assert.deepEqual([second.action, second.detail.before.displayName, second.detail.after.displayName], ['update_environment', 'Shown', 'Seen']);
  assert.deepEqual([third.action, third.detail.before.displayName, third.detail.before.rows.apiKeys], ['delete_environment', 'Seen', 1]);
});

test('of twenty who make an environment of one name at once, at two processes, one does', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call('POST', '', { slug: 'race' }, i % 2 ? other : server)));
  assert.deepEqual(answers.map((one) => one.status).sort(), [201, ...Array(19).fill(409)]);
  const secret = answers.find((one) => one.status === 201).body.apiKey.secret;
  assert.equal((await register('r1', 'race', secret, other)).status, 200);
  const deletions = await Promise.all(Array.from({ length: 6 }, (_, i) => remove('race', i % 2 ? other : server)));
  assert.deepEqual(deletions.map((one) => one.status).sort(), [204, ...Array(5).fill(404)]);
});

test('who deletes the last two environments at once is left with one', async () => {
  await made('twin');
  // Each process would be allowed one of the two.
  const [left, right] = await Promise.all([remove('default'), remove('twin', other)]);
  assert.deepEqual([left.status, right.status].sort(), [204, 409], `${left.text} ${right.text}`);
  const [only] = (await call('GET')).body.items;
  if (only.slug === 'twin') {
    server.apiKey = (await made('default')).apiKey.secret;
    await removed('twin');
  }
  assert.deepEqual((await call('GET')).body.items.map((one) => one.slug), ['default']);
});

test('agents of a deleted environment end, wherever they are connected', async () => {
  const { apiKey } = await made('fleet');
  const here = await agentOf('fleet', apiKey.secret, 'here'), there = await agentOf('fleet', apiKey.secret, 'there', other);
  const streams = [await CommandStream.open(server, 'here', { token: here }), await CommandStream.open(other, 'there', { token: there })];
  const config = await server.request('PUT', '/api/v1/environments/fleet/apps/orders/config', { token: admin, json: { samplingRate: 0.5 } });
  assert.equal(config.status, 200, config.text);
  await removed('fleet');
  assert.equal((await server.request('POST', '/api/v1/agents/here/heartbeat', { token: here })).status, 401);
  assert.equal((await register('here', 'fleet', apiKey.secret)).status, 401);
  for (const stream of streams) {
    await eventually('the stream ends', () => stream.ended, 10);
    assert.equal(stream.events.at(-1).event, 'reauth');
  }
  await eventually('the other process knows', async () => (await other.request('POST', '/api/v1/agents/there/heartbeat', { token: there })).status === 401, 15);
  for (const path of ['agents', 'executions', 'apps/orders/config']) {
    assert.equal((await server.request('GET', `/api/v1/environments/fleet/${path}`, { token: admin })).status, 404, path);
  }
  await made('fleet');
  assert.deepEqual((await server.request('GET', '/api/v1/environments/fleet/agents', { token: admin })).body.items, []);
  assert.notEqual((await server.request('GET', '/api/v1/environments/fleet/apps/orders/config', { token: admin })).body.config?.samplingRate, 0.5);
});

test('an environment can be deleted while agents register and report', async () => {
  const { apiKey } = await made('busy');
  const answers = [];
  let over = false;
  const work = async (agentId, at) => {
    while (!over) {
      const registered = await register(agentId, 'busy', apiKey.secret, at);
      answers.push(registered);
      if (registered.status === 200) answers.push(await at.request('POST', `/api/v1/agents/${agentId}/heartbeat`, { token: registered.body.accessToken }));
    }
  };
  const agents = Array.from({ length: 8 }, (_, i) => work(`w${i}`, i % 2 ? other : server));
  await eventually('all are at work', () => answers.filter((one) => one.status === 200).length > 16);
  await removed('busy');
  await eventually('nobody gets in any more', () => answers.slice(-8).every((one) => one.status !== 200), 20);
  over = true;
  await Promise.all(agents);
  const statuses = new Set(answers.map((one) => one.status));
  assert.ok([...statuses].every((one) => [200, 401, 404].includes(one)), [...statuses].join());
  await made('busy');
  assert.deepEqual((await server.request('GET', '/api/v1/environments/busy/agents', { token: admin })).body.items, []);
});

test('the telemetry of a deleted environment is hidden at once, gone soon, and not that of its successor', async () => {
  const first = await made('data');
  const token = await agentOf('data', first.apiKey.secret);
  assert.equal((await record(token, 'old')).status, 202);
  assert.equal((await recorded('data')).body.total, 1);
  await eventually('it is stored', async () => (await rowsOf('data')) > 0);
  await removed('data');
  assert.equal((await recorded('data')).status, 404);
  const second = await made('data');
  assert.equal((await recorded('data')).body.total, 0);
  assert.equal((await server.request('GET', '/api/v1/environments/data/executions/old', { token: admin })).status, 404);
  assert.equal((await record(token, 'late')).status, 401);
  const again = await agentOf('data', second.apiKey.secret);
  // The very same execution: nothing that is gone stands in its way.
  assert.equal((await record(again, 'old')).status, 202);
  await eventually('the new one is found', async () => (await recorded('data')).body.total === 1);
  const [found] = (await recorded('data')).body.items;
  assert.deepEqual([found.executionId, found.environment], ['old', 'data']);
  const detail = (await server.request('GET', '/api/v1/environments/data/executions/old', { token: admin })).body;
  assert.equal(detail.environment, 'data');
  const mine = await rowsOf('data~');
  await eventually('what was there before is gone from the store', async () => (await rowsOf('data')) === mine, 60);
  assert.ok(mine > 0);
});

test('telemetry goes later when the store is frozen, even when the server dies in between', async () => {
  await other.dispose();
  const { apiKey } = await made('frozen');
  assert.equal((await record(await agentOf('frozen', apiKey.secret), 'one')).status, 202);
  await eventually('it is stored', async () => (await rowsOf('frozen')) > 0);
  const [engine] = (await processesWith(join(server.folder, 'data'))).filter((pid) => pid !== server.pid
    && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
  process.kill(engine, 'SIGSTOP');
  try {
    await removed('frozen');
    assert.equal((await recorded('frozen')).status, 404);
    await eventually('it waits', async () => (await metric('cameleer_environment_removals_waiting')) >= 1, 20);
  } finally {
    await server.kill();
  }
  await server.start();
  assert.ok((await rowsOf('frozen')) >= 0);
  await eventually('the rows are gone', async () => (await rowsOf('frozen')) === 0, 120);
  await eventually('nothing waits', async () => (await metric('cameleer_environment_removals_waiting')) === 0, 30);
  admin = await server.adminToken();
  assert.equal((await recorded('frozen')).status, 404);
  assert.ok((await call('GET')).body.items.some((one) => one.slug === 'default'));
});
