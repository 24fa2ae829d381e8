// The server's figures of itself: what /metrics and readiness show, what is kept of it, and what can be asked of that.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ServerProcess, anExecution, eventually, processesWith } from './server_process.mjs';

const flags = (instance) => ['--self-metrics.interval-ms=1000', `--instance-id=${instance}`];
const server = new ServerProcess({ ack: 'journal', flags: flags('one') });
let admin, beside;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(async () => {
  if (beside?.child) await beside.dispose();
  await server.dispose();
});

const ask = (path = '', at = server) => at.request('GET', `/api/v1/admin/server-metrics${path}`, { token: admin });
async function known() {
  const answer = await ask();
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
async function query(parameters) {
  const answer = await ask(`/query?${new URLSearchParams(parameters)}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
const sum = (series) => series.flatMap((one) => one.points).reduce((total, { value }) => total + value, 0);
const latest = (series) => series.points.at(-1).value;

/** The lines of /metrics: a map of name and labels to the value. */
async function figures(at = server) {
  const { text } = await at.request('GET', '/metrics');
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}
/** Rows of the embedded ClickHouse, in the tenant's database. */
async function rows(statement) {
  const { line } = server.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  const answer = await fetch(`http://${line.slice('listening '.length)}/?database=tenant_default&default_format=JSONEachRow`, {
    method: 'POST', body: statement,
    headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': readFileSync(join(server.folder, 'data/clickhouse/password'), 'utf8').trim() },
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text.split('\n').filter(Boolean).map((one) => JSON.parse(one));
}
async function engine() {
  const [pid] = (await processesWith(join(server.folder, 'data'))).filter((one) => one !== server.pid
    && readFileSync(`/proc/${one}/cmdline`, 'utf8').split('\0')[0].endsWith('cameleer-clickhouse'));
  return pid;
}

test('samples are kept with process, time and labels, for 90 days', async () => {
  await eventually('the first samples are stored', async () => (await known()).metrics.length > 0);
  const { metrics, instances } = await known();
  assert.deepEqual(instances.map((one) => one.instanceId), ['one']);
  assert.ok(instances[0].startedAt <= instances[0].firstSampleAt && instances[0].firstSampleAt <= instances[0].lastSampleAt);
  const dependency = metrics.find((one) => one.name === 'cameleer_dependency_up');
  assert.deepEqual(dependency, { name: 'cameleer_dependency_up', type: 'gauge', labels: ['dependency'], series: 2 });
  const { type, stepSeconds, series } = await query({ name: 'cameleer_dependency_up', label: 'dependency=clickhouse', value: 'min' });
  assert.deepEqual([type, stepSeconds, series.length, series[0].instanceId, series[0].labels], ['gauge', 12, 1, 'one', { dependency: 'clickhouse' }]);
  assert.equal(latest(series[0]), 1);
  const [{ ddl }] = await rows("SELECT create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND name = 'server_metrics'");
  assert.match(ddl, /TTL toDateTime\(time\) \+ toIntervalDay\(90\)/);
  assert.match(ddl, /ENGINE = ReplacingMergeTree PARTITION BY \(tenant_id, toYYYYMM\(time\)\)/);
  assert.doesNotMatch(ddl, /environment/);
});

test('growth is told exactly, across a restart and by two processes that do not mix', async () => {
  const counted = { name: 'cameleer_http_requests_total', label: 'operation=healthLive', value: 'delta' };
  const live = async (at, times) => { for (let i = 0; i < times; i++) assert.equal((await at.request('GET', '/health/live')).status, 200); };
  await live(server, 7);
  await server.stop();
  await server.start();
  admin = await server.adminToken();
  await live(server, 5);
  await eventually('both lives of the process are told', async () => sum((await query(counted)).series) === 12);

  const { line } = server.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  const secretOf = (name) => readFileSync(join(server.folder, 'data', name, 'password'), 'utf8').trim();
  beside = new ServerProcess({
    flags: flags('two'), env: {
      CAMELEER_SERVER_SECURITY_MASTERKEY: readFileSync(join(server.folder, 'data/master.key')).toString('base64'),
      CAMELEER_SERVER_POSTGRES_URL: `host=${join(server.folder, 'data/postgres/run')} port=5432 dbname=cameleer user=cameleer password=${secretOf('postgres')}`,
      CAMELEER_SERVER_CLICKHOUSE_URL: `http://${line.slice('listening '.length)}`, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer', CAMELEER_SERVER_CLICKHOUSE_PASSWORD: secretOf('clickhouse'),
    },
  });
  await beside.start();
  await live(beside, 3);
  await eventually('each process is told apart', async () => {
    const { series } = await query(counted);
    return JSON.stringify(series.map((one) => [one.instanceId, sum([one])])) === '[["one",12],["two",3]]';
  });
  const only = await query({ ...counted, instanceId: 'two', value: 'rate', step: 60 });
  assert.deepEqual(only.series.map((one) => one.instanceId), ['two']);
  assert.equal(Math.round(sum(only.series) * 60), 3);
  await beside.dispose();
  beside = undefined;
});

test('while the store stands still samples wait and nothing else does; then they are stored', async () => {
  const pid = await engine();
  const agent = await server.registerAgent();
  const name = 'cameleer_server_metrics_waiting_bytes';
  process.kill(pid, 'SIGSTOP');
  try {
    await eventually('samples wait', async () => (await figures()).get(name) > 0);
    const before = (await figures()).get(name);
    assert.equal((await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution('waiting') })).status, 202);
    await eventually('more of them wait', async () => (await figures()).get(name) > before);
    const ready = await eventually('readiness tells', async () => {
      const answer = await server.request('GET', '/health/ready');
      return answer.status === 503 && answer;
    });
    const { clickhouse, postgres } = ready.body.dependencies;
    assert.deepEqual(postgres, { status: 'UP' });
    assert.equal(clickhouse.status, 'DOWN');
    assert.ok(Math.abs(Date.parse(clickhouse.since) - Date.now()) < 60_000);
    assert.match(clickhouse.detail, /^does not answer/);
    assert.ok(ready.body.ingest.journal.records >= 1);
    // Anybody may ask: no address, no path, no name.
    assert.doesNotMatch(ready.text, /127\.0\.0\.1|localhost|http|tenant_|Exception/);
    assert.ok(!ready.text.includes(server.folder));
    assert.ok(server.lines.some((one) => one.event === 'dependency_down' && one.dependency === 'clickhouse' && one.reason.length > 0));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually('all of them are stored', async () => {
    const now = await figures();
    return now.get(name) === 0 && now.get('cameleer_ingest_journal_records') === 0;
  }, 60);
  const now = await figures();
  assert.equal(now.get('cameleer_server_metrics_dropped_total{reason="store_away"}'), 0);
  assert.equal(now.get('cameleer_server_metrics_dropped_total{reason="too_many_series"}'), 0);
  // An execution, its three steps and its route; what was repeated counts again.
  assert.ok(now.get('cameleer_ingest_batch_rows_sum') >= 5);
  for (const name of ['batch_rows', 'batch_bytes', 'insert_seconds', 'lag_seconds', 'journal_commit_seconds']) {
    assert.ok(now.get(`cameleer_ingest_${name}_count`) >= 1, name);
    assert.equal(now.get(`cameleer_ingest_${name}_bucket{le="+Inf"}`), now.get(`cameleer_ingest_${name}_count`));
  }
  assert.ok(now.get('cameleer_ingest_lag_seconds_sum') >= 1, 'it stood still for longer');
  await eventually('it is ready again', async () => (await server.request('GET', '/health/ready')).status === 200);
  const [{ stood }] = await rows("SELECT toUInt32(count()) AS stood FROM server_metrics FINAL WHERE metric_name = 'cameleer_dependency_up' AND labels['dependency'] = 'clickhouse' AND value = 0 AND time > started_at + 5");
  assert.ok(stood > 0, 'what it was like meanwhile is there');
});

describe('a query', () => {
  const wrong = [
    ['nothing', '', 'name'], ['no name', 'from=2026-11-22T00:00:00Z', 'name'], ['a name with a quotation mark', "name=a'b", 'name'], ['a name of 300', `name=${'a'.repeat(300)}`, 'name'],
    ['two names', 'name=a&name=b', 'name'],
    ['31 days and a second', 'name=a&from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:01Z', 'from'], ['an end before the beginning', 'name=a&from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z', 'from'],
    ['a time without offset', 'name=a&to=2026-10-02T00:00:00', 'to'], ['a step of nothing', 'name=a&step=0', 'step'], ['a step in words', 'name=a&step=1m', 'step'],
    ['too many steps', 'name=a&from=2026-10-01T00:00:00Z&to=2026-10-31T00:00:00Z&step=60', 'step'], ['an unknown value', 'name=a&value=p99', 'value'],
    ['a label without value', 'name=a&label=kind', 'label'], ['a label that is SQL', "name=a&label=k'%5D%20OR%201=1", 'label'], ['21 labels', `name=a${'&label=a=b'.repeat(21)}`, 'label'],
    ['an empty instance', 'name=a&instanceId=', 'instanceId'], ['something unknown', 'name=a&sql=1', 'sql'],
    ['the growth of a gauge', 'name=cameleer_dependency_up&value=rate', 'value'],
  ];
  for (const [what, parameters, member] of wrong) {
    test(`with ${what} is refused, and says which`, async () => {
      const answer = await ask(`/query?${parameters}`);
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.body.code, 'invalid_parameter');
      assert.equal(answer.body.member, member);
    });
  }

  test('for what is not there has no series, and values are never SQL', async () => {
    for (const parameters of [{ name: 'no_such_metric' }, { name: 'cameleer_dependency_up', label: "dependency=' OR 1=1 --" }, { name: 'cameleer_dependency_up', instanceId: "one') OR ('1'='1" }]) {
      const body = await query(parameters);
      assert.deepEqual([body.type, body.series], [undefined, []]);
    }
  });

  test('over 500 series is refused, one over fewer is not', async () => {
    const table = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8');
    const operations = [...table.matchAll(/^\| \w+ \| `(\w+) (\/api\/[^`]+)` \|/gm)].filter(([, , path]) => !path.includes('stream'));
    assert.ok(operations.length > 60);
    for (const [, method, path] of operations) await server.request(method, path.replace(/\{\w+\}/g, 'x'));
    const name = 'cameleer_http_request_duration_seconds_bucket';
    await eventually('there are more than 500', async () => (await known()).metrics.find((one) => one.name === name).series > 500);
    const answer = await ask(`/query?name=${name}`);
    assert.deepEqual([answer.status, answer.body.member], [400, 'name'], answer.text);
    const { type, series } = await query({ name, label: 'operation=me', value: 'delta' });
    assert.equal(type, 'histogram');
    assert.ok(series.length > 1 && series.every((one) => one.labels.operation === 'me' && one.labels.le));
  });

  test('over 100,000 points is refused', async () => {
    const name = 'cameleer_http_requests_total';
    await eventually('there are series enough', async () => (await known()).metrics.find((one) => one.name === name).series * 1400 > 100_000);
    const to = Date.now(), from = to - 1400 * 1000;
    const answer = await ask(`/query?${new URLSearchParams({ name, from: new Date(from).toISOString(), to: new Date(to).toISOString(), step: 1 })}`);
    assert.deepEqual([answer.status, answer.body.member], [400, 'step'], answer.text);
  });
});

/** Names of metrics as Prometheus knows them, from what a running server shows. */
async function shownNames() {
  const { text } = await server.request('GET', '/metrics');
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const series = [...types].flatMap(([name, type]) => (type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name]));
  return { types, series: new Set(series) };
}

test('docs/metrics.md and a running server have the same metrics, with the same types and labels', async () => {
  const { types } = await shownNames();
  const table = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const documented = new Map([...table.matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, type, labels]) => [name, { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort() }]));
  assert.deepEqual(Object.fromEntries([...documented].map(([name, { type }]) => [name, type]).sort()), Object.fromEntries([...types].sort()));
  for (const line of (await figures()).keys()) {
    const [, name, labels] = /^(\w+)(?:\{(.*)\})?$/.exec(line);
    const own = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le').sort();
    const entry = documented.get(name) ?? documented.get(name.replace(/_(bucket|sum|count)$/, ''));
    assert.deepEqual(own, entry.labels, line);
  }
});

/** Every expression in deploy/grafana, with where it stands. */
function expressions() {
  const folder = new URL('../../deploy/grafana/', import.meta.url);
  const found = [];
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const walk = (value) => {
      if (value === null || typeof value !== 'object') return;
      if (typeof value.expr === 'string') found.push([file, value.expr]);
      Object.values(value).forEach(walk);
    };
    walk(file.endsWith('.json') ? JSON.parse(text) : parse(text));
  }
  return found;
}

test('every expression in deploy/grafana is PromQL over metrics that a running server shows', async () => {
  const { series } = await shownNames();
  const all = expressions();
  assert.ok(all.length > 40);
  const asked = new Set();
  for (const [file, written] of all) {
    // What Grafana puts in before it asks.
    const expression = written.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
    parser.parse(expression).iterate({
      enter(node) {
        assert.ok(!node.type.isError, `${file}: ${expression}: wrong at ${node.from}`);
        if (node.name === 'VectorSelector') asked.add(/^\w+/.exec(expression.slice(node.from))[0]);
      },
    });
  }
  assert.deepEqual([...asked].filter((name) => !series.has(name)), []);
  assert.ok(asked.size > 20);
});

test('the alert rules of ingest are what Grafana provisions', () => {
  const { apiVersion, groups: [group] } = parse(readFileSync(new URL('../../deploy/grafana/ingest-alerts.yaml', import.meta.url), 'utf8'));
  assert.deepEqual([apiVersion, group.orgId, group.name, group.folder, group.interval], [1, 1, 'cameleer-ingest', 'Cameleer', '1m']);
  for (const rule of group.rules) {
    assert.match(rule.uid, /^[a-zA-Z0-9-_]{1,40}$/);
    assert.match(rule.for, /^\d+[mh]$/);
    assert.ok(rule.title && rule.annotations.summary && rule.annotations.description && rule.labels.severity);
    const [asked, threshold] = rule.data;
    assert.deepEqual([rule.condition, asked.refId, asked.model.refId, threshold.refId, threshold.datasourceUid, threshold.model.type, threshold.model.expression],
      ['B', 'A', 'A', 'B', '__expr__', 'threshold', 'A']);
  }
  assert.equal(new Set(group.rules.map((rule) => rule.uid)).size, group.rules.length);
  const evaluator = (uid) => group.rules.find((rule) => rule.uid === `cameleer-ingest-${uid}`).data[1].model.conditions[0].evaluator;
  assert.deepEqual(evaluator('journal-80'), { type: 'gt', params: [0.8] });
  assert.deepEqual(evaluator('lag-60s'), { type: 'gt', params: [60] });
  assert.deepEqual(evaluator('set-aside'), { type: 'gt', params: [0] });
  assert.deepEqual(evaluator('store-away'), { type: 'lt', params: [1] });
});

test('the dashboard is one that Grafana imports: panels that do not overlap, a source to choose', () => {
  const dashboard = JSON.parse(readFileSync(new URL('../../deploy/grafana/ingest-dashboard.json', import.meta.url), 'utf8'));
  assert.deepEqual(dashboard.templating.list.map((one) => [one.name, one.type]), [['datasource', 'datasource'], ['instance', 'query']]);
  const cells = new Set();
  for (const panel of dashboard.panels) {
    const { x, y, w, h } = panel.gridPos;
    assert.ok(panel.title && x + w <= 24, panel.title);
    for (let row = y; row < y + h; row++) for (let column = x; column < x + w; column++) {
      assert.ok(!cells.has(`${column}/${row}`), `${panel.title} overlaps`);
      cells.add(`${column}/${row}`);
    }
    if (panel.type === 'row') continue;
    assert.ok(panel.description && panel.targets.length > 0, panel.title);
    for (const target of panel.targets) assert.equal(target.datasource.uid, '${datasource}');
  }
  assert.equal(new Set(dashboard.panels.map((one) => one.id)).size, dashboard.panels.length);
});
