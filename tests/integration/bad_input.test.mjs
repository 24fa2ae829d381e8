// What a hostile or broken peer may send: each a clear 4xx problem, nothing stored, the process alive.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, anExecution } from './server_process.mjs';

const server = new ServerProcess();
let agent, other, admin;

before(async () => {
  await server.start();
  agent = await server.registerAgent('agent-1');
  other = await server.registerAgent('agent-2');
  admin = await server.adminToken();
});
after(() => server.dispose());

const data = '/api/v1/data/executions';
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const base64url = (text) => Buffer.from(text).toString('base64url');

function tokenWith(header, claims, secret = 'guess') {
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The claims of a real token under a signature that is not the server's. */
function forged(token, change) {
  const [header, claims] = token.split('.').map((part) => { try { return JSON.parse(Buffer.from(part, 'base64url')); } catch { return undefined; } });
  return tokenWith(header, { ...claims, ...change });
}

/** A real token with other claims, signed as the server signs: by the key that it derives from its master key. */
function resigned(token, change) {
  const derive = (key, label, length) => Buffer.from(hkdfSync('sha256', key, '', label, length));
  const key = derive(readFileSync(join(server.folder, 'data/master.key')), 'jwt/v1', 32);
  const kid = createHash('sha256').update(derive(key, 'key-id/v1', 16)).digest('hex').slice(0, 16);
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  return tokenWith({ alg: 'HS256', typ: 'JWT', kid }, { ...claims, ...change }, key);
}

async function expectProblem(answer, status, code, member) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  const allowed = [].concat(code);
  assert.ok(allowed.includes(answer.body.code), `code ${answer.body.code}, not ${allowed}`);
  assert.ok(answer.body.detail?.length > 0, 'a problem says what is wrong');
  assert.ok(answer.body.requestId, 'a problem has a request id');
  assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
  if (member !== undefined) assert.equal(answer.body.member, member);
}

async function storedCount() {
  const answer = await server.request('GET', '/api/v1/environments/default/executions?limit=200', { token: admin });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.total;
}

const without = (member) => { const one = anExecution('x'); delete one[member]; return one; };
const withProcessor = (change) => { const one = anExecution('x'); Object.assign(one.processorExecutions[1], change); return one; };

