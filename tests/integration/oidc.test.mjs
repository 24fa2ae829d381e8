// Sign-in and tokens of a certified OpenID provider: code and PKCE in a browser, programs, tenants, rotation, outage.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { freePort } from './free_port.mjs';
import { Browser, RealProvider, audience, signingKey } from './oidc_provider.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const provider = new RealProvider({
  ada: { name: 'Ada Lovelace', preferred_username: 'ada', email: 'ada@example.com', realm_access: { roles: ['OPERATOR'] } },
  admin: { name: 'Not the admin', preferred_username: 'admin', realm_access: { roles: [] } },
});
let server;

before(async () => {
  const port = await freePort();
  provider.redirectUris = [`http://127.0.0.1:${port}/api/v1/auth/oidc/callback`];
  provider.logoutUris = [`http://127.0.0.1:${port}/sign-in`];
  await provider.start();
  server = new ServerProcess({
    port,
    env: {
      CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience,
      CAMELEER_SERVER_OIDC_CLIENT_ID: 'cameleer', CAMELEER_SERVER_OIDC_CLIENT_SECRET: 'the-client-secret-1234567890',
      CAMELEER_SERVER_OIDC_ROLES_CLAIM: 'realm_access.roles', CAMELEER_SERVER_OIDC_M2M_CLIENT_IDS: 'robot, other',
      CAMELEER_SERVER_OIDC_REQUIRED_CLAIMS: '{"organization_id":"org-1"}',
      CAMELEER_SERVER_OIDC_TOKEN_PARAMETERS: JSON.stringify({ resource: audience, organization_id: 'org-1' }),
    },
  });
  await server.start();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

async function signIn(account, returnTo = '/agents') {
  const browser = new Browser();
  const end = await browser.follow(`${server.url}/api/v1/auth/oidc/login?returnTo=${encodeURIComponent(returnTo)}`, { account });
  return { browser, end };
}
const me = (browser) => browser.go(`${server.url}/api/v1/auth/me`).then(async (answer) => ({ status: answer.status, body: await answer.json() }));
const machine = (client, organization) => provider.machineToken(client, { scope: 'server:admin', ...(organization && { organization_id: organization }) });
const refused = async (reason) => Number(new RegExp(`cameleer_oidc_refused_total\\{reason="${reason}"\\} (\\d+)`).exec((await server.request('GET', '/metrics')).text)?.[1] ?? NaN);

test('capabilities tell that both ways of signing in exist', async () => {
  const { body } = await server.request('GET', '/api/v1/auth/capabilities');
  assert.deepEqual([body.localLogin, body.oidc], [true, true]);
});

test('a browser signs in with code and PKCE, goes where it wanted, and has the roles of the nested claim', async () => {
  const { browser, end } = await signIn('ada', '/agents?env=default');
  assert.equal(end.url, `${server.url}/agents?env=default`, provider.error?.message);
  const { body } = await me(browser);
  assert.deepEqual([body.username, body.displayName, body.roles], ['ada', 'Ada Lovelace', ['OPERATOR']]);
  const cookie = browser.cookie('cameleer_session');
  assert.match(cookie.line, /HttpOnly.*SameSite=Strict/);
  assert.equal(browser.cookie('cameleer_oidc'), undefined);
});

test('somebody at the provider with the name of a local user gets a user of their own', async () => {
  const { browser } = await signIn('admin');
  const { body } = await me(browser);
  assert.equal(body.username, 'oidc:admin');
  assert.deepEqual(body.roles, ['VIEWER']);
});

test('signing out tells where the session at the provider ends, and both end', async () => {
  const { browser } = await signIn('ada');
  const { url } = await (await browser.go(`${server.url}/api/v1/auth/oidc/logout-url`)).json();
  assert.match(url, /id_token_hint=/);
  assert.equal((await browser.go(`${server.url}/api/v1/auth/logout`, { method: 'POST' })).status, 204);
  assert.equal((await me(browser)).status, 401);
  const page = await (await browser.go(url)).text();
  const secret = /name="xsrf" value="([^"]+)"/.exec(page)[1];
  const confirmed = await browser.go(new URL(/action="([^"]+)"/.exec(page)[1], url).href, { method: 'POST', body: new URLSearchParams({ xsrf: secret, logout: 'yes' }) });
  assert.equal(confirmed.headers.get('location'), `${server.url}/sign-in`);
});

