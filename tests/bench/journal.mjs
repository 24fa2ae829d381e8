// How long an agent waits for its 202, in both modes of acknowledgement: requests of ten executions with five steps each, one after the
// other and sixteen at once.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { anExecution } from '../integration/server_process.mjs';
import { BenchServer } from './server.mjs';

const requests = Number(process.env.CAMELEER_BENCH_REQUESTS ?? 400);

function body(name) {
  const startTime = new Date().toISOString();
  const steps = Array.from({ length: 5 }, (_, seq) => ({ processorId: `step-${seq}`, processorType: 'log', seq, status: 'COMPLETED', startTime }));
  return JSON.stringify(Array.from({ length: 10 }, (_, index) => anExecution(`${name}-${index}`, { processorExecutions: steps })));
}

/** Milliseconds of each request. */
async function send(server, token, name, atOnce) {
  const times = [];
  let next = 0;
  const one = async () => {
    for (let index = next++; index < requests; index = next++) {
      const json = body(`${name}-${index}`);
      const begun = performance.now();
      const answer = await server.request('POST', '/api/v1/data/executions', { token, body: json, headers: { 'content-type': 'application/json' } });
      times.push(performance.now() - begun);
      if (answer.status !== 202) throw new Error(answer.text);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return times.sort((a, b) => a - b);
}

console.log(`\n  acknowledgement of ${requests} requests, ms      p50      p90      p99`);
for (const ack of ['journal', 'clickhouse']) {
  const folder = mkdtempSync(join(process.env.CAMELEER_BENCH_DISK, 'server-'));
  chmodSync(folder, 0o755);
  const server = new BenchServer({ ack, folder });
  try {
    await server.start();
    const { accessToken } = await server.registerAgent();
    await send(server, accessToken, 'warm', 4);
    for (const atOnce of [1, 16]) {
      const times = await send(server, accessToken, `at-${atOnce}`, atOnce);
      const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1).padStart(9);
      console.log(`  ${`${ack}, ${atOnce} at once`.padEnd(36)}${at(0.5)}${at(0.9)}${at(0.99)}`);
    }
  } finally {
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
