// The orders fixture: two real Camel applications with the agent attached, sending to a server.
import { spawn, execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../integration/server_process.mjs';

const loadScript = fileURLToPath(new URL('../fixtures/orders/load.sh', import.meta.url));
const orders = process.env.CAMELEER_ORDERS, agent = process.env.CAMELEER_AGENT_JAR;
export const camelVersions = (process.env.CAMELEER_CAMEL_VERSIONS ?? '').split(' ').filter(Boolean);

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export class CamelSystem {
  constructor(server, version) {
    Object.assign(this, { server, version, children: [] });
  }

  async start() {
    const warehousePort = await freePort(), ordersPort = await freePort();
    const settings = { CAMELEER_API_KEY: this.server.apiKey, CAMELEER_AGENT_SERVERURL: this.server.url, CAMELEER_AGENT_ENVIRONMENT: 'default' };
    this.warehouse = this.java('warehouse', join(orders, this.version, 'warehouse.jar'), { ...settings, WAREHOUSE_PORT: warehousePort, CAMELEER_AGENT_APPLICATION: 'warehouse' });
    this.orders = this.java('orders', join(orders, this.version, 'orders/orders.jar'), {
      ...settings, ORDERS_PORT: ordersPort, WAREHOUSE_URL: `http://127.0.0.1:${warehousePort}`, CAMELEER_AGENT_APPLICATION: 'orders',
    });
    this.url = `http://127.0.0.1:${ordersPort}`;
    // The line comes after Camel has started its routes; the port answers earlier.
    for (const name of ['warehouse', 'orders']) {
      await eventually(`${name} runs on Camel ${this.version}`, () => {
        if (this[name].exitCode !== null) throw new Error(`it ended: ${this[name].text}`);
        return this[name].text.includes(`${name} listening on`);
      }, 120);
    }
    return this;
  }

  java(name, jar, env) {
    const child = spawn('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-javaagent:${agent}`, '-jar', jar], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.text = '';
    const file = process.env.CAMELEER_ARTEFACTS ? createWriteStream(join(process.env.CAMELEER_ARTEFACTS, `${name}-${this.version}.log`)) : undefined;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { child.text = (child.text + chunk).slice(-20_000); file?.write(chunk); });
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
    await Promise.all(this.children.map(async (child) => {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      if (!(await Promise.race([ended.then(() => true), delay(20_000, undefined, { ref: false })]))) { child.kill('SIGKILL'); await ended; }
    }));
  }
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
