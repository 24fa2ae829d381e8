// Starting, stopping, dying and being looked at.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, anExecution, eventually, processesWith, serverProgram, temporaryFolder } from './server_process.mjs';

const command = (args, env = {}) => spawnSync(serverProgram, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 });
const docs = (name) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('the command line', () => {
  test('--version and --help', () => {
    assert.match(command(['--version']).stdout, /^\d+\.\d+\.\d+\s*$/);
    const help = command(['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /--http\.listen/);
  });
  test('a wrong setting stops the start with its name and rule', () => {
    const cases = [
      [['--http.listen=nowhere'], {}, /cameleer\.server\.http\.listen: .*address:port/],
      [[], { CAMELEER_SERVER_TENANT_ID: 'Not A Slug' }, /cameleer\.server\.tenant-id: .*must be/],
      [[], { CAMELEER_SERVER_HTTP_LISTN: 'x' }, /CAMELEER_SERVER_HTTP_LISTN: there is no setting/],
      [['--auth.local.enabled=false'], {}, /cameleer\.server\.auth\.local\.enabled/],
      [['--config=/does/not/exist.toml'], {}, /exist\.toml/],
      [['--data-dir=/proc/nothing'], {}, /\/proc\/nothing: cannot be created/],
    ];
    for (const [args, env, expected] of cases) {
      const { status, stderr } = command(args, env);
      assert.equal(status, 2, stderr);
      assert.match(stderr, expected);
    }
  });
  test('a file, the environment and a flag: the flag wins', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.toml'), '[cameleer.server]\ntenant-id = "BAD FILE"\n');
    assert.match(command([`--config=${join(folder, 'a.toml')}`]).stderr, /'BAD FILE' from file/);
    assert.match(command([`--config=${join(folder, 'a.toml')}`], { CAMELEER_TENANT_ID: 'BAD ENV' }).stderr, /'BAD ENV' from environment/);
    assert.match(command([`--config=${join(folder, 'a.toml')}`, '--tenant-id=BAD FLAG'], { CAMELEER_TENANT_ID: 'BAD ENV' }).stderr, /'BAD FLAG' from flag/);
    rmSync(folder, { recursive: true });
  });
  test('the tables in docs are those of the program', () => {
    assert.equal(docs('settings.md'), command(['--print=settings']).stdout);
    assert.equal(docs('error-codes.md'), command(['--print=error-codes']).stdout);
    assert.equal(docs('access.md'), command(['--print=access']).stdout);
  });
});

describe('a server', () => {
  const server = new ServerProcess();
  before(() => server.start());
  after(() => server.dispose());

  test('is live and ready, and its metrics count requests', async () => {
    assert.deepEqual((await server.request('GET', '/health/live')).body, { status: 'UP' });
    const ready = await server.request('GET', '/health/ready');
    assert.equal(ready.status, 200);
    assert.deepEqual(Object.keys(ready.body.dependencies).sort(), ['clickhouse', 'postgres']);
    const { text } = await server.request('GET', '/metrics');
    assert.match(text, /cameleer_http_requests_total\{operation="healthReady",status="2xx"\} [1-9]/);
    assert.match(text, /cameleer_dependency_up\{dependency="clickhouse"\} 1/);
  });

  test('keeps its secrets to its owner', () => {
    for (const name of ['master.key', 'first-start.txt']) assert.equal(statSync(join(server.folder, 'data', name)).mode & 0o777, 0o600, name);
    assert.ok(!server.output.includes(server.password), 'the password is not in the log');
    assert.ok(!server.output.includes(server.apiKey), 'the API key is not in the log');
  });

  test('refuses a second server on its data directory and on its port', async () => {
    const same = command([`--data-dir=${join(server.folder, 'data')}`, '--http.listen=127.0.0.1:0']);
    assert.equal(same.status, 2);
    assert.match(same.stderr, /in use by another cameleer-server/);
    const other = new ServerProcess({ port: server.port });
    await assert.rejects(other.start(), /ended with/);
    assert.match(other.output, /in use|already/i);
    rmSync(other.folder, { recursive: true, force: true });
  });

  test('says with its request id which request is which', async () => {
    const answer = await server.request('GET', '/health/live', { headers: { 'x-request-id': 'mine-1' } });
    assert.equal(answer.headers.get('x-request-id'), 'mine-1');
    assert.match((await server.request('GET', '/health/live')).headers.get('x-request-id'), /^[A-Za-z0-9._-]{8,64}$/);
  });

  test('goes on when an engine dies: readiness says it, the engine comes back, data is there', async () => {
    const agent = await server.registerAgent();
    const send = (id) => server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution(id) });
    assert.equal((await send('before')).status, 202);
    for (const mark of [['cameleer-clickhouse', 'clickhouse'], ['postgres', 'postgres']]) {
      const pids = (await processesWith(join(server.folder, 'data'))).filter((pid) => pid !== server.pid
        && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith(mark[0]));
      assert.ok(pids.length > 0, `${mark[1]} runs`);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await eventually(`${mark[1]} is back`, async () => {
        const now = (await processesWith(join(server.folder, 'data'))).filter((pid) => pid !== server.pid && !pids.includes(pid)
          && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith(mark[0]));
        return now.length > 0 && (await server.request('GET', '/health/ready')).status === 200;
      }, 60);
      await eventually('data is taken again', async () => (await send(`after-${mark[1]}`)).status === 202, 30);
    }
    const admin = await server.adminToken();
    const { body } = await server.request('GET', '/api/v1/environments/default/executions', { token: admin });
    assert.equal(body.total, 3);
  });
});

describe('a server that is killed', () => {
  const server = new ServerProcess();
  after(() => server.dispose());

  test('leaves no orphan, and starts again with what it acknowledged', async () => {
    await server.start();
    const agent = await server.registerAgent();
    for (let round = 0; round < 3; round++) {
      const answer = await server.request('POST', '/api/v1/data/executions', { token: agent.accessToken, json: anExecution(`round-${round}`) });
      assert.equal(answer.status, 202, answer.text);
      await server.kill();
      await eventually('no process of it is left', async () => (await processesWith(join(server.folder, 'data'))).length === 0, 20);
      await server.start();
      const admin = await server.adminToken();
      const { body } = await server.request('GET', '/api/v1/environments/default/executions', { token: admin });
      assert.equal(body.total, round + 1);
    }
  });
});
