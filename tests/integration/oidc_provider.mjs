// OpenID providers on the loopback: a certified one, and one that lies. And a browser without a window.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { remember } from '../secrets/collect.mjs';

export const audience = 'https://cameleer.example/api';
/** Of that audience: the server's own and those of the platform around it. */
const scopes = ['server:admin', 'server:operator', 'server:viewer', 'platform:admin', 'tenant:manage', 'billing:manage', 'team:manage', 'apps:manage',
  'apps:deploy', 'secrets:manage', 'observe:read', 'observe:debug', 'settings:manage'].join(' ');

async function listen(handler, port) {
  const server = createServer(handler);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function close(server) {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

export async function signingKey(alg = 'ES384', kid = `key-${Math.random().toString(36).slice(2)}`) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(privateKey);
  remember('private key', jwk.d);
  return { alg, kid, privateKey, publicKey, privateJwk: { ...jwk, kid, alg, use: 'sig' }, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** npm oidc-provider: ES384, `at+jwt`, refresh tokens; `organization_id` as Logto gives it, for refresh and client grants that ask for it with the resource. */
export class RealProvider {
  /**
   * @param {Record<string, object>} accounts claims by name of the account
   * @param {{tokenLife?: number}} options seconds that access tokens live
   */
  constructor(accounts, { tokenLife = 3600 } = {}) {
    Object.assign(this, { accounts, tokenLife, refreshed: 0, refused: 0 });
    this.redirectUris = [];
    this.port = 0;
  }

  get issuer() { return `http://127.0.0.1:${this.port}`; }

  async start(key) {
    key ??= await signingKey();
    this.key = key;
    await this.resume();
    const machine = (id) => ({ client_id: id, client_secret: `${id}-secret-1234567890`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], id_token_signed_response_alg: 'ES384' });
    const provider = new Provider(this.issuer, {
      jwks: { keys: [key.privateJwk] },
      enabledJWA: { idTokenSigningAlgValues: ['ES384'] },
      clients: [{
        client_id: 'cameleer', client_secret: 'the-client-secret-1234567890', redirect_uris: this.redirectUris, post_logout_redirect_uris: this.logoutUris ?? [],
        grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], id_token_signed_response_alg: 'ES384',
      }, machine('robot'), machine('stranger')],
      pkce: { required: () => true },
      cookies: { keys: ['a-cookie-key-of-the-test'] },
      claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'realm_access', 'groups', 'department', 'roles', 'jobTitle', '_claim_names', '_claim_sources', 'hasgroups'], email: ['email'] },
      conformIdTokenClaims: false,
      findAccount: (_, id) => this.accounts[id] && { accountId: id, claims: () => ({ sub: id, ...this.accounts[id] }) },
      issueRefreshToken: () => true,
      rotateRefreshToken: true,
      features: {
        devInteractions: { enabled: true },
        clientCredentials: { enabled: true },
        rpInitiatedLogout: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => audience,
          useGrantedResource: () => true,
          // Logto: an organization alone is an audience of its own, and without a resource the token is opaque.
          getResourceServerInfo: (_, resource) => ({
            scope: scopes, audience: resource.startsWith('urn:logto:organization:') ? resource : audience,
            ...(resource === 'urn:opaque' ? { accessTokenFormat: 'opaque' } : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES384' } } }),
          }),
        },
      },
      // `organization_id` as Logto adds it, and what its customizer would: the account's `inAccessTokens`.
      extraTokenClaims: (ctx, token) => {
        const asked = ctx.oidc.body?.organization_id;
        return { ...this.accounts[token.accountId]?.inAccessTokens, ...(asked && !ctx.oidc.body.code && { organization_id: asked }) };
      },
      ttl: { AccessToken: this.tokenLife, ClientCredentials: 3600, IdToken: 3600, Grant: 86400, Interaction: 3600, Session: 86400, RefreshToken: 86400 },
    });
    provider.on('server_error', (_, error) => { this.error = error; });
    provider.on('grant.success', (ctx) => { if (ctx.oidc.params.grant_type === 'refresh_token') this.refreshed++; });
    provider.on('grant.error', (ctx, error) => { if (ctx.oidc.params?.grant_type === 'refresh_token') { this.refused++; this.refusal = error.message; } });
    this.handler = provider.callback();
    return this;
  }

  stop() { return close(this.server); }

  /** Listens again with what it knew when it was stopped. */
  async resume() {
    this.server = await listen((request, response) => this.handler(request, response), this.port);
    this.port = this.server.address().port;
  }

  async machineToken(client, parameters = {}) {
    return (await this.#grant(client, `${client}-secret-1234567890`, { grant_type: 'client_credentials', resource: audience, ...parameters })).access_token;
  }

  /** An access token of a person, as an application of theirs gets it: code and PKCE, then a refresh with `parameters`; `scope` is asked for with the code. */
  async personToken(account, { scope = '', ...parameters } = {}) {
    const verifier = randomBytes(32).toString('base64url'), [redirect] = this.redirectUris;
    const asked = new URLSearchParams({
      client_id: 'cameleer', response_type: 'code', redirect_uri: redirect, scope: `openid profile offline_access ${scope}`.trim(), prompt: 'consent', resource: audience,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    });
    if (parameters.resource) asked.append('resource', parameters.resource);
    const { url } = await new Browser().follow(`${this.issuer}/auth?${asked}`, { account, until: /[?&](code|error)=/ });
    const grant = (form) => this.#grant('cameleer', 'the-client-secret-1234567890', { resource: audience, ...form });
    const first = await grant({ grant_type: 'authorization_code', code: new URL(url).searchParams.get('code'), redirect_uri: redirect, code_verifier: verifier });
    return (await grant({ grant_type: 'refresh_token', refresh_token: first.refresh_token, ...parameters })).access_token;
  }

  async #grant(client, secret, form) {
    const answer = await fetch(`${this.issuer}/token`, { method: 'POST', headers: { authorization: `Basic ${btoa(`${client}:${secret}`)}` }, body: new URLSearchParams(form) });
    const body = await answer.json();
    if (!body.access_token) throw new Error(JSON.stringify(body));
    return body;
  }
}

