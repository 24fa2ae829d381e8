// Every route that changes something leaves an entry that names who, where and what was there before. A route that is
// new has to be added here.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { CommandStream } from './command_stream.mjs';
import { licence, newKeyPair, revocationsOf, tokenOf } from './license_tokens.mjs';
import { RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, eventually, serverProgram } from './server_process.mjs';

const routes = JSON.parse(spawnSync(serverProgram, ['--print=routes'], { encoding: 'utf8' }).stdout);
const password = 'Correct-Horse-1', other = 'Another-Horse-2';
/** Operations that change nothing, or that are no doing of people's. */
const unrecorded = {
  refreshToken: 'goes on with a sign-in that is on record; reuse of a spent token is recorded',
  testOidcConfiguration: 'asks the provider only', testClaimMappings: 'evaluates only',
  previewLicense: 'evaluates only',
};
const ofAgents = ['api_key', 'agent', 'agent_stream', 'agent_refresh'];

const provider = new RealProvider({ olga: { name: 'Olga', preferred_username: 'olga' } });
provider.redirectUris = ['http://127.0.0.1:1/callback'];
const vendor = newKeyPair();
let server, admin, agent;
const ids = {}, done = new Map();

before(async () => {
  await provider.start();
  server = new ServerProcess({
    license: null,
    env: { CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey, CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_OIDC_M2M_CLIENT_IDS: 'robot' },
  });
  await server.start();
  admin = await server.adminToken();
  agent = await server.registerAgent('a1');
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

/** Calls an operation, which must succeed; its entries are known by the request id. */
async function call(operation, path, json, { token = admin, headers = {} } = {}) {
  const { method } = routes.find((route) => route.operationId === operation);
  const requestId = `audit-${operation}`;
  const answer = await server.request(method, `/api/v1/${path}`, { token, json, headers: { ...headers, 'x-request-id': requestId } });
  assert.ok(answer.status < 300, `${operation}: ${answer.status} ${answer.text}`);
  done.set(operation, requestId);
  return answer;
}
const signedIn = async (username, secret) => {
  const answer = await call('login', 'auth/login', { username, password: secret }, { token: null, headers: { origin: server.url } });
  return { token: null, headers: { cookie: answer.headers.get('set-cookie').split(';')[0], origin: server.url } };
};
const sessionsOf = async (username) => (await server.request('GET', `/api/v1/admin/users/${username}/sessions`, { token: admin })).body.items;

async function people() {
  ids.user = (await call('createUser', 'admin/users', { username: 'ada', password })).body.userId;
  await call('updateUser', 'admin/users/ada', { displayName: 'Ada Lovelace' });
  await call('setPassword', 'admin/users/ada/password', { password: other });
  const browser = await signedIn('ada', other);
  await call('changePassword', 'auth/password', { currentPassword: other, newPassword: password }, browser);
  await call('endOwnSession', `auth/sessions/${(await sessionsOf('ada'))[0].id}`, undefined, browser);
  await call('endOwnSessions', 'auth/sessions', undefined, await signedIn('ada', password));
  await signedIn('ada', password);
  await call('endSession', `admin/users/ada/sessions/${(await sessionsOf('ada'))[0].id}`);
  await signedIn('ada', password);
  await call('endSessions', 'admin/users/ada/sessions');
  await call('issueToken', 'auth/token', { username: 'ada', password }, { token: null });
  await call('logout', 'auth/logout', undefined, await signedIn('ada', password));
}

async function licences() {
  await call('installLicense', 'admin/license', { token: tokenOf(licence({ limits: { max_environments: 5, max_users: 10 } }), vendor.privateKey) });
  await call('installLicenseRevocations', 'admin/license/revocations', { token: revocationsOf([], 1, vendor.privateKey) });
}

async function roles() {
  ids.role = (await call('createRole', 'admin/roles', { name: 'Reader', permissions: ['view_audit'] })).body.id;
  await call('updateRole', 'admin/roles/Reader', { permissions: ['view_audit', 'view_runtime'] });
  await call('assignRole', 'admin/users/ada/roles/Reader');
  await call('removeRole', 'admin/users/ada/roles/Reader');
  ids.group = (await call('createGroup', 'admin/groups', { name: 'Team' })).body.id;
  await call('updateGroup', `admin/groups/${ids.group}`, { description: 'Integration' });
  await call('addRoleToGroup', `admin/groups/${ids.group}/roles/Reader`);
  await call('addToGroup', `admin/users/ada/groups/${ids.group}`);
  await call('removeFromGroup', `admin/users/ada/groups/${ids.group}`);
  await call('removeRoleFromGroup', `admin/groups/${ids.group}/roles/Reader`);
  const rule = { claim: 'groups', matchType: 'contains', matchValue: 'ops', action: 'assignRole', target: 'OPERATOR', priority: 1 };
  ids.rule = (await call('createClaimMapping', 'admin/claim-mappings', rule)).body.id;
  const second = (await server.request('POST', '/api/v1/admin/claim-mappings', { token: admin, json: { ...rule, priority: 2 } })).body.id;
  await call('updateClaimMapping', `admin/claim-mappings/${ids.rule}`, { ...rule, matchValue: 'operations' });
  await call('reorderClaimMappings', 'admin/claim-mappings/order', { ids: [second, ids.rule] });
  await call('deleteClaimMapping', `admin/claim-mappings/${ids.rule}`);
  await call('deleteGroup', `admin/groups/${ids.group}`);
  await call('deleteRole', 'admin/roles/Reader');
  await call('deleteUser', 'admin/users/ada');
}

async function configuration() {
  await call('replaceOidcConfiguration', 'admin/oidc', { displayNameClaim: 'nickname' });
  await call('deleteOidcConfiguration', 'admin/oidc');
  await call('putApplicationConfig', 'environments/default/apps/orders/config', { engineLevel: 'MINIMAL' });
  await call('putApplicationConfig', 'environments/default/apps/orders/config', { engineLevel: 'NONE' });
  await call('putSensitiveKeys', 'admin/sensitive-keys', { keys: ['iban'] });
  const key = (await call('createApiKey', 'admin/environments/default/api-keys', { label: 'pipeline' })).body;
  await call('rotateApiKey', `admin/environments/default/api-keys/${key.id}/rotate`);
  await call('revokeApiKey', `admin/environments/default/api-keys/${key.id}`);
  await call('createEnvironment', 'admin/environments', { slug: 'staging', displayName: 'Staging' });
  await call('updateEnvironment', 'admin/environments/staging', { displayName: 'Rehearsal' });
  await call('deleteEnvironment', 'admin/environments/staging?confirm=staging');
  await call('sendCommand', 'agents/a1/commands', { type: 'config-update' });
  await call('sendCommandToApplication', 'agents/groups/orders/commands?environment=default', { type: 'config-update' });
  await call('sendCommandToEnvironment', 'agents/commands?environment=default', { type: 'config-update' });
  const stream = await CommandStream.open(server, 'a1', { token: agent.accessToken });
  const replayed = call('replayExecution', 'agents/a1/replay', { routeId: 'r1', exchange: { headers: {}, body: 'again' }, originalExecutionId: 'e1' });
  const { id } = await eventually('the replay arrives', () => stream.events.find(({ event }) => event === 'replay'));
  await server.request('POST', `/api/v1/agents/a1/commands/${id}/ack`, { token: agent.accessToken, json: { status: 'SUCCESS', data: { newExchangeId: 'x1' } } });
  await replayed;
  stream.close();
  await call('removeLicense', 'admin/license');
}

/** Of all entries, the newest first. */
async function entries(query = '') {
  const all = [];
  let cursor = '';
  do {
    const { body, text, status } = await server.request('GET', `/api/v1/admin/audit?limit=200${query}${cursor}`, { token: admin });
    assert.equal(status, 200, text);
    all.push(...body.items);
    cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : undefined;
  } while (cursor);
  return all;
}

test('every change by people is on record, with its request and who asked', async () => {
  await licences();
  await people();
  await roles();
  await configuration();
  const changing = routes.filter(({ method, access, operationId }) => method !== 'GET' && operationId && !ofAgents.includes(access) && !(operationId in unrecorded));
  assert.deepEqual(changing.map(({ operationId }) => operationId).filter((name) => !done.has(name)).sort(), [], 'operations that this test does not know');
  const all = await entries();
  for (const [operation, requestId] of done) {
    const found = all.filter((entry) => entry.requestId === requestId);
    assert.ok(found.length > 0, `${operation} left no entry`);
    for (const entry of found) {
      assert.deepEqual([entry.result, entry.remoteAddress], ['SUCCESS', '127.0.0.1'], operation);
      assert.ok(['admin', 'ada'].includes(entry.username), `${operation} was done by '${entry.username}'`);
    }
  }
  for (const [operation, [was, is]] of Object.entries({
    updateEnvironment: [/Staging/, /Rehearsal/], rotateApiKey: [/ACTIVE/, /ROTATED/],
    updateUser: [/"ada"/, /Ada Lovelace/], updateRole: [/\["view_audit"\]/, /view_runtime/], updateGroup: [/"description":""/, /Integration/],
    updateClaimMapping: [/"ops"/, /operations/], putApplicationConfig: [/MINIMAL/, /NONE/], putSensitiveKeys: [/\[\]/, /iban/], replaceOidcConfiguration: [/./, /nickname/],
  })) {
    const { detail } = all.find((entry) => entry.requestId === `audit-${operation}`);
    assert.match(JSON.stringify(detail.before), was, operation);
    assert.match(JSON.stringify(detail.after), is, operation);
  }
  for (const operation of ['deleteUser', 'deleteRole', 'deleteGroup', 'deleteClaimMapping']) {
    assert.ok(all.find((entry) => entry.requestId === `audit-${operation}`).detail.before, `${operation} tells what was there`);
  }
});

test('people and programs of a provider are on record', async () => {
  const use = (token) => server.request('GET', '/api/v1/environments', { token });
  assert.equal((await use(await provider.personToken('olga'))).status, 200);
  assert.equal((await use(await provider.machineToken('robot'))).status, 200);
  assert.equal((await use(await provider.machineToken('stranger'))).status, 403);
  const all = await eventually('the uses are on record', async () => {
    const found = await entries();
    return found.filter((entry) => entry.action === 'use_machine_token').length > 1 && found;
  });
  const show = (action) => all.filter((entry) => entry.action === action).map(({ username, category, target, result }) => [username, category, target, result]);
  assert.deepEqual(show('use_machine_token').sort(), [
    ['robot', 'AUTH', 'GET /api/v1/environments', 'SUCCESS'], ['stranger', 'AUTH', 'GET /api/v1/environments', 'FAILURE'],
  ]);
  assert.deepEqual(show('create_user')[0].slice(1), ['USER_MGMT', 'oidc:olga', 'SUCCESS']);
  const given = all.find((entry) => entry.action === 'apply_claim_mappings');
  assert.deepEqual([given.category, given.target, given.detail.roles.added], ['RBAC', 'oidc:olga', ['VIEWER']]);
});

test('an export has every entry once in either form', async () => {
  const sealed = await eventually('all is sealed', async () => {
    const { body } = await server.request('GET', '/api/v1/admin/audit/verify', { token: admin });
    return body.ok && body.unsealed === 0 && body;
  });
  const file = async (format) => (await server.request('GET', `/api/v1/admin/audit/export?format=${format}`, { token: admin })).text;
  const lines = (await file('ndjson')).trim().split('\n').map((line) => JSON.parse(line));
  const positions = lines.map((line) => line.position).filter(Boolean);
  assert.deepEqual(positions.slice(0, sealed.sealed), Array.from({ length: sealed.sealed }, (_, index) => index + 1));
  const rows = (await file('csv')).trim().split('\r\n');
  assert.equal(rows.length - 1, positions.length);
  assert.equal(rows.filter((row) => row.includes('audit-createUser')).length, lines.filter((line) => line.requestId === 'audit-createUser').length);
});
