// API keys of an environment: made, listed without their secrets, and revoked with all that came from them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess, eventually } from './server_process.mjs';
import { CommandStream } from './command_stream.mjs';

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
  const { lastUsedAt, ...unused } = listed;
  assert.deepEqual(unused, { id: key.id, label: 'pipeline', prefix: key.prefix, status: 'ACTIVE', createdAt: key.createdAt });
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

test('a rotated key counts until its grace is over, its successor goes on', async () => {
  const key = await newKey('rotating');
  const { accessToken } = (await register(key.secret)).body;
  const rotated = await server.request('POST', `${keys}/${key.id}/rotate`, { token: admin });
  assert.equal(rotated.status, 201, rotated.text);
  assert.equal(rotated.headers.get('cache-control'), 'no-store');
  assert.equal(rotated.body.label, 'rotating');
  const grace = Date.parse(rotated.body.rotated.expiresAt) - Date.parse(rotated.body.createdAt);
  assert.deepEqual([rotated.body.rotated.id, rotated.body.rotated.status, grace], [key.id, 'ROTATED', 24 * 3_600_000]);
  for (const secret of [key.secret, rotated.body.secret]) assert.equal((await register(secret)).status, 200);
  assert.equal((await heartbeat(accessToken)).status, 200);
  const again = await server.request('POST', `${keys}/${key.id}/rotate`, { token: admin });
  assert.deepEqual([again.status, again.body.code], [409, 'conflict']);
  assert.equal((await server.request('DELETE', `${keys}/${key.id}`, { token: admin })).status, 204);
  assert.equal((await register(key.secret)).status, 401);
  assert.equal((await heartbeat(accessToken)).status, 401);
  assert.equal((await register(rotated.body.secret)).status, 200);
});

test('of ten who rotate a key at once one does', async () => {
  const key = await newKey('wanted');
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.request('POST', `${keys}/${key.id}/rotate`, { token: admin })));
  assert.deepEqual(answers.map((one) => one.status).sort(), [201, ...Array(9).fill(409)]);
});

test('the list tells when a key was last used', async () => {
  const key = await newKey('used');
  const find = async () => (await list()).body.items.find((one) => one.id === key.id);
  assert.equal((await find()).lastUsedAt, undefined);
  const before = Date.now();
  await register(key.secret);
  const used = await eventually('the use is shown', async () => (await find()).lastUsedAt);
  assert.ok(Date.parse(used) >= before && Date.parse(used) <= Date.now());
});

test('an agent of a key without grace is told to sign in anew when the key is rotated', async () => {
  await server.stop();
  server.flags = ['--security.apikeygracehours=0'];
  await server.start();
  admin = await server.adminToken();
  const key = await newKey('brief');
  const { accessToken } = (await register(key.secret)).body;
  const stream = await CommandStream.open(server, 'a1', { token: accessToken });
  assert.equal((await server.request('POST', `${keys}/${key.id}/rotate`, { token: admin })).status, 201);
  assert.equal((await heartbeat(accessToken)).status, 401);
  await eventually('the stream ends', () => stream.ended, 10);
  assert.equal(stream.events.at(-1).event, 'reauth');
  assert.equal((await register(key.secret)).status, 401);
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