const bodies = [
  ['malformed JSON', '{"executionId": "x",', 400, 'malformed_body'],
  ['an empty body', '', 400, 'malformed_body'],
  ['text after the value', `${JSON.stringify(anExecution('x'))} trailing`, 400, 'malformed_body'],
  ['a number instead of an execution', '7', 400, ['malformed_body', 'invalid_member']],
  ['a text instead of an execution in an array', JSON.stringify([anExecution('x'), 'no']), 400, 'invalid_member', '/1'],
  ['no executionId', JSON.stringify(without('executionId')), 400, 'invalid_member', '/executionId'],
  ['no routeId in the second element', JSON.stringify([anExecution('x'), without('routeId')]), 400, 'invalid_member', '/1/routeId'],
  ['a number as executionId', JSON.stringify({ ...anExecution('x'), executionId: 7 }), 400, 'invalid_member', '/executionId'],
  ['an empty executionId', JSON.stringify({ ...anExecution('x'), executionId: '' }), 400, 'invalid_member', '/executionId'],
  ['a time that is none', JSON.stringify({ ...anExecution('x'), startTime: 'yesterday' }), 400, 'invalid_member', '/startTime'],
  ['a time without an offset', JSON.stringify({ ...anExecution('x'), startTime: '2026-11-22T10:00:00' }), 400, 'invalid_member', '/startTime'],
  ['a negative duration', JSON.stringify({ ...anExecution('x'), durationMs: -5 }), 400, 'invalid_member', '/durationMs'],
  ['headers that are no object', JSON.stringify({ ...anExecution('x'), inputHeaders: [] }), 400, 'invalid_member', '/inputHeaders'],
  ['a processor without id', JSON.stringify(withProcessor({ processorId: null })), 400, 'invalid_member', '/processorExecutions/1/processorId'],
  ['a processor with a text as seq', JSON.stringify(withProcessor({ seq: 'two' })), 400, 'invalid_member', '/processorExecutions/1/seq'],
  ['10,000-deep nesting', nested(10_000), 400, ['malformed_body', 'invalid_member']],
  ['10,000-deep nesting inside a member nobody reads', `{"executionId":"x","unknown":${nested(10_000)}}`, 400, ['malformed_body', 'invalid_member']],
  ['invalid UTF-8', Buffer.concat([Buffer.from('{"executionId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), 400, 'malformed_body'],
  ['invalid UTF-8 in a member nobody reads', Buffer.concat([Buffer.from(JSON.stringify(anExecution('x')).slice(0, -1) + ',"unknown":"'), Buffer.from([0xff]), Buffer.from('"}')]), 400, 'malformed_body'],
  ['a raw NUL byte', Buffer.from(JSON.stringify(anExecution('x')).replace('order-entry', 'order\0entry')), 400, 'malformed_body'],
  ['an escaped NUL in an id', JSON.stringify({ ...anExecution('x'), executionId: 'a\0b' }), 400, 'invalid_member', '/executionId'],
];

describe('a data request', () => {
  for (const [what, body, status, code, member] of bodies) {
    test(`with ${what} is refused, and nothing of it is stored`, async () => {
      const before = await storedCount();
      const answer = await server.request('POST', data, { token: agent.accessToken, body, headers: { 'content-type': 'application/json' } });
      await expectProblem(answer, status, code, member);
      assert.equal(await storedCount(), before);
    });
  }

  test('with another content type is refused', async () => {
    await expectProblem(await server.request('POST', data, { token: agent.accessToken, body: '<a/>', headers: { 'content-type': 'text/xml' } }), 415, 'unsupported_media_type');
  });
  test('that claims gzip and is none is refused', async () => {
    await expectProblem(await server.request('POST', data, { token: agent.accessToken, body: 'not gzip', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }), 400, 'malformed_body');
  });
  test('with a gzip body cut short is refused', async () => {
    const body = gzipSync(JSON.stringify(anExecution('x'))).subarray(0, 60);
    await expectProblem(await server.request('POST', data, { token: agent.accessToken, body, headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }), 400, 'malformed_body');
  });
  test('in an encoding nobody knows is refused', async () => {
    await expectProblem(await server.request('POST', data, { token: agent.accessToken, body: 'x', headers: { 'content-type': 'application/json', 'content-encoding': 'compress' } }), 415, 'unsupported_encoding');
  });
  test('whose gzip body grows over the bound is refused', async () => {
    const body = gzipSync(Buffer.alloc(200 * 1024 * 1024, 0x20));
    await expectProblem(await server.request('POST', data, { token: agent.accessToken, body, headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }), 413, 'body_too_large');
  });
  test('that announces a body over the bound is refused before it sends it', async () => {
    const answer = await raw(`POST ${data} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${agent.accessToken}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /"code":"body_too_large"/);
  });
});

describe('a token', () => {
  const tokens = {
    'of another signature': () => [forged(agent.accessToken, {}), 'invalid_token'],
    'with another issuer': () => [forged(agent.accessToken, { iss: 'https://other' }), 'invalid_token'],
    'of algorithm none': () => [`${base64url('{"alg":"none"}')}.${agent.accessToken.split('.')[1]}.`, 'invalid_token'],
    'with one character changed': () => [agent.accessToken.slice(0, 40) + (agent.accessToken[40] === 'A' ? 'B' : 'A') + agent.accessToken.slice(41), 'invalid_token'],
    'of two parts': () => ['abc.def', 'invalid_token'],
    'that is a refresh token': () => [agent.refreshToken, 'unauthenticated'],
    'of a user': () => [admin, 'unauthenticated'],
    'that is an API key': () => [server.apiKey, ['invalid_token', 'unauthenticated']],
    'that is no token at all': () => ['x'.repeat(9000), 'invalid_token'],
  };
  for (const [what, make] of Object.entries(tokens)) {
    test(`${what} sends no data`, async () => {
      const [token, code] = make();
      const answer = await server.request('POST', data, { token, json: anExecution('x') });
      await expectProblem(answer, 401, code);
    });
  }
  test('that expired sends no data and no heartbeat; the same one that has not yet is taken', async () => {
    const now = Math.floor(Date.now() / 1000);
    const expired = resigned(agent.accessToken, { iat: now - 3600, exp: now - 1 });
    const valid = resigned(agent.accessToken, { iat: now - 3600, exp: now + 600 });
    const heartbeat = (token) => server.request('POST', '/api/v1/agents/agent-1/heartbeat', { token, json: {} });
    for (const answer of [await heartbeat(expired), await server.request('POST', data, { token: expired, json: anExecution('x') })]) {
      await expectProblem(answer, 401, 'invalid_token');
      assert.match(answer.body.detail, /expired/);
    }
    const taken = await heartbeat(valid);
    assert.equal(taken.status, 200, taken.text);
  });
  test('that is missing sends no data', async () => {
    const answer = await server.request('POST', data, { json: anExecution('x') });
    await expectProblem(answer, 401, 'unauthenticated');
    assert.match(answer.headers.get('www-authenticate') ?? '', /Bearer/);
  });
  test('with bytes of 0x80 and more is refused', async () => {
    const answer = await raw(Buffer.concat([Buffer.from(`POST ${data} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nAuthorization: Bearer abc`), Buffer.from([0x80, 0xff]), Buffer.from('.d.e\r\n\r\n{}')]));
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    assert.match(answer, /application\/problem\+json/);
  });
  test('of one agent is refused on the path of another', async () => {
    await expectProblem(await server.request('POST', '/api/v1/agents/agent-2/heartbeat', { token: agent.accessToken, json: {} }), 403, 'foreign_agent');
  });
  test('of an agent reads nothing of the users', async () => {
    await expectProblem(await server.request('GET', '/api/v1/environments/default/executions', { token: agent.accessToken }), 401, 'unauthenticated');
  });
});

describe('a registration', () => {
  const good = () => ({ agentId: 'agent-3', application: 'orders', environmentId: 'default' });
  const cases = [
    ['without environmentId', { environmentId: undefined }, 400, 'invalid_member', '/environmentId'],
    ['with a blank environmentId', { environmentId: ' ' }, 400, 'invalid_member', '/environmentId'],
    ['for an environment that is not the key\'s', { environmentId: 'elsewhere' }, 403, 'forbidden'],
    ['with an agentId of odd characters', { agentId: 'a b\n' }, 400, 'invalid_member', '/agentId'],
    ['with routeIds that are no texts', { routeIds: [1] }, 400, 'invalid_member'],
    ['with capabilities that are no object', { capabilities: [] }, 400, 'invalid_member', '/capabilities'],
  ];
  for (const [what, change, status, code, member] of cases) {
    test(`${what} is refused`, async () => {
      await expectProblem(await server.request('POST', '/api/v1/agents/register', { token: server.apiKey, json: { ...good(), ...change } }), status, code, member);
    });
  }
  test('with a wrong API key is refused', async () => {
    await expectProblem(await server.request('POST', '/api/v1/agents/register', { token: 'cmk_' + 'A'.repeat(43), json: good() }), 401, ['invalid_credentials', 'invalid_token']);
  });
  test('in a protocol version nobody speaks is refused and names the ones that are spoken', async () => {
    const answer = await server.request('POST', '/api/v1/agents/register', { token: server.apiKey, json: good(), headers: { 'x-protocol-version': '2' } });
    await expectProblem(answer, 400, 'unsupported_version');
    assert.match(answer.body.detail, /1/);
  });
  test('that is nested 10,000 deep is refused', async () => {
    await expectProblem(await server.request('POST', '/api/v1/agents/register', { token: server.apiKey, body: `{"capabilities":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, headers: { 'content-type': 'application/json' } }), 400, ['malformed_body', 'invalid_member', 'body_too_large']);
  });
});

describe('a search', () => {
  const cases = [
    ['status=BROKEN', 'status'], ['from=yesterday', 'from'], ['limit=0', 'limit'], ['limit=abc', 'limit'], ['limit=100000', 'limit'],
    ['durationMin=-1', 'durationMin'], ['cursor=abc', 'cursor'], ['nonsense=1', 'nonsense'],
    ['from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z', undefined],
  ];
  for (const [query, member] of cases) {
    test(`with ${query} is refused by the parameter's name`, async () => {
      await expectProblem(await server.request('GET', `/api/v1/environments/default/executions?${query}`, { token: admin }), 400, 'invalid_parameter', member);
    });
  }
  test('in an environment that does not exist is 404', async () => {
    await expectProblem(await server.request('GET', '/api/v1/environments/nowhere/executions', { token: admin }), 404, 'environment_not_found');
  });
  test('for an execution that does not exist is 404', async () => {
    await expectProblem(await server.request('GET', '/api/v1/environments/default/executions/none', { token: admin }), 404, 'execution_not_found');
  });
});

/** Sends bytes as they are and gives all that comes back. */
function raw(bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes));
    const chunks = [];
    socket.setTimeout(15_000, () => { socket.destroy(); resolve(Buffer.concat(chunks).toString('latin1')); });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      // Problems about HTTP itself close the connection; others may leave it open.
      if (Buffer.concat(chunks).includes('"requestId"')) socket.end();
    });
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', (error) => (chunks.length ? resolve(Buffer.concat(chunks).toString('latin1')) : reject(error)));
  });
}

