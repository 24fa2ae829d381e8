// API keys of an environment: made, listed without their secrets, and revoked with all that came from them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess } from './server_process.mjs';

const server = new ServerProcess();
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const keys = '/api/v1/admin/environments/default/api-keys';
const list = async () => {
  const answer = await server.request('GET', keys, { token: admin });
  assert.equal(answer.status, 200, answer.text);
  return answer;
};
async function newKey(label) {
  const answer = await server.request('POST', keys, { token: admin, json: { label } });
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return answer.body;
}
const register = (secret, agentId = 'a1') => server.request('POST', '/api/v1/agents/register', {
  token: secret, json: { agentId, application: 'orders', environmentId: 'default' },
});
const heartbeat = (token) => server.request('POST', '/api/v1/agents/a1/heartbeat', { token });

test('a new key shows its secret once and lets agents in', async () => {
  const key = await newKey('pipeline');
  assert.match(key.secret, /^cmk_[A-Za-z0-9_-]{43}$/);
  assert.equal(key.prefix, key.secret.slice(0, 12));
  assert.equal((await register(key.secret)).status, 200);
  const answer = await list();
  const listed = answer.body.items.find((one) => one.id === key.id);
  assert.deepEqual(listed, { id: key.id, label: 'pipeline', prefix: key.prefix, status: 'ACTIVE', createdAt: key.createdAt });
  for (const secret of [key.secret, server.apiKey]) assert.ok(!answer.text.includes(secret));
  assert.equal(answer.body.items.length, 2);
  assert.equal(answer.body.items[0].id, key.id);
});

test('a revoked key and the tokens that came from it end at once; other keys go on', async () => {
  const key = await newKey('leaked');
  const { accessToken, refreshToken } = (await register(key.secret)).body;
  assert.equal((await heartbeat(accessToken)).status, 200);
  assert.equal((await server.request('DELETE', `${keys}/${key.id}`, { token: admin })).status, 204);
  assert.equal((await heartbeat(accessToken)).status, 401);
  assert.equal((await server.request('GET', '/api/v1/agents/config', { token: accessToken })).status, 401);
  assert.equal((await server.request('POST', '/api/v1/data/executions', { token: accessToken, json: [] })).status, 401);
  const refused = await server.request('POST', '/api/v1/agents/a1/refresh', { token: refreshToken });
  assert.deepEqual([refused.status, refused.body.code], [401, 'invalid_token']);
  assert.equal((await register(key.secret)).body.code, 'invalid_credentials');
  assert.equal((await register(server.apiKey)).status, 200);
  const listed = (await list()).body.items.find((one) => one.id === key.id);
  assert.equal(listed.status, 'REVOKED');
  assert.ok(Date.parse(listed.revokedAt) >= Date.parse(listed.createdAt));
  assert.equal((await server.request('DELETE', `${keys}/${key.id}`, { token: admin })).status, 204);
  await server.kill();
  await server.start();
  admin = await server.adminToken();
  assert.equal((await heartbeat(accessToken)).status, 401);
});

test('keys of another environment, unknown ids and wrong labels are refused by name', async () => {
  const remove = (path) => server.request('DELETE', path, { token: admin });
  assert.equal((await remove(`${keys}/00000000-0000-4000-8000-000000000000`)).body.code, 'api_key_not_found');
  assert.equal((await remove(`${keys}/x`)).body.code, 'api_key_not_found');
  const first = (await list()).body.items.at(-1).id;
  assert.equal((await remove(`/api/v1/admin/environments/nowhere/api-keys/${first}`)).body.code, 'environment_not_found');
  for (const json of [{}, { label: '' }, { label: 7 }, { label: 'x'.repeat(257) }]) {
    const answer = await server.request('POST', keys, { token: admin, json });
    assert.deepEqual([answer.status, answer.body.member], [400, '/label']);
  }
});

test('only those who manage API keys get near them', async () => {
  const { accessToken } = (await register(server.apiKey)).body;
  for (const token of [accessToken, server.apiKey, undefined]) {
    for (const [method, path] of [['GET', keys], ['POST', keys], ['DELETE', `${keys}/x`]]) {
      assert.equal((await server.request(method, path, { token, json: method === 'POST' ? { label: 'x' } : undefined })).status, 401);
    }
  }
});

test('no secret is in the log', async () => {
  const key = await newKey('quiet');
  const { accessToken } = (await register(key.secret)).body;
  await server.request('DELETE', `${keys}/${key.secret}`, { token: admin });
  for (const secret of [key.secret, accessToken, admin]) assert.ok(!server.output.includes(secret));
});
