// Caps at the surfaces that create: exactly as many as allowed, whoever asks at once; refusals say why and fill no log.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const vendor = newKeyPair();
const server = new ServerProcess({ license: null, env: { CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey } });
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const install = async (limits, more = {}) => {
  const answer = await server.request('POST', '/api/v1/admin/license', { token: admin, json: { token: tokenOf(licence({ limits, ...more }), vendor.privateKey) } });
  assert.equal(answer.status, 200, answer.text);
};
const usageOf = async (limit) => (await server.request('GET', '/api/v1/admin/license/usage', { token: admin })).body.items.find((one) => one.limit === limit);
const refusals = async (limit) => Number(new RegExp(`cameleer_license_cap_rejections_total\\{limit="${limit}"\\} (\\d+)`).exec((await server.request('GET', '/metrics')).text)[1]);
const audited = async (limit) => (await server.request('GET', `/api/v1/admin/audit?action=cap_exceeded&target=${limit}&limit=200`, { token: admin })).body.items;

function checkEnvelope(answer, limit, current, cap, state) {
  assert.equal(answer.status, 403, answer.text);
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  const { body } = answer;
  assert.deepEqual([body.code, body.error, body.limit, body.current, body.cap, body.state, body.status],
    ['license_cap_exceeded', 'license_cap_exceeded', limit, current, cap, state, 403]);
  assert.match(body.message, /\.$/);
  for (const member of ['type', 'title', 'requestId']) assert.equal(typeof body[member], 'string', member);
}

/** So many at once, with room for one. */
async function creates(count, limit, create) {
  const before = await usageOf(limit);
  const counted = await refusals(limit);
  await install({ [limit]: before.current + 1 });
  const cap = before.current + 1;
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => create(index)));
  const made = answers.filter((one) => one.status === 201);
  assert.equal(made.length, 1, JSON.stringify(answers.map((one) => one.status)));
  const refused = answers.filter((one) => one.status !== 201);
  for (const answer of refused) checkEnvelope(answer, limit, cap, cap, 'ACTIVE');
  assert.equal((await usageOf(limit)).current, cap);
  assert.equal((await usageOf(limit)).message, refused[0].body.message);
  assert.equal(await refusals(limit) - counted, count - 1);
  // The first within a second; the others come as one entry when the minute is over.
  const entries = await eventually('the first refusal is on record', async () => { const found = await audited(limit); return found.length > 0 && found; });
  assert.ok(entries.length <= 2, `${entries.length} entries`);
  assert.deepEqual([entries.at(-1).username, entries.at(-1).result, entries.at(-1).detail.count], ['admin', 'FAILURE', 1]);
}

test('of 200 environments at once with room for one, exactly one is made', async () => {
  await creates(200, 'max_environments', (index) => server.request('POST', '/api/v1/admin/environments', { token: admin, json: { slug: `env-${index}` } }));
});

test('of 60 users at once with room for one, exactly one is made', async () => {
  // Each of them costs the hash of a password.
  await creates(60, 'max_users', (index) => server.request('POST', '/api/v1/admin/users', { token: admin, json: { username: `user-${index}`, password: 'Correct-Horse-1' } }));
});

test('of 60 agents at once with room for one, exactly one is registered; those that are known come back', async () => {
  await install({ max_agents: 1 });
  const register = (agentId) => server.request('POST', '/api/v1/agents/register', { token: server.apiKey, json: { agentId, application: 'orders', environmentId: 'default' } });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => register(`agent-${index}`).then((answer) => ({ index, answer }))));
  const made = answers.filter(({ answer }) => answer.status === 200);
  assert.equal(made.length, 1);
  for (const { answer } of answers.filter((one) => !made.includes(one))) checkEnvelope(answer, 'max_agents', 1, 1, 'ACTIVE');
  assert.equal((await register(`agent-${made[0].index}`)).status, 200);
  assert.equal(await refusals('max_agents'), 59);
  await eventually('the first refusal is on record', async () => (await audited('max_agents')).length === 1);
});

test('what is there stays and works when the cap falls below it; only new ones are refused', async () => {
  await install({ max_users: 0, max_environments: 0, max_agents: 0 });
  const users = await usageOf('max_users');
  assert.ok(users.current > users.cap);
  assert.equal((await server.request('PUT', '/api/v1/admin/users/admin', { token: admin, json: { displayName: 'Still here' } })).status, 200);
  assert.equal((await server.request('GET', '/api/v1/environments', { token: admin })).status, 200);
  assert.equal((await server.request('POST', '/api/v1/auth/token', { json: { username: server.username, password: server.password } })).status, 200);
  checkEnvelope(await server.request('POST', '/api/v1/admin/users', { token: admin, json: { username: 'more', password: 'Correct-Horse-1' } }), 'max_users', users.current, 0, 'ACTIVE');
});

test('a stop writes what the minute had left, so that the counts add up', async () => {
  const counted = await refusals('max_environments') + await refusals('max_users') + await refusals('max_agents');
  await server.stop();
  await server.start();
  admin = await server.adminToken();
  const entries = (await server.request('GET', '/api/v1/admin/audit?action=cap_exceeded&limit=200', { token: admin })).body.items;
  assert.equal(entries.reduce((sum, one) => sum + one.detail.count, 0), counted);
  assert.ok(entries.length <= 9, `${entries.length} entries`);
});
