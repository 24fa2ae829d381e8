// How to get back in: when the provider is lost, and when the last administrator's password is.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { HostileProvider, audience } from './oidc_provider.mjs';
import { ServerProcess } from './server_process.mjs';

const recover = '--security.recover-admin=true';
const me = async (server, who) => (await server.request('GET', '/api/v1/auth/me', who)).body;
async function restart(server, flags) {
  await server.stop();
  server.flags = flags;
  await server.start();
}
const recorded = async (server) => (await server.request('GET', '/api/v1/admin/audit?action=recover_admin', { token: await server.adminToken() })).body.items;

describe('a server without local sign-in whose provider is lost', () => {
  const provider = new HostileProvider();
  let server;
  before(async () => {
    await provider.start();
    server = new ServerProcess({ env: { CAMELEER_AUTH_LOCAL_ENABLED: 'false', CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience } });
    await server.start();
  });
  after(() => server?.dispose());

  test('has no local user, and somebody of the provider may be called admin', async () => {
    const token = await provider.token({ sub: 'boss', preferred_username: 'admin', scope: 'server:admin' });
    assert.deepEqual([(await me(server, { token })).username, (await me(server, { token })).roles], ['admin', ['ADMIN']]);
    assert.equal(server.password, undefined);
  });
  test('does not start with recover-admin alone', async () => {
    const other = new ServerProcess({ env: server.env, flags: [recover] });
    await assert.rejects(other.start(), /cameleer\.server\.security\.recover-admin/);
  });
  test('gives a local administrator once both settings say so', async () => {
    await provider.stop();
    server.env = { ...server.env, CAMELEER_AUTH_LOCAL_ENABLED: 'true' };
    await restart(server, [recover]);
    assert.equal(server.username, 'local-admin');
    const user = await me(server, { token: await server.adminToken() });
    assert.deepEqual([user.username, user.roles], ['local-admin', ['ADMIN']]);
    const users = (await server.request('GET', '/api/v1/admin/users', { token: await server.adminToken() })).body.items;
    assert.deepEqual(users.map((one) => [one.username, one.source]).sort(), [['admin', 'oidc'], ['local-admin', 'local']]);
    await restart(server, []);
    const found = await recorded(server);
    assert.deepEqual(found.map((one) => [one.username, one.target, one.result]), [['SYSTEM', 'local-admin', 'SUCCESS']]);
  });
});

describe('a server whose last administrator lost the password', () => {
  const server = new ServerProcess();
  before(() => server.start());
  after(() => server.dispose());

  test('gives a new one, ends what the old one gave, and unlocks', async () => {
    const lost = server.password, token = await server.adminToken();
    const login = await server.request('POST', '/api/v1/auth/login', { json: { username: 'admin', password: lost }, headers: { origin: server.url } });
    const cookie = login.headers.get('set-cookie').split(';')[0];
    const { refreshToken } = (await server.request('POST', '/api/v1/auth/token', { json: { username: 'admin', password: lost } })).body;
    const guess = (password) => server.request('POST', '/api/v1/auth/token', { json: { username: 'admin', password } });
    for (let index = 0; index < 5; index++) await guess(`Wrong-Horse-${index}`);
    assert.equal((await guess(lost)).status, 423);

    await restart(server, [recover]);
    assert.notEqual(server.password, lost);
    const fresh = await server.adminToken();
    assert.deepEqual((await me(server, { token: fresh })).roles, ['ADMIN']);
    assert.equal((await guess(lost)).status, 401);
    for (const old of [{ token }, { headers: { cookie } }]) assert.equal((await server.request('GET', '/api/v1/auth/me', old)).status, 401);
    assert.equal((await server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken } })).status, 401);
    assert.ok(!server.output.includes(server.password));

    const kept = server.password;
    await restart(server, []);
    assert.equal(server.password, kept);
    assert.equal((await recorded(server)).length, 1);
    assert.deepEqual((await server.request('GET', '/api/v1/admin/users', { token: await server.adminToken() })).body.items.map((one) => one.username), ['admin']);
  });
});
