// The cap of users at the sign-in with an OpenID provider: whoever is known gets in, whoever is new does not.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { freePort } from './free_port.mjs';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { Browser, RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const people = ['ada', 'bob', 'cleo', 'dora'];
const provider = new RealProvider(Object.fromEntries(people.map((name) => [name, { name, preferred_username: name }])));
const vendor = newKeyPair();
let server, admin;

before(async () => {
  const port = await freePort();
  provider.redirectUris = [`http://127.0.0.1:${port}/api/v1/auth/oidc/callback`];
  await provider.start();
  server = new ServerProcess({
    port, license: null,
    env: {
      CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey,
      CAMELEER_SERVER_OIDC_CLIENT_ID: 'cameleer', CAMELEER_SERVER_OIDC_CLIENT_SECRET: 'the-client-secret-1234567890',
    },
  });
  await server.start();
  admin = await server.adminToken();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

const signIn = async (account) => (await new Browser().follow(`${server.url}/api/v1/auth/oidc/login?returnTo=/agents`, { account })).url;
const refusals = async () => Number(/cameleer_license_cap_rejections_total\{limit="max_users"\} (\d+)/.exec((await server.request('GET', '/metrics')).text)[1]);

test('the default tier has room for two beside the administrator; a third is refused and told so', async () => {
  for (const account of ['ada', 'bob']) assert.equal(await signIn(account), `${server.url}/agents`, provider.error?.message);
  assert.equal(await signIn('cleo'), `${server.url}/sign-in?error=license_cap_exceeded`);
  assert.equal(await signIn('ada'), `${server.url}/agents`);
  assert.equal(await refusals(), 1);
});

test('a first bearer token is refused with the envelope, that of a known user is not', async () => {
  const me = async (account) => server.request('GET', '/api/v1/auth/me', { token: await provider.personToken(account) });
  const refused = await me('dora');
  assert.equal(refused.status, 403, refused.text);
  assert.deepEqual([refused.body.code, refused.body.error, refused.body.limit, refused.body.current, refused.body.cap, refused.body.state],
    ['license_cap_exceeded', 'license_cap_exceeded', 'max_users', 3, 3, 'ABSENT']);
  assert.match(refused.body.message, /\.$/);
  assert.equal((await me('bob')).status, 200);
  assert.equal(await refusals(), 2);
  const body = await eventually('both are on record', async () => {
    const answer = await server.request('GET', '/api/v1/admin/audit?action=cap_exceeded', { token: admin });
    return answer.body.items.length === 2 && answer.body;
  });
  assert.deepEqual(body.items.map((one) => [one.username, one.target]).sort(), [['cleo', 'max_users'], ['oidc:dora', 'max_users']]);
});

test('with a licence the same person comes in', async () => {
  const answer = await server.request('POST', '/api/v1/admin/license', { token: admin, json: { token: tokenOf(licence({ limits: { max_users: 10 } }), vendor.privateKey) } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await signIn('cleo'), `${server.url}/agents`);
});
