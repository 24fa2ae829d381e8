// Two processes of one tenant: a licence that is installed at one counts at the other, and is on record once.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { ServerProcess, eventually } from './server_process.mjs';

const vendor = newKeyPair();
const engines = new ServerProcess();
let left, right, admin;

function processOf(masterKey) {
  const secretOf = (engine) => readFileSync(join(engines.folder, 'data', engine, 'password'), 'utf8').trim();
  const { line } = engines.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  return new ServerProcess({
    license: null,
    env: {
      CAMELEER_SERVER_TENANT_ID: 'pair', CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey, CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey,
      CAMELEER_SERVER_POSTGRES_URL: `host=${join(engines.folder, 'data/postgres/run')} port=5432 dbname=cameleer user=cameleer password=${secretOf('postgres')}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
      CAMELEER_SERVER_CLICKHOUSE_PASSWORD: secretOf('clickhouse'),
    },
  });
}

before(async () => {
  await engines.start();
  const masterKey = randomBytes(32).toString('base64');
  left = processOf(masterKey);
  right = processOf(masterKey);
  await left.start();
  await right.start();
  admin = await left.adminToken();
});
after(async () => {
  for (const one of [left, right, engines]) if (one?.child) await one.dispose();
});

const call = async (server, method, path = 'license', json) => {
  const answer = await server.request(method, `/api/v1/admin/${path}`, { token: admin, json });
  assert.ok(answer.status < 300, answer.text);
  return answer.body;
};

test('installed here, replaced there, expired at both: seen at both, each on record once', async () => {
  const first = licence({ tenantId: 'pair', limits: { max_users: 9 } });
  await call(left, 'POST', 'license', { token: tokenOf(first, vendor.privateKey) });
  await eventually('the other process sees it', async () => (await call(right, 'GET')).license?.licenseId === first.licenseId);
  assert.equal((await call(right, 'GET')).effectiveLimits.max_users, 9);
  const short = licence({ tenantId: 'pair', limits: { max_users: 8 }, expiresAt: new Date(Date.now() + 6000).toISOString().replace(/\.\d+Z$/, 'Z') });
  await call(right, 'POST', 'license', { token: tokenOf(short, vendor.privateKey) });
  for (const server of [left, right]) await eventually('it ends', async () => (await call(server, 'GET')).state === 'EXPIRED');
  const { items } = await call(left, 'GET', 'audit?category=LICENSE');
  assert.deepEqual(items.reverse().map((one) => [one.action, one.target]),
    [['install_license', first.licenseId], ['replace_license', short.licenseId], ['revalidate_license', short.licenseId]]);
});

test('of creates at both with room for one, exactly one is made', async () => {
  await call(left, 'POST', 'license', { token: tokenOf(licence({ tenantId: 'pair', limits: { max_environments: 2 } }), vendor.privateKey) });
  await eventually('the other process sees it', async () => (await call(right, 'GET')).effectiveLimits.max_environments === 2);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 ? left : right)
    .request('POST', '/api/v1/admin/environments', { token: admin, json: { slug: `env-${index}` } })));
  assert.deepEqual([answers.filter((one) => one.status === 201).length, answers.filter((one) => one.body.code === 'license_cap_exceeded').length], [1, 39]);
});
