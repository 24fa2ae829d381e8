// Rules from claims to roles and groups, and the simulator that says what they do, over HTTP.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess } from './server_process.mjs';

const server = new ServerProcess();
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const call = async (method, path, json) => {
  const answer = await server.request(method, `/api/v1/admin/${path}`, { token: admin, json });
  assert.ok(answer.status < 500, answer.text);
  return answer;
};
const simulate = async (json) => {
  const answer = await call('POST', 'claim-mappings/test', json);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
};
const rule = (claim, matchType, matchValue, action, target, priority) => ({ claim, matchType, matchValue, action, target, priority });

test('rules are made, put in order, tried out and deleted', async () => {
  await call('POST', 'groups', { name: 'Integration Developers' });
  const made = [];
  for (const one of [
    rule('groups', 'contains', 'cameleer-admins', 'assignRole', 'ADMIN', 1),
    rule('groups', 'contains', 'integration-team', 'addToGroup', 'Integration Developers', 2),
    rule('department', 'equals', 'ops', 'assignRole', 'OPERATOR', 3),
  ]) {
    const answer = await call('POST', 'claim-mappings', one);
    assert.equal(answer.status, 201, answer.text);
    made.push(answer.body.id);
  }
  assert.equal((await call('PUT', 'claim-mappings/order', { ids: [made[2], made[0], made[1]] })).status, 200);
  assert.deepEqual((await call('GET', 'claim-mappings')).body.items.map((one) => one.id), [made[2], made[0], made[1]]);

  const seen = await simulate({ claims: { groups: ['integration-team', 'all-staff'], department: 'ops' } });
  assert.deepEqual(seen.effectiveRoles, ['OPERATOR']);
  assert.deepEqual(seen.effectiveGroups, ['Integration Developers']);
  assert.deepEqual(seen.matchedRules.map((one) => one.ruleId), [made[2], made[1]]);
  assert.deepEqual(seen.rules.map((one) => one.verdict), ['matched', 'differs', 'matched']);
  assert.equal(seen.fallback, false);
  for (const one of seen.rules) assert.match(one.explanation, /\.$/);

  assert.equal((await call('DELETE', `claim-mappings/${made[0]}`)).status, 204);
  assert.equal((await call('GET', `claim-mappings/${made[0]}`)).body.code, 'rule_not_found');
});

test('shapes of known providers are read: nested, with dots and slashes, as a list in one text', async () => {
  const cases = [
    [{ realm_access: { roles: ['cameleer'] } }, 'realm_access.roles'],
    [{ 'https://acme.example/roles': ['cameleer'] }, 'https://acme.example/roles'],
    [{ scope: 'openid cameleer' }, 'scope'],
    [{ groups: 'cameleer' }, 'groups'],
  ];
  for (const [claims, claim] of cases) {
    const seen = await simulate({ claims, rules: [rule(claim, 'contains', 'cameleer', 'assignRole', 'OPERATOR')] });
    assert.deepEqual(seen.effectiveRoles, ['OPERATOR'], claim);
  }
  const overage = await simulate({ claims: { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph' } } }, rules: [rule('groups', 'contains', 'x', 'assignRole', 'ADMIN')] });
  assert.equal(overage.overage, true);
  assert.equal(overage.rules[0].verdict, 'left_out');
  const slow = await simulate({ claims: { groups: `${'a'.repeat(5000)}!` }, rules: [rule('groups', 'regex', '(a+)+', 'assignRole', 'ADMIN')] });
  assert.equal(slow.rules[0].verdict, 'differs');
});

test('a pasted token is only decoded, and nothing of it is believed', async () => {
  const token = ['{"alg":"none"}', '{"roles":["ADMIN"]}', 'no signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const seen = await simulate({ token });
  assert.deepEqual(seen.effectiveRoles, ['ADMIN']);
  assert.equal(seen.tokenVerified, false);
  assert.equal((await server.request('GET', '/api/v1/admin/users', { token })).status, 401);
  assert.equal((await call('POST', 'claim-mappings/test', { token: 'abc' })).body.member, '/token');
  assert.equal((await call('POST', 'claim-mappings/test', {})).status, 400);
  assert.equal((await call('POST', 'claim-mappings/test', { userId: 'admin' })).body.code, 'conflict');
  const other = await simulate({ userId: 'admin', claims: { roles: ['VIEWER'] } });
  assert.deepEqual(other.difference.roles, { added: ['VIEWER'], removed: [] });
  assert.ok(!server.output.includes(token));
});

test('only who manages the server sees or changes rules', async () => {
  const password = 'Correct-Horse-1';
  await call('POST', 'users', { username: 'ada', password });
  await call('PUT', 'users/ada/roles/OPERATOR');
  const token = (await server.request('POST', '/api/v1/auth/token', { json: { username: 'ada', password } })).body.accessToken;
  for (const [method, path] of [['GET', ''], ['POST', ''], ['POST', '/test'], ['PUT', '/order']]) {
    assert.equal((await server.request(method, `/api/v1/admin/claim-mappings${path}`, { token, json: method === 'GET' ? undefined : {} })).status, 403);
  }
});
