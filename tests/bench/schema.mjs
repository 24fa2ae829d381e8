// What the telemetry schema costs and gives: bytes on disk a row, processor time of an insert and of the merge behind it, and the time of the product's own
// queries; for the schema as shipped and for what it was chosen against (docs/adr/0016-clickhouse-schema.md).
import { least, median } from './figures.mjs';
import { Engine, schemaFiles } from './schema_engine.mjs';
import { indexed, queries } from './schema_queries.mjs';
import { fill, makeRows } from './schema_rows.mjs';

const executions = Number(process.env.CAMELEER_BENCH_EXECUTIONS ?? 200_000);
const withSteps = Math.min(executions, Number(process.env.CAMELEER_BENCH_WITH_STEPS ?? 40_000));
const rounds = Number(process.env.CAMELEER_BENCH_ROUNDS ?? 3);
const runs = 15;
const shipped = schemaFiles().at(-1).version;
const first = 2;  // the schema before indexes and codecs were measured

const without = (table, ...indexes) => indexes.map((index) => `ALTER TABLE ${table} DROP INDEX ${index}`);
const codec = (table, of) => Object.entries(of).map(([column, text]) => `ALTER TABLE ${table} MODIFY COLUMN ${column} CODEC(${text})`);

const bodyIndex = `ALTER TABLE executions ADD INDEX body_text ${indexed.bodies} TYPE text(tokenizer = splitByNonAlpha)`;

/** table → name → {version, more: statements, key: another sorting key} */
const variants = {
  processor_executions: {
    'as first shipped': { version: first },
    'as shipped': { version: shipped },
    'without the index of ids': { version: shipped, more: without('processor_executions', 'execution_bloom') },
    'no codec by position (ZSTD)': { version: shipped, more: codec('processor_executions', Object.fromEntries(['start_time', 'seq', 'parent_seq', 'processor_start_time', 'duration_ms', 'version', 'inserted_at'].map((name) => [name, 'ZSTD(1)']))) },
    'ids before times in the key': { version: shipped, key: '(environment, execution_id, start_time, seq)' },
    'routes first in the key': { version: shipped, key: '(environment, application, route_id, start_time, execution_id, seq)' },
  },
  executions: {
    'as first shipped': { version: first },
    'as shipped': { version: shipped },
    'without attribute_text': { version: shipped, more: without('executions', 'attribute_text') },
    'without error_text': { version: shipped, more: without('executions', 'error_text') },
    'without header_text': { version: shipped, more: without('executions', 'header_text') },
    'without any index': { version: shipped, more: without('executions', 'attribute_text', 'error_text', 'header_text', 'execution_bloom', 'correlation_bloom', 'exchange_bloom', 'inserted_range') },
    'bloom filter for attributes': { version: shipped, more: [...without('executions', 'attribute_text'), `ALTER TABLE executions ADD INDEX attribute_bloom ${indexed.attributes} TYPE bloom_filter(0.01) GRANULARITY 1`] },
    'and an index of bodies': { version: shipped, more: [bodyIndex] },
  },
};

async function prepare(engine, database, table, { version, more = [], key }) {
  await engine.make(database, version, more);
  if (!key) return;
  const made = await engine.run(`SHOW CREATE TABLE ${table}`, { database, format: 'TabSeparatedRaw' });
  await engine.run(`DROP TABLE ${table} SYNC`, { database });
  await engine.run(made.replace(/ORDER BY \([^)]*\)/, `ORDER BY ${key}`), { database });
}

