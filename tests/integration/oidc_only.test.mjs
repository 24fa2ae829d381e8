// A server without users of its own: whoever comes in comes from the provider.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostileProvider, audience } from './oidc_provider.mjs';
import { ServerProcess } from './server_process.mjs';

const provider = new HostileProvider();
let server;
before(async () => {
  await provider.start();
  server = new ServerProcess({ env: { CAMELEER_AUTH_LOCAL_ENABLED: 'false', CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_OIDC_AUTO_SIGNUP: 'false' } });
  await server.start();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

test('there is no first user and no sign-in with a password', async () => {
  const { body } = await server.request('GET', '/api/v1/auth/capabilities');
  assert.deepEqual([body.localLogin, body.oidc], [false, false]);
  const file = join(server.folder, 'data/first-start.txt');
  if (existsSync(file)) assert.doesNotMatch(readFileSync(file, 'utf8'), /password=/);
  for (const path of ['login', 'token', 'refresh']) {
    const answer = await server.request('POST', `/api/v1/auth/${path}`, { json: { username: 'admin', password: 'Correct-Horse-1' } });
    assert.equal(answer.status, 404, path);
  }
  assert.equal((await server.request('GET', '/api/v1/auth/oidc/login')).status, 404, 'no client id: tokens only');
});

test('the first token of somebody makes the user, with the role of its scope; agents go on as ever', async () => {
  const token = await provider.token({ sub: 'boss', scope: 'openid Server:Admin', name: 'The Boss' });
  const me = await server.request('GET', '/api/v1/auth/me', { token });
  assert.deepEqual([me.status, me.body.displayName, me.body.roles], [200, 'The Boss', ['ADMIN']]);
  assert.equal((await server.registerAgent()).accessToken.split('.').length, 3);
});

test('as a service: the platform gives the first roles, then the customer makes rules for the claims of theirs', async () => {
  const boss = await provider.token({ sub: 'boss', scope: 'openid server:admin' });
  const admin = async (method, path, json) => {
    const answer = await server.request(method, `/api/v1/admin/${path}`, { token: boss, json });
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  await admin('PUT', 'oidc', { rolesClaim: 'scope' });
  const rolesOf = async (claims) => (await server.request('GET', '/api/v1/auth/me', { token: await provider.token(claims) })).body.roles;
  assert.deepEqual(await rolesOf({ sub: 'okta-user', groups: ['eng', 'cameleer-admins'] }), ['VIEWER'], 'the default');
  await admin('POST', 'claim-mappings', { claim: 'groups', matchType: 'contains', matchValue: 'cameleer-admins', action: 'assignRole', target: 'ADMIN' });
  assert.deepEqual(await rolesOf({ sub: 'okta-user', groups: ['eng', 'cameleer-admins'], scope: 'server:viewer' }), ['ADMIN', 'VIEWER']);
  const user = await server.request('POST', '/api/v1/admin/users', { token: boss, json: { username: 'local', password: 'Correct-Horse-1' } });
  assert.equal(user.status, 404, 'no users of its own');
});

test('local sign-in cannot be switched off without a provider', async () => {
  const alone = new ServerProcess({ env: { CAMELEER_AUTH_LOCAL_ENABLED: 'false' } });
  await assert.rejects(alone.start(), /cameleer\.server\.auth\.local\.enabled/);
  const careless = new ServerProcess({ env: { CAMELEER_OIDC_ISSUER_URI: provider.issuer } });
  await assert.rejects(careless.start(), /cameleer\.server\.oidc\.audience/);
});
