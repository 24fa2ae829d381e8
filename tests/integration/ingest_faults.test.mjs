// A store that is away, full or sick, and a disk without room: what was acknowledged shows exactly once in the end. The longer
// form of this is ./dev crash.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { anExecution, eventually } from './server_process.mjs';
import { poisoned } from '../crash/kinds.mjs';
import { runKind } from '../crash/run.mjs';
import { sicknesses } from '../crash/sick_store.mjs';
import { Trial } from '../crash/trial.mjs';

const seed = Number(process.env.CAMELEER_TEST_SEED ?? Date.now() % 1_000_000);
const trial = new Trial({ store: true, journalDisk: 64, storeDisk: 512 });
before(() => trial.start());
after(() => trial.dispose());

const drops = ['cameleer_ingest_set_aside_total', 'cameleer_ingest_set_aside_evicted_total', 'cameleer_ingest_rejected_total'];
const dropped = async () => (await Promise.all(drops.map((name) => trial.figure(name)))).reduce((sum, one) => sum + one, 0);
const warnings = async () => (await trial.ready()).body.warnings ?? [];

function allThere(checked) {
  assert.equal(checked.code, 0, checked.text);
  assert.equal(checked.found, checked.acknowledged, checked.text);
  assert.equal(checked.compared, checked.acknowledged, checked.text);
  assert.ok(checked.acknowledged > 0 && checked.processors > 0, checked.text);
}

test('the check of all rows sees one that is gone, changed or alone', async () => {
  const run = trial.load(seed * 100 + 99, '--agents', '3', '--count', '60', '--batch', '20');
  assert.equal((await run.ended).code, 0, run.output);
  allThere(await trial.check(run));
  const ids = (await trial.ask(`SELECT execution_id FROM executions FINAL WHERE startsWith(instance_id, 'sim-${seed * 100 + 99}-') ORDER BY execution_id LIMIT 3`)).split('\n');
  for (const [index, [statement, difference]] of [
    ['ALTER TABLE processor_executions UPDATE duration_ms = duration_ms + 1 WHERE execution_id = {} AND seq = 4', 'wrong content'],
    ['ALTER TABLE processor_executions DELETE WHERE execution_id = {} AND seq = 2', 'wrong processors'],
    ['ALTER TABLE executions DELETE WHERE execution_id = {}', 'wrong status'],
  ].entries()) {
    await trial.ask(`${statement.replace('{}', `'${ids[index]}'`)} SETTINGS mutations_sync = 2`);
    const { code, text } = await trial.check(run);
    assert.equal(code, 1, text);
    assert.match(text, new RegExp(`^${difference} .*${ids[index]}`, 'm'));
  }
});

describe('a store that', () => {
  for (const [index, sickness] of sicknesses.entries()) {
    test(sickness.name, async () => {
      const retried = () => trial.figure('cameleer_ingest_journal_retries_total');
      const [retries, drop] = [await retried(), await dropped()];
      await trial.proxy.be(sickness);
      const run = trial.load(seed * 100 + index, '--agents', '3', '--count', '60', '--batch', '10', '--rate', '0');
      assert.equal((await run.ended).code, 0, run.output);
      if (!sickness.isClosed) await eventually('the sickness is met', () => trial.proxy.met > 0);
      if (sickness.down) {
        const { body } = await eventually('readiness tells', async () => { const answer = await trial.ready(); return answer.status === 503 && answer; });
        assert.equal(body.dependencies.clickhouse.status, 'DOWN');
        assert.notEqual(body.dependencies.clickhouse.detail, '');
      } else if (!sickness.delivers && !sickness.isMute) {
        await eventually('readiness warns', async () => (await warnings()).some(({ code, detail }) => code === 'store_refuses_rows' && detail));
      }
      if (!sickness.delivers && !sickness.isMute) await eventually('it was tried again', async () => await retried() > retries + 1);
      await trial.proxy.be(undefined);
      const checked = await trial.check(run);
      allThere(checked);
      assert.equal(checked.acknowledged, 60);
      assert.equal(await retried() > retries, !sickness.delivers, 'deliveries were repeated');
      assert.equal(await dropped(), drop);
      await eventually('readiness is well by itself', async () => (await trial.ready()).status === 200 && !(await warnings()).some(({ code }) => code === 'store_refuses_rows'));
    });
  }
});

