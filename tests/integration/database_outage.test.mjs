// PostgreSQL stands still: who is known reads on and agents send on; after the grace nobody changes anything, until it is back.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually, processesWith } from './server_process.mjs';

const server = new ServerProcess({ flags: ['--security.outage-grace-s=2'] });
const stop = { type: 'route-control', payload: { action: 'stop', routeId: 'r1' } };
let agent, admin, cookie;
let stopped = [];

before(async () => {
  await server.start();
  agent = await server.registerAgent('orders-1');
  admin = await server.adminToken();
  const login = await server.request('POST', '/api/v1/auth/login', { json: { username: server.username, password: server.password } });
  cookie = login.headers.get('set-cookie').split(';')[0];
});
after(async () => {
  for (const pid of stopped) process.kill(pid, 'SIGCONT');
  await server.dispose();
});

/** The embedded PostgreSQL and its children. */
async function postgres() {
  const parent = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
  const main = (await processesWith(join(server.folder, 'data/postgres'))).filter((pid) => /postgres$/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]));
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => { try { return main.includes(parent(pid)); } catch { return false; } });
  return [...new Set([...main, ...children])];
}

const command = () => server.request('POST', '/api/v1/agents/orders-1/commands', { token: admin, json: stop });
const search = (credential) => server.request('GET', '/api/v1/environments/default/executions', credential);
const data = (id) => server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution(id) });

test('an outage refuses changes and nothing else, and ends by itself', async () => {
  assert.equal((await command()).status, 202);
  assert.equal((await data('before')).status, 202);
  for (const credential of [{ token: admin }, { headers: { cookie } }]) assert.equal((await search(credential)).status, 200);

  stopped = await postgres();
  assert.ok(stopped.length > 1, 'PostgreSQL runs');
  for (const pid of stopped) process.kill(pid, 'SIGSTOP');
  await eventually('readiness tells', async () => (await server.request('GET', '/health/ready')).status === 503, 40);
  const refused = await eventually('changes are refused', async () => {
    const answer = await command();
    assert.equal(answer.status, 503, answer.text);
    return /changes are refused/.test(answer.text) && answer;
  }, 60);
  assert.deepEqual([refused.body.code, refused.body.detail], ['unavailable', 'PostgreSQL has not been reachable for 2 s: changes are refused until it is back.']);
  assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
  assert.match(refused.headers.get('content-type'), /problem\+json/);
  const signIn = await server.request('POST', '/api/v1/auth/login', { json: { username: server.username, password: server.password } });
  assert.deepEqual([signIn.status, signIn.body.code], [503, 'unavailable']);

  for (const credential of [{ token: admin }, { headers: { cookie } }]) {
    const answer = await search(credential);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.body.items.some((one) => one.executionId === 'before'));
  }
  assert.equal((await data('meanwhile')).status, 202);
  const beat = await server.request('POST', '/api/v1/agents/orders-1/heartbeat', { token: agent.accessToken, json: {} });
  assert.equal(beat.status, 200, beat.text);

  for (const pid of stopped.splice(0)) process.kill(pid, 'SIGCONT');
  await eventually('changes are possible again', async () => (await command()).status === 202, 60);
  await eventually('what came meanwhile is there', async () => (await search({ token: admin })).body.items.some((one) => one.executionId === 'meanwhile'));
});
