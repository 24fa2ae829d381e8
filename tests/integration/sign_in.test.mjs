// Sessions of browsers, tokens of scripts, and what each may do.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess } from './server_process.mjs';

const server = new ServerProcess();
before(() => server.start());
after(() => server.dispose());

const credentials = () => ({ username: server.username, password: server.password });
const cookieOf = (answer) => answer.headers.get('set-cookie')?.split(';')[0];

test('capabilities are public and say that local sign-in works', async () => {
  const { status, body } = await server.request('GET', '/api/v1/auth/capabilities');
  assert.equal(status, 200);
  assert.equal(body.localLogin, true);
  assert.equal(body.oidc, false);
});

test('a browser signs in with a cookie that scripts cannot read, sees who it is, and signs out', async () => {
  const answer = await server.request('POST', '/api/v1/auth/login', { json: credentials(), headers: { origin: server.url } });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get('set-cookie'), /HttpOnly/);
  assert.match(answer.headers.get('set-cookie'), /SameSite=Strict/);
  const cookie = cookieOf(answer);
  const me = await server.request('GET', '/api/v1/auth/me', { headers: { cookie } });
  assert.equal(me.body.username, 'admin');
  assert.ok(me.body.roles.includes('ADMIN'));
  assert.ok(me.body.permissions.includes('view_observability'));
  assert.equal((await server.request('GET', '/api/v1/environments', { headers: { cookie } })).status, 200);
  assert.equal((await server.request('POST', '/api/v1/auth/logout', { headers: { cookie, origin: server.url } })).status, 204);
  assert.equal((await server.request('GET', '/api/v1/auth/me', { headers: { cookie } })).status, 401);
});

test('logout is 204 even for a stranger', async () => {
  assert.equal((await server.request('POST', '/api/v1/auth/logout')).status, 204);
});

test('wrong passwords and unknown users get the same answer', async () => {
  const wrong = await server.request('POST', '/api/v1/auth/token', { json: { username: 'admin', password: 'wrong-Password-1' } });
  const unknown = await server.request('POST', '/api/v1/auth/token', { json: { username: 'nobody', password: 'wrong-Password-1' } });
  assert.deepEqual([wrong.status, wrong.body.code, wrong.body.detail], [401, 'invalid_credentials', unknown.body.detail]);
  assert.equal(unknown.status, 401);
});

test('without credentials every API operation but the public ones is 401', async () => {
  for (const path of ['/api/v1/auth/me', '/api/v1/environments', '/api/v1/environments/default/executions', '/api/v1/environments/default/executions/x', '/api/v1/environments/default/agents']) {
    assert.equal((await server.request('GET', path)).status, 401, path);
  }
});

test('two that refresh with one token at once get the same successor and stay signed in', async () => {
  const first = (await server.request('POST', '/api/v1/auth/token', { json: credentials() })).body;
  assert.equal(first.tokenType, 'Bearer');
  const refresh = () => server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken: first.refreshToken } });
  const [one, two] = await Promise.all([refresh(), refresh()]);
  assert.deepEqual([one.status, two.status], [200, 200]);
  assert.equal(one.body.refreshToken, two.body.refreshToken);
  assert.equal((await server.request('GET', '/api/v1/auth/me', { token: one.body.accessToken })).status, 200);
  assert.equal((await server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken: one.body.accessToken } })).status, 401);
});

test('a refresh token that is used again later was stolen: it ends the tokens of both, and the log says so', async () => {
  const refresh = (refreshToken) => server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken } });
  const me = async (token) => (await server.request('GET', '/api/v1/auth/me', { token })).status;
  const first = (await server.request('POST', '/api/v1/auth/token', { json: credentials() })).body;
  const second = (await refresh(first.refreshToken)).body;
  assert.equal(await me(second.accessToken), 200);
  server.sql("update refresh_tokens set spent_at = spent_at - interval '30 seconds' where spent_at is not null");
  const late = await refresh(first.refreshToken);
  assert.deepEqual([late.status, late.body.code], [401, 'invalid_token']);
  assert.equal((await refresh(second.refreshToken)).status, 401);
  assert.deepEqual([await me(first.accessToken), await me(second.accessToken)], [401, 401]);
  const other = (await server.request('POST', '/api/v1/auth/token', { json: credentials() })).body;
  assert.equal(await me(other.accessToken), 200, 'a sign-in of its own goes on');
  assert.equal(server.sql("select detail ->> 'reason' from audit_log where action = 'refresh_token' and result = 'FAILURE'"), 'reused');
});

test('five wrong passwords lock the account for a while', async () => {
  for (let i = 0; i < 5; i++) await server.request('POST', '/api/v1/auth/token', { json: { username: 'admin', password: `wrong-Password-${i}` } });
  const answer = await server.request('POST', '/api/v1/auth/token', { json: credentials() });
  assert.equal(answer.status, 423);
  assert.equal(answer.body.code, 'account_locked');
});

test('the page is served with a strict policy, and unknown API paths are problems', async () => {
  const page = await server.request('GET', '/exchanges');
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /text\/html/);
  assert.match(page.headers.get('content-security-policy'), /script-src 'self'/);
  assert.doesNotMatch(page.headers.get('content-security-policy'), /script-src[^;]*unsafe/);
  const unknown = await server.request('GET', '/api/v1/nothing');
  assert.equal(unknown.status, 404);
  assert.equal(unknown.body.code, 'not_found');
  assert.equal((await server.request('DELETE', '/api/v1/environments')).status, 405);
});
