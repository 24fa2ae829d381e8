// The kinds of faults, each a round on a server under load. What a round breaks is whole again at its end.
import { setTimeout as delay } from 'node:timers/promises';
import { anExecution, eventually } from '../integration/server_process.mjs';
import { killAtRename } from './rename_kill.mjs';
import { sicknesses } from './sick_store.mjs';

const upTo = (random, milliseconds) => Math.round(random() * milliseconds);

/** The server answers, and its store as well. */
const isWell = (trial) => eventually('the server is ready', async () => (await trial.ready()).status === 200, 90);

/** Starts the server and kills it before it says that it started, `after` ms from now; false: it was quicker. */
async function killWhileStarting(server, after) {
  const starting = server.start().then(() => true, () => false);
  await delay(after);
  await server.kill();
  return !await starting;
}

async function killServer({ trial, run, random, say }) {
  await run.grows('before the server is killed');
  const wait = upTo(random, 2500);
  await delay(wait);
  await trial.server.kill();
  let again = '';
  if (random() < 0.3) {
    const after = upTo(random, 2000);
    again = `, again ${after} ms into its start${await killWhileStarting(trial.server, after) ? '' : ', which was over'}`;
  }
  await trial.server.start();
  say(`server killed after ${wait} ms${again}`);
}

async function killEngine({ trial, run, random, say }) {
  await isWell(trial);
  await run.grows('before the engine is killed');
  const wait = upTo(random, 2500);
  await delay(wait);
  const pid = await trial.engine();
  process.kill(pid, 'SIGKILL');
  await eventually('the engine is there again', async () => await trial.engine() !== pid, 60);
  say(`engine killed after ${wait} ms`);
}

async function killBoth({ trial, run, random, say }) {
  await isWell(trial);
  await run.grows('before both are killed');
  const wait = upTo(random, 2500), between = upTo(random, 300), engineFirst = random() < 0.7;
  await delay(wait);
  if (engineFirst) {
    process.kill(await trial.engine(), 'SIGKILL');
    await delay(between);
  }
  // The embedded engine dies with its server, at the same instant.
  await trial.server.kill();
  await trial.server.start();
  say(`killed after ${wait} ms: ${engineFirst ? `the engine, the server ${between} ms later` : 'both at once'}`);
}

async function killAtARename({ trial, run, random, say, note }) {
  await isWell(trial);
  await run.grows('before the engine is killed');
  const number = 1 + Math.floor(random() * 4);
  const pid = await trial.engine();
  const call = await killAtRename(pid, number);
  note(call);
  await eventually('the engine is there again', async () => await trial.engine() !== pid, 60);
  say(`engine killed before it renamed ${call?.from.replace(/^.*\/store\//, '')} to ${call?.to.split('/').filter(Boolean).at(-1)}`);
}

/** The journal's disk is full while the store stands still, so that the journal has to grow. */
async function fillJournalDisk({ trial, run, random, say }) {
  const disk = trial.disk('journal');
  await isWell(trial);
  await run.grows('before the disk is full');
  const pid = await trial.engine(), leave = upTo(random, 1 << 20);
  const refusals = () => trial.figure('cameleer_ingest_journal_refused_total', 'reason="disk"');
  const before = await refusals();
  process.kill(pid, 'SIGSTOP');
  try {
    disk.fill(leave);
    await eventually('the full disk is noticed', async () => await refusals() > before, 60);
    await delay(upTo(random, 2000));
  } finally {
    disk.empty();
    process.kill(pid, 'SIGCONT');
  }
  await run.grows('when there is room again');
  say(`disk of the journal full but for ${leave} bytes, ${await refusals() - before} requests refused`);
}

async function fillStoreDisk({ trial, run, random, say }) {
  const disk = trial.disk('store');
  await isWell(trial);
  const retries = () => trial.figure('cameleer_ingest_journal_retries_total'), before = await retries();
  const leave = upTo(random, 1 << 19);
  disk.fill(leave);
  try {
    await eventually('the store refuses rows', async () => await retries() > before, 60);
    await run.grows('while the store has no room');
    await delay(upTo(random, 2000));
  } finally {
    disk.empty();
  }
  const stored = () => trial.figure('cameleer_ingest_rows_total'), rows = await stored();
  await eventually('the store takes rows again', async () => await stored() > rows, 60);
  say(`disk of the store full but for ${leave} bytes, ${await retries() - before} deliveries repeated`);
}

