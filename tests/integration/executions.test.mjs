// What agents send is found again: by filters, page by page, with its processor tree.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { ServerProcess, anExecution } from './server_process.mjs';

const server = new ServerProcess();
let agent, admin;
before(async () => { await server.start(); agent = await server.registerAgent('node-1', 'orders'); admin = await server.adminToken(); });
after(() => server.dispose());

const base = '/api/v1/environments/default/executions';
async function send(json, headers) {
  const answer = await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json, headers });
  assert.equal(answer.status, 202, answer.text);
  return answer.body;
}
async function search(query = '') {
  const answer = await server.request('GET', `${base}?${query}`, { token: admin });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
const ids = (page) => page.items.map((one) => one.executionId);

const failure = (id) => anExecution(id, {
  status: 'FAILED', routeId: 'fulfilment', errorMessage: 'java.lang.IllegalStateException: no stock for SKU-7',
  errorStackTrace: 'java.lang.IllegalStateException: no stock for SKU-7\n\tat Stock.reserve(Stock.java:12)',
  inputBody: '{"sku":"SKU-7","password":"hunter2"}', inputHeaders: { Authorization: 'Bearer secret', orderId: '4711' },
  processorExecutions: [
    { processorId: 'split1', processorType: 'split', seq: 1, status: 'FAILED', startTime: new Date().toISOString(), durationMs: 9 },
    { processorId: 'reserve', processorType: 'bean', seq: 2, parentSeq: 1, splitIndex: 1, status: 'FAILED', startTime: new Date().toISOString(), durationMs: 3,
      errorMessage: 'java.lang.IllegalStateException: no stock for SKU-7', inputBody: 'SKU-7' },
    { processorId: 'reserve', processorType: 'bean', seq: 3, parentSeq: 1, splitIndex: 0, status: 'COMPLETED', startTime: new Date().toISOString(), durationMs: 2 },
  ],
});

test('an execution that was acknowledged is found at once, whole', async () => {
  assert.deepEqual(await send(failure('f1')), { accepted: 1 });
  const [found] = (await search('status=FAILED')).items;
  assert.equal(found.executionId, 'f1');
  assert.equal(found.application, 'orders');
  assert.equal(found.instanceId, 'node-1');
  assert.equal(found.failedProcessorId, 'reserve');
  assert.match(found.errorMessage, /no stock for SKU-7/);
  const { body } = await server.request('GET', `${base}/f1?at=${found.startTime}`, { token: admin });
  assert.equal(body.processors.length, 1);
  assert.equal(body.processors[0].processorId, 'split1');
  assert.deepEqual(body.processors[0].children.map((child) => [child.seq, child.splitIndex, child.status]), [[2, 1, 'FAILED'], [3, 0, 'COMPLETED']]);
  assert.match(body.errorStackTrace, /Stock\.java:12/);
  assert.equal((await server.request('GET', `${base}/f1`, { token: admin })).body.executionId, 'f1', 'without the hint too');
});

test('sensitive headers and body members never reach the store, whatever the agent sent', async () => {
  const { body } = await server.request('GET', `${base}/f1`, { token: admin });
  assert.equal(body.inputHeaders.orderId, '4711');
  assert.ok(!JSON.stringify(body).includes('Bearer secret'));
});

test('the same body sent twice shows once', async () => {
  const one = anExecution('twice');
  await send(one);
  await send(one);
  assert.equal((await search('text=twice')).total, 1);
  const { body } = await server.request('GET', `${base}/twice`, { token: admin });
  assert.equal(body.processorCount, 3);
});

test('RUNNING becomes COMPLETED, whichever comes first', async () => {
  const done = anExecution('order-a');
  const running = { ...done, status: 'RUNNING', endTime: undefined, durationMs: undefined };
  await send(running);
  await send(done);
  const late = anExecution('order-b');
  await send(late);
  await send({ ...late, status: 'RUNNING', endTime: undefined, durationMs: undefined });
  assert.deepEqual((await search('text=order-a')).items.map((one) => one.status), ['COMPLETED']);
  assert.deepEqual((await search('text=order-b')).items.map((one) => one.status), ['COMPLETED']);
});

test('a gzip body is taken', async () => {
  const answer = await server.request('POST', '/api/v1/data/executions', {
    token: agent.accessToken, body: gzipSync(JSON.stringify([anExecution('zipped')])), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });
  assert.equal(answer.status, 202, answer.text);
  assert.equal((await search('text=zipped')).total, 1);
});

test('too old and too far ahead are refused alone', async () => {
  const body = await send([anExecution('now'), anExecution('old', { startTime: '2001-01-01T00:00:00.000Z' }), anExecution('ahead', { startTime: new Date(Date.now() + 48 * 3600e3).toISOString() })]);
  assert.equal(body.accepted, 1);
  assert.deepEqual(body.rejected, [{ index: 1, reason: 'too_old' }, { index: 2, reason: 'in_future' }]);
});

test('pages give each execution exactly once while new ones arrive', async () => {
  const start = Date.now() - 3600e3;
  await send(Array.from({ length: 250 }, (_, i) => anExecution(`page-${i}`, { routeId: 'paged', startTime: start + (i % 50) })));
  const seen = [];
  let cursor, total;
  do {
    const page = await search(`routeId=paged&limit=60${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    total ??= page.total;
    seen.push(...ids(page));
    cursor = page.nextCursor;
    await send(anExecution(`late-${seen.length}`, { routeId: 'paged', startTime: start + 25 }));
  } while (cursor);
  assert.equal(total, 250);
  assert.equal(seen.length, 250);
  assert.equal(new Set(seen).size, 250);
  assert.ok(seen.every((id) => id.startsWith('page-')));
});

describe('filters', () => {
  before(async () => {
    const now = Date.now();
    await send([
      anExecution('slow', { durationMs: 5000, routeId: 'filtered', startTime: now - 60_000 }),
      anExecution('quick', { durationMs: 5, routeId: 'filtered', startTime: now - 30_000, correlationId: 'trace-9' }),
      anExecution('other', { durationMs: 50, routeId: 'filtered', application: 'billing', startTime: now - 10_000 }),
    ]);
  });
  const cases = [
    ['durationMin=1000', ['slow']], ['durationMax=10', ['quick']], ['application=billing', ['other']], ['correlationId=trace-9', ['quick']],
    ['exchangeId=ID-slow', ['slow']], ['text=FILTERED', ['other', 'quick', 'slow']], ['status=RUNNING', []],
    ['status=RUNNING&status=COMPLETED', ['other', 'quick', 'slow']], ['instanceId=node-1', ['other', 'quick', 'slow']], ['instanceId=node-2', []],
  ];
  for (const [query, expected] of cases) {
    test(query, async () => assert.deepEqual(ids(await search(`routeId=filtered&${query}`)), expected));
  }
  test('a time range', async () => {
    const from = new Date(Date.now() - 45_000).toISOString(), to = new Date(Date.now() - 20_000).toISOString();
    assert.deepEqual(ids(await search(`routeId=filtered&from=${from}&to=${to}`)), ['quick']);
  });
});

test('executions of one correlation are shown beside each other', async () => {
  await send([anExecution('c1', { correlationId: 'journey' }), anExecution('c2', { correlationId: 'journey', application: 'billing' })]);
  const { body } = await server.request('GET', `${base}/c1`, { token: admin });
  assert.deepEqual(body.correlated.map((one) => one.executionId), ['c2']);
});