/** A provider that says whatever the test wants. */
export class HostileProvider {
  async start() {
    this.key = await signingKey('ES384', 'first');
    this.reset();
    this.server = await listen((request, response) => void this.#answer(request, response), 0);
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() { return close(this.server); }

  /** Honest again. */
  reset() {
    this.metadata = {};
    this.keys = [this.key.publicJwk];
    this.tokens = undefined;
    this.userInfo = undefined;
    this.raw = {};
    this.asked = [];
  }

  async #answer(request, response) {
    const path = new URL(request.url, 'http://x').pathname;
    let body = '';
    for await (const chunk of request) body += chunk;
    this.asked.push({ path, body, authorization: request.headers.authorization });
    if (this.raw[path]) return this.raw[path](response);
    const json = (value) => { response.setHeader('content-type', 'application/json'); response.end(JSON.stringify(value)); };
    if (path === '/.well-known/openid-configuration') {
      return json({
        issuer: this.issuer, authorization_endpoint: `${this.issuer}/auth`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/jwks`,
        userinfo_endpoint: `${this.issuer}/me`, end_session_endpoint: `${this.issuer}/end`, code_challenge_methods_supported: ['S256'], ...this.metadata,
      });
    }
    if (path === '/jwks') return json({ keys: this.keys });
    if (path === '/token' && this.tokens) return json(await this.tokens(new URLSearchParams(body)));
    if (path === '/me' && this.userInfo) return json(this.userInfo);
    response.statusCode = 404;
    return response.end();
  }

  /** A token that is right but for what is changed; a claim that is undefined is left out. */
  async token(claims = {}, { header = {}, key = this.key } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.issuer, sub: 'mallory', aud: audience, iat: now, exp: now + 600, ...claims };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    const full = { alg: key.alg, kid: key.kid, ...header };
    for (const name of Object.keys(full)) if (full[name] === undefined) delete full[name];
    return new SignJWT(all).setProtectedHeader(full).sign(key.privateKey);
  }
}

/** Cookies by path and host, redirects by hand, forms of the provider's own pages. */
export class Browser {
  #jar = new Map();

  async go(url, { method = 'GET', body } = {}) {
    const at = new URL(url);
    const cookie = [...this.#jar.values()].filter((one) => one.host === at.host && at.pathname.startsWith(one.path)).map((one) => `${one.name}=${one.value}`).join('; ');
    const answer = await fetch(url, { method, body, redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...rest] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('=')), value = pair.slice(pair.indexOf('=') + 1);
      const attribute = (wanted) => rest.find((part) => part.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const path = attribute('path') ?? '/';
      const ended = attribute('max-age') === '0' || new Date(attribute('expires') ?? '9999').getTime() < Date.now();
      if (ended || !value) this.#jar.delete(`${at.host}${path}${name}`);
      else this.#jar.set(`${at.host}${path}${name}`, { host: at.host, path, name, value, line });
    }
    return answer;
  }

  cookie(name) { return [...this.#jar.values()].find((one) => one.name.startsWith(name)); }
  forget(name) { for (const [key, one] of this.#jar) if (one.name.startsWith(name)) this.#jar.delete(key); }

  /** From a first address to the last one, signing in as `account` where the provider asks; stops before `until` matches. */
  async follow(url, { account, until = /$^/ } = {}) {
    for (let step = 0; step < 20; step++) {
      if (until.test(url)) return { url };
      let answer = await this.go(url);
      if (answer.status === 200 && /\/interaction\//.test(url)) {
        const page = await answer.text();
        const prompt = /name="prompt" value="(\w+)"/.exec(page)[1];
        answer = await this.go(new URL(/action="([^"]+)"/.exec(page)[1], url).href, { method: 'POST', body: new URLSearchParams({ prompt, login: account, password: 'any' }) });
      }
      if (![302, 303].includes(answer.status)) return { url, answer };
      url = new URL(answer.headers.get('location'), url).href;
    }
    throw new Error(`too many redirects, last ${url}`);
  }
}