/** The store is gone for `seconds`, by SIGTERM or SIGKILL. At full load the journal is full before it is back. */
async function stopStore({ trial, run, random, say, seconds = 120 }) {
  await isWell(trial);
  const gently = random() < 0.5;
  await (gently ? trial.store.stop() : trial.store.kill());
  const end = Date.now() + seconds * 1000;
  await run.grows('while the store is away');
  await delay(end - Date.now());
  const figure = (name, labels) => trial.figure(`cameleer_ingest_journal_${name}`, labels);
  const waiting = await figure('records'), bytes = await figure('bytes'), refused = await figure('refused_total', 'reason="full"');
  await trial.store.start();
  await isWell(trial);
  await run.grows('when the store is back');
  say(`store ${gently ? 'stopped' : 'killed'} for ${seconds} s, ${waiting} requests waited in the journal (${Math.round(bytes / 1048576)} MiB), ${refused} found it full`);
}

const sick = (group) => async ({ trial, run, random, say }) => {
  const choices = sicknesses.filter((one) => one.group === group), sickness = choices[Math.floor(random() * choices.length)];
  await run.grows('before the store is sick');
  const length = 500 + upTo(random, 6000);
  await trial.proxy.be(sickness);
  await delay(length);
  if (!sickness.isClosed) await eventually('the sickness is met', () => trial.proxy.met > 0, 60);
  const { met } = trial.proxy;
  await trial.proxy.be(undefined);
  await isWell(trial);
  say(`the store ${sickness.name} for ${length} ms${sickness.isClosed ? '' : `, ${met} times`}`);
};

/** A column that takes 40 bytes at most refuses the rows of one agent, which the server took; the others' pass. */
export async function narrowColumn(trial) {
  await trial.ask('ALTER TABLE executions MODIFY COLUMN replay_of FixedString(40) SETTINGS mutations_sync = 2');
}

export const poisoned = (id) => anExecution(id, { replayOf: 'far too long for the column of the store, which is meant' });

async function poison({ trial, run, random, say, number }) {
  if (number === 1) {
    await narrowColumn(trial);
    trial.poisoner = await trial.server.registerAgent('poisoner');
    trial.poisonedRows = 0;
  }
  const count = 1 + Math.floor(random() * 3);
  for (let i = 0; i < count; i++) {
    const answer = await trial.server.request('POST', '/api/v1/data/executions', { token: trial.poisoner.accessToken, json: poisoned(`poisoned-${number}-${i}`) });
    if (answer.status !== 202) throw new Error(`a poisoned request was answered ${answer.status}: ${answer.text}`);
  }
  trial.poisonedRows += count;
  await eventually('the poisoned rows are set aside', async () => await trial.figure('cameleer_ingest_set_aside_total', 'reason="refused_by_store"') === trial.poisonedRows, 60);
  await run.grows('behind the poisoned rows');
  say(`${count} poisoned requests set aside`);
}

/** `rounds`: how many when nobody says. Where the trial may set rows aside, it says how many. */
export const kinds = {
  server: { trial: { store: true }, rounds: 30, round: killServer },
  engine: { trial: {}, rounds: 30, round: killEngine },
  both: { trial: {}, rounds: 30, round: killBoth },
  rename: { trial: {}, rounds: 30, round: killAtARename },
  'rename-window': { trial: {}, rounds: 10, round: killAtARename,
    // Not in the schema as shipped: with it the engine logs a part before it renames it, and would take a repeated one for a double.
    prepare: async (trial) => { for (const table of ['executions', 'processor_executions']) await trial.ask(`ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 1000`); } },
  'disk-full': { trial: { journalDisk: 96 }, rounds: 10, round: fillJournalDisk },
  'store-full': { trial: { store: true, storeDisk: 1024 }, rounds: 5, round: fillStoreDisk },
  'store-away': { trial: { store: true }, rounds: 1, round: stopStore },
  'store-errors': { trial: { store: true }, rounds: 20, round: sick('errors') },
  'store-slow': { trial: { store: true }, rounds: 10, round: sick('slow') },
  'store-half': { trial: { store: true }, rounds: 20, round: sick('half') },
  poisoned: { trial: { store: true }, rounds: 10, round: poison, setAside: (trial) => trial.poisonedRows },
};
