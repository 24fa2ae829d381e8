// What a lying provider, a stranger and a man in the middle may try, and what the server answers.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { exportSPKI, SignJWT } from 'jose';
import { Browser, HostileProvider, audience, signingKey } from './oidc_provider.mjs';
import { ServerProcess } from './server_process.mjs';

const provider = new HostileProvider();
let server, admin, rsa, second;

before(async () => {
  await provider.start();
  [rsa, second] = [await signingKey('RS256', 'rsa'), await signingKey('ES384', 'second')];
  server = new ServerProcess();
  await server.start();
  admin = await server.adminToken();
  await configure();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
});

/** Stores the configuration anew, so that nothing of the provider is cached. */
let turn = 0;
async function configure(more = {}) {
  const json = { issuerUri: provider.issuer, audience, clientId: 'cameleer', clientSecret: 'client-secret-of-the-test', scope: `openid turn-${turn++}`, ...more };
  const answer = await server.request('PUT', '/api/v1/admin/oidc', { token: admin, json });
  assert.equal(answer.status, 200, answer.text);
}

const asBearer = (token) => server.request('GET', '/api/v1/environments', { token });

/** The whole sign-in; `tokens(nonce, form)` is the answer of the token endpoint. Gives where the browser ends. */
async function signIn(tokens, { change = (parameters) => parameters, browser = new Browser() } = {}) {
  const begun = await browser.go(`${server.url}/api/v1/auth/oidc/login?returnTo=/agents`);
  assert.equal(begun.status, 302, await begun.text());
  const asked = new URL(begun.headers.get('location')).searchParams;
  provider.tokens = (form) => tokens(asked.get('nonce'), form);
  const parameters = change({ state: asked.get('state'), code: 'the-code' });
  const ended = await browser.go(`${asked.get('redirect_uri')}?${new URLSearchParams(parameters)}`);
  assert.equal(ended.status, 302);
  return { to: ended.headers.get('location'), session: browser.cookie('cameleer_session'), parameters, asked, browser };
}
const answerWith = (claims, how) => async (nonce) => ({
  token_type: 'Bearer', access_token: await provider.token({}, { header: { typ: 'at+jwt' } }),
  id_token: await provider.token({ aud: 'cameleer', nonce, name: 'Mallory', ...claims }, how),
});

test('an honest answer signs in, with PKCE, the client secret in the header, and nothing in clear', async () => {
  provider.reset();
  const { to, session, asked } = await signIn(answerWith({}));
  assert.equal(to, '/agents');
  assert.ok(session);
  assert.deepEqual([asked.get('response_type'), asked.get('code_challenge_method')], ['code', 'S256']);
  const { body, authorization } = provider.asked.find((one) => one.path === '/token');
  assert.match(body, /code_verifier=[\w-]{43}/);
  assert.match(authorization, /^Basic /);
  assert.doesNotMatch(body, /client-secret-of-the-test/);
});

const idTokens = {
  'of another issuer': [{ iss: 'https://other.example' }],
  'whose issuer has a slash at its end': [() => ({ iss: `${provider.issuer}/` })],
  'without a subject': [{ sub: undefined }],
  'for another client': [{ aud: 'somebody' }],
  'that was authorized for another party': [{ aud: ['cameleer', 'other'], azp: 'other' }],
  'without the time of issue': [{ iat: undefined }],
  'from the future': [{ iat: Math.floor(Date.now() / 1000) + 3600 }],
  'that has expired': [{ exp: Math.floor(Date.now() / 1000) - 3600 }],
  'with another nonce': [{ nonce: 'replayed' }],
  'without a nonce': [{ nonce: undefined }],
  'with an unknown key id': [{}, { header: { kid: '../../etc/passwd' } }],
  'with a key of its own in the header': [{}, () => ({ key: { ...second, kid: 'first' }, header: { jwk: second.publicJwk } })],
  'signed with another key': [{}, () => ({ key: { ...second, kid: 'first' } })],
  'that is an access token by its type': [{}, { header: { typ: 'at+jwt' } }],
};
for (const [what, [claims, how]] of Object.entries(idTokens)) {
  test(`an ID token ${what} signs nobody in`, async () => {
    provider.reset();
    const call = (value) => (typeof value === 'function' ? value() : value);
    const { to, session } = await signIn(answerWith(call(claims), call(how)));
    assert.match(to, /^\/sign-in\?error=(token|wrong_tenant)$/);
    assert.equal(session, undefined);
  });
}

