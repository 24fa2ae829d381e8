// Two server processes of one tenant, on one PostgreSQL and one ClickHouse: what is changed at one counts at the other.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, eventually, serverProgram } from './server_process.mjs';
import { CommandStream } from './command_stream.mjs';
import { Browser, RealProvider, audience } from './oidc_provider.mjs';

// What the code promises: a principal is at most 5 s stale, streams look at their keys every half second. More time than
// that is for a slow machine.
const felt = 15;
const tenant = 'pair';
const password = 'Correct-Horse-1';
const engines = new ServerProcess();
const masterKey = randomBytes(32).toString('base64');
let left, right, admin, apiKey;

const secretOf = (engine) => readFileSync(join(engines.folder, 'data', engine, 'password'), 'utf8').trim();
const sockets = () => join(engines.folder, 'data/postgres/run');

/** One more process of a tenant on the engines of the first server. */
function processOf(name, env = {}) {
  const { line } = engines.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  return new ServerProcess({
    env: {
      CAMELEER_SERVER_TENANT_ID: name, CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey,
      CAMELEER_SERVER_POSTGRES_URL: `host=${sockets()} port=5432 dbname=cameleer user=cameleer password=${secretOf('postgres')}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
      CAMELEER_SERVER_CLICKHOUSE_PASSWORD: secretOf('clickhouse'), ...env,
    },
  });
}

/** What a statement gives, in the tenant's schema. */
function sql(statement, schema = `tenant_${tenant}`) {
  return execFileSync('psql', ['-X', '-q', '-t', '-A', '-h', sockets(), '-U', 'cameleer', '-d', 'cameleer', '-c', `set search_path to "${schema}"`, '-c', statement],
    { encoding: 'utf8', env: { PATH: process.env.PATH, PGPASSWORD: secretOf('postgres') } }).trim();
}

before(async () => {
  await engines.start();
  left = processOf(tenant);
  right = processOf(tenant);
  await Promise.all([left.start(), right.start()]);
});
after(async () => {
  for (const one of [left, right, engines]) if (one?.child) await one.dispose();
});

const asAdmin = (server, method, path, json) => server.request(method, `/api/v1/admin/${path}`, { token: admin, json });
const statusOf = async (server, who, path = 'auth/me') => (await server.request('GET', `/api/v1/${path}`, who)).status;
async function done(answer) {
  const { status, text, body } = await answer;
  assert.ok(status < 300, text);
  return body;
}
const tokensOf = async (server, username) => done(server.request('POST', '/api/v1/auth/token', { json: { username, password } }));
async function newUser(username, role = 'VIEWER') {
  const user = await done(asAdmin(left, 'POST', 'users', { username, password }));
  await done(asAdmin(left, 'PUT', `users/${username}/roles/${role}`));
  return user;
}
/** Signs a browser in. */
async function browser(server, username) {
  const answer = await server.request('POST', '/api/v1/auth/login', { json: { username, password }, headers: { origin: server.url } });
  assert.equal(answer.status, 200, answer.text);
  return { headers: { cookie: answer.headers.get('set-cookie').split(';')[0] } };
}
/** Until everybody gets that status at that server; tells how long it took. */
async function everybodyGets(status, server, callers, path) {
  const since = performance.now();
  await eventually(`all get ${status}`, async () => (await Promise.all(callers.map((who) => statusOf(server, who, path)))).every((one) => one === status), felt);
  console.log(`${status} at the other process after ${Math.round(performance.now() - since)} ms`);
}

test('two first starts at once make one administrator, one environment and one key, and no file names another', async () => {
  for (const server of [left, right]) {
    if (server.password) {
      const answer = await server.request('POST', '/api/v1/auth/token', { json: { username: 'admin', password: server.password } });
      assert.equal(answer.status, 200, 'a first-start.txt has a password that does not count');
      admin = answer.body.accessToken;
    }
    if (server.apiKey) {
      const answer = await server.request('POST', '/api/v1/agents/register', { token: server.apiKey, json: { agentId: 'first', application: 'orders', environmentId: 'default' } });
      assert.equal(answer.status, 200, 'a first-start.txt has a key that does not count');
      apiKey = server.apiKey;
    }
  }
  assert.ok(admin && apiKey, 'somebody wrote them');
  assert.deepEqual((await done(asAdmin(left, 'GET', 'users'))).items.map((one) => one.username), ['admin']);
  const keys = await done(asAdmin(right, 'GET', 'environments/default/api-keys'));
  assert.equal(keys.items.length, 1);
  assert.equal(sql('select count(*) from environments'), '1');
  assert.equal(sql(`select count(*) from audit_log where action in ('create_first_user', 'create_api_key')`), '2');
});

test('migrations ran once each', () => {
  const files = readdirSync(new URL('../../schemas/postgres/server', import.meta.url)).filter((name) => /^V\d+/.test(name));
  assert.equal(sql('select count(*) || \' \' || max(version) from schema_migrations'), `${files.length} ${files.length}`);
});

// At once: each waits for what the other process remembers.
describe('people', { concurrency: 10 }, () => {
  test('a session and a token of one count at the other', async () => {
    await newUser('ada');
    const cookie = await browser(left, 'ada');
    const { accessToken } = await tokensOf(left, 'ada');
    assert.equal(await statusOf(right, cookie), 200);
    assert.equal(await statusOf(right, { token: accessToken }), 200);
    assert.equal(await statusOf(right, { token: accessToken }, 'environments'), 200);
  });

  test('a role that is taken away at one is gone at the other', async () => {
    await newUser('bob');
    const callers = [{ token: (await tokensOf(left, 'bob')).accessToken }, await browser(right, 'bob')];
    await everybodyGets(200, right, callers, 'environments');
    await done(asAdmin(left, 'DELETE', 'users/bob/roles/VIEWER'));
    await everybodyGets(403, right, callers, 'environments');
    await done(asAdmin(left, 'PUT', 'users/bob/roles/VIEWER'));
    await everybodyGets(200, right, callers, 'environments');
  });

  test('a role that is taken from a group at one is gone from its members at the other', async () => {
    const user = await done(asAdmin(left, 'POST', 'users', { username: 'gus', password }));
    const group = await done(asAdmin(left, 'POST', 'groups', { name: 'Operations', roles: ['VIEWER'] }));
    await done(asAdmin(left, 'PUT', `users/${user.userId}/groups/${group.id}`));
    const callers = [{ token: (await tokensOf(right, 'gus')).accessToken }];
    await everybodyGets(200, right, callers, 'environments');
    await done(asAdmin(left, 'DELETE', `groups/${group.id}/roles/VIEWER`));
    await everybodyGets(403, right, callers, 'environments');
  });

  test('a user who is disabled at one is out at the other, with every session and token', async () => {
    await newUser('carl');
    const { accessToken, refreshToken } = await tokensOf(right, 'carl');
    const callers = [{ token: accessToken }, await browser(left, 'carl'), await browser(right, 'carl')];
    await everybodyGets(200, right, callers);
    await done(asAdmin(left, 'PUT', 'users/carl', { enabled: false }));
    await everybodyGets(401, right, callers);
    assert.equal((await right.request('POST', '/api/v1/auth/refresh', { json: { refreshToken } })).status, 401);
  });

  test('a session that is ended at one is over at the other, and only that one', async () => {
    await newUser('dan');
    const one = await browser(left, 'dan');
    const [{ id }] = (await done(asAdmin(right, 'GET', 'users/dan/sessions'))).items;
    const other = await browser(left, 'dan');
    await everybodyGets(200, right, [one, other]);
    await done(asAdmin(left, 'DELETE', `users/dan/sessions/${id}`));
    await everybodyGets(401, right, [one]);
    assert.equal(await statusOf(right, other), 200);
    await done(left.request('POST', '/api/v1/auth/logout', { headers: { ...other.headers, origin: left.url } }));
    await everybodyGets(401, right, [other]);
  });

  test('another password at one ends tokens and sessions at the other', async () => {
    await newUser('eve');
    const callers = [{ token: (await tokensOf(right, 'eve')).accessToken }, await browser(right, 'eve')];
    await everybodyGets(200, right, callers);
    await done(asAdmin(left, 'PUT', 'users/eve/password', { password: 'Another-Horse-2' }));
    await everybodyGets(401, right, callers);
  });

  test('wrong passwords at both count together', async () => {
    await newUser('fay');
    const guess = (server, index) => server.request('POST', '/api/v1/auth/token', { json: { username: 'fay', password: `Wrong-Horse-${index}` } });
    for (let index = 0; index < 5; index++) assert.equal((await guess(index % 2 ? left : right, index)).status, 401);
    for (const server of [left, right]) {
      const answer = await server.request('POST', '/api/v1/auth/token', { json: { username: 'fay', password } });
      assert.deepEqual([answer.status, answer.body.code], [423, 'account_locked']);
    }
  });

  test('a refresh token that both get at once has one successor; used again later at the other it ends the family', async () => {
    await newUser('gil');
    const first = await tokensOf(left, 'gil');
    const refresh = (server, { refreshToken }) => server.request('POST', '/api/v1/auth/refresh', { json: { refreshToken } });
    const [one, two] = await Promise.all([refresh(left, first), refresh(right, first)]);
    assert.deepEqual([one.status, two.status], [200, 200]);
    assert.equal(one.body.refreshToken, two.body.refreshToken);
    const second = await done(refresh(left, one.body));
    await everybodyGets(200, left, [{ token: second.accessToken }]);
    // As if it had been half a minute ago.
    sql(`update refresh_tokens set spent_at = spent_at - interval '31 s' where spent_at is not null`);
    const stolen = await refresh(right, first);
    assert.deepEqual([stolen.status, stolen.body.code], [401, 'invalid_token']);
    await everybodyGets(401, left, [{ token: second.accessToken }]);
    for (const server of [left, right]) assert.equal((await refresh(server, second)).status, 401);
  });
});

test('a key that is revoked at one closes the stream of its agent at the other, and ends its tokens', async () => {
  const key = await done(asAdmin(left, 'POST', 'environments/default/api-keys', { label: 'leaked' }));
  const register = (server, agentId, token) => done(server.request('POST', '/api/v1/agents/register', { token, json: { agentId, application: 'orders', environmentId: 'default' } }));
  const { accessToken: token } = await register(left, 'leaky', key.secret);
  const { accessToken: otherToken } = await register(left, 'sound', apiKey);
  const stream = await CommandStream.open(right, 'leaky', { token });
  const other = await CommandStream.open(right, 'sound', { token: otherToken });
  await done(asAdmin(left, 'DELETE', `environments/default/api-keys/${key.id}`));
  const since = performance.now();
  await eventually('the stream ends', () => stream.ended, felt);
  console.log(`the stream at the other process ended after ${Math.round(performance.now() - since)} ms`);
  const beat = () => right.request('POST', '/api/v1/agents/leaky/heartbeat', { token, json: {} });
  await eventually('its token ends', async () => (await beat()).status === 401, felt);
  assert.equal((await right.request('POST', '/api/v1/agents/register', { token: key.secret, json: { agentId: 'leaky', application: 'orders', environmentId: 'default' } })).status, 401);
  assert.equal(other.ended, false);
  const sent = await done(left.request('POST', '/api/v1/agents/sound/commands', { token: admin, json: { type: 'config-update' } }));
  assert.equal((await other.next()).id, sent.commands[0].commandId, 'a command given to one is brought by the other');
  const moved = await CommandStream.open(left, 'sound', { token: otherToken });
  await eventually('the older stream of the agent ends', () => other.ended, felt);
  moved.close();
});

test('a provider that is set up at one is used by the other, and a sign-in begun at one ends at the other', async () => {
  const provider = new RealProvider({ olga: { name: 'Olga', preferred_username: 'olga' } });
  provider.redirectUris = [`${left.url}/api/v1/auth/oidc/callback`];
  await provider.start();
  try {
    const configuration = { issuerUri: provider.issuer, audience, clientId: 'cameleer', clientSecret: 'the-client-secret-1234567890', tokenParameters: { resource: audience } };
    await done(asAdmin(left, 'PUT', 'oidc', configuration));
    await eventually('the other one knows', async () => (await right.request('GET', '/api/v1/auth/capabilities')).body.oidc, felt);
    const browser = new Browser();
    const { url } = await browser.follow(`${left.url}/api/v1/auth/oidc/login`, { account: 'olga', until: /oidc\/callback\?/ });
    const { name, value } = browser.cookie('cameleer_oidc');
    const ended = await fetch(url.replace(left.url, right.url), { headers: { cookie: `${name}=${value}` }, redirect: 'manual' });
    assert.equal(ended.status, 302);
    const session = ended.headers.getSetCookie().find((line) => line.startsWith('cameleer_session=')).split(';')[0];
    for (const server of [left, right]) assert.equal((await done(server.request('GET', '/api/v1/auth/me', { headers: { cookie: session } }))).username, 'olga');
    await done(asAdmin(right, 'DELETE', 'oidc'));
    await eventually('the first one forgets it', async () => !(await left.request('GET', '/api/v1/auth/capabilities')).body.oidc, felt);
  } finally {
    await provider.stop();
  }
});

test('both write the audit log, one at a time seals it, and it verifies, also after one was killed', async () => {
  const config = (server, index) => server.request('PUT', `/api/v1/environments/default/apps/app-${index}/config`, { token: admin, json: { engineLevel: 'MINIMAL' } });
  const writes = (servers) => Promise.all(Array.from({ length: 60 }, (_, index) => done(config(servers[index % servers.length], index))));
  const verified = (server) => eventually('all is sealed', async () => {
    const found = await done(asAdmin(server, 'GET', 'audit/verify'));
    assert.equal(found.ok, true, JSON.stringify(found));
    return found.unsealed === 0 && found;
  });
  await writes([left, right]);
  const before = await verified(left);
  assert.equal((await verified(right)).head.publicKey, before.head.publicKey);
  const busy = writes([right]);
  await left.kill();
  await busy;
  await left.start();
  const found = await verified(left);
  assert.ok(found.sealed >= before.sealed + 60);
  assert.equal(sql('select count(*) || \' \' || max(position) || \' \' || count(distinct audit_id) from audit_seals'), `${found.sealed} ${found.sealed} ${found.sealed}`);
  const file = join(right.folder, 'audit.ndjson');
  writeFileSync(file, (await asAdmin(right, 'GET', 'audit/export?format=ndjson')).text);
  const offline = spawnSync(serverProgram, ['--verify-audit', file, '--public-key', found.head.publicKey], { encoding: 'utf8' });
  assert.equal(offline.status, 0, offline.stdout + offline.stderr);
});

test('a process with another master key does not start on this database', async () => {
  const stranger = processOf(tenant, { CAMELEER_SERVER_SECURITY_MASTERKEY: randomBytes(32).toString('base64') });
  await assert.rejects(stranger.start(), /cameleer\.server\.security\.masterkey/);
  rmSync(stranger.folder, { recursive: true, force: true });
});
