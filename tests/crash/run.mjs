// Breaks a server's surroundings under simulated agents, round after round, and checks in the end that everything that was acknowledged
// shows exactly once, whole.
//
//     node tests/crash/run.mjs [rounds] [kind…] [--seed N] [--rate N]        (./dev crash …)
import { parseArgs } from 'node:util';
import { kinds } from './kinds.mjs';
import { series } from './series.mjs';
import { Trial } from './trial.mjs';

/**
 * @param {string} name one of `kinds`
 * @param {{rounds?: number, seed?: number, rate?: number, trial?: Trial, more?: object, say?: (line: string) => void}} options `rate` 0: as fast as
 *   is acknowledged. `trial`: one that was started already, and stays. `more`: what the kind's round takes besides.
 * @returns {Promise<{code: number, text: string, load: string, noted: object[]}>} of the check; 0: all is there, once
 */
export async function runKind(name, { rounds = kinds[name].rounds, seed = Date.now() % 1_000_000, rate = 0, trial: given, more = {}, say = console.log } = {}) {
  const kind = kinds[name], random = series(seed), noted = [];
  const trial = given ?? new Trial(kind.trial);
  say(`${name}: seed ${seed}, ${rounds} rounds`);
  try {
    if (!given) await trial.start();
    await kind.prepare?.(trial);
    const run = trial.load(seed, '--agents', '4', '--connections-per-agent', '2', '--rate', String(rate), '--batch', '20', '--duration', '86400');
    for (let number = 1; number <= rounds; number++) {
      await kind.round({ trial, run, random, number, say: (line) => say(`${name} ${number}: ${line}`), note: (what) => noted.push(what), ...more });
    }
    await run.grows('in the end');
    const { output: load } = await run.stop();
    await trial.delivered(600);
    const checked = await trial.check(run);
    const setAside = trial.rejected().length, expected = kind.setAside?.(trial) ?? 0;
    if (setAside !== expected) return { ...checked, code: 1, load, noted, text: `${checked.text}${setAside} requests were set aside, not ${expected}\n` };
    return { ...checked, load, noted };
  } finally {
    if (!given) await trial.dispose();
  }
}

if (import.meta.filename === process.argv[1]) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' }, rate: { type: 'string', default: '0' } } });
  const rounds = /^\d+$/.test(positionals[0] ?? '') ? Number(positionals.shift()) : undefined;
  const names = positionals.length ? positionals : Object.keys(kinds);
  const unknown = names.filter((name) => !Object.hasOwn(kinds, name));
  if (unknown.length) {
    console.error(`crash: there is no kind ${unknown.join(', ')}: ${Object.keys(kinds).join(' ')}`);
    process.exit(2);
  }
  const failed = [];
  for (const name of names) {
    const begun = Date.now();
    const result = await runKind(name, { ...(rounds ? { rounds } : {}), ...(values.seed ? { seed: Number(values.seed) } : {}), rate: Number(values.rate) })
      .catch((error) => ({ code: 1, load: '', text: `${error.stack}\n` }));
    console.log(`${result.load}\n${result.text}${name}: ${result.code === 0 ? 'nothing lost, nothing twice' : 'FAILED'}, ${Math.round((Date.now() - begun) / 1000)} s\n`);
    if (result.code !== 0) failed.push(name);
  }
  if (failed.length) console.error(`crash: did not end well: ${failed.join(' ')}`);
  process.exitCode = failed.length ? 1 : 0;
}