test('a key without an id is found when it is the only one, and not when there are several', async () => {
  provider.reset();
  await configure();
  assert.equal((await signIn(answerWith({}, { header: { kid: undefined } }))).to, '/agents');
  provider.keys = [provider.key.publicJwk, second.publicJwk];
  await configure();
  assert.equal((await signIn(answerWith({}, { header: { kid: undefined } }))).to, '/sign-in?error=token');
});

test('RS256 is understood, and a wrong signature of it refused', async () => {
  provider.reset();
  provider.keys = [provider.key.publicJwk, rsa.publicJwk];
  await configure();
  assert.equal((await signIn(answerWith({}, { key: rsa }))).to, '/agents');
  const broken = async (nonce) => {
    const tokens = await answerWith({}, { key: rsa })(nonce);
    const [header, payload, signature] = tokens.id_token.split('.');
    return { ...tokens, id_token: `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}` };
  };
  assert.equal((await signIn(broken)).to, '/sign-in?error=token');
});

test('the algorithm is the key\'s: none, HMAC with the public key, and an ES key as RS are refused', async () => {
  provider.reset();
  provider.keys = [provider.key.publicJwk, rsa.publicJwk];
  await configure();
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: provider.issuer, sub: 'mallory', aud: audience, iat: now, exp: now + 600 };
  const publicPem = await exportSPKI(rsa.publicKey);
  const hmac = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(payload)}`;
  const forged = {
    none: `${part({ alg: 'none' })}.${part(payload)}.`,
    hmac: `${hmac}.${createHmac('sha256', publicPem).update(hmac).digest('base64url')}`,
    confused: await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(rsa.privateKey),
    crit: await provider.token({}, { header: { typ: 'secret+jwt' } }),
    der: `${hmac}.MEUCIQ`,
    empty: '..',
    ours: await new SignJWT({ ...payload, iss: 'cameleer-server:default' }).setProtectedHeader({ alg: 'ES384', kid: 'first' }).sign(provider.key.privateKey),
  };
  for (const [name, token] of Object.entries(forged)) {
    const answer = await asBearer(token);
    assert.deepEqual([answer.status, answer.body.code], [401, 'invalid_token'], name);
  }
});

test('a bearer token of the provider counts; an ID token, one for others and one that expired do not', async () => {
  provider.reset();
  await configure();
  const good = await provider.token({ scope: 'server:viewer' }, { header: { typ: 'AT+JWT' } });
  assert.equal((await asBearer(good)).status, 200);
  const cases = [
    [{ aud: 'https://elsewhere.example' }, 'wrong_tenant'],
    [{ aud: `urn:logto:organization:org-1` }, 'wrong_tenant'],
    [{ nonce: 'n' }, 'invalid_token'],
    [{ iss: `${provider.issuer}/` }, 'invalid_token'],
    [{ exp: Math.floor(Date.now() / 1000) - 61 }, 'invalid_token'],
    [{ nbf: Math.floor(Date.now() / 1000) + 3600 }, 'invalid_token'],
  ];
  for (const [claims, code] of cases) {
    const answer = await asBearer(await provider.token(claims));
    assert.deepEqual([answer.status, answer.body.code], [401, code], JSON.stringify(claims));
  }
  assert.equal((await asBearer(await provider.token({}, { header: { typ: undefined } }))).status, 200);
});

test('every shape of token that Logto issues is right for its own organization alone', async () => {
  provider.reset();
  await configure({ requiredClaims: { organization_id: 'org-1' }, rolesClaim: 'scope', m2mClientIds: ['app-1'] });
  const typ = { header: { typ: 'at+jwt' } };
  const machine = { sub: 'app-1', client_id: 'app-1', scope: 'server:admin apps:read' };
  const user = { sub: 'user-1', client_id: 'cameleer', scope: 'server:operator' };
  const cases = [
    ['program, resource', machine, 401],
    ['program, organization', { ...machine, aud: 'urn:logto:organization:org-1' }, 401],
    ['program, organization and resource', { ...machine, organization_id: 'org-1' }, 200],
    ['program, another organization and resource', { ...machine, organization_id: 'org-2' }, 401],
    ['user, resource', user, 401],
    ['user, organization', { ...user, aud: 'urn:logto:organization:org-1' }, 401],
    ['user, organization and resource', { ...user, organization_id: 'org-1' }, 200],
    ['user, another organization and resource', { ...user, organization_id: 'org-2' }, 401],
    ['user, several organizations', { ...user, organization_id: ['org-1', 'org-2'] }, 401],
  ];
  for (const [what, claims, status] of cases) {
    const answer = await asBearer(await provider.token(claims, typ));
    assert.equal(answer.status, status, what);
    if (status === 401) assert.equal(answer.body.code, 'wrong_tenant', what);
  }
  assert.equal((await asBearer('a.b.c')).status, 401);
  const me = await server.request('GET', '/api/v1/auth/me', { token: await provider.token({ ...user, organization_id: 'org-1' }, typ) });
  assert.deepEqual(me.body.roles, ['OPERATOR']);
});

test('a state counts once, in its own browser, and an answer of another provider or with an error ends at the sign-in page', async () => {
  provider.reset();
  await configure();
  const first = await signIn(answerWith({}));
  const again = await first.browser.go(`${first.asked.get('redirect_uri')}?${new URLSearchParams(first.parameters)}`);
  assert.equal(again.headers.get('location'), '/sign-in?error=state');
  const stolen = await signIn(answerWith({}), { change: (parameters) => ({ ...parameters, state: 'invented' }) });
  assert.equal(stolen.to, '/sign-in?error=state');
  const browser = new Browser();
  assert.equal((await signIn(answerWith({}), { browser, change: (parameters) => { browser.forget('cameleer_oidc'); return parameters; } })).to, '/sign-in?error=state');
  assert.equal((await signIn(answerWith({}), { change: (parameters) => ({ ...parameters, iss: 'https://other.example' }) })).to, '/sign-in?error=state');
  assert.equal((await signIn(answerWith({}), { change: ({ state }) => ({ state, error: 'access_denied' }) })).to, '/sign-in?error=denied');
  assert.equal((await signIn(answerWith({}), { change: ({ state }) => ({ state, error: '"><script>' }) })).to, '/sign-in?error=provider');
  assert.equal((await signIn(async () => ({ error: 'invalid_grant' }))).to, '/sign-in?error=provider');
});

test('UserInfo completes the claims, and about another subject ends the sign-in', async () => {
  provider.reset();
  provider.userInfo = { sub: 'mallory', roles: ['OPERATOR'] };
  await configure({ userInfo: true });
  const { browser } = await signIn(answerWith({}));
  assert.deepEqual((await (await browser.go(`${server.url}/api/v1/auth/me`)).json()).roles, ['OPERATOR']);
  provider.userInfo = { sub: 'somebody', roles: ['ADMIN'] };
  assert.equal((await signIn(answerWith({}))).to, '/sign-in?error=provider');
});

const trials = {
  'keys with private members': ['keys', () => { provider.keys = [provider.key.privateJwk]; }],
  'keys without end': ['keys', () => { provider.raw['/jwks'] = (response) => { const more = () => { while (response.write('x'.repeat(65536))); }; response.on('drain', more).on('error', () => {}); more(); }; }],
  'a symmetric key': ['keys', () => { provider.keys = [{ kty: 'oct', k: 'c2VjcmV0' }]; }],
  'no keys': ['keys', () => { provider.keys = []; }],
  'an issuer with a slash at its end': ['metadata', () => { provider.metadata = { issuer: `${provider.issuer}/` }; }],
  'another issuer': ['metadata', () => { provider.metadata = { issuer: 'https://other.example' }; }],
  'a token endpoint that is no web address': ['metadata', () => { provider.metadata = { token_endpoint: 'file:///etc/passwd' }; }],
  'a redirect to elsewhere': ['discovery', () => { provider.raw['/.well-known/openid-configuration'] = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(); }],
  'an answer that never ends': ['discovery', () => { provider.raw['/.well-known/openid-configuration'] = (response) => response.writeHead(200).write('{'); }],
};
for (const [what, [step, lie]] of Object.entries(trials)) {
  test(`the test action names what is wrong: ${what}`, async () => {
    provider.reset();
    lie();
    const { status, body } = await server.request('POST', '/api/v1/admin/oidc/test', { token: admin, json: { issuerUri: provider.issuer, audience } });
    assert.equal(status, 200);
    assert.equal(body.ok, false);
    assert.deepEqual(body.steps.filter((one) => !one.ok).map((one) => one.step), [step]);
  });
}

test('a configuration without an audience, or with addresses of other kinds, is refused by its member', async () => {
  const put = (json) => server.request('PUT', '/api/v1/admin/oidc', { token: admin, json });
  for (const [json, member] of [
    [{ issuerUri: provider.issuer }, '/audience'],
    [{ issuerUri: 'file:///etc/passwd', audience }, '/issuerUri'],
    [{ issuerUri: 'https://user:password@id.example', audience }, '/issuerUri'],
    [{ issuerUri: provider.issuer, audience, discoveryUrl: 'gopher://x' }, '/discoveryUrl'],
    [{ issuerUri: provider.issuer, audience, clientAuthentication: 'none' }, '/clientAuthentication'],
    [{ issuerUri: provider.issuer, audience, scope: 'profile' }, '/scope'],
    [{ issuerUri: provider.issuer, audience, strict: 'yes' }, '/strict'],
  ]) {
    const answer = await put(json);
    assert.deepEqual([answer.status, answer.body.member], [400, member], JSON.stringify(json));
  }
});

test('a stored secret is not sent to another provider, and no answer holds it', async () => {
  provider.reset();
  await configure();
  const same = await server.request('PUT', '/api/v1/admin/oidc', { token: admin, json: { issuerUri: provider.issuer, audience, clientId: 'cameleer' } });
  assert.equal(same.body.clientSecretSet, true);
  const other = await server.request('PUT', '/api/v1/admin/oidc', { token: admin, json: { issuerUri: 'https://id.example', audience, clientId: 'cameleer' } });
  assert.equal(other.body.clientSecretSet, false);
  assert.doesNotMatch(same.text + other.text + server.output, /client-secret-of-the-test/);
});

test('without sign-up a stranger is not let in, and strict lets in only those whom something fits', async () => {
  provider.reset();
  await configure({ autoSignup: false });
  assert.equal((await signIn(answerWith({ sub: 'unknown' }))).to, '/sign-in?error=not_admitted');
  await configure({ strict: true });
  assert.equal((await signIn(answerWith({ sub: 'nobody' }))).to, '/sign-in?error=not_admitted');
  assert.equal((await signIn(answerWith({ sub: 'somebody', roles: ['VIEWER'] }))).to, '/agents');
});

test('a hundred tokens of one person at once make one user, and the last word about roles counts', async () => {
  provider.reset();
  await configure();
  const tokenWith = (...roles) => provider.token({ sub: 'busy', name: 'Busy', roles });
  const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => tokenWith(['VIEWER', 'OPERATOR', 'ADMIN'][i % 3])));
  const answers = await Promise.all(tokens.map((token) => server.request('GET', '/api/v1/auth/me', { token })));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  assert.equal(new Set(answers.map((answer) => answer.body.userId)).size, 1);
  const last = await server.request('GET', '/api/v1/auth/me', { token: await tokenWith('VIEWER') });
  assert.deepEqual(last.body.roles, ['VIEWER']);
});
