// Starts the real server with its embedded engines, as a user would, and gives tests its address and secrets.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { licence, newKeyPair, tokenOf } from './license_tokens.mjs';
import { keepDatabases, logOf, rememberServer, traces } from '../secrets/collect.mjs';

export const build = process.env.CAMELEER_BUILD ?? fail('CAMELEER_BUILD');
export const serverProgram = join(build, 'bin/cameleer-server');
const engineProgram = join(build, 'bin/cameleer-clickhouse');
const engineLibrary = process.env.CAMELEER_CHDB_LIBRARY ?? fail('CAMELEER_CHDB_LIBRARY');

function fail(name) {
  throw new Error(`${name} is not set: run the tests with ./dev test`);
}

export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'cameleer-test-'));
  chmodSync(folder, 0o755);  // the embedded PostgreSQL runs as another user
  return folder;
}

/** Polls until `condition()` gives something truthy, and gives that; fails with `what` after `seconds`. */
export async function eventually(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ''}`);
    await delay(50);
  }
}

export class ServerProcess {
  /**
   * `license: null`: none, so that the default tier holds; otherwise one that caps nothing a test does.
   * @param {{flags?: string[], env?: object, folder?: string, port?: number, ack?: 'clickhouse' | 'journal', license?: null, engineMemory?: number}} options
   */
  constructor({ flags = [], env = {}, folder = temporaryFolder(), port = 0, ack = 'clickhouse', license, engineMemory = 1024 } = {}) {
    // Rows show with their 202, which most tests count on. What the journal promises has tests of its own.
    Object.assign(this, { flags: [`--ingest.ack=${ack}`, ...flags], env, folder, port, license, engineMemory, output: '', lines: [] });
  }

  /** The settings with the test licence, for this server's tenant. */
  licenseSettings() {
    if (this.license === null) return {};
    const flag = this.flags.find((one) => one.startsWith('--tenant-id='))?.slice('--tenant-id='.length);
    return generousLicense(flag ?? this.env.CAMELEER_SERVER_TENANT_ID ?? this.env.CAMELEER_TENANT_ID ?? 'default');
  }

  async start() {
    this.exited = undefined;
    this.lines = [];
    this.output = '';
    this.child = spawn(serverProgram, [
      `--http.listen=127.0.0.1:${this.port}`, `--data-dir=${join(this.folder, 'data')}`,
      `--engines.clickhouse-program=${engineProgram}`, `--engines.clickhouse-library=${engineLibrary}`,
      `--engines.clickhouse-memory-mb=${this.engineMemory}`, ...this.flags,
    ], { env: { ...cleanEnvironment(), ...this.licenseSettings(), ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = logOf('server', this.child.pid);
    let rest = '';
    const take = (chunk) => {
      log(chunk);
      this.output = (this.output + chunk).slice(-200_000);
      rest += chunk;
      const parts = rest.split('\n');
      rest = parts.pop();
      for (const line of parts) {
        try { this.lines.push(JSON.parse(line)); } catch { /* not a log line: a sanitizer's report, say */ }
      }
    };
    this.child.stdout.on('data', take);
    this.child.stderr.on('data', take);
    this.child.on('exit', (code, signal) => { this.exited = { code, signal }; });
    // Not with its exit: its last lines may still be on the way.
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
    const line = await eventually('the server says it started', () => this.exited ?? this.lines.find((one) => one.event === 'started'), 90)
      .catch((error) => { throw new Error(`${error.message}\n${this.output.slice(-4000)}`); });
    if (this.exited) throw new Error(`the server ended with ${JSON.stringify(this.exited)}\n${this.output.slice(-4000)}`);
    this.port = line.port;
    this.url = `http://127.0.0.1:${this.port}`;
    this.readSecrets();
    return this;
  }

  readSecrets() {
    const file = join(this.folder, 'data/first-start.txt');
    if (!existsSync(file)) return;
    const values = Object.fromEntries(readFileSync(file, 'utf8').split('\n').filter((line) => line.includes('=') && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    this.username = values.username;
    this.password = values.password ?? this.env.CAMELEER_SERVER_SECURITY_ADMINPASSWORD;
    this.apiKey = values['api-key'];
  }

  /** For the search for secrets; a server that never came up has no databases. */
  async keepTraces() {
    rememberServer(this);
    if (this.url && !this.exited) await keepDatabases(this);
  }

  get pid() { return this.child.pid; }

  /** Ends it as an operator would and checks that it ended well: exit code 0, no sanitizer report. */
  async stop() {
    const untraced = await this.keepTraces().then(() => undefined, (error) => error);
    if (!this.exited) this.child.kill('SIGTERM');
    const ended = await Promise.race([this.ended, delay(60_000, undefined, { ref: false })]);
    if (!ended) {
      this.child.kill('SIGKILL');
      throw new Error(`the server did not end within 60 s of SIGTERM\n${this.output.slice(-4000)}`);
    }
    if (ended.code !== 0 || /Sanitizer|runtime error:/.test(this.output)) {
      throw new Error(`the server ended with ${JSON.stringify(ended)}\n${this.output.slice(-8000)}`);
    }
    if (untraced) throw untraced;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Ends it and removes what it stored. Shows what it logged as an error: the reason of a failed test may be there. */
  async dispose() {
    try {
      await this.stop();
    } finally {
      for (const line of this.lines) if (line.level === 'error') console.error(JSON.stringify(line));
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** fetch with a path; answers {status, headers, body} with the body parsed when it is JSON. */
  async request(method, path, { token, json, body, headers = {} } = {}) {
    const all = { ...headers };
    if (token) all.authorization = `Bearer ${token}`;
    if (json !== undefined) all['content-type'] ??= 'application/json';
    const answer = await fetch(this.url + path, { method, headers: all, body: json !== undefined ? JSON.stringify(json) : body, redirect: 'manual' });
    const text = await answer.text();
    const isJson = /\bjson/.test(answer.headers.get('content-type') ?? '');
    return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : text };
  }

  async adminToken() {
    const answer = await this.request('POST', '/api/v1/auth/token', { json: { username: this.username, password: this.password } });
    if (answer.status !== 200) throw new Error(`no token for ${this.username}: ${answer.status} ${answer.text}`);
    return answer.body.accessToken;
  }

  /** What a statement gives in the tenant's schema of the embedded PostgreSQL: cells with `|` between them, a row a line. */
  sql(statement, tenant = 'default') {
    const folder = join(this.folder, 'data/postgres');
    return execFileSync('psql', ['-X', '-q', '-t', '-A', '-h', join(folder, 'run'), '-U', 'cameleer', '-d', 'cameleer', '-c', `set search_path to "tenant_${tenant}"`, '-c', statement],
      { encoding: 'utf8', env: { PATH: process.env.PATH, PGPASSWORD: readFileSync(join(folder, 'password'), 'utf8').trim() } }).trim();
  }

  /** Registers an agent and gives its tokens. */
  async registerAgent(agentId = 'agent-1', application = 'orders', more = {}) {
    const answer = await this.request('POST', '/api/v1/agents/register', {
      token: this.apiKey, json: { agentId, application, environmentId: 'default', displayName: agentId, version: '1.0', routeIds: ['r1'], capabilities: {}, ...more },
    });
    if (answer.status !== 200) throw new Error(`${agentId} was not registered: ${answer.status} ${answer.text}`);
    return answer.body;
  }
}

const vendor = newKeyPair();
const licences = new Map();

/** Settings with a licence that caps nothing a test does, by a vendor of this run; the same for each start. */
export function generousLicense(tenantId = 'default') {
  if (!licences.has(tenantId)) {
    const limits = Object.fromEntries(['environments', 'apps', 'agents', 'users', 'outbound_connections', 'alert_rules', 'total_cpu_millis', 'total_memory_mb', 'total_replicas',
      'execution_retention_days', 'log_retention_days', 'metric_retention_days', 'jar_retention_count'].map((name) => [`max_${name}`, 1_000_000]));
    licences.set(tenantId, tokenOf(licence({ tenantId, limits }), vendor.privateKey));
  }
  return { CAMELEER_SERVER_LICENSE_PUBLICKEY: vendor.publicKey, CAMELEER_SERVER_LICENSE_TOKEN: licences.get(tenantId) };
}

/** The environment without settings that somebody's shell may carry. */
function cleanEnvironment() {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CAMELEER_SERVER_') && name !== 'CAMELEER_TENANT_ID'));
  // What is not in a log of this level is in none.
  return traces ? { ...clean, CAMELEER_SERVER_LOG_LEVEL: 'debug' } : clean;
}

/** Pids whose command line contains `text`. */
export async function processesWith(text) {
  const { readdirSync } = await import('node:fs');
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; }
  }).map(Number);
}

/** A valid execution, started now unless said otherwise. */
export function anExecution(executionId, { startTime = Date.now() - 1000, ...more } = {}) {
  const start = new Date(startTime);
  return {
    executionId, exchangeId: `ID-${executionId}`, routeId: 'order-entry', status: 'COMPLETED', correlationId: `corr-${executionId}`,
    startTime: start.toISOString(), endTime: new Date(start.getTime() + 25).toISOString(), durationMs: 25,
    processorExecutions: [
      { processorId: 'log1', processorType: 'log', seq: 1, status: 'COMPLETED', startTime: start.toISOString(), durationMs: 1 },
      { processorId: 'split1', processorType: 'split', seq: 2, status: 'COMPLETED', startTime: start.toISOString(), durationMs: 20 },
      { processorId: 'to1', processorType: 'to', seq: 3, parentSeq: 2, status: 'COMPLETED', startTime: start.toISOString(), durationMs: 5, splitIndex: 0 },
    ],
    ...more,
  };
}