test('a return address outside this server is refused', async () => {
  for (const returnTo of ['https://evil.example/', '//evil.example', '/\\evil.example', 'agents', '/\t/evil', '/%0d%0aLocation:x'.replace('%0d%0a', '\r\n')]) {
    const answer = await server.request('GET', `/api/v1/auth/oidc/login?returnTo=${encodeURIComponent(returnTo)}`);
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_parameter'], returnTo);
  }
});

test('a listed program may do everything, one that is not listed nothing', async () => {
  const token = await machine('robot', 'org-1');
  assert.equal((await server.request('GET', '/api/v1/environments', { token })).status, 200);
  const self = await server.request('GET', '/api/v1/auth/me', { token });
  assert.deepEqual([self.body.username, self.body.roles], ['robot', ['ADMIN']]);
  const before = await refused('unlisted_machine');
  const stranger = await server.request('GET', '/api/v1/environments', { token: await machine('stranger', 'org-1') });
  assert.deepEqual([stranger.status, stranger.body.code], [403, 'forbidden']);
  assert.equal(await refused('unlisted_machine'), before + 1);
});

test('a program of another organization, or of none, is of another tenant', async () => {
  const before = await refused('foreign_tenant');
  for (const organization of ['org-2', undefined]) {
    const answer = await server.request('GET', '/api/v1/environments', { token: await machine('robot', organization) });
    assert.deepEqual([answer.status, answer.body.code], [401, 'wrong_tenant'], organization);
  }
  assert.equal(await refused('foreign_tenant'), before + 2);
});

test('the configuration shows no secret and which members the settings fix', async () => {
  const token = await server.adminToken();
  const { status, body, text } = await server.request('GET', '/api/v1/admin/oidc', { token });
  assert.equal(status, 200);
  assert.deepEqual([body.issuerUri, body.enabled, body.clientSecretSet], [provider.issuer, true, true]);
  assert.ok(body.fixed.includes('issuerUri') && body.fixed.includes('clientSecret') && !body.fixed.includes('strict'));
  assert.doesNotMatch(text, /the-client-secret/);
  const other = await server.request('PUT', '/api/v1/admin/oidc', { token, json: { issuerUri: 'https://other.example' } });
  assert.deepEqual([other.status, other.body.member], [400, '/issuerUri']);
  const kept = await server.request('PUT', '/api/v1/admin/oidc', { token, json: { displayNameClaim: 'nickname' } });
  assert.deepEqual([kept.status, kept.body.displayNameClaim], [200, 'nickname']);
  const check = await server.request('POST', '/api/v1/admin/oidc/test', { token });
  assert.deepEqual([check.status, check.body.ok, check.body.steps.map((step) => step.step)], [200, true, ['discovery', 'metadata', 'pkce', 'keys']]);
  assert.equal((await server.request('DELETE', '/api/v1/admin/oidc', { token })).status, 204);
  assert.equal((await server.request('GET', '/api/v1/admin/oidc', { token })).body.displayNameClaim, undefined);
});

test('tokens count while the provider is down, sign-in comes back with it, and a new key is learnt', async () => {
  const token = await machine('robot', 'org-1');
  await provider.stop();
  assert.equal((await server.request('GET', '/api/v1/environments', { token })).status, 200);
  const callback = new Browser();
  const begun = await callback.go(`${server.url}/api/v1/auth/oidc/login`);
  assert.equal(begun.status, 302, 'the description is cached');
  await provider.start(await signingKey());
  const other = await machine('robot', 'org-1');
  await eventually('the new key is learnt', async () => (await server.request('GET', '/api/v1/environments', { token: other })).status === 200, 75);
  assert.equal((await server.request('GET', '/api/v1/environments', { token })).status, 401, 'the provider withdrew its key');
  const { browser } = await signIn('ada');
  assert.equal((await me(browser)).status, 200);
});
