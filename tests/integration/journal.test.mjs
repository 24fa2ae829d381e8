// The journal before the store: what was answered 202 shows exactly once, whatever the store does meanwhile.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess, anExecution, build, eventually, processesWith } from './server_process.mjs';

const simulator = join(build, 'bin/agent-sim');

async function engineOf(server) {
  const [pid] = (await processesWith(join(server.folder, 'data'))).filter((one) => one !== server.pid
    && readFileSync(`/proc/${one}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
  assert.ok(pid, 'the engine runs');
  return pid;
}

async function figure(server, name) {
  const { text } = await server.request('GET', '/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
  assert.ok(line, `a figure ${name}`);
  return Number(line.split(' ').at(-1));
}

const send = (server, agent, executions) => server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: executions });

/** Every id, and how often the list shows it. */
async function shown(server, token) {
  const times = {};
  let cursor = '';
  do {
    const { status, body, text } = await server.request('GET', `/api/v1/environments/default/executions?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, { token });
    assert.equal(status, 200, text);
    for (const { executionId } of body.items) times[executionId] = (times[executionId] ?? 0) + 1;
    cursor = body.nextCursor;
  } while (cursor);
  return times;
}

/** Waits until the journal is empty, and compares what shows with what was acknowledged. */
async function allShown(server, token, acknowledged) {
  await eventually('the journal is empty', async () => await figure(server, 'cameleer_ingest_journal_records') === 0, 60);
  assert.deepEqual(await shown(server, token), Object.fromEntries(acknowledged.map((id) => [id, 1])));
}

describe('a journal before the store', () => {
  const server = new ServerProcess({ ack: 'journal', flags: ['--ingest.journal-bytes=16777216'] });
  const acknowledged = [];
  let agent, token;
  before(async () => { await server.start(); agent = await server.registerAgent(); token = await server.adminToken(); });
  after(() => server.dispose());

  async function take(id, more) {
    const answer = await send(server, agent, anExecution(id, more));
    assert.equal(answer.status, 202, answer.text);
    acknowledged.push(id);
  }

  test('acknowledges while the engine stands still, and delivers when it goes on', async () => {
    const engine = await engineOf(server);
    process.kill(engine, 'SIGSTOP');
    try {
      for (let i = 0; i < 5; i++) await take(`still-${i}`);
      assert.ok(await figure(server, 'cameleer_ingest_journal_records') >= 4);
    } finally {
      process.kill(engine, 'SIGCONT');
    }
    await allShown(server, token, acknowledged);
  });

  test('keeps what it acknowledged through the death of server and engine', async () => {
    process.kill(await engineOf(server), 'SIGSTOP');
    for (let i = 0; i < 5; i++) await take(`dying-${i}`);
    await server.kill();
    await server.start();
    token = await server.adminToken();
    await allShown(server, token, acknowledged);
    agent = await server.registerAgent();
  });

  test('is delivered by a server that acknowledges what is stored, which adds nothing to it', async () => {
    const flags = server.flags;
    process.kill(await engineOf(server), 'SIGSTOP');
    await take('left-behind');
    await server.kill();
    server.flags = flags.map((flag) => flag.replace('ack=journal', 'ack=clickhouse'));
    await server.start();
    token = await server.adminToken();
    agent = await server.registerAgent();
    await allShown(server, token, acknowledged);
    await eventually('the journal has forgotten it', async () => await figure(server, 'cameleer_ingest_journal_bytes') === 0);
    const commits = await figure(server, 'cameleer_ingest_journal_commits_total');
    await take('stored-at-once');
    assert.equal((await shown(server, token))['stored-at-once'], 1);
    assert.equal(await figure(server, 'cameleer_ingest_journal_commits_total'), commits);
    server.flags = flags;
    await server.stop();
    await server.start();
    token = await server.adminToken();
    agent = await server.registerAgent();
    await allShown(server, token, acknowledged);
  });

  test('refuses with 503 when it is full, drops nothing, and takes data again when there is room', async () => {
    const engine = await engineOf(server);
    process.kill(engine, 'SIGSTOP');
    let refused;
    try {
      for (let i = 0; i < 400 && !refused; i++) {
        // Random text: bodies are stored as they are, so that 16 MiB are soon full.
        const steps = Array.from({ length: 8 }, (_, seq) => ({ processorId: `p${seq}`, processorType: 'log', seq, status: 'COMPLETED', startTime: new Date().toISOString(), inputBody: String(Math.random()).repeat(3000) }));
        const answer = await send(server, agent, anExecution(`full-${i}`, { processorExecutions: steps }));
        if (answer.status === 202) acknowledged.push(`full-${i}`);
        else refused = answer;
      }
    } finally {
      process.kill(engine, 'SIGCONT');
    }
    assert.equal(refused?.status, 503, refused?.text);
    assert.equal(refused.body.code, 'overloaded');
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    await allShown(server, token, acknowledged);
    await take('room-again');
    await allShown(server, token, acknowledged);
    assert.equal(await figure(server, 'cameleer_ingest_set_aside_total'), 0);
  });

  test('loses nothing while the engine is killed again and again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cameleer-journal-'));
    try {
      const common = ['--url', server.url, '--secrets', join(server.folder, 'data/first-start.txt'), '--ledger', join(folder, 'ledger')];
      const load = spawn(simulator, ['load', ...common, '--agents', '4', '--rate', '100', '--batch', '20', '--payload', '2x200', '--duration', '12', '--seed', '77', '--give-up-after', '60'], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [load.stdout, load.stderr]) stream.on('data', (chunk) => { output += chunk; });
      const ended = new Promise((resolve) => load.on('exit', resolve));
      for (let kill = 0; kill < 4; kill++) {
        // Readiness may be that of a moment ago: then there is none yet.
        const engine = await eventually('the engine takes rows', async () => (await server.request('GET', '/health/ready')).status === 200 && engineOf(server), 60);
        process.kill(engine, 'SIGKILL');
      }
      assert.equal(await ended, 0, output);
      const check = spawnSync(simulator, ['check', ...common], { encoding: 'utf8' });
      assert.equal(check.status, 0, check.stdout + check.stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
