// People, what they may do and why, their sessions and passwords, over HTTP.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess } from './server_process.mjs';

const server = new ServerProcess();
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const password = 'Correct-Horse-1';
const as = (token) => async (method, path, json) => {
  const answer = await server.request(method, `/api/v1/${path}`, { token, json });
  assert.ok(answer.status < 500, answer.text);
  return answer;
};
const asAdmin = (method, path, json) => as(admin)(method, `admin/${path}`, json);
async function newUser(username) {
  const answer = await asAdmin('POST', 'users', { username, password });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}
const tokenOf = async (username, secret = password) =>
  (await server.request('POST', '/api/v1/auth/token', { json: { username, password: secret } })).body.accessToken;
async function browser(username, secret = password) {
  const answer = await server.request('POST', '/api/v1/auth/login', { json: { username, password: secret }, headers: { origin: server.url, 'user-agent': 'Test browser' } });
  assert.equal(answer.status, 200, answer.text);
  const headers = { cookie: answer.headers.get('set-cookie').split(';')[0], origin: server.url };
  return (method, path, json) => server.request(method, `/api/v1/${path}`, { json, headers });
}

test('a new user may do nothing, gets a role, and it counts at once', async () => {
  const ada = await newUser('Ada');
  assert.equal(ada.source, 'local');
  const call = as(await tokenOf('ada'));
  assert.equal((await call('GET', 'environments')).status, 403);
  assert.equal((await asAdmin('PUT', `users/${ada.userId}/roles/VIEWER`)).status, 204);
  assert.equal((await call('GET', 'environments')).status, 200);
  assert.equal((await call('GET', 'admin/users')).status, 403);
  assert.equal((await asAdmin('DELETE', 'users/ada/roles/VIEWER')).status, 204);
  assert.equal((await call('GET', 'environments')).status, 403);
  assert.equal((await asAdmin('DELETE', 'users/ADA')).status, 204);
  assert.equal((await call('GET', 'auth/me')).status, 401);
});

test('why somebody can do something is told with the way through the groups', async () => {
  await newUser('bob');
  const company = (await asAdmin('POST', 'groups', { name: 'Company', roles: ['OPERATOR'] })).body;
  const team = (await asAdmin('POST', 'groups', { name: 'Integration Developers', parentId: company.id })).body;
  assert.equal((await asAdmin('PUT', `users/bob/groups/${team.id}`)).status, 204);
  const { body } = await asAdmin('GET', 'users/bob/effective?permission=deploy_apps');
  assert.equal(body.allowed, true);
  assert.deepEqual(body.permissions[0].ways, [{ role: 'OPERATOR', origin: 'direct', groupPath: ['Integration Developers', 'Company'] }]);
  assert.equal((await asAdmin('GET', 'users/bob/effective?permission=manage_users')).body.allowed, false);
  assert.equal((await asAdmin('PUT', `groups/${company.id}`, { parentId: team.id })).status, 409);
  assert.equal((await asAdmin('DELETE', `groups/${company.id}`)).status, 409);
  assert.equal((await asAdmin('GET', `groups/${team.id}`)).body.memberCount, 1);
});

test('the last ADMIN stays, and nobody gives more than they have', async () => {
  assert.equal((await asAdmin('DELETE', 'users/admin')).body.code, 'conflict');
  assert.equal((await asAdmin('PUT', 'users/admin', { enabled: false })).status, 409);
  assert.equal((await asAdmin('DELETE', 'users/admin/roles/ADMIN')).status, 409);
  await newUser('helpdesk');
  await asAdmin('POST', 'roles', { name: 'people', permissions: ['manage_users'] });
  await asAdmin('PUT', 'users/helpdesk/roles/people');
  const call = as(await tokenOf('helpdesk'));
  assert.equal((await call('PUT', 'admin/users/helpdesk/roles/ADMIN')).status, 403);
  assert.equal((await call('PUT', 'admin/users/admin/password', { password })).status, 403);
  assert.equal((await call('POST', 'admin/roles', { name: 'all', permissions: ['manage_server'] })).status, 403);
  assert.equal((await call('PUT', 'admin/users/bob/roles/people')).status, 204);
});

test('another password ends everything but the browser that changed it', async () => {
  await newUser('carol');
  const token = as(await tokenOf('carol'));
  const [mine, other] = [await browser('carol'), await browser('carol')];
  const sessions = (await mine('GET', 'auth/sessions')).body.items;
  assert.equal(sessions.length, 2);
  assert.equal(sessions.filter((one) => one.current).length, 1);
  assert.equal((await mine('POST', 'auth/password', { currentPassword: 'Wrong-Horse-1', newPassword: 'Another-Horse-2' })).body.code, 'invalid_credentials');
  assert.equal((await mine('POST', 'auth/password', { currentPassword: password, newPassword: 'carol-Has-1-Horse' })).body.code, 'weak_password');
  assert.equal((await mine('POST', 'auth/password', { currentPassword: password, newPassword: 'Another-Horse-2' })).status, 204);
  assert.equal((await mine('GET', 'auth/me')).status, 200);
  assert.equal((await other('GET', 'auth/me')).status, 401);
  assert.equal((await token('GET', 'auth/me')).status, 401);
  assert.equal(await tokenOf('carol'), undefined);
  assert.ok(await tokenOf('carol', 'Another-Horse-2'));
});

test('an administrator ends sessions and disables a user', async () => {
  await newUser('dan');
  const first = await browser('dan'), second = await browser('dan');
  const [latest] = (await asAdmin('GET', 'users/dan/sessions')).body.items;
  assert.equal(latest.userAgent, 'Test browser');
  assert.equal((await asAdmin('DELETE', `users/dan/sessions/${latest.id}`)).status, 204);
  assert.equal((await asAdmin('DELETE', `users/dan/sessions/${latest.id}`)).body.code, 'session_not_found');
  const alive = await Promise.all([first, second].map(async (one) => (await one('GET', 'auth/me')).status));
  assert.deepEqual(alive.sort(), [200, 401]);
  assert.equal((await asAdmin('PUT', 'users/dan', { enabled: false })).body.enabled, false);
  assert.equal((await first('GET', 'auth/me')).status, 401);
  assert.equal((await second('GET', 'auth/me')).status, 401);
  assert.equal(await tokenOf('dan'), undefined);
});

test('users are found by parts of their names, page by page', async () => {
  for (const name of ['list-1', 'list-2', 'list-3']) await newUser(name);
  const first = (await asAdmin('GET', 'users?q=LIST-&limit=2')).body;
  assert.deepEqual(first.items.map((one) => one.username), ['list-1', 'list-2']);
  const second = (await asAdmin('GET', `users?q=LIST-&limit=2&cursor=${first.nextCursor}`)).body;
  assert.deepEqual(second.items.map((one) => one.username), ['list-3']);
  assert.equal(second.nextCursor, undefined);
  assert.equal((await asAdmin('GET', 'users?q=%00')).status, 400);
  assert.equal((await asAdmin('GET', 'users/%ff')).status, 400);
});

test('no password and no hash is in the log or in an answer', async () => {
  const list = await asAdmin('GET', 'users');
  for (const secret of [password, 'Another-Horse-2', '$argon2']) {
    assert.ok(!server.output.includes(secret));
    assert.ok(!list.text.includes(secret));
  }
});
