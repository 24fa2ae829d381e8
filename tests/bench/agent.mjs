// What the agent costs a Camel application: the orders fixture with it and without, its requests in turns, in one run. Orders on
// core 0; wrk, the stand-in for the warehouse, and whoever the agent reports to on core 1.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, temporaryFolder } from '../integration/server_process.mjs';
import { pace } from './agent_pace.mjs';
import { AgentSink } from './agent_sink.mjs';
import { familyOf, least, median, most, processorTime } from './figures.mjs';
import { startNginx } from './nginx.mjs';
import { BenchServer, freePort } from './server.mjs';
import { load } from './wrk.mjs';

const rounds = Number(process.env.CAMELEER_BENCH_ROUNDS ?? 6), seconds = Number(process.env.CAMELEER_BENCH_SECONDS ?? 3);
const warmUp = Number(process.env.CAMELEER_BENCH_WARMUP ?? 20_000), warmUpSeconds = Number(process.env.CAMELEER_BENCH_WARMUP_SECONDS ?? 240), connections = 16;
const settled = 0.03, pacedShare = 1 / 4, pacedSeconds = seconds * 2;
const applicationCore = 0, otherCore = 1;
const root = fileURLToPath(new URL('../..', import.meta.url));
const version = process.env.CAMELEER_CAMEL_NEWEST ?? '4.22.0';
const orders = join(process.env.CAMELEER_ORDERS ?? join(root, 'build/orders'), version, 'orders/orders.jar');
const agentJar = process.env.CAMELEER_AGENT_JAR ?? join(root, 'tools/camel-agent/target/cameleer-agent.jar');

const pin = (pid, core) => execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' });

