// From what real providers say to what people may do here, shown at the server: Okta, Azure AD, Logto, and teams of every size.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { freePort } from './free_port.mjs';
import { Browser, RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const provider = new RealProvider({
  okta: { name: 'Olga', groups: ['eng', 'cameleer-admins'], department: 'platform' },
  objectIds: { name: 'Ida', groups: ['6f1c2f0e-6a3b-4a57-9f0a-2f6f8b6f7a01', '0d3a1f6c-93a4-4ac8-8a16-51e2c7f7e9b2'] },
  azure: { name: 'Anna', roles: ['CameleerOperator'], jobTitle: 'Integration Developer' },
  plain: { name: 'Paul' },
  many: { name: 'Mona', _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example/users/mona/getMemberObjects' } }, inAccessTokens: { hasgroups: true } },
  stranger: { name: 'Sam', groups: ['visitors'], inAccessTokens: { groups: ['visitors'] } },
  staff: { name: 'Stan', groups: ['staff'] },
  developer: { name: 'Dora', groups: ['staff', 'devs'] },
  saas: { name: 'Sue' },
  member: { name: 'Mia' },
});
let server, admin;

before(async () => {
  const port = await freePort();
  provider.redirectUris = [`http://127.0.0.1:${port}/api/v1/auth/oidc/callback`];
  await provider.start();
  server = new ServerProcess({ port });
  await server.start();
  admin = await server.adminToken();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

async function done(method, path, json) {
  const answer = await server.request(method, `/api/v1/admin/${path}`, { token: admin, json });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  return answer.body;
}
/** The provider with these settings, and these rules alone. */
async function configure(settings = {}, rules = []) {
  await done('PUT', 'oidc', { issuerUri: provider.issuer, audience, clientId: 'cameleer', clientSecret: 'the-client-secret-1234567890', ...settings });
  for (const { id } of (await done('GET', 'claim-mappings')).items) await done('DELETE', `claim-mappings/${id}`);
  for (const [claim, matchType, matchValue, action, target] of rules) await done('POST', 'claim-mappings', { claim, matchType, matchValue, action, target });
}
const group = async (name, roles, parentId) => done('POST', 'groups', { name, roles, ...(parentId && { parentId }) });

/** Code and PKCE in a browser; where it ends, and who is signed in. */
async function signIn(account) {
  const browser = new Browser();
  const { url } = await browser.follow(`${server.url}/api/v1/auth/oidc/login?returnTo=/agents`, { account });
  const answer = await browser.go(`${server.url}/api/v1/auth/me`);
  return { end: url.slice(server.url.length), status: answer.status, ...(await answer.json()) };
}
async function rolesOf(account) {
  const { end, roles } = await signIn(account);
  assert.equal(end, '/agents', account);
  return roles;
}
const assigned = async (account) => {
  const { roles, groups } = await done('GET', `users/${(await signIn(account)).userId}`);
  return [...roles, ...groups].map((one) => `${one.name}:${one.origin}`).sort();
};
const asBearer = (token, path = 'auth/me') => server.request('GET', `/api/v1/${path}`, { token });
const refused = async (reason) => Number(new RegExp(`cameleer_oidc_refused_total\\{reason="${reason}"\\} (\\d+)`).exec((await server.request('GET', '/metrics')).text)?.[1] ?? NaN);
const audited = async (action) => (await done('GET', `audit?action=${action}&result=FAILURE&limit=100`)).items;

test('Okta: a group gives ADMIN, the department gives a group with what it inherits', async () => {
  await group('Platform Team', ['OPERATOR']);
  await configure({}, [['groups', 'contains', 'cameleer-admins', 'assignRole', 'ADMIN'], ['department', 'equals', 'platform', 'addToGroup', 'Platform Team']]);
  assert.deepEqual((await rolesOf('okta')).sort(), ['ADMIN', 'OPERATOR']);
  assert.deepEqual(await assigned('okta'), ['ADMIN:managed', 'Platform Team:managed']);
});

test('Azure AD: an application role gives OPERATOR, and so does the object id of a group', async () => {
  await configure({}, [['roles', 'contains', 'CameleerOperator', 'assignRole', 'OPERATOR']]);
  assert.deepEqual(await rolesOf('azure'), ['OPERATOR']);
  await configure({}, [['groups', 'contains', '0d3a1f6c-93a4-4ac8-8a16-51e2c7f7e9b2', 'assignRole', 'OPERATOR'], ['jobTitle', 'regex', 'Integration .*', 'assignRole', 'ADMIN']]);
  assert.deepEqual(await rolesOf('objectIds'), ['OPERATOR']);
  assert.deepEqual(await rolesOf('azure'), ['ADMIN'], 'what another rule gave is gone');
});

test('the scopes of the platform: each gives its role, the highest counts, and none of the platform\'s own does', async () => {
  await configure({ rolesClaim: 'scope', defaultRoles: ['VIEWER'] });
  const rows = [
    ['server:admin', 'ADMIN', false],
    ['server:operator', 'OPERATOR', false],
    ['server:viewer', 'VIEWER', false],
    // The organization roles `admin` and `member`, and a vendor.
    ['tenant:manage billing:manage team:manage apps:manage apps:deploy secrets:manage observe:read observe:debug settings:manage server:admin', 'ADMIN', false],
    ['apps:manage apps:deploy observe:read observe:debug server:viewer', 'VIEWER', false],
    ['platform:admin', 'VIEWER', true],
    ['server:viewer server:operator', 'OPERATOR', false],
  ];
  for (const [scope, role, fallback] of rows) {
    const token = await provider.personToken('saas', { scope });
    const { status, body } = await asBearer(token);
    assert.deepEqual([status, body.roles], [200, [role]], scope);
    const seen = await done('POST', 'claim-mappings/test', { token });
    assert.deepEqual([seen.effectiveRoles, seen.fallback], [[role], fallback], scope);
  }
});

test('a few people without a provider: users are made, and get their roles by hand', async () => {
  await done('DELETE', 'oidc');
  assert.equal((await server.request('GET', '/api/v1/auth/capabilities')).body.oidc, false);
  await done('POST', 'users', { username: 'lea', password: 'Correct-Horse-1' });
  await done('PUT', 'users/lea/roles/OPERATOR');
  const pair = await server.request('POST', '/api/v1/auth/token', { json: { username: 'lea', password: 'Correct-Horse-1' } });
  assert.deepEqual((await asBearer(pair.body.accessToken)).body.roles, ['OPERATOR']);
});

test('some with a provider and no rules: everybody is VIEWER, and who was promoted stays so', async () => {
  await configure();
  const { userId, roles } = await signIn('plain');
  assert.deepEqual(roles, ['VIEWER']);
  await done('PUT', `users/${userId}/roles/ADMIN`);
  assert.deepEqual(await assigned('plain'), ['ADMIN:direct', 'VIEWER:managed']);
});

test('dozens with a few rules: most get their roles by themselves, exceptions by hand', async () => {
  await configure({}, [
    ['groups', 'contains', 'cameleer-admins', 'assignRole', 'ADMIN'], ['groups', 'contains', 'devs', 'assignRole', 'OPERATOR'], ['groups', 'contains', 'staff', 'assignRole', 'VIEWER'],
  ]);
  assert.deepEqual((await rolesOf('developer')).sort(), ['OPERATOR', 'VIEWER']);
  const { userId, roles } = await signIn('staff');
  assert.deepEqual(roles, ['VIEWER']);
  await done('PUT', `users/${userId}/roles/OPERATOR`);
  assert.deepEqual(await assigned('staff'), ['OPERATOR:direct', 'VIEWER:managed']);
});

test('hundreds: the provider\'s groups lead to groups here, and keep themselves right', async () => {
  const engineering = await group('Engineering', ['VIEWER']);
  await group('Integration', ['OPERATOR'], engineering.id);
  await configure({}, [['groups', 'contains', 'devs', 'addToGroup', 'Integration']]);
  assert.deepEqual((await rolesOf('developer')).sort(), ['OPERATOR', 'VIEWER']);
  provider.accounts.developer.groups = ['staff'];
  assert.deepEqual(await rolesOf('developer'), ['VIEWER'], 'the default again');
  assert.deepEqual(await assigned('developer'), ['VIEWER:managed']);
  provider.accounts.developer.groups = ['staff', 'devs'];
  assert.deepEqual(await assigned('developer'), ['Integration:managed']);
});

test('every shape of token that Logto issues, of this organization and of another', async () => {
  await configure({ rolesClaim: 'scope', requiredClaims: { organization_id: 'org-1' }, m2mClientIds: ['robot'] });
  const machine = (parameters) => provider.machineToken('robot', { scope: 'server:admin', ...parameters });
  const person = (parameters) => provider.personToken('member', { scope: 'server:operator', ...parameters });
  const alone = (organization) => ({ resource: `urn:logto:organization:${organization}` });
  const shapes = [
    ['program, resource', await machine(), 'wrong_tenant'],
    ['program, this organization', await machine(alone('org-1')), 'wrong_tenant'],
    ['program, this organization and resource', await machine({ organization_id: 'org-1' }), undefined],
    ['program, another organization and resource', await machine({ organization_id: 'org-2' }), 'wrong_tenant'],
    ['person, resource', await person(), 'wrong_tenant'],
    ['person, this organization', await person(alone('org-1')), 'wrong_tenant'],
    ['person, another organization', await person(alone('org-2')), 'wrong_tenant'],
    ['person, this organization and resource', await person({ organization_id: 'org-1' }), undefined],
    ['person, another organization and resource', await person({ organization_id: 'org-2' }), 'wrong_tenant'],
    ['person, no resource', await person({ resource: 'urn:opaque' }), 'invalid_token'],
  ];
  for (const [what, token, code] of shapes) {
    const answer = await asBearer(token, 'environments');
    assert.deepEqual([answer.status, answer.body.code], [code ? 401 : 200, code], what);
  }
  const self = await asBearer(await person({ organization_id: 'org-1' }));
  assert.deepEqual(self.body.roles, ['OPERATOR']);
});

test('groups that the provider left out let nobody in, when something reads them', async () => {
  await configure();
  assert.deepEqual(await rolesOf('many'), ['VIEWER'], 'nothing reads them');
  assert.equal((await asBearer(await provider.personToken('many'))).status, 200);

  await configure({}, [['groups', 'contains', 'cameleer-admins', 'assignRole', 'ADMIN']]);
  const before = await refused('group_overage');
  const { end, status } = await signIn('many');
  assert.deepEqual([end, status], ['/sign-in?error=group_overage', 401]);
  const bearer = await asBearer(await provider.personToken('many'));
  assert.deepEqual([bearer.status, bearer.body.code], [403, 'group_overage']);
  assert.match(bearer.body.detail, /'groups'.*only the groups that are assigned to this application/);
  assert.equal(await refused('group_overage'), before + 2);
  assert.deepEqual(await rolesOf('okta'), ['ADMIN'], 'others come in');
  await eventually('both are in the audit log', async () => (await audited('use_token')).some((one) => one.username === 'many' && one.detail.reason === 'group_overage')
    && (await audited('login')).some((one) => one.detail.reason === 'group_overage'));

  const seen = await done('POST', 'claim-mappings/test', { claims: { hasgroups: true } });
  assert.deepEqual([seen.overage, seen.refusal.code], [true, 'group_overage']);
  const user = await done('POST', 'claim-mappings/test', { userId: 'oidc:many' });
  assert.equal(user.refusal.code, 'group_overage', 'what its last sign-in would be today');
  await configure({ rolesClaim: 'groups' });
  assert.equal((await signIn('many')).end, '/sign-in?error=group_overage', 'the roles claim reads them');
});

test('strict: of somebody whom nothing fits nothing is kept but the refusal', async () => {
  await configure({ strict: true }, [['groups', 'contains', 'cameleer-admins', 'assignRole', 'ADMIN']]);
  const users = async () => (await done('GET', 'users?limit=200')).items.map((one) => one.username);
  const before = await users();
  const { end, status } = await signIn('stranger');
  assert.deepEqual([end, status], ['/sign-in?error=not_admitted', 401]);
  const bearer = await asBearer(await provider.personToken('stranger'));
  assert.deepEqual([bearer.status, bearer.body.code], [403, 'forbidden']);
  assert.deepEqual(await users(), before);
  await eventually('both are in the audit log', async () => (await audited('use_token')).some((one) => one.username === 'stranger' && one.detail.reason === 'not_admitted')
    && (await audited('login')).some((one) => one.detail.reason === 'not_admitted'));
  assert.equal((await signIn('okta')).end, '/agents');
});

test('a hundred tokens of one person at once: the last evaluation stands, what was given by hand too, nothing twice', async () => {
  await group('even', []);
  await group('odd', []);
  await configure({}, [['department', 'regex', '[0-9]*[02468]', 'addToGroup', 'even'], ['department', 'regex', '[0-9]*[13579]', 'addToGroup', 'odd'], ['department', 'regex', '.*[05]', 'assignRole', 'OPERATOR']]);
  provider.accounts.busy = { name: 'Ben' };
  const { userId } = await signIn('busy');
  await done('PUT', `users/${userId}/roles/ADMIN`);
  await done('PUT', `users/${userId}/groups/even`);
  const tokens = [];
  for (let i = 0; i < 10; i++) {
    provider.accounts.busy.inAccessTokens = { department: String(i) };
    tokens.push(await provider.personToken('busy'));
  }
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => asBearer(tokens[i % 10])));
  assert.deepEqual([...new Set(answers.map((one) => `${one.status} ${one.body.userId}`))], [`200 ${userId}`]);
  const { roles, groups } = await done('GET', `users/${userId}`);
  const all = [...roles, ...groups].map((one) => `${one.name}:${one.origin}`);
  assert.equal(new Set(all).size, all.length, all.join());
  assert.ok(all.includes('ADMIN:direct') && all.includes('even:direct'), all.join());
  const { difference } = await done('POST', 'claim-mappings/test', { userId });
  assert.deepEqual([difference.roles, difference.groups], [{ added: [], removed: [] }, { added: [], removed: [] }]);
});
