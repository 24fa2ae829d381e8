// ClickHouse's engine as a process of the test's own, for a server that is told to use it: so that either can be killed, stopped or
// starved without the other.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, eventually } from '../integration/server_process.mjs';
import { remember } from '../secrets/collect.mjs';

export class StoreEngine {
  /** @param {string} folder its data lie in `<folder>/store` */
  constructor(folder) {
    Object.assign(this, { folder, data: join(folder, 'store'), user: 'cameleer', password: `store-${Math.random().toString(36).slice(2)}-0ZyX`, port: 0, output: '' });
    remember('engine password', this.password);
  }

  get url() { return `http://127.0.0.1:${this.port}`; }
  get pid() { return this.child.pid; }

  /** At the same address as before. */
  async start() {
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    const secret = join(this.folder, 'store.password');
    writeFileSync(secret, `${this.password}\n`, { mode: 0o600 });
    const child = spawn(join(build, 'bin/cameleer-clickhouse'), ['--library', process.env.CAMELEER_CHDB_LIBRARY, '--path', this.data, '--listen', `127.0.0.1:${this.port}`,
      '--user', this.user, '--password-file', secret, '--max-memory', '1G', '--mark-cache', '64M', '--durable', '--parent-pid', String(process.pid)], { stdio: ['ignore', 'pipe', 'pipe'] });
    Object.assign(this, { child, output: '', exited: undefined });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { this.output = (this.output + chunk).slice(-20_000); });
    this.ended = new Promise((resolve) => child.on('close', (code, signal) => { this.exited = { code, signal }; resolve(this.exited); }));
    const [, port] = await eventually('the engine listens', () => {
      if (this.exited) throw new Error(`it ended with ${JSON.stringify(this.exited)}: ${this.output}`);
      return /^listening 127\.0\.0\.1:(\d+)/m.exec(this.output);
    }, 60);
    this.port = Number(port);
    return this;
  }

  async end(signal) {
    if (!this.child || this.exited) return;
    this.child.kill(signal);
    await this.ended;
  }

  async kill() { await this.end('SIGKILL'); }

  async stop() {
    if (this.child && !this.exited) this.child.kill('SIGCONT');
    await this.end('SIGTERM');
  }
}
