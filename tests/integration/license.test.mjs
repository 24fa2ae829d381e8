// A licence over HTTP: installed, replaced, refused, tried out, removed and revoked, and what the metrics say of it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import { parse } from 'yaml';
import { daysAhead, jwtOf, licence, newKeyPair, revocationsOf, tokenOf } from './license_tokens.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const vendor = newKeyPair();
const stranger = newKeyPair();
const server = new ServerProcess({ license: null, env: { CAMELEER_SERVER_LICENSE_PUBLICKEYS: `2026=${vendor.publicKey}` } });
const shown = [];
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const call = async (method, path = '', json) => {
  const answer = await server.request(method, `/api/v1/admin/license${path}`, { token: admin, json });
  assert.ok(answer.status < 500, answer.text);
  shown.push(answer.text);
  return answer;
};
const install = async (token) => {
  const answer = await call('POST', '', { token });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
};
const current = async () => (await call('GET')).body;
const audited = async () => (await server.request('GET', '/api/v1/admin/audit?category=LICENSE&limit=100', { token: admin })).body.items.reverse();
const figures = async () => {
  const { text } = await server.request('GET', '/metrics');
  return Object.fromEntries([...text.matchAll(/^(cameleer_license_\S+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
};
const stateFigures = async () => Object.entries(await figures()).filter(([name, value]) => name.startsWith('cameleer_license_state{') && value === 1).map(([name]) => /state="(\w+)"/.exec(name)[1]);

test('without a licence the default tier holds, and everything says so', async () => {
  const body = await current();
  assert.deepEqual([body.state, body.source, body.trust, body.daysRemaining], ['ABSENT', 'none', 'environment', -1]);
  assert.deepEqual([body.effectiveLimits.max_users, body.effectiveLimits.max_environments, body.effectiveLimits.max_agents], [3, 1, 5]);
  assert.equal(Object.keys(body.effectiveLimits).length, 13);
  const usage = (await call('GET', '/usage')).body;
  assert.equal(usage.items.length, 13);
  const users = usage.items.find((one) => one.limit === 'max_users');
  assert.deepEqual([users.current, users.cap, users.source, users.state], [1, 3, 'default', 'ABSENT']);
  assert.match(users.message, /\.$/);
  assert.equal(usage.items.find((one) => one.limit === 'max_environments').current, 1);
  assert.equal(usage.items.find((one) => one.limit === 'max_apps').current, 0);
  assert.deepEqual(await stateFigures(), ['ABSENT']);
  assert.equal((await figures()).cameleer_license_days_remaining, -1);
});

test('the keys that it trusts are listed, with where they come from', async () => {
  const { body } = await call('GET', '/keys');
  assert.deepEqual(body, { trust: 'environment', items: [{ keyId: '2026', publicKey: vendor.publicKey }] });
});

test('tokens of Node and of jose are installed, replaced and shown, never the token', async () => {
  const first = licence({ limits: { max_users: 25, max_environments: 5 }, expiresAt: daysAhead(30.5), label: 'Acme (Team)', tier: 'team' });
  const body = await install(tokenOf(first, vendor.privateKey));
  assert.deepEqual([body.state, body.source, body.license.licenseId, body.license.label, body.license.tier], ['ACTIVE', 'database', first.licenseId, 'Acme (Team)', 'team']);
  assert.deepEqual([body.effectiveLimits.max_users, body.effectiveLimits.max_apps, body.daysRemaining], [25, 3, 30]);
  assert.ok(Math.abs(Date.parse(body.lastValidatedAt) - Date.now()) < 60_000);
  assert.equal(Math.abs(Date.parse(body.changesAt) - Date.parse(first.expiresAt)) <= 1, true);

  const second = licence({ limits: { max_users: 4 } });
  const jwt = await new SignJWT(second).setProtectedHeader({ alg: 'EdDSA', typ: 'license+jwt' }).sign(vendor.privateKey);
  const replaced = await install(jwt);
  assert.deepEqual([replaced.license.licenseId, replaced.previousLicenseId, replaced.effectiveLimits.max_users, replaced.effectiveLimits.max_environments],
    [second.licenseId, first.licenseId, 4, 1]);
  assert.equal((await install(jwtOf(first, vendor.privateKey))).license.licenseId, first.licenseId);

  assert.deepEqual(await stateFigures(), ['ACTIVE']);
  const seen = await figures();
  assert.equal(seen.cameleer_license_days_remaining, 30);
  assert.ok(seen.cameleer_license_last_validated_age_seconds >= 0 && seen.cameleer_license_last_validated_age_seconds < 60);
  assert.equal(seen['cameleer_license_cap_rejections_total{limit="max_users"}'], 0);
  const entries = await audited();
  assert.deepEqual(entries.map((one) => one.action), ['install_license', 'replace_license', 'replace_license']);
  assert.deepEqual([entries[1].username, entries[1].target, entries[1].detail.previousLicenseId], ['admin', second.licenseId, first.licenseId]);
});

test('a token that does not validate is refused with its reason, and the licence in force stays', async () => {
  const before = await current();
  const rows = [
    ['BAD_SIGNATURE', tokenOf(licence(), stranger.privateKey)],
    ['TENANT_MISMATCH', tokenOf(licence({ tenantId: 'other' }), vendor.privateKey)],
    ['EXPIRED', tokenOf(licence({ issuedAt: daysAhead(-60), expiresAt: daysAhead(-30), gracePeriodDays: 29 }), vendor.privateKey)],
    ['NOT_YET_VALID', tokenOf(licence({ issuedAt: daysAhead(1) }), vendor.privateKey)],
    ['UNKNOWN_LIMIT', tokenOf(licence({ limits: { max_moons: 3 } }), vendor.privateKey)],
    ['BAD_VALUE', tokenOf(licence({ limits: { max_apps: -1 } }), vendor.privateKey)],
    ['MISSING_MEMBER', tokenOf(licence({ expiresAt: undefined }), vendor.privateKey)],
    ['MALFORMED', 'not-a-token'],
    ['MALFORMED', 'a'.repeat(20_000)],
  ];
  for (const [reason, token] of rows) {
    const answer = await call('POST', '', { token });
    assert.deepEqual([answer.status, answer.body.code, answer.body.reason], [422, 'license_rejected', reason], answer.text);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    assert.match(answer.body.message, /[.?]$/);
  }
  const after = await current();
  assert.deepEqual([after.state, after.license], [before.state, before.license]);
  const rejected = (await audited()).filter((one) => one.action === 'reject_license');
  assert.deepEqual(rejected.map((one) => one.detail.reason), rows.map(([reason]) => reason));
  assert.ok(rejected.every((one) => one.result === 'FAILURE' && one.detail.source === 'api'));
});

test('a body that is none is a bad request, and only who manages the licence may', async () => {
  for (const json of [{}, { token: 3 }, { token: '' }, [], { token: null }]) {
    for (const path of ['', '/preview', '/revocations']) assert.equal((await call('POST', path, json)).status, 400, JSON.stringify(json));
  }
  const password = 'Correct-Horse-1';
  await server.request('POST', '/api/v1/admin/users', { token: admin, json: { username: 'otto', password } });
  await server.request('PUT', '/api/v1/admin/users/otto/roles/OPERATOR', { token: admin });
  const token = (await server.request('POST', '/api/v1/auth/token', { json: { username: 'otto', password } })).body.accessToken;
  for (const [method, path] of [['GET', ''], ['POST', ''], ['DELETE', ''], ['GET', '/usage'], ['POST', '/preview'], ['GET', '/keys'], ['POST', '/revocations']]) {
    assert.equal((await server.request(method, `/api/v1/admin/license${path}`, { token, json: method === 'POST' ? {} : undefined })).status, 403);
  }
});

test('a preview says what would change and changes nothing', async () => {
  const before = await current();
  const { body } = await call('POST', '/preview', { token: tokenOf(licence({ limits: { max_users: 1, max_apps: 10, max_log_retention_days: 0 } }), vendor.privateKey) });
  assert.equal(body.state, 'ACTIVE');
  assert.deepEqual(body.rises, [{ limit: 'max_apps', from: 3, to: 10 }]);
  assert.deepEqual(body.falls, [{ limit: 'max_environments', from: 5, to: 1 }, { limit: 'max_users', from: 25, to: 1 }, { limit: 'max_log_retention_days', from: 1, to: 0 }]);
  assert.deepEqual(body.exceeded, [{ limit: 'max_users', current: 2, cap: 1 }]);
  assert.deepEqual(body.shorterRetention, [{ limit: 'max_log_retention_days', from: 1, to: 0 }]);
  const invalid = (await call('POST', '/preview', { token: tokenOf(licence(), stranger.privateKey) })).body;
  assert.deepEqual([invalid.state, invalid.invalidReason, invalid.effectiveLimits.max_users], ['INVALID', 'BAD_SIGNATURE', 3]);
  assert.deepEqual((await current()).license, before.license);
});

test('a short licence runs through grace to its end at the instants, without a restart', async () => {
  const short = licence({ limits: { max_users: 9 }, expiresAt: new Date(Date.now() + 3000).toISOString().replace(/\.\d+Z$/, 'Z') });
  await install(tokenOf(short, vendor.privateKey));
  assert.equal((await current()).effectiveLimits.max_users, 9);
  await eventually('it ends', async () => (await current()).state === 'EXPIRED', 20);
  const body = await current();
  assert.deepEqual([body.invalidReason, body.effectiveLimits.max_users, body.daysRemaining], ['EXPIRED', 3, 0]);
  assert.deepEqual(await stateFigures(), ['EXPIRED']);
  const last = (await audited()).at(-1);
  assert.deepEqual([last.action, last.username, last.target, last.detail.before, last.detail.state], ['revalidate_license', 'SYSTEM', short.licenseId, 'ACTIVE', 'EXPIRED']);
  assert.ok(server.lines.some((line) => line.event === 'license_changed' && line.state === 'EXPIRED' && line.level === 'warning'));

  const late = licence({ issuedAt: daysAhead(-2), expiresAt: daysAhead(-1), gracePeriodDays: 2, limits: { max_users: 7 } });
  const grace = await install(tokenOf(late, vendor.privateKey));
  assert.deepEqual([grace.state, grace.effectiveLimits.max_users, grace.daysRemaining], ['GRACE', 7, 0]);
  assert.deepEqual(await stateFigures(), ['GRACE']);
});

test('a revocation takes effect at once, and only a higher sequence takes a list’s place', async () => {
  const good = licence({ limits: { max_users: 12 } });
  await install(tokenOf(good, vendor.privateKey));
  const put = (ids, sequence, key = vendor.privateKey) => call('POST', '/revocations', { token: revocationsOf(ids, sequence, key) });
  assert.equal((await put([good.licenseId], 3, stranger.privateKey)).body.reason, 'BAD_SIGNATURE');
  assert.deepEqual((await put([good.licenseId], 3)).body.licenseIds, 1);
  const revoked = await current();
  assert.deepEqual([revoked.state, revoked.invalidReason, revoked.revocationsSequence, revoked.effectiveLimits.max_users], ['INVALID', 'REVOKED', 3, 3]);
  for (const sequence of [3, 2]) assert.equal((await put([], sequence)).status, 409);
  assert.equal((await call('POST', '/revocations', { token: tokenOf(good, vendor.privateKey) })).status, 422);
  assert.equal((await call('POST', '', { token: revocationsOf([], 9, vendor.privateKey) })).status, 422);
  assert.equal((await call('POST', '', { token: tokenOf(good, vendor.privateKey) })).body.reason, 'REVOKED');
  assert.equal((await put([], 4)).status, 200);
  assert.equal((await current()).state, 'ACTIVE');
  const entries = await audited();
  assert.deepEqual(entries.filter((one) => one.action === 'install_revocations').map((one) => one.detail.sequence), [3, 4]);
});

test('removed is removed, twice is no error, and the next start finds none', async () => {
  const { license } = await current();
  assert.equal((await call('DELETE')).status, 204);
  assert.equal((await call('DELETE')).status, 204);
  assert.equal((await current()).state, 'ABSENT');
  const entries = (await audited()).filter((one) => one.action === 'remove_license');
  assert.deepEqual(entries.map((one) => [one.username, one.target]), [['admin', license.licenseId]]);
  await install(tokenOf(licence({ limits: { max_users: 8 } }), vendor.privateKey));
  await server.stop();
  await server.start();
  assert.equal((await current()).effectiveLimits.max_users, 8);
});

test('the alert rules are what Grafana provisions, and ask for figures that exist', async () => {
  const { apiVersion, groups: [group] } = parse(readFileSync(new URL('../../deploy/grafana/license-alerts.yaml', import.meta.url), 'utf8'));
  assert.deepEqual([apiVersion, group.orgId, group.name, group.folder, group.interval], [1, 1, 'cameleer-license', 'Cameleer', '1m']);
  const names = new Set(Object.keys(await figures()).map((name) => name.replace(/\{.*/, '')));
  const asked = new Set();
  for (const rule of group.rules) {
    assert.match(rule.uid, /^[a-zA-Z0-9-_]{1,40}$/);
    assert.match(rule.for, /^\d+[mh]$/);
    for (const member of ['title', 'noDataState', 'execErrState']) assert.equal(typeof rule[member], 'string', member);
    assert.ok(rule.annotations.summary && rule.labels.severity);
    assert.equal(rule.condition, 'B');
    const [query, threshold] = rule.data;
    assert.deepEqual([query.refId, query.model.refId, threshold.refId, threshold.datasourceUid, threshold.model.type, threshold.model.expression], ['A', 'A', 'B', '__expr__', 'threshold', 'A']);
    const [name] = /cameleer_license_\w+/.exec(query.model.expr);
    assert.ok(names.has(name), name);
    asked.add(name);
  }
  assert.equal(new Set(group.rules.map((rule) => rule.uid)).size, group.rules.length);
  assert.equal(asked.size, 4);
  const thresholds = group.rules.flatMap((rule) => rule.data[1].model.conditions.map((one) => [rule.uid, one.evaluator]));
  const of = (uid) => thresholds.find(([name]) => name === `cameleer-license-${uid}`)[1];
  // Whole days, and -1 is no licence: fewer than 30, 7 and 1.
  const fires = ({ type, params }, value) => (type === 'gt' ? value > params[0] : value > params[0] && value < params[1]);
  for (const [uid, days] of [['30-days', 30], ['7-days', 7], ['1-day', 1]]) {
    assert.deepEqual([-1, 0, days - 1, days].map((value) => fires(of(uid), value)), [false, true, true, false], uid);
  }
  assert.deepEqual([86_400, 86_401].map((value) => fires(of('validation-age'), value)), [false, true]);
});

test('no answer, no log line and no audit entry ever held a token or a signature', async () => {
  const text = [...shown, server.output, JSON.stringify(await audited())].join('\n');
  assert.doesNotMatch(text, /"token"\s*:/);
  // Every token of these tests begins with {"expiresAt" or a JWT header.
  for (const start of ['{"expiresAt":"20', '{"features', '{"alg":"EdDSA"']) {
    assert.ok(!text.includes(Buffer.from(start).toString('base64').slice(0, 16)), start);
  }
});
