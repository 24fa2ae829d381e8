// Roll-ups of a real server: equal to what the rows give, after replays, late data and the death of the server within a step.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually } from './server_process.mjs';

const minute = 60_000;

describe('roll-ups', () => {
  const server = new ServerProcess({ flags: ['--rollups.delay-s=1'] });
  const now = Date.now();
  let agent;
  before(async () => { await server.start(); agent = await server.registerAgent(); });
  after(() => server.dispose());

  /** What a statement gives in the tenant's database. */
  async function ask(statement) {
    const { line } = server.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
    const secret = readFileSync(join(server.folder, 'data/clickhouse/password'), 'utf8').trim();
    const answer = await fetch(`http://${line.slice('listening '.length)}/?database=tenant_default&default_format=TabSeparatedRaw`,
      { method: 'POST', body: statement, headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': secret } });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${text}\n${statement}`);
    return text.trim();
  }

  async function figure(name) {
    const { text } = await server.request('GET', '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    assert.ok(line, `a figure ${name}`);
    return Number(line.split(' ').at(-1));
  }

  async function send(...executions) {
    for (let first = 0; first < executions.length; first += 100) {
      const answer = await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: executions.slice(first, first + 100) });
      assert.equal(answer.status, 202, answer.text);
    }
  }

  const minutesAgo = (count) => now - count * minute;
  const position = (column = 'taken_before') => Number(server.sql(`select coalesce(extract(epoch from ${column}) * 1000, 0)::bigint from rollup_job`));

  /** Waits until all that was answered so far is looked at. */
  async function rolledUp() {
    const sent = Date.now() + 1;
    await eventually('the arrivals are rolled up', async () => position() > sent && Date.now() - await figure('cameleer_rollup_lag_seconds{of="arrivals"}') * 1000 > sent, 120);
  }

  /** Both tables, whole, against the rows. */
  async function compare() {
    const before = position('minutes_before');
    for (const [rolled, raw, keys] of [['route_minutes', 'executions', 'environment, minute, application, route_id'],
      ['processor_minutes', 'processor_executions', 'environment, minute, application, route_id, processor_id, processor_type']]) {
      const stored = `SELECT ${keys}, finished, failed, duration_sum, duration_max FROM ${rolled} FINAL WHERE finished > 0 AND minute < fromUnixTimestamp64Milli(${before})`;
      const computed = `SELECT ${keys}, count(), countIf(status = 'FAILED'), sum(duration_ms), max(duration_ms) FROM
        (SELECT *, toStartOfMinute(start_time) AS minute FROM ${raw} FINAL WHERE status != 'RUNNING' AND start_time < fromUnixTimestamp64Milli(${before})) GROUP BY ${keys}`;
      assert.equal(await ask(`SELECT * FROM (${stored} EXCEPT ${computed}) LIMIT 5`), '', rolled);
      assert.equal(await ask(`SELECT * FROM (${computed} EXCEPT ${stored}) LIMIT 5`), '', rolled);
    }
    return Number(await ask(`SELECT sum(finished) FROM route_minutes FINAL WHERE minute < fromUnixTimestamp64Milli(${minutesAgo(10)})`));
  }

  test('count what ended, once, and leave the newest minutes out', async () => {
    const running = { status: 'RUNNING', endTime: undefined, durationMs: undefined, processorExecutions: [] };
    const whole = Array.from({ length: 50 }, (_, i) => anExecution(`whole-${i}`, { startTime: minutesAgo(30) + i * 7_000, status: i % 5 ? 'COMPLETED' : 'FAILED', durationMs: i }));
    await send(...whole, anExecution('running', { ...running, startTime: minutesAgo(30) }), anExecution('new'));
    await send(...whole);
    await rolledUp();
    assert.equal(await compare(), 50);
    await send(anExecution('running', { startTime: minutesAgo(30) }), anExecution('late', { startTime: minutesAgo(300) }), whole[7]);
    await rolledUp();
    assert.equal(await compare(), 52);
    assert.equal(await figure('cameleer_rollup_failures_total'), 0);
  });

  test('are whole after the server was killed within a step', async () => {
    const computed = await figure('cameleer_rollup_minutes_total{table="route_minutes"}');
    const taken = position();
    // Minutes apart from each other: each is a statement of its own.
    await send(...Array.from({ length: 40 }, (_, i) => anExecution(`apart-${i}`, { startTime: minutesAgo(310 + 5 * i) })));
    await eventually('a step is under way', async () => await figure('cameleer_rollup_minutes_total{table="route_minutes"}') > computed + 2, 60);
    await server.kill();
    await server.start();
    assert.ok(position('minutes_before') > 0 && position() >= taken);
    // Nobody waits for the dead: its lease ends now and not within a minute.
    server.sql('update rollup_job set held_until = now()');
    await rolledUp();
    assert.equal(await compare(), 92);
    agent = await server.registerAgent();
    await send(anExecution('afterwards', { startTime: minutesAgo(400) }));
    await rolledUp();
    assert.equal(await compare(), 93);
  });
});