describe('a request that is no good HTTP', () => {
  const requests = {
    'two Host headers': 'GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'no Host header': 'GET /health/live HTTP/1.1\r\n\r\n',
    'Transfer-Encoding: xchunked': 'POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked, identity': 'POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'both length and chunked': 'POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two lengths': 'POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}',
    'a folded header': 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n',
    'a NUL in a header': 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n',
    'a method nobody knows': 'BREW /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    'an encoded NUL in the path': 'GET /api/v1/environments/%00/executions HTTP/1.1\r\nHost: x\r\n\r\n',
    'broken percent encoding': 'GET /api/v1/environments/%zz/executions HTTP/1.1\r\nHost: x\r\n\r\n',
    'a header section over the bound': `GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`,
    'garbage': '\x16\x03\x01 this is not HTTP\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(requests)) {
    test(`with ${what} is answered 4xx as a problem`, async () => {
      const answer = await raw(Buffer.from(bytes, 'latin1'));
      assert.match(answer, /^HTTP\/1\.1 (4\d\d|501) /);
      assert.match(answer, /application\/problem\+json/);
      assert.match(answer, /"detail":"[^"]+/);
    });
  }
});

test('after all of that the process is alive and takes good data', async () => {
  assert.equal((await server.request('GET', '/health/ready')).status, 200);
  const answer = await server.request('POST', data, { token: other.accessToken, json: anExecution('good') });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(await storedCount(), 1);
});
