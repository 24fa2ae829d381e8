// Kills the server with SIGKILL at random moments, also while it starts, while agents send; in the end everything that
// was acknowledged is there, once. Its embedded engines die with it: that is intended.
//
//     node tests/crash/kill_server.mjs [rounds [seed]]        (./dev crash [rounds])
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess, build, eventually } from '../integration/server_process.mjs';

const simulator = join(build, 'bin/agent-sim');

/** A repeatable series of numbers in [0, 1) (mulberry32). */
function series(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The agents' process: what it printed, and how it ended. */
function startAgents(flags) {
  const child = spawn(simulator, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const agents = { child, output: '' };
  child.stdout.on('data', (chunk) => { agents.output += chunk; });
  child.stderr.on('data', (chunk) => { agents.output += chunk; });
  agents.ended = new Promise((resolve) => child.on('exit', (code, signal) => { agents.exited = { code, signal }; resolve(agents.exited); }));
  return agents;
}

/** Starts the server and kills it before it says that it started, `after` ms from now; false: it was quicker. */
async function killWhileStarting(server, after) {
  const starting = server.start().then(() => true, () => false);
  await delay(after);
  await server.kill();
  return !await starting;
}

/**
 * @param {{rounds?: number, seed?: number, rate?: number, flags?: string[], say?: (line: string) => void}} options
 * @returns {Promise<{code: number, table: string, load: string}>} of the check
 */
export async function killRounds({ rounds = 20, seed = Date.now() % 1_000_000, rate = 300, flags = [], say = console.log } = {}) {
  const random = series(seed);
  const folder = mkdtempSync(join(tmpdir(), 'cameleer-crash-'));
  const ledger = join(folder, 'ledger');
  const size = () => (existsSync(ledger) ? statSync(ledger).size : 0);
  const server = new ServerProcess({ ack: 'journal' });
  let agents;
  say(`seed ${seed}, ${rounds} rounds`);
  try {
    await server.start();
    const secrets = join(server.folder, 'data/first-start.txt');
    agents = startAgents(['load', '--url', server.url, '--secrets', secrets, '--agents', '6', '--rate', String(rate), '--batch', '20', '--payload', '2x200',
      '--duration', '86400', '--give-up-after', '600', '--ledger', ledger, '--seed', String(seed), ...flags]);
    const grows = async (what) => {
      const before = size();
      await eventually(what, () => { if (agents.exited) throw new Error(`the agents ended: ${agents.output}`); return size() > before; }, 90);
    };
    for (let round = 1; round <= rounds; round++) {
      await grows(`something is acknowledged in round ${round}`);
      const wait = Math.round(random() * 3000);
      await delay(wait);
      await server.kill();
      say(`round ${round}: killed ${wait} ms after the first acknowledgement, ledger ${size()} bytes`);
      if (random() < 0.3) {
        const after = Math.round(random() * 2500);
        say(`round ${round}: killed again ${after} ms into the start${await killWhileStarting(server, after) ? '' : ', which was over'}`);
      }
      await server.start();
    }
    await grows('something is acknowledged in the end');
    agents.child.kill('SIGTERM');
    const ended = await Promise.race([agents.ended, delay(120_000, undefined, { ref: false })]);
    if (!ended || ended.code !== 0) throw new Error(`the agents ended with ${JSON.stringify(ended)}\n${agents.output}`);
    const check = spawnSync(simulator, ['check', '--url', server.url, '--secrets', secrets, '--ledger', ledger], { encoding: 'utf8' });
    return { code: check.status, table: check.stdout + check.stderr, load: agents.output };
  } finally {
    if (agents && !agents.exited) agents.child.kill('SIGKILL');
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) {
  const [rounds = '20', seed] = process.argv.slice(2);
  const result = await killRounds({ rounds: Number(rounds), ...(seed ? { seed: Number(seed) } : {}) });
  console.log(`${result.load}\n${result.table}`);
  process.exitCode = result.code === 0 ? 0 : 1;
}
