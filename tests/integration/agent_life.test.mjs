// Registration, heartbeat, silence, farewell, and what a restart of the server does to them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess, anExecution, eventually } from './server_process.mjs';

const server = new ServerProcess({ flags: ['--agents.stale-after-ms=1500', '--agents.dead-after-ms=1500', '--agents.heartbeat-interval-ms=500'] });
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

async function agents() {
  const answer = await server.request('GET', '/api/v1/environments/default/agents', { token: admin });
  assert.equal(answer.status, 200, answer.text);
  return Object.fromEntries(answer.body.items.map((one) => [one.agentId, one]));
}
const heartbeat = (agentId, token, json = {}) => server.request('POST', `/api/v1/agents/${agentId}/heartbeat`, { token, json });

test('registration answers what the agent needs to go on', async () => {
  const answer = await server.registerAgent('a1', 'orders', { version: '2.1', routeIds: ['in', 'out'], capabilities: { replay: true } });
  assert.equal(answer.agentId, 'a1');
  assert.equal(answer.heartbeatIntervalMs, 500);
  assert.match(answer.sseEndpoint, /\/api\/v1\/agents\/a1\/events$/);
  assert.ok(Math.abs(Date.parse(answer.serverTime) - Date.now()) < 30_000);
  assert.ok(answer.expiresInSeconds > 0);
  // A SubjectPublicKeyInfo of Ed25519: 44 bytes.
  assert.equal(Buffer.from(answer.serverPublicKey, 'base64').length, 44);
  const seen = (await agents()).a1;
  assert.equal(seen.state, 'LIVE');
  assert.equal(seen.application, 'orders');
  assert.deepEqual(seen.routeIds, ['in', 'out']);
  assert.deepEqual(seen.capabilities, { replay: true });
});

test('heartbeats carry route states and keep an agent LIVE; silence makes it STALE, then DEAD; a heartbeat brings it back', async () => {
  const { accessToken } = await server.registerAgent('a2');
  const answer = await heartbeat('a2', accessToken, { environmentId: 'default', routeStates: { in: 'Started', out: 'Suspended' } });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(Date.parse(answer.body.serverTime));
  assert.deepEqual((await agents()).a2.routeStates, { in: 'Started', out: 'Suspended' });
  await eventually('the agent is STALE', async () => (await agents()).a2.state === 'STALE', 20);
  await eventually('the agent is DEAD', async () => (await agents()).a2.state === 'DEAD', 20);
  assert.equal((await heartbeat('a2', accessToken)).status, 200);
  assert.equal((await agents()).a2.state, 'LIVE');
});

test('an empty heartbeat body is fine, a route state that is no text is not', async () => {
  const { accessToken } = await server.registerAgent('a3');
  assert.equal((await server.request('POST', '/api/v1/agents/a3/heartbeat', { token: accessToken })).status, 200);
  const answer = await heartbeat('a3', accessToken, { routeStates: { in: 7 } });
  assert.equal(answer.status, 400);
  assert.match(answer.body.member, /routeStates/);
});

test('a deregistered agent is SHUTDOWN and may come back', async () => {
  const { accessToken } = await server.registerAgent('a4');
  assert.equal((await server.request('POST', '/api/v1/agents/a4/deregister', { token: accessToken })).status, 200);
  assert.equal((await agents()).a4.state, 'SHUTDOWN');
  await server.registerAgent('a4');
  assert.equal((await agents()).a4.state, 'LIVE');
});

test('a refresh token gives a new pair once, and the same pair again for a lost answer', async () => {
  const first = await server.registerAgent('a5');
  const refresh = (token) => server.request('POST', '/api/v1/agents/a5/refresh', { token });
  const one = await refresh(first.refreshToken);
  assert.equal(one.status, 200, one.text);
  assert.ok(Date.parse(one.body.serverTime));
  const again = await refresh(first.refreshToken);
  assert.equal(again.status, 200);
  assert.equal(again.body.refreshToken, one.body.refreshToken);
  assert.equal((await heartbeat('a5', one.body.accessToken)).status, 200);
  assert.equal((await refresh(one.body.accessToken)).status, 401);
});

test('after kill -9 and a restart an agent goes on with its old token, and the registry knows it', async () => {
  const { accessToken } = await server.registerAgent('a6', 'billing');
  assert.equal((await heartbeat('a6', accessToken)).status, 200);
  await server.kill();
  await server.start();
  assert.equal((await heartbeat('a6', accessToken)).status, 200);
  const sent = await server.request('POST', '/api/v1/data/executions', { token: accessToken, json: anExecution('after-restart') });
  assert.equal(sent.status, 202, sent.text);
  admin = await server.adminToken();
  const seen = (await agents()).a6;
  assert.equal(seen.state, 'LIVE');
  assert.equal(seen.application, 'billing');
});
