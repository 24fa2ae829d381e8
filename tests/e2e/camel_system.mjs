// The orders fixture: two real Camel applications with the agent attached, sending to a server.
import { spawn, execFile } from 'node:child_process';
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../integration/free_port.mjs';
import { eventually } from '../integration/server_process.mjs';
import { logOf } from '../secrets/collect.mjs';
import { RecordingProxy } from './recording_proxy.mjs';

const loadScript = fileURLToPath(new URL('../fixtures/orders/load.sh', import.meta.url));
const orders = process.env.CAMELEER_ORDERS, agent = process.env.CAMELEER_AGENT_JAR;
export const camelVersions = (process.env.CAMELEER_CAMEL_VERSIONS ?? '').split(' ').filter(Boolean);

export class CamelSystem {
  /** @param {{env?: object, jvm?: string[]}} options given to both applications */
  constructor(server, version, { env = {}, jvm = [] } = {}) {
    Object.assign(this, { server, version, env, jvm, children: [], proxy: new RecordingProxy(server) });
  }

  async start() {
    await this.proxy.start();
    this.ports = { warehouse: await freePort(), orders: await freePort() };
    this.url = `http://127.0.0.1:${this.ports.orders}`;
    for (const name of ['warehouse', 'orders']) this.launch(name);
    for (const name of ['warehouse', 'orders']) await this.running(name);
    return this;
  }

  /** Starts one of the applications; `running` waits for it. */
  launch(name) {
    const settings = {
      CAMELEER_API_KEY: this.server.apiKey, CAMELEER_AGENT_SERVERURL: this.proxy.url, CAMELEER_AGENT_ENVIRONMENT: 'default',
      CAMELEER_AGENT_APPLICATION: name, CAMELEER_AGENT_INSTANCEID: this.agentId(name), ...this.env,
    };
    this[name] = name === 'warehouse'
      ? this.java(name, join(orders, this.version, 'warehouse.jar'), { ...settings, WAREHOUSE_PORT: this.ports.warehouse })
      : this.java(name, join(orders, this.version, 'orders/orders.jar'), { ...settings, ORDERS_PORT: this.ports.orders, WAREHOUSE_URL: `http://127.0.0.1:${this.ports.warehouse}` });
  }

  agentId(name) { return `${name}-1`; }

  /** The line comes after Camel has started its routes; the port answers earlier. */
  async running(name) {
    const child = this[name];
    await eventually(`${name} runs on Camel ${this.version}`, () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${child.text}`);
      return child.text.includes(`${name} listening on`);
    }, 120);
  }

  /** Ends one application in order, and starts it again as the same agent; gives its new command stream. */
  async restart(name) {
    await end(this[name]);
    await eventually(`the streams of ${name} have ended`, () => this.proxy.streams(this.agentId(name)).every(({ endedAt }) => endedAt));
    this.children = this.children.filter((child) => child !== this[name]);
    this.launch(name);
    await this.running(name);
    return this.proxy.streamOpened(this.agentId(name));
  }

  /** Both kinds of every message that the test caused went by, and every message had its published form. */
  assertProtocol(...kinds) {
    const missing = ['register', 'heartbeat', ...kinds].filter((kind) => this.proxy.answered(kind).length === 0);
    assert.deepEqual(missing, [], 'calls that no agent made');
    assert.deepEqual([...new Set(this.proxy.violations)].slice(0, 20), [], 'messages that are not as published');
  }

  java(name, jar, env) {
    const child = spawn('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...this.jvm, `-javaagent:${agent}`, '-jar', jar], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.text = '';
    const file = process.env.CAMELEER_ARTEFACTS ? createWriteStream(join(process.env.CAMELEER_ARTEFACTS, `${name}-${this.version}.log`)) : undefined;
    const log = logOf(name, child.pid);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { log(chunk); child.text = (child.text + chunk).slice(-20_000); file?.write(chunk); });
    this.children.push(child);
    return child;
  }

  /** Sends orders; gives what must have been recorded. */
  load(...args) {
    return new Promise((resolve, reject) => execFile(loadScript, [this.url, ...args.map(String)], { env: { ...process.env, ORDER_PREFIX: `o${Date.now().toString(36)}` } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)));
    }));
  }

  async stop() {
    await Promise.all(this.children.map(end));
    await this.proxy.stop();
  }
}

async function end(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  if (!(await Promise.race([ended.then(() => true), delay(20_000, undefined, { ref: false })]))) { child.kill('SIGKILL'); await ended; }
}

/** All executions of an environment, by pages, as {`route.status`: count}. */
export async function recordedByRoute(server, token, query = '') {
  const counts = {}, all = [];
  let cursor;
  do {
    const answer = await server.request('GET', `/api/v1/environments/default/executions?limit=200${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, { token });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    for (const item of answer.body.items) {
      counts[`${item.routeId}.${item.status.toLowerCase()}`] = (counts[`${item.routeId}.${item.status.toLowerCase()}`] ?? 0) + 1;
      all.push(item);
    }
    cursor = answer.body.nextCursor;
  } while (cursor);
  return { counts, all };
}
