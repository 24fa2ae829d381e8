// What a token costs: its verification in one process, cached and not, beside what OpenSSL needs for the bare signature; and a
// request with it, beside one that needs none. The server on core 0, wrk on core 1.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostileProvider, audience } from '../integration/oidc_provider.mjs';
import { temporaryFolder } from '../integration/server_process.mjs';
import { familyOf, least, median } from './figures.mjs';
import { BenchServer, freePort } from './server.mjs';
import { load } from './wrk.mjs';

const program = process.env.CAMELEER_BENCH_IDENTITY;
const rounds = Number(process.env.CAMELEER_BENCH_ROUNDS ?? 6), seconds = Number(process.env.CAMELEER_BENCH_SECONDS ?? 3);
const serverCore = 0, loadCore = 1;
const cached = 10_000, providerTokens = cached + 500;  // the server remembers so many signatures: taking turns with more, it knows none
const ownTokens = cached + 2_000;
const path = '/api/v1/environments/default/executions?limit=201';  // refused by its last rule: costs what the server costs

const run = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore'] });

/** Microseconds that OpenSSL needs for the signature alone. */
function openssl(bytes) {
  const speed = (...more) => run('taskset', '-c', String(serverCore), 'openssl', 'speed', '-mr', '-seconds', '3', ...more);
  const ecdsa = speed('ecdsap384').match(/^\+F\d+:\d+:384:([\d.]+):([\d.]+)/m);
  const hmac = speed('-bytes', String(bytes), '-hmac', 'sha256').match(/^\+F:\d+:hmac\(sha256\):([\d.]+)/m);
  return { ES384: 1e6 / Number(ecdsa[2]), HS256: bytes / Number(hmac[1]) * 1e6 };
}

function inProcess() {
  const rows = Object.fromEntries(run('taskset', '-c', String(serverCore), program).trim().split('\n').map((line) => JSON.parse(line)).map((row) => [row.name, row]));
  const bare = openssl(rows['HS256 cached'].tokenBytes);
  console.log(`verification in one process, us of processor time (best and median of 5 rounds; openssl ${run('openssl', 'version').split(' ')[1]})`);
  for (const algorithm of ['HS256', 'ES384']) {
    const [known, fresh] = [rows[`${algorithm} cached`], rows[`${algorithm} uncached`]];
    console.log(`  ${algorithm}  cached ${known.best.toFixed(2)} / ${known.median.toFixed(2)}   uncached ${fresh.best.toFixed(2)} / ${fresh.median.toFixed(2)}` +
      `   openssl speed ${bare[algorithm].toFixed(2)}   of it: cached ${(known.best / bare[algorithm]).toFixed(3)}, uncached ${(fresh.best / bare[algorithm]).toFixed(2)}   (${fresh.tokenBytes} bytes)`);
  }
}

/** For wrk: each request with the next of the tokens. */
function script(folder, name, tokens) {
  writeFileSync(join(folder, name), `${tokens.join('\n')}\n`);
  writeFileSync(join(folder, `${name}.lua`), `local tokens = {}
for line in io.lines("${join(folder, name)}") do tokens[#tokens + 1] = "Bearer " .. line end
local at = 0
request = function()
  at = at % #tokens + 1
  wrk.headers["Authorization"] = tokens[at]
  return wrk.format()
end
`);
  return join(folder, `${name}.lua`);
}

async function overHttp() {
  if (availableParallelism() < 2) throw new Error('two cores are needed: one for the server, one for the load');
  const folder = temporaryFolder(), masterKey = randomBytes(32).toString('base64');
  const provider = await new HostileProvider().start();
  const server = new BenchServer({
    port: await freePort(),
    env: { CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey, CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience },
  });
  try {
    await server.start();
    const own = run(program, 'mint', masterKey, await server.adminToken(), String(ownTokens)).trim().split('\n');
    const theirs = [];
    while (theirs.length < providerTokens) theirs.push(await provider.token({ sub: 'bench', jti: String(theirs.length), scope: 'server:viewer' }, { header: { typ: 'at+jwt' } }));
    const rows = [
      { name: 'no token', path: '/health/live', status: 200, headers: {} },
      { name: 'HS256 cached', path, status: 400, headers: { Authorization: `Bearer ${own[0]}` } },
      { name: 'HS256 uncached', path, status: 400, headers: {}, script: script(folder, 'own', own), token: own[1] },
      { name: 'ES384 cached', path, status: 400, headers: { Authorization: `Bearer ${theirs[0]}` } },
      { name: 'ES384 uncached', path, status: 400, headers: {}, script: script(folder, 'theirs', theirs), token: theirs[1] },
    ];
    for (const row of rows) {
      row.runs = [];
      const answer = await server.request('GET', row.path, row.token ? { token: row.token } : { headers: row.headers });
      if (answer.status !== row.status) throw new Error(`${row.name}: ${answer.status} ${answer.text}`);
    }
    for (const pid of familyOf(server.pid)) execFileSync('taskset', ['-a', '-p', '-c', String(pid === server.pid ? serverCore : loadCore), String(pid)], { stdio: 'ignore' });
    for (let round = 0; round < rounds; round++) {
      for (const row of rows) {
        const result = await load({ url: server.url + row.path, headers: row.headers, pid: server.pid, core: loadCore, seconds, script: row.script });
        const refused = row.status >= 400 ? result.requests : 0;
        if (result.refused !== refused) throw new Error(`${row.name}: ${result.refused} of ${result.requests} not 2xx`);
        row.runs.push(result);
      }
    }
    console.log(`\na request, us of processor time of the server (best and median of ${rounds} rounds of ${seconds} s)`);
    const floor = least(rows[0].runs.map((one) => one.cost));
    for (const row of rows) {
      const costs = row.runs.map((one) => one.cost), best = least(costs);
      console.log(`  ${row.name.padEnd(15)}${best.toFixed(2).padStart(9)} / ${median(costs).toFixed(2).padEnd(9)}  more than without a token: ${(best - floor).toFixed(2)}`);
    }
  } finally {
    try {
      await server.dispose();
    } finally {
      await provider.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

inProcess();
await overHttp();
