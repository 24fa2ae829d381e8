// A ClickHouse of a benchmark's own: the engine program of the build, on a temporary folder, over HTTP on loopback.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processorTime } from './figures.mjs';

const program = join(process.env.CAMELEER_BUILD, 'bin/cameleer-clickhouse');
const migrations = new URL('../../schemas/clickhouse/', import.meta.url);

/** Files of the schema as the server has them, in their order: [{version, name, statements}]. */
export function schemaFiles() {
  return readdirSync(migrations).filter((name) => /^V\d{4}__.+\.sql$/.test(name)).sort().map((name) => ({
    version: Number(name.slice(1, 5)), name,
    statements: readFileSync(new URL(name, migrations), 'utf8').split(/^[ \t]*;[ \t]*$/m).filter((text) => text.replace(/^\s*--.*$/gm, '').trim()),
  }));
}

export class Engine {
  static async start() {
    const engine = new Engine();
    engine.folder = mkdtempSync(join(tmpdir(), 'cameleer-schema-'));
    engine.child = spawn(program, ['--library', process.env.CAMELEER_CHDB_LIBRARY, '--path', join(engine.folder, 'data'), '--listen', '127.0.0.1:0', '--max-memory', '4G',
      '--parent-pid', String(process.pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
    engine.ended = new Promise((resolve) => engine.child.once('exit', resolve));
    const line = await Promise.race([new Promise((resolve) => engine.child.stdout.once('data', resolve)), engine.ended, delay(30_000, '', { ref: false })]);
    const [, address] = /^listening (\S+)/.exec(String(line)) ?? [];
    if (!address) throw new Error(`the engine did not start: ${line}`);
    engine.url = `http://${address}/`;
    return engine;
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a statement gives, as text. */
  async run(sql, { database, parameters = {}, format = 'TabSeparated' } = {}) {
    const query = new URLSearchParams({ default_format: format, ...(database && { database }), ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`param_${name}`, value])) });
    const answer = await fetch(`${this.url}?${query}`, { method: 'POST', body: sql });
    const text = await answer.text();
    if (!answer.ok || text.includes('__exception__')) throw new Error(`${text.trim()}\n${sql.trim().slice(0, 400)}`);
    return text;
  }

  async rows(sql, options) {
    return (await this.run(sql, { ...options, format: 'JSONEachRow' })).trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async number(sql, options) { return Number(await this.run(sql, options)); }

  /** A database with the schema up to `version`, and whatever else is to be done to its tables. */
  async make(database, version, more = []) {
    await this.run(`DROP DATABASE IF EXISTS ${database} SYNC`);
    await this.run(`CREATE DATABASE ${database}`);
    for (const file of schemaFiles()) if (file.version <= version) for (const statement of file.statements) await this.run(statement, { database });
    for (const statement of more) await this.run(statement, { database });
  }

  /** Runs `work` and tells what it took: seconds, and microseconds of the engine's processor time. */
  async timed(work) {
    const [since, used] = [performance.now(), processorTime(this.child.pid)];
    await work();
    return { seconds: (performance.now() - since) / 1000, processor: processorTime(this.child.pid) - used };
  }

  /** Bytes on disk for each row of a table: all of it, and what columns and indexes take. */
  async sizes(database, table) {
    const parameters = { database, table };
    const [all] = await this.rows(`SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, sum(primary_key_size) + sum(marks_bytes) AS marks FROM system.parts
      WHERE active AND database = {database:String} AND table = {table:String}`, { parameters });
    const rows = Number(all.rows);
    const list = async (sql) => (await this.rows(sql, { parameters })).map(({ name, bytes }) => ({ name, bytes: Number(bytes) / rows })).sort((a, b) => b.bytes - a.bytes);
    return {
      rows, all: Number(all.bytes) / rows, marks: Number(all.marks) / rows,
      columns: await list(`SELECT column AS name, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns
        WHERE active AND database = {database:String} AND table = {table:String} GROUP BY column`),
      indexes: await list('SELECT name, data_compressed_bytes + marks_bytes AS bytes FROM system.data_skipping_indices WHERE database = {database:String} AND table = {table:String}'),
    };
  }
}
