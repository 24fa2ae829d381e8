// What a request costs on its way through connection, router, permission check, metrics and request id, beside nginx's
// `return 200` with a body of the same size and the same request headers. Both on core 0, wrk on core 1, in turns.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { rmSync } from 'node:fs';
import { temporaryFolder } from '../integration/server_process.mjs';
import { familyOf, least, median, most } from './figures.mjs';
import { startNginx } from './nginx.mjs';
import { BenchServer, freePort } from './server.mjs';
import { load } from './wrk.mjs';

const rounds = Number(process.env.CAMELEER_BENCH_ROUNDS ?? 6), seconds = Number(process.env.CAMELEER_BENCH_SECONDS ?? 3);
const serverCore = 0, loadCore = 1;

const rows = [
  { name: 'live', path: '/health/live', status: 200, signedIn: false },
  // Every GET with a permission asks a store when all is well. This one is refused for its limit after the token, the
  // permission, the environment (known for 5 s) and the filter have been looked at, so it costs what the server costs.
  { name: 'permission', path: '/api/v1/environments/default/executions?limit=201', status: 400, signedIn: true },
  { name: 'postgres', path: '/api/v1/environments', status: 200, signedIn: true },
];

const ordinary = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'application/json', 'Accept-Encoding': 'gzip, deflate, br', 'Accept-Language': 'en-US,en;q=0.9', Referer: 'http://127.0.0.1/exchanges',
};

const pin = (pid, core) => execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' });

/** The row's headers and the size of its answer; fails when the answer is not the expected one. */
async function prepare(server, token, row) {
  row.headers = row.signedIn ? { ...ordinary, Authorization: `Bearer ${token}` } : ordinary;
  const answer = await server.request('GET', row.path, { headers: row.headers });
  if (answer.status !== row.status) throw new Error(`${row.path}: ${answer.status} ${answer.text}`);
  row.size = Buffer.byteLength(answer.text);
  Object.assign(row, { ours: [], theirs: [] });
}

async function measure(row, target, time) {
  const result = await load({ ...target, headers: row.headers, core: loadCore, seconds: time });
  const refused = target.refused ? result.requests : 0;
  if (result.refused !== refused) throw new Error(`${target.url}: ${result.refused} of ${result.requests} not 2xx`);
  return result;
}

function show(row) {
  const line = (name, runs) => console.log(`  ${name.padEnd(9)}${Math.round(most(runs.map((run) => run.rate))).toString().padStart(8)}` +
    `${Math.round(median(runs.map((run) => run.rate))).toString().padStart(10)}${least(runs.map((run) => run.cost)).toFixed(2).padStart(11)}` +
    `${median(runs.map((run) => run.cost)).toFixed(2).padStart(9)}${median(runs.map((run) => run.p99)).toFixed(2).padStart(9)}`);
  const ratio = (figure, of) => of(row.ours.map((run) => run[figure])) / of(row.theirs.map((run) => run[figure]));
  const pairs = row.ours.map((run, round) => run.rate / row.theirs[round].rate);
  console.log(`\n${row.name}: GET ${row.path} (${row.status}, ${row.size} bytes)`);
  console.log('            requests/s            us CPU/request    p99 ms');
  console.log('                best    median       best   median   median');
  line('cameleer', row.ours);
  line('nginx', row.theirs);
  console.log(`  ratio     requests/s ${ratio('rate', most).toFixed(2)} (median of pairs ${median(pairs).toFixed(2)}), CPU ${ratio('cost', least).toFixed(2)} times`);
}

if (availableParallelism() < 2) throw new Error('two cores are needed: one for the server, one for the load');
const server = new BenchServer({ port: await freePort() });
const folder = temporaryFolder();
let nginx;
try {
  await server.start();
  const token = await server.adminToken();
  for (const row of rows) await prepare(server, token, row);
  const port = await freePort();
  nginx = await startNginx(folder, port, serverCore, rows.map((row) => row.size));
  for (const pid of familyOf(server.pid)) pin(pid, pid === server.pid ? serverCore : loadCore);

  const targets = rows.map((row, index) => [
    { url: server.url + row.path, pid: server.pid, refused: row.status >= 400 }, { url: `http://127.0.0.1:${port}/${index}`, pid: nginx.pid },
  ]);
  for (const [index, row] of rows.entries()) for (const target of targets[index]) await measure(row, target, 1);
  for (let round = 0; round < rounds; round++) {
    for (const [index, row] of rows.entries()) {
      const [ours, theirs] = targets[index];
      const oursFirst = round % 2 === 0;
      if (oursFirst) row.ours.push(await measure(row, ours, seconds));
      row.theirs.push(await measure(row, theirs, seconds));
      if (!oursFirst) row.ours.push(await measure(row, ours, seconds));
    }
  }
  console.log(`${rounds} rounds of ${seconds} s, in turns; one thread of wrk with 64 connections`);
  rows.forEach(show);
} finally {
  nginx?.kill('SIGTERM');
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
}
