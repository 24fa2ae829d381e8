// Tries every cell of docs/access.md on a running server: who may pass, passes; who may not, is refused before anything
// else is looked at.
import assert from 'node:assert/strict';
import { createHmac, hkdfSync, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess } from './server_process.mjs';

const table = readFileSync(fileURLToPath(new URL('../../docs/access.md', import.meta.url)), 'utf8');
const rows = table.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
const callers = rows[0].slice(3);
const routes = rows.slice(1).map(([operation, route, access, ...cells]) => {
  const [method, pattern] = route.replaceAll('`', '').split(' ');
  return { operation, method, pattern, access, allowed: callers.filter((_, index) => cells[index] === 'yes') };
});

const password = 'Correct-Horse-1';
const provider = new RealProvider({ olga: { name: 'Olga', preferred_username: 'olga' } });
provider.redirectUris = ['http://127.0.0.1:1/callback'];
let server;
const tokens = {};
// Known to the server, but without a permission that the route needs.
const known = ['VIEWER', 'OPERATOR', 'ADMIN', 'view_audit alone', 'OIDC user', 'M2M listed', 'M2M not listed'];

/** A token of the user with that role, made by an administrator. */
async function userWith(admin, username, role) {
  const made = await server.request('POST', '/api/v1/admin/users', { token: admin, json: { username, password } });
  assert.equal(made.status, 201, made.text);
  const given = await server.request('PUT', `/api/v1/admin/users/${made.body.userId}/roles/${role}`, { token: admin });
  assert.ok(given.status < 300, given.text);
  const answer = await server.request('POST', '/api/v1/auth/token', { json: { username, password } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.accessToken;
}

/** The administrator's token as it will be when its time is over: the same claims, signed by the server's own key. */
function expired(token) {
  const root = Buffer.from(readFileSync(join(server.folder, 'data/master.key'), 'utf8').trim(), 'base64');
  const derive = (key, label, length) => Buffer.from(hkdfSync('sha256', key, '', label, length));
  const key = derive(root, 'jwt/v1', 32);
  const kid = createHash('sha256').update(derive(key, 'key-id/v1', 16)).digest('hex').slice(0, 16);
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  claims.iat -= 7200;
  claims.exp = claims.iat + 3600;
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

before(async () => {
  await provider.start();
  server = new ServerProcess({
    env: {
      CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_OIDC_M2M_CLIENT_IDS: 'robot',
      CAMELEER_SERVER_OIDC_REQUIRED_CLAIMS: '{"organization_id":"org-1"}',
    },
  });
  await server.start();
  const admin = await server.adminToken();
  const role = await server.request('POST', '/api/v1/admin/roles', { token: admin, json: { name: 'Auditor', permissions: ['view_audit'] } });
  assert.equal(role.status, 201, role.text);
  tokens.VIEWER = await userWith(admin, 'vera', 'VIEWER');
  tokens.OPERATOR = await userWith(admin, 'otto', 'OPERATOR');
  tokens.ADMIN = await userWith(admin, 'ada', 'ADMIN');
  tokens['view_audit alone'] = await userWith(admin, 'aude', 'Auditor');
  tokens['API key'] = server.apiKey;
  tokens['expired token'] = expired(tokens.ADMIN);
  const [ours, theirs] = [{ organization_id: 'org-1' }, { organization_id: 'org-2' }];
  tokens['OIDC user'] = await provider.personToken('olga', ours);
  tokens['OIDC user of another organization'] = await provider.personToken('olga', theirs);
  tokens['M2M listed'] = await provider.machineToken('robot', ours);
  tokens['M2M not listed'] = await provider.machineToken('stranger', ours);
  tokens['M2M of another organization'] = await provider.machineToken('robot', theirs);
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

/** Only the first word of an answer: streams never end. Ids in the path exist nowhere, but for the agent's own. */
async function statusOf(route, caller) {
  let token = tokens[caller];
  if (caller.startsWith('agent')) {
    const agent = await server.registerAgent('walker');
    token = caller === 'agent' ? agent.accessToken : agent.refreshToken;
  }
  const path = route.pattern.replace('{agentId}', 'walker').replace(/\{environment\}/g, 'default')
    .replace(/\{[^}]+\}/g, '00000000-0000-4000-8000-00000000abcd');
  const control = new AbortController();
  const answer = await fetch(server.url + path, {
    method: route.method, headers: token ? { authorization: `Bearer ${token}` } : {}, redirect: 'manual', signal: control.signal,
  });
  control.abort();
  return answer.status;
}

describe('every route, for everybody', () => {
  // What ends the caller's own sign-in comes last, so that the others are asked before.
  const lastly = ['deregisterAgent', 'endOwnSessions', 'logout'];
  const ordered = [...routes].sort((a, b) => lastly.indexOf(a.operation) - lastly.indexOf(b.operation));
  for (const route of ordered) {
    test(`${route.method} ${route.pattern} (${route.access})`, async () => {
      for (const caller of callers) {
        const status = await statusOf(route, caller);
        if (route.allowed.includes(caller)) {
          assert.ok(route.access === 'public' || (status !== 401 && status !== 403), `${caller} may, and got ${status}`);
        } else {
          const userRoute = route.access === 'signed_in' || !['api_key', 'agent', 'agent_stream', 'agent_refresh'].includes(route.access);
          assert.equal(status, known.includes(caller) && userRoute ? 403 : 401, `${caller} may not`);
        }
      }
    });
  }
  test('the table has every caller that there is a token for, and every kind of access', () => {
    assert.deepEqual(callers.filter((caller) => !tokens[caller] && !['anonymous', 'agent', "agent's refresh token"].includes(caller)), []);
    assert.deepEqual(Object.keys(tokens).filter((caller) => !callers.includes(caller)), []);
    for (const access of ['public', 'signed_in', 'api_key', 'agent', 'agent_stream', 'agent_refresh', 'manage_users', 'view_observability']) {
      assert.ok(routes.some((route) => route.access === access), access);
    }
    assert.ok(routes.length > 50);
  });
});
