// What a change of retention takes on a table of ten million executions: the server's own, which changes metadata alone, and beside it what
// the same ALTER takes as ClickHouse makes it by itself. Ends with 1 when one of ours takes more than 200 ms.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median, most } from './figures.mjs';
import { BenchServer } from './server.mjs';

const rows = Number(process.env.CAMELEER_BENCH_ROWS ?? 10_000_000), rounds = Number(process.env.CAMELEER_BENCH_ROUNDS ?? 9), block = 500_000;
const server = new BenchServer({ flags: ['--retention.deletion-delay-days=0'] });
let admin, engine;

async function clickhouse(statement) {
  const answer = await fetch(`${engine.url}/?database=tenant_default&default_format=TSV`, {
    method: 'POST', body: statement, headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': engine.password },
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${statement}\n${text}`);
  return text.trim();
}
async function until(what, condition, seconds = 900) {
  for (const end = Date.now() + seconds * 1000; !(await condition()); await delay(5)) if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
}
const settled = () => until('mutations are done', async () => (await clickhouse('SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done')) === '0');

async function fill() {
  for (let first = 0; first < rows; first += block) {
    await clickhouse(`INSERT INTO executions (tenant_id, environment, application, instance_id, route_id, status, start_time, end_time, duration_ms, execution_id, correlation_id, exchange_id, attributes, version)
      SELECT 'default', 'default', concat('app-', toString(number % 20)), concat('node-', toString(number % 60)), concat('route-', toString(number % 400)),
        if(number % 50 = 0, 'FAILED', 'COMPLETED'), toDateTime64('${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}', 3, 'UTC') - toIntervalMillisecond(intDiv(number * 30 * 86400000, ${rows})) AS start,
        start + 25, 25, hex(sipHash128(number)), hex(sipHash64(number)), concat('ID-', toString(number)), map('customer', toString(number % 10000)), 1
      FROM numbers(${first}, ${Math.min(block, rows - first)}) SETTINGS max_threads = 2`);
  }
}

/** Has the environment keep executions so long, and gives what the server said its change of the table took. */
async function change(days) {
  const seen = server.lines.length;
  const began = performance.now();
  const answer = await server.request('PUT', '/api/v1/admin/environments/default', { token: admin, json: { executionRetentionDays: days } });
  if (answer.status !== 200) throw new Error(answer.text);
  const answered = performance.now() - began;
  let line;
  await until('the server changed the table', () => (line = server.lines.slice(seen).find((one) => one.event === 'retention_changed' && one.table === 'executions')));
  return { answered, took: line.durationMs };
}

try {
  await server.start();
  admin = await server.adminToken();
  const line = server.lines.findLast((one) => one.event === 'engine' && one.line.startsWith('listening ')).line;
  engine = { url: `http://${line.slice('listening '.length)}`, password: readFileSync(join(server.folder, 'data/clickhouse/password'), 'utf8').trim() };
  const filling = performance.now();
  await fill();
  const [count, parts, bytes] = (await clickhouse("SELECT sum(rows), count(), formatReadableSize(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'executions'")).split('\t');
  console.log(`${count} executions in ${parts} parts, ${bytes} (made in ${((performance.now() - filling) / 1000).toFixed(0)} s)`);

  const raised = [], lowered = [];
  for (let round = 0; round < rounds; ++round) raised.push(await change(60 + round));
  for (let round = 0; round < rounds; ++round) lowered.push(await change(59 - round));
  for (const [name, figures] of [['raised', raised], ['lowered', lowered]]) {
    const took = figures.map((one) => one.took);
    console.log(`${name}: median ${median(took)} ms, most ${most(took)} ms of ${rounds}; the request itself ${median(figures.map((one) => one.answered)).toFixed(0)} ms`);
  }
  const telling = performance.now();
  await settled();
  console.log(`what is stored was told of the lowered ones ${((performance.now() - telling) / 1000).toFixed(1)} s later, in the background`);

  await clickhouse('ALTER TABLE executions RESET SETTING materialize_ttl_recalculate_only');
  const rewriting = performance.now();
  await clickhouse("ALTER TABLE executions MODIFY TTL start_time + toIntervalDay(49) WHERE environment IN ('default') SETTINGS mutations_sync = 0, alter_sync = 0");
  await settled();
  const rewritten = performance.now() - rewriting;
  const ours = [...raised, ...lowered].map((one) => one.took);
  console.log(`beside it, MODIFY TTL as the engine does it by itself: ${(rewritten / 1000).toFixed(1)} s, ${(rewritten / median(ours)).toFixed(0)} times as long`);

  const halved = await change(15);
  const deleting = performance.now();
  const left = async () => Number(await clickhouse('SELECT count() FROM executions WHERE start_time < now() - toIntervalDay(15) - 60'));
  await until('the rows are gone', async () => (await left()) === 0);
  console.log(`lowered to half of what is there: ${halved.took} ms; merges had removed the other half ${((performance.now() - deleting) / 1000).toFixed(1)} s later`);
  process.exitCode = most(ours) <= 200 ? 0 : 1;
} finally {
  await server.dispose();
}
