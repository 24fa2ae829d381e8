// The audit log of a running server: who did what, sealed while it runs, exported and verified without it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, eventually, serverProgram } from './server_process.mjs';

const server = new ServerProcess();
let admin;
const secrets = [];
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const get = (path) => server.request('GET', `/api/v1/admin/audit${path}`, { token: admin });
const actions = async (query) => (await get(`?${query}`)).body.items;
const verifyFile = (text, ...more) => {
  const file = join(server.folder, 'audit.ndjson');
  writeFileSync(file, text);
  const ended = spawnSync(serverProgram, ['--verify-audit', file, ...more], { encoding: 'utf8' });
  return { code: ended.status, text: ended.stdout + ended.stderr };
};

test('every change is on record with who, where and what was there before', async () => {
  const config = '/api/v1/environments/default/apps/orders/config';
  await server.request('PUT', config, { token: admin, json: { engineLevel: 'MINIMAL' } });
  await server.request('PUT', config, { token: admin, json: { engineLevel: 'NONE' } });
  await server.request('PUT', '/api/v1/admin/sensitive-keys', { token: admin, json: { keys: ['iban'] } });
  const key = (await server.request('POST', '/api/v1/admin/environments/default/api-keys', { token: admin, json: { label: 'pipeline' } })).body;
  await server.request('DELETE', `/api/v1/admin/environments/default/api-keys/${key.id}`, { token: admin });
  await server.registerAgent('a1');
  const sent = await server.request('POST', '/api/v1/agents/a1/commands', { token: admin, json: { type: 'config-update' } });
  assert.equal(sent.status, 202, sent.text);
  secrets.push(key.secret, server.password, server.apiKey, admin);

  const [latest] = await actions('action=update_application_config');
  assert.equal(latest.username, server.username);
  assert.equal(latest.category, 'CONFIG');
  assert.equal(latest.target, 'default/orders');
  assert.equal(latest.detail.before.engineLevel, 'MINIMAL');
  assert.equal(latest.detail.after.engineLevel, 'NONE');
  assert.equal(latest.remoteAddress, '127.0.0.1');
  assert.ok(latest.requestId);
  const [keys] = await actions('action=update_sensitive_keys');
  assert.deepEqual([keys.detail.before, keys.detail.after, keys.detail.added, keys.detail.removed], [[], ['iban'], 1, 0]);
  const [revoked] = await actions(`target=${key.id}&action=revoke_api_key`);
  assert.deepEqual([revoked.category, revoked.detail.label, revoked.detail.prefix], ['ENVIRONMENT', 'pipeline', key.prefix]);
  const [command] = await actions('category=AGENT');
  assert.deepEqual([command.action, command.target, command.detail.type, command.detail.agents], ['send_command', 'a1', 'config-update', ['a1']]);
});

test('sign-ins are on record, refused ones as well', async () => {
  const password = 'Wrong-Password-1';
  secrets.push(password);
  assert.equal((await server.request('POST', '/api/v1/auth/login', { json: { username: server.username, password } })).status, 401);
  const failed = await eventually('the refused sign-in', async () => (await actions('category=AUTH&result=FAILURE'))[0]);
  assert.deepEqual([failed.username, failed.action, failed.detail.reason], [server.username, 'login', 'wrong_password']);
  assert.ok((await actions('action=issue_token&result=SUCCESS')).length > 0);
});

test('the rows are sealed within seconds, and an export verifies without the server', async () => {
  const sealed = await eventually('all is sealed', async () => {
    const { body } = await get('/verify');
    assert.equal(body.ok, true, JSON.stringify(body));
    return body.unsealed === 0 && body.sealed > 5 ? body : undefined;
  });
  assert.equal(sealed.head.position, sealed.sealed);
  const exported = await get('/export?format=ndjson');
  assert.equal(exported.headers.get('content-type'), 'application/x-ndjson');
  const good = verifyFile(exported.text, '--public-key', sealed.head.publicKey);
  assert.equal(good.code, 0, good.text);
  assert.match(good.text, /rows, positions 1 to \d+, are unbroken; the end was signed by this key/);
  const bad = verifyFile(exported.text.replace('pipeline', 'pipelime'), '--public-key', sealed.head.publicKey);
  assert.equal(bad.code, 1, bad.text);
  assert.match(bad.text, /Line \d+: the row at position \d+ was changed\./);
  assert.equal(spawnSync(serverProgram, ['--verify-audit', join(server.folder, 'none')]).status, 2);
  for (const secret of secrets) assert.ok(!exported.text.includes(secret), 'a secret is in the export');
  const csv = await get('/export?format=csv');
  assert.match(csv.headers.get('content-type'), /^text\/csv/);
  assert.equal(csv.text.split('\r\n')[0].split(',')[0], 'position');
});

test('nobody without the permission reads it', async () => {
  for (const path of ['', '/export?format=csv', '/verify']) {
    assert.equal((await server.request('GET', `/api/v1/admin/audit${path}`)).status, 401);
    const { accessToken } = await server.registerAgent('a2');
    assert.equal((await server.request('GET', `/api/v1/admin/audit${path}`, { token: accessToken })).status, 401);
  }
});

test('a server that was killed goes on with the chain; one that ends signs its end', async () => {
  await server.kill();
  await server.start();
  admin = await server.adminToken();
  const before = await eventually('the chain goes on', async () => {
    const { body } = await get('/verify');
    return body.ok && body.unsealed === 0 ? body : undefined;
  });
  await server.stop();
  const head = server.lines.filter((line) => line.event === 'audit_head').at(-1);
  assert.ok(head.position >= before.sealed);
  assert.equal(head.publicKey, before.head.publicKey);
  await server.start();
  admin = await server.adminToken();
  assert.equal((await get('/verify')).body.ok, true);
});
