// Chunks, logs, metrics, events and diagrams: what is acknowledged is stored, once; what is wrong is refused, whole.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually, processesWith } from './server_process.mjs';

const server = new ServerProcess();
let agent, admin;
before(async () => { await server.start(); agent = await server.registerAgent('node-1', 'orders'); admin = await server.adminToken(); });
after(() => server.dispose());

const path = (kind) => `/api/v1/data/${kind}`;
const now = () => new Date().toISOString();
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

async function post(kind, body, headers = {}) {
  return server.request('POST', path(kind), { token: agent.accessToken, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
}
async function send(kind, body, headers) {
  const answer = await post(kind, body, headers);
  assert.equal(answer.status, 202, answer.text);
  return answer.body;
}

/** How many rows were stored and acknowledged, by the server's own count. */
async function storedRows(table) {
  const { text } = await server.request('GET', '/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`cameleer_ingest_rows_total{table="${table}"}`));
  assert.ok(line, `a figure for ${table}`);
  return Number(line.split(' ')[1]);
}

const kinds = {
  chunks: {
    table: 'executions', most: 10_000,
    good: () => { const { processorExecutions, ...exchange } = anExecution('chunked'); return { exchange, processors: processorExecutions, chunkSeq: 0, final: true }; },
    wrong: [
      ['no exchange', { exchange: undefined }, '/exchange'],
      ['an exchange that is a text', { exchange: 'x' }, '/exchange'],
      ['no number', { chunkSeq: undefined }, '/chunkSeq'],
      ['a number in text', { chunkSeq: '0' }, '/chunkSeq'],
      ['final in text', { final: 'yes' }, '/final'],
      ['a processor without place', { processors: [{ processorId: 'p', processorType: 'log', status: 'COMPLETED', startTime: now() }] }, '/processors/0/seq'],
      ['an execution id with NUL', { exchange: { ...anExecution('x'), processorExecutions: [], executionId: 'a\0b' } }, '/exchange/executionId'],
    ],
  },
  logs: {
    table: 'logs', most: 10_000,
    good: () => ({ timestamp: now(), level: 'INFO', logger: 'orders.Stock', message: 'reserved', mdc: { 'camel.exchangeId': 'x1' } }),
    wrong: [
      ['no time', { timestamp: undefined }, '/timestamp'], ['a time without offset', { timestamp: '2026-11-22T10:00:00' }, '/timestamp'],
      ['no level', { level: null }, '/level'], ['a message that is an object', { message: {} }, '/message'], ['an MDC of numbers', { mdc: { a: 1 } }, '/mdc/a'],
      ['a route id with NUL', { routeId: '\0' }, '/routeId'],
    ],
  },
  metrics: {
    table: 'agent_metrics', most: 10_000,
    good: () => ({ timestamp: now(), metricName: 'jvm.memory.used', value: 12.5, tags: { area: 'heap' }, type: 'gauge' }),
    wrong: [
      ['no name', { metricName: '' }, '/metricName'], ['a value in text', { value: '1' }, '/value'], ['a value that is null', { value: null }, '/value'],
      ['no time', { timestamp: undefined }, '/timestamp'], ['tags that are a list', { tags: [] }, '/tags'], ['a name with NUL', { metricName: 'a\0' }, '/metricName'],
    ],
  },
  events: {
    table: 'agent_events', most: 10_000,
    good: () => ({ timestamp: now(), type: 'ROUTE_STOPPED', detail: { routeId: 'r1' } }),
    wrong: [
      ['no type', { type: undefined }, '/type'], ['a type that is a number', { type: 1 }, '/type'], ['a detail that is a text', { detail: 'x' }, '/detail'],
      ['a deep detail', { detail: { a: JSON.parse(nested(40)) } }, '/detail'], ['a large detail', { detail: { a: 'x'.repeat(70_000) } }, '/detail'], ['a type with NUL', { type: '\0' }, '/type'],
    ],
  },
  diagrams: {
    table: 'route_diagrams', most: 1_000,
    good: () => ({ routeId: 'order-entry', version: 1, nodes: [{ id: 'from1', type: 'from', uri: 'direct:a' }], edges: [], source: '<route/>' }),
    wrong: [
      ['no route', { routeId: undefined }, '/routeId'], ['nodes that are an object', { nodes: {} }, '/nodes'], ['edges that are a text', { edges: 'x' }, '/edges'],
      ['a long hash', { diagramHash: 'h'.repeat(129) }, '/diagramHash'], ['a source that is a number', { source: 1 }, '/source'], ['a route with NUL', { routeId: 'a\0' }, '/routeId'],
    ],
  },
};

for (const [kind, { table, most, good, wrong }] of Object.entries(kinds)) {
  describe(`data/${kind}`, () => {
    test('takes one object, an array, plain and gzip', async () => {
      const stored = await storedRows(table);
      assert.deepEqual(await send(kind, good()), { accepted: 1 });
      assert.deepEqual(await send(kind, [good(), good()]), { accepted: 2 });
      assert.deepEqual(await send(kind, zlib.gzipSync(JSON.stringify([good()])), { 'content-encoding': 'gzip' }), { accepted: 1 });
      assert.equal(await storedRows(table) - stored, 4);
      assert.deepEqual(await send(kind, '[]'), { accepted: 0 });
    });

    const text = JSON.stringify(good());
    const bodies = [
      ['malformed JSON', text.slice(0, -1), 'malformed_body'],
      ['an empty body', '', 'malformed_body'],
      ['10,000-deep nesting in a member nobody reads', `${text.slice(0, -1)},"unknown":${nested(10_000)}}`, 'malformed_body'],
      ['invalid UTF-8 in a member nobody reads', Buffer.concat([Buffer.from(text.slice(0, -1) + ',"unknown":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), 'malformed_body'],
      ['a raw NUL byte', text.replace('{', '{\0'), 'malformed_body'],
      ['a number', '7', 'invalid_member', ''],
      ['a text after a good element', JSON.stringify([good(), 'no']), 'invalid_member', '/1'],
      ['one element too many', `[${Array(most + 1).fill(text).join(',')}]`, 'invalid_member'],
      ...wrong.map(([what, change, member]) => [`${what}, after a good element`, JSON.stringify([good(), { ...good(), ...change }]), 'invalid_member', `/1${member}`]),
    ];
    for (const [what, body, code, member] of bodies) {
      test(`with ${what} is refused, and nothing of it is stored`, async () => {
        const stored = await storedRows(table);
        const answer = await post(kind, body);
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
        assert.equal(answer.body.code, code);
        assert.ok(answer.body.detail.length > 0);
        if (member) assert.equal(answer.body.member, member);
        assert.equal(await storedRows(table), stored);
      });
    }

    test('takes zstd', { skip: !zlib.zstdCompressSync && 'this Node.js has no zstd' }, async () => {
      assert.deepEqual(await send(kind, zlib.zstdCompressSync(JSON.stringify([good()])), { 'content-encoding': 'zstd' }), { accepted: 1 });
    });

    test('needs an agent\'s token, JSON and a key within its bound', async () => {
      for (const [token, status] of [[undefined, 401], [admin, 401], [agent.refreshToken, 401]]) {
        assert.equal((await server.request('POST', path(kind), { token, json: good() })).status, status);
      }
      assert.equal((await post(kind, good(), { 'content-type': 'text/plain' })).status, 415);
      assert.equal((await post(kind, good(), { 'x-cameleer-protocol-version': '2' })).status, 400);
      const answer = await post(kind, good(), { 'idempotency-key': 'k'.repeat(129) });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.member, 'Idempotency-Key');
    });
  });
}

test('records too old and too far ahead are refused alone', async () => {
  const old = '2001-01-01T00:00:00.000Z', ahead = new Date(Date.now() + 48 * 3600e3).toISOString();
  for (const kind of ['logs', 'metrics', 'events']) {
    const good = kinds[kind].good();
    assert.deepEqual(await send(kind, [{ ...good, timestamp: old }, good, { ...good, timestamp: ahead }]), { accepted: 1, rejected: [{ index: 0, reason: 'too_old' }, { index: 2, reason: 'in_future' }] });
  }
  const { text } = await server.request('GET', '/metrics');
  assert.match(text, /cameleer_ingest_rejected_total\{kind="logs",reason="too_old"\} 1\n/);
  assert.match(text, /cameleer_ingest_refused_requests_total\{kind="events",reason="invalid_member"\} [1-9]/);
});

describe('an execution in chunks', () => {
  const start = new Date(Date.now() - 5000).toISOString();
  const step = (seq, more = {}) => ({ seq, processorId: `p${seq}`, processorType: 'log', status: 'COMPLETED', startTime: start, durationMs: 1, ...more });
  const chunk = (id, chunkSeq, status, processors, final = false) => ({
    exchange: { executionId: id, exchangeId: `x-${id}`, routeId: 'chunked', status, startTime: start, ...(status === 'RUNNING' ? {} : { durationMs: 40 }) }, processors, chunkSeq, final,
  });
  const detail = async (id) => (await server.request('GET', `/api/v1/environments/default/executions/${id}`, { token: admin })).body;
  const flat = (steps) => steps.flatMap((one) => [one.seq, ...flat(one.children)]);

  test('shows at once, grows, and ends with the steps of all of them', async () => {
    await send('chunks', chunk('c-order', 0, 'RUNNING', [step(0), step(1, { parentSeq: 0 })]));
    let found = await detail('c-order');
    assert.equal(found.status, 'RUNNING');
    assert.equal(found.processorCount, 2);
    await send('chunks', chunk('c-order', 1, 'RUNNING', [step(2, { parentSeq: 0 })]));
    await send('chunks', chunk('c-order', 2, 'COMPLETED', [step(3)], true));
    found = await detail('c-order');
    assert.equal(found.status, 'COMPLETED');
    assert.equal(found.durationMs, 40);
    assert.equal(found.processorCount, 4);
    assert.deepEqual(flat(found.processors), [0, 1, 2, 3]);
    assert.deepEqual(found.processors.map((one) => one.children.length), [2, 0]);
  });

  test('is the same when the last one comes first and one comes twice', async () => {
    await send('chunks', chunk('c-late', 2, 'COMPLETED', [step(3)], true));
    for (const number of [0, 0, 1]) await send('chunks', chunk('c-late', number, 'RUNNING', [step(number)]));
    const found = await detail('c-late');
    assert.equal(found.status, 'COMPLETED');
    assert.deepEqual(flat(found.processors), [0, 1, 3]);
    const { body } = await server.request('GET', '/api/v1/environments/default/executions?routeId=chunked', { token: admin });
    assert.deepEqual(body.items.map((one) => [one.executionId, one.processorCount]).sort(), [['c-late', 3], ['c-order', 4]]);
  });

  test('hides secrets in exchange and processors', async () => {
    await send('chunks', { ...chunk('c-secret', 0, 'RUNNING', [step(0, { inputHeaders: { cookie: 's3cr3t' } })]), exchange: { ...chunk('c-secret', 0, 'RUNNING').exchange, inputHeaders: { Authorization: 's3cr3t' } } });
    assert.ok(!JSON.stringify(await detail('c-secret')).includes('s3cr3t'));
  });
});

test('data is taken again after the store died, and the same request with it', async () => {
  const bodies = Object.fromEntries(Object.entries(kinds).map(([kind, { good }]) => [kind, JSON.stringify([good()])]));
  for (const [kind, body] of Object.entries(bodies)) await send(kind, body);
  const engines = async () => (await processesWith(join(server.folder, 'data'))).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
  for (const pid of await engines()) process.kill(pid, 'SIGKILL');
  for (const [kind, body] of Object.entries(bodies)) {
    await eventually(`${kind} are taken again`, async () => (await post(kind, body)).status === 202, 60);
  }
  const { body } = await server.request('GET', '/api/v1/environments/default/executions?text=chunked&routeId=order-entry', { token: admin });
  assert.equal(body.items.filter((one) => one.executionId === 'chunked').length, new Set(body.items.map((one) => one.startTime)).size);
});
