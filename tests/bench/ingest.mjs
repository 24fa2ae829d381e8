// How many processor rows a second the server acknowledges and its embedded engine stores, with the journal as shipped, and what each row costs server, engine and
// load generator; beside it what the engine takes of the same rows without a server before it. Everything shares the machine's cores.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { anExecution, build, eventually } from '../integration/server_process.mjs';
import { familyOf, memoryOf, median, most, processorTime } from './figures.mjs';
import { Store, insertRaw } from './ingest_store.mjs';
import { BenchServer } from './server.mjs';

const seconds = Number(process.env.CAMELEER_BENCH_INGEST_SECONDS ?? 20);  // of the sustained run; 300 for the figures of docs/benchmarks.md
const searched = Number(process.env.CAMELEER_BENCH_INGEST_SEARCH_SECONDS ?? 10), paced = Math.min(40, Math.max(10, seconds / 2));
// Merges come later than what they merge: for minutes an engine keeps up with less than it stores in ten seconds.
const share = Number(process.env.CAMELEER_BENCH_INGEST_SHARE ?? 0.7);
const classes = (process.env.CAMELEER_BENCH_INGEST_PAYLOADS ?? 'none,2x200,2x1k').split(',');
const rowsAnExecution = 20, agents = 4, connections = 2;
const rawBytes = 256 << 20, mergedRows = 20e6;

const metric = (text, name, labels = '') => Number(text.split('\n').find((line) => line.startsWith(`${name}${labels} `))?.split(' ').at(-1) ?? NaN);

const programOf = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0];

let seed = 0;
/** One run of agent-sim: `rate` in executions a second, 0 for as fast as they are acknowledged. */
async function load(server, payload, { time, rate = 0, encoding = 'identity' }) {
  const child = spawn(join(build, 'bin/agent-sim'), ['load', '--url', server.url, '--secrets', join(server.folder, 'data/first-start.txt'), '--seed', String(++seed),
    '--agents', String(agents), '--connections-per-agent', String(connections), '--processors-per-execution', String(rowsAnExecution), '--payload', payload,
    '--duration', String(time), '--rate', String(rate), '--encoding', encoding], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => { output += chunk; });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const figures = output.match(/acknowledged\s+(\d+) executions and (\d+) processors in (\d+) requests, ([\d.]+) s[^]*p50 ([\d.]+) ms, p99 ([\d.]+) ms\nretries\s+(\d+)[^]*own CPU\s+([\d.]+) us/);
  if (code !== 0 || !figures) throw new Error(`agent-sim ended with ${code}\n${output}`);
  const [executions, processors, requests, elapsed, p50, p99, retries, cost] = figures.slice(1).map(Number);
  return { executions, processors, requests, elapsed, p50, p99, retries, cost: cost * (executions + processors) / processors };
}

/** Looks each second how deep the journal is, and how long an execution of its own takes from its 202 until the engine shows it. */
class Watch {
  constructor(server, store, token) {
    Object.assign(this, { server, store, token, depths: [], lags: [], visible: [], on: true });
    this.done = Promise.all([this.#depth(), this.#probe()]);
  }

  async stop() { this.on = false; await this.done; return this; }

  async #depth() {
    for (; this.on; await delay(500)) {
      const { text } = await this.server.request('GET', '/metrics');
      this.depths.push(metric(text, 'cameleer_ingest_journal_bytes'));
      this.lags.push(metric(text, 'cameleer_ingest_journal_lag_seconds'));
    }
  }

  async #probe() {
    for (let number = 0; this.on; number++, await delay(1000)) {
      const one = anExecution(`probe-${seed}-${number}`);
      const answer = await this.server.request('POST', '/api/v1/data/executions', { token: this.token, json: one });
      if (answer.status !== 202) throw new Error(`the probe was answered ${answer.status} ${answer.text}`);
      const began = performance.now();
      const sql = `SELECT count() FROM executions WHERE start_time = fromUnixTimestamp64Milli(${Date.parse(one.startTime)}) AND execution_id = '${one.executionId}'`;
      while ((await this.store.numbers(sql))[0] === 0) {
        if (performance.now() - began > 120_000) throw new Error('what was acknowledged did not show within 120 s');
        await delay(50);
      }
      this.visible.push((performance.now() - began) / 1000);
    }
  }
}

const drained = (server) => eventually('the journal is empty', async () => metric((await server.request('GET', '/metrics')).text, 'cameleer_ingest_journal_records') === 0, 300);