/** Fills the table of each variant in turns, so that all get the same of the machine's moods. */
async function measureTables(engine, table, payload) {
  const chosen = Object.entries(variants[table]).filter(([name]) => payload ? !/attribute|error/.test(name) : !/header|bodies/.test(name));
  const found = new Map(chosen.map(([name]) => [name, { insert: [], merge: [], speed: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, variant] of chosen) {
      const into = found.get(name);
      await prepare(engine, 'measured', table, variant);
      await engine.run(`ALTER TABLE measured.${table} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1`);  // no merge by itself
      const inserted = await engine.timed(() => fill(engine, 'measured', table));
      const merged = await engine.timed(() => engine.run(`OPTIMIZE TABLE measured.${table} FINAL`));
      into.sizes ??= await engine.sizes('measured', table);
      into.insert.push(inserted.processor / into.sizes.rows);
      into.merge.push(merged.processor / into.sizes.rows);
      into.speed.push(into.sizes.rows / inserted.seconds);
    }
  }
  return found;
}

const show = (number, width = 8, digits = 1) => number.toFixed(digits).padStart(width);

function printTables(table, found) {
  console.log(`\n${table}, ${[...found.values()][0].sizes.rows.toLocaleString('en')} rows, best of ${rounds} rounds: bytes on disk a row, of them indexes; processor time of a row, inserted and merged once; rows/s inserted by one writer`);
  for (const [name, { sizes, insert, merge, speed }] of found) {
    const indexes = sizes.indexes.reduce((sum, one) => sum + one.bytes, 0);
    console.log(`  ${name.padEnd(28)}${show(sizes.all)} B ${show(indexes)} B ${show(least(insert), 8, 2)} us ${show(least(merge), 8, 2)} us ${show(Math.max(...speed), 10, 0)}`);
  }
  const { sizes } = found.get('as shipped');
  const list = (some) => some.filter((one) => one.bytes >= 0.05).map((one) => `${one.name} ${one.bytes.toFixed(2)}`).join(', ');
  console.log(`  as shipped, bytes a row: ${list(sizes.columns)}; indexes: ${list(sizes.indexes)}; marks and key ${sizes.marks.toFixed(2)}`);
}

/** Parameters of queries about executions that are there. */
async function samples(engine) {
  const end = await engine.run('SELECT max(start_time) + toIntervalSecond(1) FROM source.executions');
  return (await engine.rows(`SELECT execution_id, correlation_id, route_id, start_time, start_time + toIntervalMillisecond(1) AS after, attributes['orderId'] AS order_id, input_body
    FROM source.executions WHERE number < ${withSteps} ORDER BY cityHash64(execution_id) LIMIT ${runs}`)).map((row, index) => ({
    tenant: 'default', environment: 'production', from: '2026-11-19 00:00:00', to: end.trim(), as_of: '2027-01-01 00:00:00', stale_before: '2026-01-01 00:00:00',
    execution_id: row.execution_id, correlation_id: row.correlation_id, routes: `['${row.route_id}']`, at: row.start_time, after: row.after, order: row.order_id,
    attributes: `['orderId=${row.order_id}']`, article: `article ${index * 37}`, words: `warehouse ${index * 37}`, body_word: /"article":"(\w+)"/.exec(row.input_body)?.[1] ?? 'nothing',
  }));
}

async function measureQueries(engine, { version, more }, only) {
  await engine.make('measured', version, more);
  for (const table of ['executions', 'processor_executions']) await fill(engine, 'measured', table);
  const answers = new Map();
  for (const [name, sql] of Object.entries(queries)) {
    if (!only(name)) continue;
    const times = [];
    let rows = 0;
    for (const parameters of await samples(engine)) {
      const began = performance.now();
      rows += (await engine.run(sql, { database: 'measured', parameters })).split('\n').length - 1;
      times.push(performance.now() - began);
    }
    answers.set(name, { median: median(times), most: Math.max(...times), rows: rows / times.length });
  }
  return answers;
}

function printQueries(rows, before, now) {
  console.log(`\nqueries over ${rows.toLocaleString('en')} executions in one range, ${runs} different ones each, ms (median / longest), as first shipped and as shipped; of bodies with an index of them`);
  for (const [name, one] of now) {
    const old = before.get(name);
    const cell = (some) => (some ? `${show(some.median)} /${show(some.most)}` : '').padStart(20);
    console.log(`  ${name.padEnd(34)}${cell(old)}${cell(one)}   ${one.rows.toFixed(0)} rows`);
  }
}

const engine = await Engine.start();
try {
  for (const bodies of [0, 8]) {
    const made = await makeRows(engine, { executions: bodies ? Math.ceil(executions / 4) : executions, withSteps, bodies });
    console.log(`\n== ${bodies ? `two bodies of about ${bodies * 48} bytes and two headers each` : 'without payload'}: ${made.executions.toLocaleString('en')} executions, ${made.processors.toLocaleString('en')} steps of ${withSteps.toLocaleString('en')} of them`);
    for (const table of bodies ? ['executions'] : ['processor_executions', 'executions']) printTables(table, await measureTables(engine, table, bodies > 0));
    const of = (name) => bodies ? /bodies|headers/.test(name) : !/bodies|headers/.test(name);
    const now = { version: shipped, more: bodies ? [bodyIndex] : [] };
    printQueries(made.executions, await measureQueries(engine, { version: first }, of), await measureQueries(engine, now, of));
  }
} finally {
  await engine.stop();
}
