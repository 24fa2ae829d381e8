// The server's own engine, asked and filled over its HTTP interface as the server does it.
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processorTime } from './figures.mjs';

const database = 'tenant_default';
const tables = ['processor_executions', 'executions'];  // in the order in which the server fills them

export class Store {
  constructor(server) {
    const line = server.lines.findLast((one) => one.event === 'engine' && one.line.startsWith('listening '))?.line;
    if (!line) throw new Error('the engine did not say where it listens');
    [this.host, this.port] = line.slice('listening '.length).split(':');
    this.headers = { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': readFileSync(join(server.folder, 'data/clickhouse/password'), 'utf8').split('\n')[0] };
    this.agent = new Agent({ keepAlive: true });
  }

  /** Bytes of the answer. `parts`: the body, in pieces that are sent as they are. */
  ask(sql, parts) {
    // rows that are read back may be more than the engine holds back
    const held = parts || !sql.endsWith('FORMAT Native') ? '1' : '0';
    const path = `/?${new URLSearchParams({ database, wait_end_of_query: held, ...(parts ? { query: sql } : {}) })}`;
    const body = parts ?? [Buffer.from(sql)];
    const length = body.reduce((sum, part) => sum + part.length, 0);
    return new Promise((resolve, reject) => {
      const sent = request({ host: this.host, port: this.port, path, method: 'POST', agent: this.agent, headers: { ...this.headers, 'Content-Length': length } }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => {
          const all = Buffer.concat(chunks);
          if (answer.statusCode === 200) resolve(all); else reject(new Error(`${sql}: ${answer.statusCode} ${all.toString('utf8', 0, 500)}`));
        });
      });
      sent.on('error', reject);
      for (const part of body) sent.write(part);
      sent.end();
    });
  }

  async numbers(sql) { return (await this.ask(`${sql} FORMAT TSV`)).toString().trim().split('\t').map(Number); }

  /** Rows and bytes of a table's active parts. */
  async size(table) {
    const [rows, bytes, parts] = await this.numbers(`SELECT sum(rows), sum(bytes_on_disk), count() FROM system.parts WHERE database = '${database}' AND table = '${table}' AND active`);
    return { rows, bytes, parts };
  }

  merge(table) { return this.ask(`OPTIMIZE TABLE ${table} FINAL`); }

  close() { this.agent.destroy(); }
}

/**
 * What the engine takes without a server before it: the rows that it has just stored, read back as Native and inserted into empty tables of the same definition,
 * about `batchRows` processor rows in an insert, `side` inserts side by side. At most `bytes` are held in memory, so that not all rows may take part.
 */
export async function insertRaw(store, pid, { batchRows, side, bytes }) {
  const columns = {};
  for (const table of tables) {
    columns[table] = (await store.ask(`SELECT name FROM system.columns WHERE database = '${database}' AND table = '${table}' AND name != 'inserted_at' ORDER BY position FORMAT TSV`)).toString().trim().split('\n').join(', ');
    await store.ask(`CREATE TABLE bench_${table} AS ${table}`);
  }
  const [total, first, last] = await store.numbers('SELECT count(), toUnixTimestamp64Milli(min(start_time)), toUnixTimestamp64Milli(max(start_time)) FROM processor_executions');
  const width = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, Math.round(total / batchRows))));
  const batches = [];
  let held = 0;
  for (let from = first; from <= last && held < bytes; from += width) {
    const batch = {};
    for (const table of tables) {
      batch[table] = await store.ask(`SELECT ${columns[table]} FROM ${table} WHERE start_time >= fromUnixTimestamp64Milli(${from}) AND start_time < fromUnixTimestamp64Milli(${from + width}) FORMAT Native`);
      held += batch[table].length;
    }
    if (batch.executions.length > 0) batches.push(batch);
  }
  const began = performance.now(), spent = processorTime(pid);
  let next = 0;
  await Promise.all(Array.from({ length: side }, async () => {
    while (next < batches.length) {
      const batch = batches[next++];
      for (const table of tables) await store.ask(`INSERT INTO bench_${table} (${columns[table]}) FORMAT Native`, [batch[table]]);
    }
  }));
  const seconds = (performance.now() - began) / 1000, cost = processorTime(pid) - spent;
  const { rows } = await store.size('bench_processor_executions');
  for (const table of tables) await store.ask(`DROP TABLE bench_${table}`);
  return { rate: rows / seconds, cost: cost / rows, rows, seconds, batches: batches.length };
}