/** A run with what it cost: until everything is stored. */
async function measure(bench, payload, options) {
  const { server, store, engine, token } = bench;
  const before = { server: processorTime(server.pid), engine: processorTime(engine) };
  const watch = new Watch(server, store, token);
  const began = performance.now();
  const run = await load(server, payload, options);
  const acknowledged = performance.now();
  await drained(server);
  const elapsed = (performance.now() - began) / 1000;
  await watch.stop();
  const cost = { server: (processorTime(server.pid) - before.server) / run.processors, engine: (processorTime(engine) - before.engine) / run.processors, load: run.cost };
  return { ...run, watch, costs: cost, rate: run.processors / run.elapsed, stored: run.processors / elapsed, drain: (performance.now() - acknowledged) / 1000 };
}

const round = (value) => Math.round(value).toLocaleString('en');
const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;

function show(name, run) {
  const { watch, costs } = run;
  console.log(`  ${name}: ${round(run.rate)} processor rows/s acknowledged over ${run.elapsed.toFixed(0)} s, ${round(run.stored)} stored, all of them ${run.drain.toFixed(1)} s after the end` +
    `${run.retries ? `; ${run.retries} retries` : ''}`);
  console.log(`    us CPU a row: server ${costs.server.toFixed(2)}, engine ${costs.engine.toFixed(2)}, load generator ${costs.load.toFixed(2)};  acknowledgement p50 ${run.p50} ms, p99 ${run.p99} ms`);
  console.log(`    journal: at most ${mib(most(watch.depths))}, at the end ${mib(watch.depths.at(-1))}, lag at most ${most(watch.lags).toFixed(1)} s;  ` +
    `visible after ${median(watch.visible).toFixed(2)} s, at most ${most(watch.visible).toFixed(2)} s (${watch.visible.length} looks)`);
}

async function diskUse(store) {
  const { rows } = await store.size('processor_executions');
  if (rows <= mergedRows) for (const table of ['processor_executions', 'executions']) await store.merge(table);
  const processors = await store.size('processor_executions'), executions = await store.size('executions');
  console.log(`  on disk${rows <= mergedRows ? ', merged' : ''}: ${(processors.bytes / processors.rows).toFixed(1)} bytes a processor row (${round(processors.rows)} rows in ${processors.parts} parts), ` +
    `${(executions.bytes / executions.rows).toFixed(1)} an execution`);
}

async function payloadClass(payload) {
  const server = new BenchServer({ ack: 'journal', engineMemory: 2048 });
  let store;
  try {
    await server.start();
    store = new Store(server);
    const engine = familyOf(server.pid).find((pid) => programOf(pid).endsWith('cameleer-clickhouse'));
    const { accessToken: token } = await server.registerAgent('probe', 'probe');
    const bench = { server, store, engine, token };
    console.log(`\npayload ${payload}: ${agents} agents with ${connections} connections each, requests of 100 executions with ${rowsAnExecution} processors`);
    await load(server, payload, { time: 2 });
    await drained(server);
    const fastest = await measure(bench, payload, { time: searched });
    show('as fast as acknowledged', fastest);
    const sustained = fastest.stored / rowsAnExecution;
    show(`sustained at ${Math.round(share * 100)} % of what was stored`, await measure(bench, payload, { time: seconds, rate: sustained * share }));
    show('at 80 %', await measure(bench, payload, { time: paced, rate: sustained * 0.8 }));
    if (payload === 'none') show('gzip, as fast as acknowledged', await measure(bench, payload, { time: searched, encoding: 'gzip' }));
    const { text } = await server.request('GET', '/metrics');
    const batchRows = metric(text, 'cameleer_ingest_rows_total', '{table="processor_executions"}') / metric(text, 'cameleer_ingest_batches_total');
    const memory = memoryOf(server.pid);
    console.log(`  inserts of ${round(batchRows)} rows on average; memory of the server: ${memory.anonymous.toFixed(0)} MiB of its own, and ` +
      `${(memory.resident - memory.anonymous).toFixed(0)} of files, the journal's pages mostly, which the kernel takes back when it needs them; ${memory.peak.toFixed(0)} together at most`);
    await diskUse(store);
    for (const side of [1, 2]) {
      const raw = await insertRaw(store, engine, { batchRows: Math.max(1000, batchRows), side, bytes: rawBytes });
      console.log(`  raw Native inserts of the same rows, ${side === 1 ? 'one after another' : `${side} side by side`}: ${round(raw.rate)} rows/s (${round(raw.rows)} rows in ${raw.batches} inserts), ` +
        `engine ${raw.cost.toFixed(2)} us a row; the server stored ${(fastest.stored / raw.rate).toFixed(2)} of it`);
    }
  } finally {
    store?.close();
    await server.dispose();
  }
}

for (const payload of classes) await payloadClass(payload);
