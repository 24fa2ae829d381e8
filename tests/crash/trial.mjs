// A server under simulated agents, with what a fault needs around it, and the check in the end: everything that was acknowledged shows
// exactly once, whole.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess, build, eventually, processesWith } from '../integration/server_process.mjs';
import { rememberServer } from '../secrets/collect.mjs';
import { SickStore } from './sick_store.mjs';
import { SmallDisk } from './small_disk.mjs';
import { StoreEngine } from './store_engine.mjs';

const simulator = join(build, 'bin/agent-sim');

class FaultServer extends ServerProcess {
  /** Its databases hold nothing but the rows of a load, too many to be searched for secrets. */
  async keepTraces() { rememberServer(this); }
}

/** A run of agent-sim: `ended` gives {code, output}. */
function simulate(flags, env = {}) {
  const child = spawn(simulator, flags, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const run = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { run.output += chunk; });
  run.ended = new Promise((resolve) => child.on('close', (code, signal) => { run.result = { code, signal, output: run.output }; resolve(run.result); }));
  return run;
}

export class Trial {
  /**
   * `store`: the server uses an engine of the trial's own, behind a proxy that can be sick; otherwise its embedded one. `journalDisk`,
   * `storeDisk`: megabytes of a disk of its own for the journal, for the data of the trial's engine.
   * @param {{store?: boolean, journalDisk?: number, storeDisk?: number, flags?: string[]}} options
   */
  constructor({ store = false, journalDisk = 0, storeDisk = 0, flags = [] } = {}) {
    Object.assign(this, { journalDisk, storeDisk, ledgers: mkdtempSync(join(tmpdir(), 'cameleer-ledgers-')), runs: [], disks: {} });
    this.server = new FaultServer({ ack: 'journal', flags });
    if (store) this.store = new StoreEngine(this.server.folder);
  }

  async start() {
    const { server, store } = this;
    mkdirSync(join(server.folder, 'data'), { mode: 0o700 });
    this.mount('journal', join(server.folder, 'data/journal'), this.journalDisk);
    if (store) this.mount('store', store.data, this.storeDisk);
    if (store) {
      await store.start();
      this.proxy = await new SickStore(store).start();
      server.flags.push(`--clickhouse.url=${this.proxy.url}`, `--clickhouse.user=${store.user}`);
      server.env = { ...server.env, CAMELEER_SERVER_CLICKHOUSE_PASSWORD: store.password };
    }
    await server.start();
    return this;
  }

  mount(name, folder, megabytes) {
    if (!megabytes) return;
    try { this.disks[name] = new SmallDisk(folder, megabytes); } catch (error) { this.noDisk = error; }
  }

  /** `journal` or `store`. Whoever wants one where nobody may mount it fails; the others need not. */
  disk(name) {
    if (!this.disks[name]) throw this.noDisk;
    return this.disks[name];
  }

  get secrets() { return join(this.server.folder, 'data/first-start.txt'); }

  /** Agents with a ledger of their own: {ledger, ended, size(), grows(what), stop()}. Ids depend on `seed`. */
  load(seed, ...flags) {
    const ledger = join(this.ledgers, String(seed));
    const run = simulate(['load', '--url', this.server.url, '--secrets', this.secrets, '--ledger', ledger, '--seed', String(seed), '--payload', '2x200', '--give-up-after', '600', ...flags]);
    run.ledger = ledger;
    run.size = () => (existsSync(ledger) ? statSync(ledger).size : 0);
    run.grows = async (what, seconds = 90) => {
      const before = run.size();
      await eventually(`something is acknowledged ${what}`, () => run.result || run.size() > before, seconds);
      if (run.result) throw new Error(`the agents ended ${what}: ${run.output}`);
    };
    run.stop = async (seconds = 180) => {
      if (!run.result) run.child.kill('SIGTERM');
      const ended = await Promise.race([run.ended, delay(seconds * 1000, undefined, { ref: false })]);
      if (ended?.code !== 0) throw new Error(`the agents ended with ${JSON.stringify(ended)}\n${run.output}`);
      return ended;
    };
    this.runs.push(run);
    return run;
  }

  /** Where the rows are, and with whose name and password. */
  storeAccess() {
    if (this.store) return this.store;
    const line = this.server.lines.findLast((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
    return { url: `http://${line.line.slice('listening '.length).trim()}`, user: 'cameleer', password: readFileSync(join(this.server.folder, 'data/clickhouse/password'), 'utf8').trim() };
  }

  /** What a statement gives, as TSV. */
  async ask(sql) {
    const { url, user, password } = this.storeAccess();
    const answer = await fetch(`${url}/?database=tenant_default`, { method: 'POST', body: sql, headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trim();
  }

  /** Compares all rows with the ledger of `run`: {code, text, acknowledged, found, compared, processors}. */
  async check(run) {
    const { url, user, password } = this.storeAccess();
    const { code, output } = await simulate(['check', '--url', this.server.url, '--secrets', this.secrets, '--ledger', run.ledger, '--details', '50', '--store', url, '--store-user', user],
      { CAMELEER_STORE_PASSWORD: password }).ended;
    const count = (name) => Number(new RegExp(`^${name} +(\\d+)`, 'm').exec(output)?.[1] ?? NaN);
    return { code, text: output, acknowledged: count('acknowledged'), found: count('found'), compared: count('whole content'), processors: count('processors') };
  }

  /** A figure of /metrics; 0 when there is none yet. With `labels` as in the text: `reason="full"`. */
  async figure(name, labels = '') {
    const { text } = await this.server.request('GET', '/metrics');
    return text.split('\n').filter((one) => (one.startsWith(`${name} `) || one.startsWith(`${name}{`)) && one.includes(labels)).reduce((sum, one) => sum + Number(one.split(' ').at(-1)), 0);
  }

  async ready() { return this.server.request('GET', '/health/ready'); }

  async delivered(seconds = 120) {
    await eventually('the journal is empty', async () => await this.figure('cameleer_ingest_journal_records') === 0, seconds);
  }

  /** The requests that the store refused for good: the files that hold them. */
  rejected() {
    const folder = join(this.server.folder, 'data/rejected');
    return existsSync(folder) ? readdirSync(folder).filter((one) => one.endsWith('.record')) : [];
  }

  /** The engine's process, embedded or of the trial's own. */
  async engine() {
    if (this.store) return this.store.pid;
    const pids = (await processesWith(join(this.server.folder, 'data/clickhouse'))).filter((one) => one !== this.server.pid && readFileSync(`/proc/${one}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
    if (pids.length !== 1) throw new Error(`${pids.length} engines run`);
    return pids[0];
  }

  async dispose() {
    for (const run of this.runs) if (!run.result) run.child.kill('SIGKILL');
    try {
      await this.proxy?.be(undefined);
      await this.server.stop();
    } finally {
      for (const line of this.server.lines) if (line.level === 'error') console.error(JSON.stringify(line));
      await this.store?.stop();
      await this.proxy?.stop();
      for (const disk of Object.values(this.disks)) disk.remove();
      for (const folder of [this.server.folder, this.ledgers]) rmSync(folder, { recursive: true, force: true });
    }
  }
}
