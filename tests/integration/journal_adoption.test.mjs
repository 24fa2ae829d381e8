// Two server processes of one tenant that share a directory for their journals: what one acknowledged before its death shows by the other, or is told of.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually, processesWith } from './server_process.mjs';

const tenant = 'heirs';
const journals = mkdtempSync(join(tmpdir(), 'cameleer-journals-'));
const engines = new ServerProcess();
const masterKey = randomBytes(32).toString('base64');
let heir, dying, clickhouse;

const secretOf = (engine) => readFileSync(join(engines.folder, 'data', engine, 'password'), 'utf8').trim();

/** One more process of the tenant on the engines of the first server. */
function processOfTenant() {
  const { line } = engines.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  return new ServerProcess({
    ack: 'journal', flags: [`--tenant-id=${tenant}`, `--ingest.journal-dir=${journals}`],
    env: {
      CAMELEER_SERVER_SECURITY_MASTERKEY: masterKey,
      CAMELEER_SERVER_POSTGRES_URL: `host=${join(engines.folder, 'data/postgres/run')} port=5432 dbname=cameleer user=cameleer password=${secretOf('postgres')}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
      CAMELEER_SERVER_CLICKHOUSE_PASSWORD: secretOf('clickhouse'),
    },
  });
}

before(async () => {
  await engines.start();
  [clickhouse] = (await processesWith(join(engines.folder, 'data'))).filter((pid) => pid !== engines.pid
    && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
  heir = processOfTenant();
  await heir.start();
  dying = processOfTenant();
  await dying.start();
  dying.apiKey = heir.apiKey;  // the first start was the heir's
});
after(async () => {
  if (clickhouse) process.kill(clickhouse, 'SIGCONT');
  for (const one of [heir, engines]) if (one?.child) await one.dispose();
  if (dying) rmSync(dying.folder, { recursive: true, force: true });
  rmSync(journals, { recursive: true, force: true });
});

test('what a process acknowledged before its death shows by the other, once, and its journal is gone', async () => {
  const agent = await dying.registerAgent();
  assert.deepEqual(readdirSync(journals).sort(), [`${tenant}-0`, `${tenant}-1`]);
  process.kill(clickhouse, 'SIGSTOP');
  const acknowledged = [];
  for (let i = 0; i < 20; i++) {
    const { status, text } = await dying.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution(`heirloom-${i}`) });
    assert.equal(status, 202, text);
    acknowledged.push(`heirloom-${i}`);
  }
  await dying.kill();
  process.kill(clickhouse, 'SIGCONT');
  await eventually('the journal of the dead process is gone', () => readdirSync(journals).length === 1, 60);
  const token = await heir.adminToken();
  await eventually('all of them show', async () => {
    const { body } = await heir.request('GET', '/api/v1/environments/default/executions?limit=200', { token });
    assert.deepEqual(body.items.map((one) => one.executionId).sort(), acknowledged.sort());
    return true;
  });
});

test('a journal that cannot be read is told in the log, in readiness and as a figure, and stays as it is', async () => {
  const file = join(journals, `${tenant}-7`, 'data.mdb');
  mkdirSync(join(file, '..'));
  writeFileSync(file, 'x'.repeat(20_000));
  const warning = async () => (await heir.request('GET', '/health/ready')).body.warnings.find((one) => one.code === 'journal_unusable');
  await eventually('readiness warns', warning, 60);
  assert.match((await warning()).since, /^20/);
  const { text } = await heir.request('GET', '/metrics');
  assert.match(text, /^cameleer_ingest_journal_unusable 1$/m);
  const [told, ...again] = heir.lines.filter((line) => line.event === 'journal_unusable');
  assert.deepEqual([told.level, told.journal, again], ['warning', join(file, '..'), []]);
  assert.match(told.reason, /cannot be used/);
  assert.equal(readFileSync(file, 'utf8'), 'x'.repeat(20_000));
  rmSync(join(file, '..'), { recursive: true });
  await eventually('the warning is gone', async () => !(await warning()), 60);
});