describe('a fault under load', () => {
  for (const [index, [kind, rounds, more]] of [['server', 2], ['store-away', 1, { seconds: 4 }], ['disk-full', 1], ['store-full', 1]].entries()) {
    test(kind, async (context) => {
      const drop = await dropped();
      allThere(await runKind(kind, { rounds, seed: seed * 100 + 50 + index, rate: 150, trial, more, say: (line) => context.diagnostic(line) }));
      assert.ok(await dropped() <= drop, 'nothing is dropped');
    });
  }

  test('a journal without room for a byte refuses with 503 and says when to come again', async () => {
    const agent = await trial.server.registerAgent('patient');
    const send = (id) => trial.server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution(id, { attributes: { text: String(Math.random()).repeat(3000) } }) });
    const taken = [], disk = trial.disk('journal');
    let refused;
    process.kill(trial.store.pid, 'SIGSTOP');
    try {
      disk.fill();
      for (let i = 0; i < 500 && !refused; i++) {
        const answer = await send(`patient-${i}`);
        if (answer.status === 202) taken.push(`patient-${i}`);
        else refused = answer;
      }
      assert.deepEqual([refused?.status, refused?.body.code], [503, 'unavailable'], refused?.text);
      assert.ok(Number(refused.headers.get('retry-after')) > 0);
      assert.ok((await warnings()).some(({ code }) => code === 'journal_full'));
    } finally {
      disk.empty();
      process.kill(trial.store.pid, 'SIGCONT');
    }
    const again = await eventually('it takes data by itself', async () => { const answer = await send('patient-again'); return answer.status === 202 && answer; });
    assert.equal(again.status, 202);
    await trial.delivered();
    const shown = await trial.ask("SELECT execution_id, count() FROM executions FINAL WHERE startsWith(execution_id, 'patient-') GROUP BY execution_id");
    assert.deepEqual(Object.fromEntries(shown.split('\n').map((line) => line.split('\t'))), Object.fromEntries([...taken, 'patient-again'].map((id) => [id, '1'])));
  });
});

// Last: the rows of this are set aside.
describe('a row that the store refuses', () => {
  test('for its content is set aside with its request, and the rows of other agents pass', async (context) => {
    allThere(await runKind('poisoned', { rounds: 2, seed: seed * 100 + 70, rate: 100, trial, say: (line) => context.diagnostic(line) }));
    assert.equal(await trial.figure('cameleer_ingest_set_aside_total', 'reason="refused_by_store"'), trial.poisonedRows);
    const stored = await trial.ask("SELECT count() FROM executions FINAL WHERE startsWith(execution_id, 'poisoned-')");
    assert.equal(stored, '0');
    await eventually('readiness tells', async () => (await warnings()).some(({ code }) => code === 'rows_set_aside'));
  });

  test('for a reason that nobody knows keeps nobody waiting', async () => {
    const marked = async (exchange) => exchange.isInsert && (await exchange.text()).includes('marked-one');
    await trial.proxy.be({ name: 'does not like one row', of: marked, treat: (exchange) => exchange.refuse(49, 'LOGICAL_ERROR', 'Bad cast from type A to B') });
    const agent = await trial.server.registerAgent('marked');
    const answer = await trial.server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution('marked-one') });
    assert.equal(answer.status, 202, answer.text);
    await eventually('it is refused', () => trial.proxy.met > 0);
    const run = trial.load(seed * 100 + 80, '--agents', '4', '--count', '200', '--batch', '20', '--rate', '0');
    assert.equal((await run.ended).code, 0, run.output);
    await eventually('the others are stored', async () => await trial.ask(`SELECT count() FROM executions FINAL WHERE startsWith(instance_id, 'sim-${seed * 100 + 80}-')`) === '200', 60);
    await trial.proxy.be(undefined);
    allThere(await trial.check(run));
  });
});
