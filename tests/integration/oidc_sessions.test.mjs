// Sessions that live on a provider's word: renewed while they are used, ended when the provider says so, and alone in counting without local sign-in.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free_port.mjs';
import { Browser, RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const provider = new RealProvider({
  ada: { name: 'Ada', preferred_username: 'ada', realm_access: { roles: ['VIEWER'] } },
  bob: { name: 'Bob', preferred_username: 'bob' },
}, { tokenLife: 4 });
const masterKey = randomBytes(32).toString('base64');
let left, right;

const engine = (name) => ({ secret: readFileSync(join(left.folder, 'data', name, 'password'), 'utf8').trim(), sockets: join(left.folder, 'data/postgres/run') });
function sql(statement) {
  const { secret, sockets } = engine('postgres');
  return execFileSync('psql', ['-X', '-q', '-t', '-A', '-h', sockets, '-U', 'cameleer', '-d', 'cameleer', '-c', 'set search_path to tenant_default', '-c', statement],
    { encoding: 'utf8', env: { PATH: process.env.PATH, PGPASSWORD: secret } }).trim();
}

before(async () => {
  const port = await freePort();
  provider.redirectUris = [`http://127.0.0.1:${port}/api/v1/auth/oidc/callback`];
  await provider.start();
  const env = {
    CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey, CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_OIDC_CLIENT_ID: 'cameleer',
    CAMELEER_SERVER_OIDC_CLIENT_SECRET: 'the-client-secret-1234567890', CAMELEER_SERVER_OIDC_ROLES_CLAIM: 'realm_access.roles',
  };
  left = new ServerProcess({ port, env });
  await left.start();
  const { line } = left.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  const { secret, sockets } = engine('postgres');
  right = new ServerProcess({
    env: {
      ...env, CAMELEER_SERVER_POSTGRES_URL: `host=${sockets} port=5432 dbname=cameleer user=cameleer password=${secret}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer', CAMELEER_SERVER_CLICKHOUSE_PASSWORD: engine('clickhouse').secret,
    },
  });
  await right.start();
});
after(async () => {
  for (const one of [right, left]) if (one?.child) await one.dispose();
  await provider.stop();
});

/** The cookie of somebody who signed in. */
async function signIn(account) {
  const browser = new Browser();
  const { url } = await browser.follow(`${left.url}/api/v1/auth/oidc/login?returnTo=/agents`, { account });
  assert.equal(url, `${left.url}/agents`, provider.error?.message);
  return `cameleer_session=${browser.cookie('cameleer_session').value}`;
}
const me = (server, cookie) => server.request('GET', '/api/v1/auth/me', { headers: { cookie } });
const renewals = async (server, result) => Number(new RegExp(`cameleer_oidc_session_renewals_total\\{result="${result}"\\} (\\d+)`).exec((await server.request('GET', '/metrics')).text)[1]);
const providerUp = async (server) => Number(/cameleer_oidc_provider_up (\d)/.exec((await server.request('GET', '/metrics')).text)[1]);

test('a session in use at two processes is renewed by one request at a time, and follows what the provider says', async () => {
  const cookie = await signIn('ada');
  assert.deepEqual((await me(left, cookie)).body.roles, ['VIEWER']);
  provider.accounts.ada.realm_access.roles = ['OPERATOR'];
  const before = provider.refreshed;
  await eventually('three renewals', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => me(i % 2 ? left : right, cookie)));
    assert.deepEqual([...new Set(answers.map((one) => one.status))], [200]);
    return provider.refreshed >= before + 3;
  });
  // Refresh tokens are good once: who uses one twice loses the session.
  assert.equal(provider.refused, 0, provider.refusal);
  assert.equal(await renewals(left, 'renewed') + await renewals(right, 'renewed'), provider.refreshed);
  for (const server of [left, right]) {
    await eventually('the new role counts', async () => (await me(server, cookie)).body.roles.join() === 'OPERATOR', 10);
  }
  assert.match(sql('select string_agg(left(sealed, 3), \' \') from oidc_sessions'), /^v1\./);
});

test('while the provider is down a session goes on beyond its tokens, and the metric tells', async () => {
  const cookie = await signIn('ada');
  await provider.stop();
  await eventually('a renewal fails', async () => {
    assert.equal((await me(left, cookie)).status, 200);
    return await renewals(left, 'failed') > 0;
  });
  assert.equal(await providerUp(left), 0);
  await eventually('the tokens have ended', () => sql('select bool_or(expires_at < now()) from oidc_sessions') === 't', 10);
  assert.equal((await me(left, cookie)).status, 200);
  await provider.resume();
  sql('update oidc_sessions set refresh_after = now()');  // not to wait for the next attempt
  const before = provider.refreshed;
  await eventually('it is renewed', async () => {
    assert.equal((await me(right, cookie)).status, 200);
    return provider.refreshed > before;
  });
});

test('who is disabled at the provider is out with the next renewal', async () => {
  const cookie = await signIn('bob');
  delete provider.accounts.bob;
  await eventually('the session ends', async () => {
    const { status, body } = await me(left, cookie);
    if (status !== 200) assert.deepEqual([status, body.code], [401, 'unauthenticated']);
    return status === 401;
  });
  await eventually('at the other process too', async () => (await me(right, cookie)).status === 401, 15);
  assert.equal(await renewals(left, 'refused'), 1);
  assert.equal(sql("select detail ->> 'reason' from audit_log where action = 'renew_session' and result = 'FAILURE' and username = 'bob'"), 'provider');
  assert.equal(sql("select count(*) from sessions join users using (user_id) where username = 'bob'"), '0');
});

test('after local sign-in was switched off only the sessions of the provider count', async () => {
  const ada = await signIn('ada');
  const login = await left.request('POST', '/api/v1/auth/login', { json: { username: left.username, password: left.password } });
  const local = login.headers.get('set-cookie').split(';')[0];
  const pair = (await left.request('POST', '/api/v1/auth/token', { json: { username: left.username, password: left.password } })).body;
  assert.equal((await me(left, local)).status, 200);
  await right.stop();
  await left.stop();
  left.env.CAMELEER_AUTH_LOCAL_ENABLED = 'false';
  await left.start();
  assert.deepEqual([(await me(left, ada)).status, (await me(left, local)).status], [200, 401]);
  assert.equal((await left.request('GET', '/api/v1/auth/me', { token: pair.accessToken })).status, 401);
  assert.equal((await left.request('POST', '/api/v1/auth/refresh', { json: { refreshToken: pair.refreshToken } })).status, 404);
  assert.equal(sql("select count(*) from audit_log where action = 'end_local_access' and username = 'SYSTEM'"), '1');
  await left.stop();
  delete left.env.CAMELEER_AUTH_LOCAL_ENABLED;
  await left.start();
  assert.equal((await me(left, local)).status, 401, 'it has ended for good');
  assert.equal((await left.request('POST', '/api/v1/auth/refresh', { json: { refreshToken: pair.refreshToken } })).status, 401);
  assert.equal((await left.request('POST', '/api/v1/auth/login', { json: { username: left.username, password: left.password } })).status, 200, 'the way back in');
});
