// Where a licence comes from: the setting, the file, the database; and keys that change without a moment of INVALID.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { ServerProcess, eventually, temporaryFolder } from './server_process.mjs';

const old = newKeyPair();
const young = newKeyPair();
const folder = temporaryFolder();
const file = join(folder, 'license.jwt');
const both = { CAMELEER_SERVER_LICENSE_PUBLICKEYS: JSON.stringify([{ keyId: 'old', key: old.publicKey }, { keyId: 'young', key: young.publicKey }]) };
const server = new ServerProcess({ license: null, env: { ...both, CAMELEER_SERVER_LICENSE_FILE: file } });
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(async () => { await server.dispose(); rmSync(folder, { recursive: true, force: true }); });

const call = (method, path = '', json) => server.request(method, `/api/v1/admin/license${path}`, { token: admin, json });
const current = async () => (await call('GET')).body;
const users = (number, key = old, more = {}) => tokenOf(licence({ limits: { max_users: number }, ...more }), key.privateKey);
/** As a mounted secret changes: in one step. */
const put = (text) => { writeFileSync(`${file}.new`, text); renameSync(`${file}.new`, file); };
const becomes = (what, condition) => eventually(what, async () => condition(await current()), 20);

test('a file that appears wins over an installed licence, and its end hands over again', async () => {
  assert.equal((await call('POST', '', { token: users(11) })).status, 200);
  put(`${users(12)}\n`);
  await becomes('the file counts', (body) => body.source === 'file' && body.effectiveLimits.max_users === 12);
  const refused = await call('POST', '', { token: users(13) });
  assert.deepEqual([refused.status, refused.body.code], [409, 'conflict']);
  assert.match(refused.body.detail, /\bfile\b/);
  assert.equal((await call('POST', '/preview', { token: users(13) })).body.shadowedBy, 'file');
  put(users(14));
  await becomes('the changed file counts', (body) => body.effectiveLimits.max_users === 14);
  put('corrupted');
  await becomes('a corrupted file is not skipped', (body) => body.state === 'INVALID' && body.source === 'file' && body.effectiveLimits.max_users === 3);
  rmSync(file);
  await becomes('without the file the database decides', (body) => body.source === 'database' && body.effectiveLimits.max_users === 11);
  const entries = (await server.request('GET', '/api/v1/admin/audit?category=LICENSE', { token: admin })).body.items.reverse();
  assert.deepEqual(entries.map((one) => [one.action, one.detail.source]), [
    ['install_license', 'database'], ['replace_license', 'file'], ['replace_license', 'file'], ['reject_license', 'file'], ['replace_license', 'database']]);
  assert.equal(entries[3].detail.reason, 'MALFORMED');
});

test('keys change from old to young with not one moment of INVALID', async () => {
  // A while polled throughout: no state but ACTIVE, on any process that serves.
  const states = new Set();
  let over = false;
  const polling = (async () => {
    while (!over) {
      const answer = await call('GET').catch(() => undefined);
      if (answer?.status === 200) states.add(answer.body.state);
    }
  })();
  // 1. The server knows both keys: licences of the young one are installed while old ones go on.
  assert.equal((await call('POST', '', { token: users(21, old) })).status, 200);
  assert.equal((await call('POST', '', { token: users(22, young) })).status, 200);
  assert.equal((await call('POST', '', { token: users(23, old) })).status, 200);
  assert.equal((await call('POST', '', { token: users(24, young, { keyId: 'young' }) })).status, 200);
  // 2. Nobody has an old licence any more: the old key goes at the next start.
  await server.stop();
  server.env.CAMELEER_SERVER_LICENSE_PUBLICKEYS = `young=${young.publicKey}`;
  await server.start();
  await becomes('the young licence goes on', (body) => body.state === 'ACTIVE' && body.effectiveLimits.max_users === 24);
  over = true;
  await polling;
  assert.deepEqual([...states], ['ACTIVE']);
  assert.equal((await call('POST', '', { token: users(25, old) })).body.reason, 'BAD_SIGNATURE');
  assert.equal((await call('POST', '', { token: users(25, young, { keyId: 'old' }) })).body.reason, 'UNKNOWN_KEY');
});

test('a setting wins over all, and a broken one is INVALID, loudly', async () => {
  await server.stop();
  server.env.CAMELEER_SERVER_LICENSE_TOKEN = users(31, young);
  await server.start();
  assert.deepEqual([(await current()).source, (await current()).effectiveLimits.max_users], ['environment', 31]);
  assert.match((await call('POST', '', { token: users(32, young) })).body.detail, /\benvironment\b/);
  await server.stop();
  server.env.CAMELEER_SERVER_LICENSE_TOKEN = 'revoked by agreement';
  await server.start();
  const body = await current();
  assert.deepEqual([body.state, body.invalidReason, body.source, body.effectiveLimits.max_users], ['INVALID', 'MALFORMED', 'environment', 3]);
  assert.ok(server.lines.some((line) => line.event === 'license_changed' && line.level === 'warning' && line.reason === 'MALFORMED'));
  assert.equal((await server.request('GET', '/health/ready')).status, 200);
  await server.stop();
  server.env.CAMELEER_SERVER_LICENSE_TOKEN = users(33, young, { tenantId: 'other' });
  await server.start();
  assert.equal((await current()).invalidReason, 'TENANT_MISMATCH');
});

test('without a key every licence is INVALID, and a key that is none stops the start', async () => {
  await server.stop();
  delete server.env.CAMELEER_SERVER_LICENSE_PUBLICKEYS;
  await server.start();
  assert.deepEqual([(await current()).state, (await current()).trust], ['INVALID', 'none']);
  await server.stop();
  server.env.CAMELEER_SERVER_LICENSE_PUBLICKEY = ` ${young.publicKey}\n`;
  server.env.CAMELEER_SERVER_LICENSE_TOKEN = users(34, young);
  await server.start();
  assert.equal((await current()).state, 'ACTIVE');
  assert.ok(server.lines.some((line) => line.event === 'license_keys' && /white space/.test(line.warning)));
  const broken = new ServerProcess({ license: null, env: { CAMELEER_SERVER_LICENSE_PUBLICKEY: 'abc' } });
  await assert.rejects(broken.start(), /cameleer\.server\.license\.publickey/);
  rmSync(broken.folder, { recursive: true, force: true });
});
