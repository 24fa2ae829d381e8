// kill -9 of the engine and of the server under load, at random moments and at the worst one: what was acknowledged shows exactly
// once in the end. The longer form of this is ./dev crash.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { runKind } from '../crash/run.mjs';
import { Trial } from '../crash/trial.mjs';

const seed = Number(process.env.CAMELEER_TEST_SEED ?? Date.now() % 1_000_000);
const trial = new Trial();
before(() => trial.start());
after(() => trial.dispose());

const cases = [
  { name: 'the engine dies at random moments', kind: 'engine', rounds: 2 },
  { name: 'engine and server die within a moment', kind: 'both', rounds: 3 },
  { name: 'the engine dies when it is about to rename a part', kind: 'rename', rounds: 3, atParts: true },
  { name: 'the engine dies between its deduplication log and the rename of the part', kind: 'rename-window', rounds: 2, atParts: true },
];
for (const [index, { name, kind, rounds, atParts }] of cases.entries()) {
  test(name, async (context) => {
    const checked = await runKind(kind, { rounds, seed: seed * 10 + index, rate: 120, trial, say: (line) => context.diagnostic(line) });
    assert.equal(checked.code, 0, checked.text);
    assert.ok(checked.acknowledged > 0 && checked.processors > 0, checked.text);
    assert.deepEqual([checked.found, checked.compared], [checked.acknowledged, checked.acknowledged], checked.text);
    if (atParts) assert.ok(checked.noted.some((call) => /\/tmp_insert_[^/]*\/?$/.test(call.from)), `no part of an insert was about to be renamed: ${JSON.stringify(checked.noted)}`);
  });
}
