// How long the server takes to be ready and what memory it holds: without engines of its own (it uses the stores that
// another server's engines provide), and with them.
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { anExecution } from '../integration/server_process.mjs';
import { familyOf, least, median, memoryOf, proportionalMemory } from './figures.mjs';
import { BenchServer } from './server.mjs';

const starts = Number(process.env.CAMELEER_BENCH_STARTS ?? 5);
const executions = 10_000, batch = 100;

const firstLine = (...path) => readFileSync(join(...path), 'utf8').split('\n')[0];

/** The environment that points a second server at the stores of the first. */
function storesOf(host) {
  const data = join(host.folder, 'data');
  const line = host.lines.findLast((one) => one.event === 'engine' && one.line.startsWith('listening '))?.line;
  if (!line) throw new Error('the engine did not say where it listens');
  return {
    CAMELEER_SERVER_POSTGRES_URL: `host=${data}/postgres/run port=5432 dbname=cameleer user=cameleer password=${firstLine(data, 'postgres/password')}`,
    CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`,
    CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
    CAMELEER_SERVER_CLICKHOUSE_PASSWORD: firstLine(data, 'clickhouse/password'),
  };
}

async function timedStarts(server) {
  const first = await server.timedStart();
  const times = [];
  while (times.length < starts) {
    await server.stop();
    times.push(await server.timedStart());
  }
  console.log(`  start to /health/ready: best ${least(times).toFixed(0)} ms, median ${median(times).toFixed(0)} ms of ${starts}` +
    ` (the very first, with its migrations: ${first.toFixed(0)} ms)`);
}

async function ingest(server) {
  const agent = await server.registerAgent('bench', 'bench');
  const began = performance.now();
  for (let sent = 0; sent < executions; sent += batch) {
    const json = Array.from({ length: batch }, (_, index) => anExecution(`bench-${sent + index}`, { inputBody: `{"order":${sent + index}}` }));
    const answer = await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json });
    if (answer.status !== 202 || answer.body.accepted !== batch) throw new Error(`${answer.status} ${answer.text}`);
  }
  return (performance.now() - began) / 1000;
}

function showMemory(when, server) {
  const { resident, anonymous, peak } = memoryOf(server.pid);
  console.log(`  memory of the server ${when}: ${resident.toFixed(1)} MiB resident, ${anonymous.toFixed(1)} of it its own; peak ${peak.toFixed(1)}`);
}

function showFamily(server) {
  const groups = new Map();
  for (const pid of familyOf(server.pid)) {
    const name = basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].split(':')[0]);
    groups.set(name, [...(groups.get(name) ?? []), pid]);
  }
  const parts = [...groups].map(([name, pids]) => `${name} ${proportionalMemory(pids).toFixed(0)}`);
  console.log(`  memory with its engines, shared pages once, MiB: ${parts.join(', ')}`);
}

const host = new BenchServer();
let server;
try {
  console.log('with embedded engines');
  await timedStarts(host);
  await delay(2000);
  showMemory('at idle', host);
  showFamily(host);

  console.log('without engines, on the stores of the server above');
  server = new BenchServer({
    flags: ['--tenant-id=bench'],
    env: { ...storesOf(host), CAMELEER_SERVER_SECURITY_MASTERKEY: randomBytes(32).toString('base64') },
  });
  await timedStarts(server);
  await delay(2000);
  showMemory('at idle', server);
  const elapsed = await ingest(server);
  await delay(2000);
  showMemory(`after ${executions} executions`, server);
  console.log(`  (sent in ${elapsed.toFixed(1)} s: ${executions / batch} requests of ${batch}, one after another)`);
} finally {
  try {
    await server?.dispose();
  } finally {
    await host.dispose();
  }
}