/** The orders application on its core; `settings` are the agent's, none without it. */
async function startOrders(name, warehouse, settings) {
  const jvm = ['-XX:-UseDynamicNumberOfCompilerThreads', '-Xms256m', '-Xmx256m', ...(settings ? [`-javaagent:${agentJar}`] : [])];
  const child = spawn('taskset', ['-c', String(applicationCore), 'java', ...jvm, '-jar', orders],
    { env: { ...process.env, ...settings, ORDERS_PORT: '0', WAREHOUSE_URL: warehouse }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { child.text = (child.text + chunk).slice(-20_000); });
  const address = await eventually(`${name} runs`, () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${child.text}`);
    return child.text.match(/orders listening on (\S+)/)?.[1];
  }, 120);
  if (settings) await eventually(`${name} is registered`, () => child.text.includes('registered as'), 60);
  return { name, child, pid: child.pid, url: `http://${address}/orders`, runs: [], paced: [] };
}

async function stop(child) {
  if (!child || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

async function measure(one, script, time) {
  const result = await load({ url: one.url, headers: {}, pid: one.pid, core: otherCore, seconds: time, connections, script });
  if (result.refused > 0) throw new Error(`${one.name}: ${result.refused} of ${result.requests} not 2xx: ${one.child.text}`);
  return result;
}

/** Processor time of the just-in-time compiler so far, in microseconds; its threads stay (see `jvm`), others end while they are listed. */
function compilerTime(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    try {
      const compiles = /^C[12] Compiler/.test(readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8'));
      return sum + (compiles ? processorTime(`${pid}/task/${task}`) : 0);
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'ESRCH') return sum;
      throw error;
    }
  }, 0);
}

/** So many orders, and until the compiler rests: on one core it works for a minute and more, and slow code is what it has not reached. */
async function warm(one, script) {
  let resting = false;
  for (let orders = 0, end = Date.now() + warmUpSeconds * 1000; orders < warmUp || !resting;) {
    if (Date.now() > end) {
      if (orders < warmUp) throw new Error(`${one.name}: ${orders} of ${warmUp} orders in ${warmUpSeconds} s`);
      console.log(`  ${one.name}: the compiler was still at work after ${warmUpSeconds} s`);
      return;
    }
    const compiled = compilerTime(one.pid), spent = processorTime(one.pid);
    // a cold JVM on one core may keep somebody waiting for longer than wrk does
    orders += (await measure(one, script, 5).catch((error) => { if (one.child.exitCode !== null) throw error; }))?.requests ?? 0;
    resting = compilerTime(one.pid) - compiled < settled * (processorTime(one.pid) - spent);
  }
}

/** The same orders at a rate that leaves the core time to spare. */
function showPaced(variants, rate) {
  const [plain] = variants;
  console.log(`  at ${rate} orders/s:    p50 ms      p99 ms   us CPU/order      against none, median of pairs: p99, CPU`);
  for (const one of variants) {
    const middle = (figure) => median(one.paced.map((run) => run[figure]));
    const pairs = (figure) => median(one.paced.map((run, round) => run[figure] / plain.paced[round][figure]));
    console.log(`  ${one.name.padEnd(18)}${middle('p50').toFixed(2).padStart(10)}${middle('p99').toFixed(2).padStart(12)}${middle('cost').toFixed(0).padStart(15)}` +
      (one === plain ? '' : `${pairs('p99').toFixed(2).padStart(14)}${pairs('cost').toFixed(2).padStart(9)}`));
  }
}

function show(variants) {
  const [plain] = variants;
  console.log(`                          orders/s        p99 ms   us CPU/order      against none, median of pairs`);
  console.log(`                       best   median      median         median      orders/s      p99       CPU`);
  for (const one of variants) {
    const figures = (figure) => one.runs.map((run) => run[figure]);
    const pairs = (figure) => median(one.runs.map((run, round) => run[figure] / plain.runs[round][figure]));
    console.log(`  ${one.name.padEnd(18)}${Math.round(most(figures('rate'))).toString().padStart(7)}${Math.round(median(figures('rate'))).toString().padStart(9)}` +
      `${median(figures('p99')).toFixed(2).padStart(12)}${median(figures('cost')).toFixed(0).padStart(15)}` +
      (one === plain ? '' : `${pairs('rate').toFixed(3).padStart(14)}${pairs('p99').toFixed(2).padStart(9)}${pairs('cost').toFixed(2).padStart(10)}`));
  }
  const spread = plain.runs.map((run) => run.rate);
  console.log(`  rounds of the application alone lie between ${Math.round(least(spread))} and ${Math.round(most(spread))} orders/s`);
}

if (availableParallelism() < 2) throw new Error('two cores are needed: one for the application, one for the rest');
const folder = temporaryFolder();
const server = new BenchServer(), sink = new AgentSink(), variants = [];
let nginx;
try {
  const script = join(folder, 'order.lua');
  const order = '{"orderId":"bench","kind":"standard","customer":"c-17","delivery":"standard","carrierFailures":0,"lines":[{"sku":"SKU-1","qty":2},{"sku":"SKU-2","qty":1}]}';
  writeFileSync(script, `wrk.method = "POST"\nwrk.body = '${order}'\nwrk.headers["Content-Type"] = "application/json"\n`);
  const port = await freePort();
  nginx = await startNginx(folder, port, otherCore, [17], '/stock/reserve');
  await server.start();
  await sink.start();
  for (const pid of [...familyOf(server.pid), process.pid]) pin(pid, otherCore);

  const warehouse = `http://127.0.0.1:${port}`;
  variants.push(await startOrders('none', warehouse));
  for (const [target, url] of [['sink', sink.url], ['server', server.url]]) {
    // compressed, as for a server that is not on this machine; and once as it is
    for (const [mode, compression] of [['NONE', 'GZIP'], ['BOTH', 'GZIP'], ...(target === 'sink' ? [['NONE', 'NONE']] : [])]) {
      const plain = compression === 'NONE' ? ', plain' : '';
      variants.push(await startOrders(`${mode} to ${target}${plain}`, warehouse, {
        CAMELEER_API_KEY: server.apiKey, CAMELEER_AGENT_SERVERURL: url, CAMELEER_AGENT_APPLICATION: 'orders',
        CAMELEER_AGENT_INSTANCEID: `${target}-${mode.toLowerCase()}${plain && '-plain'}`, CAMELEER_AGENT_PAYLOADCAPTUREMODE: mode,
        CAMELEER_AGENT_COMPRESSION: compression,
      }));
    }
  }
  for (const one of variants) await warm(one, script);
  for (let round = 0; round < rounds; round++) {
    // each follows another one each time
    for (let index = 0; index < variants.length; index++) {
      const one = variants[(index + round) % variants.length];
      one.runs[round] = await measure(one, script, seconds);
    }
  }
  const pacedRate = Math.max(20, Math.round(median(variants[0].runs.map((run) => run.rate)) * pacedShare / 10) * 10);
  for (let round = 0; round < Math.max(2, rounds >> 1); round++) {
    for (let index = 0; index < variants.length; index++) {
      const one = variants[(index + round) % variants.length];
      one.paced[round] = await pace({ url: one.url, body: order, pid: one.pid, seconds: pacedSeconds, rate: pacedRate });
    }
  }
  console.log(`${rounds} rounds of ${seconds} s, in turns; Camel ${version}, ${connections} connections, standard orders; the agent's capture mode and to whom it reports:`);
  console.log('the server with its engines, or a sink that only answers, so that the core the rest shares is not the measure');
  show(variants);
  showPaced(variants, pacedRate);
  console.log(`  the sink took ${sink.requests} requests, ${(sink.bytes / 1048576).toFixed(1)} MiB`);
} finally {
  await Promise.all(variants.map(({ child }) => stop(child)));
  nginx?.kill('SIGTERM');
  await sink.stop();
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
}
