// Another master key, in three starts: with the old one, with both, with the new one. And what is left of the old one.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { CommandStream, envelopeIn } from './command_stream.mjs';
import { freePort } from './free_port.mjs';
import { Browser, RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, anExecution, eventually } from './server_process.mjs';

const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const provider = new RealProvider({ ada: { name: 'Ada', preferred_username: 'ada', realm_access: { roles: ['OPERATOR'] } } });
let server, pair, agent, browser;

async function restart(env) {
  await server.stop();
  server.env = env;
  return server.start();
}
async function signIn() {
  const one = new Browser();
  const end = await one.follow(`${server.url}/api/v1/auth/oidc/login?returnTo=/agents`, { account: 'ada' });
  assert.equal(end.url, `${server.url}/agents`, provider.error?.message);
  return one;
}
const hint = async (of) => new URL((await (await of.go(`${server.url}/api/v1/auth/oidc/logout-url`)).json()).url).searchParams.get('id_token_hint');
const keyOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
const me = async (token) => (await server.request('GET', '/api/v1/auth/me', { token })).status;
const refresh = (refreshToken) => server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken } });
const sealed = () => server.sql("select sealed from oidc_sessions union all select value ->> 'sealedClientSecret' from server_config where key = 'oidc'").split('\n');
const checkValue = () => server.sql("select value from server_config where key = 'master-key-check'");

before(async () => {
  const port = await freePort();
  provider.redirectUris = [`http://127.0.0.1:${port}/api/v1/auth/oidc/callback`];
  await provider.start();
  server = await new ServerProcess({ port, env: { CAMELEER_SERVER_SECURITY_MASTERKEY: first } }).start();
  const stored = await server.request('PUT', '/api/v1/admin/oidc', {
    token: await server.adminToken(),
    json: { issuerUri: provider.issuer, audience, clientId: 'cameleer', clientSecret: 'the-client-secret-1234567890', rolesClaim: 'realm_access.roles', tokenParameters: { resource: audience } },
  });
  assert.equal(stored.status, 200, stored.text);
  pair = (await server.request('POST', '/api/v1/auth/token', { json: { username: server.username, password: server.password } })).body;
  agent = await server.registerAgent('orders-1');
  browser = await signIn();
});
after(async () => {
  await server.dispose();
  await provider.stop();
});

test('with both keys everything of the old one goes on, and what was sealed is sealed anew', async () => {
  const before = { sealed: sealed(), checkValue: checkValue(), hint: await hint(browser) };
  assert.equal(before.sealed.length, 2);
  const oldKey = before.sealed[0].split('.')[1];
  await restart({ CAMELEER_SERVER_SECURITY_MASTERKEY: second, CAMELEER_SERVER_SECURITY_MASTERKEYPREVIOUS: first });

  assert.ok(server.lines.some((line) => line.event === 'master_key_rotated' && line.resealed === 2 && line.unreadable === 0), server.output.slice(-2000));
  assert.equal(server.sql("select username, action from audit_log where action = 'rotate_master_key'"), 'SYSTEM|rotate_master_key');
  assert.notEqual(checkValue(), before.checkValue);
  for (const text of sealed()) assert.notEqual(text.split('.')[1], oldKey);

  assert.equal(await hint(browser), before.hint, 'the tokens of a session open');
  await signIn();
  assert.equal(await me(pair.accessToken), 200);
  const next = await refresh(pair.refreshToken);
  assert.equal(next.status, 200, next.text);
  assert.notEqual(keyOf(next.body.accessToken), keyOf(pair.accessToken));
  pair.next = next.body;
});

test('an agent of before the rotation sends on, and learns the new key before a command comes', async () => {
  const beat = await server.request('POST', '/api/v1/agents/orders-1/heartbeat', { token: agent.accessToken, json: {} });
  assert.equal(beat.status, 200, beat.text);
  assert.equal((await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution('old-token') })).status, 202);
  const sent = await server.request('POST', '/api/v1/agents/orders-1/commands', {
    token: await server.adminToken(), json: { type: 'route-control', payload: { action: 'stop', routeId: 'r1' } },
  });
  assert.equal(sent.status, 202, sent.text);
  // Its stream ended with the restart. What docs/PROTOCOL.md has it do about 401: refresh, then register.
  const refused = await CommandStream.open(server, 'orders-1', { token: agent.accessToken });
  assert.deepEqual([refused.status, refused.body.code], [401, 'invalid_token']);
  const refreshed = await server.request('POST', '/api/v1/agents/orders-1/refresh', { token: agent.refreshToken });
  assert.deepEqual([refreshed.status, refreshed.body.code], [401, 'invalid_token']);
  const again = await server.registerAgent('orders-1');
  assert.notEqual(again.serverKeyId, agent.serverKeyId);
  const stream = await CommandStream.open(server, 'orders-1', { token: again.accessToken });
  const command = envelopeIn(await stream.next(), again);
  assert.deepEqual([command.good, command.keyId, command.commandId], [true, again.serverKeyId, sent.body.commands[0].commandId]);
  const settled = await server.request('POST', `/api/v1/agents/orders-1/commands/${command.commandId}/ack`, { token: again.accessToken, json: { status: 'SUCCESS' } });
  assert.equal(settled.status, 200, settled.text);
  stream.close();
});

test('after that the new key alone is enough, and what the old one signed counts no more', async () => {
  await restart({ CAMELEER_SERVER_SECURITY_MASTERKEY: second });
  assert.ok(!server.lines.some((line) => line.event === 'master_key_rotated'));
  assert.ok(await hint(browser));
  browser = await signIn();
  assert.equal(await me(pair.next.accessToken), 200);
  assert.equal((await refresh(pair.next.refreshToken)).status, 200);
  assert.deepEqual([await me(pair.accessToken), (await refresh(pair.refreshToken)).status], [401, 401]);
});

test('the old key alone stops the start by name, and the new one goes on as if nothing had been', async () => {
  await server.stop();
  server.env = { CAMELEER_SERVER_SECURITY_MASTERKEY: first };
  await assert.rejects(server.start(), /ended with/);
  assert.match(server.output, /cameleer\.server\.security\.masterkey: The master key is not the one that this database was used with/);
  server.env = { CAMELEER_SERVER_SECURITY_MASTERKEY: second };
  await server.start();
  await eventually('readiness', async () => (await server.request('GET', '/health/ready')).status === 200);
  assert.ok(await hint(browser));
});
