// How applications are recorded: stored, staged, read by agents and people; and what is masked on its way into the store.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess, anExecution, eventually } from './server_process.mjs';

const server = new ServerProcess();
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const path = (application, environment = 'default') => `/api/v1/environments/${environment}/apps/${encodeURIComponent(application)}/config`;
const read = (application, environment) => server.request('GET', path(application, environment), { token: admin });
const write = (application, json, query = '') => server.request('PUT', path(application) + query, { token: admin, json });
const configOf = (token) => server.request('GET', '/api/v1/agents/config', { token });
const defaults = ['Authorization', 'Cookie', 'Set-Cookie', 'X-API-Key', 'X-Auth-Token', 'Proxy-Authorization'];

test('an application without a configuration has version 0 and the defaults', async () => {
  const { status, body } = await read('nothing');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    application: 'nothing', environment: 'default', version: 0, metricsEnabled: true, metricsIntervalSeconds: 60, samplingRate: 1,
    engineLevel: 'COMPLETE', payloadCaptureMode: 'BOTH', tracedProcessors: {}, logLevels: {}, taps: [], routeRecording: {},
    compressSuccess: false, sensitiveKeys: [], tapVersion: 0, mergedSensitiveKeys: defaults,
  });
  assert.equal((await read('nothing', 'nowhere')).body.code, 'environment_not_found');
});

test('every member is kept, under any name of an application, and over a restart', async () => {
  const json = {
    metricsEnabled: false, metricsIntervalSeconds: 10, samplingRate: 0.125, engineLevel: 'REGULAR', payloadCaptureMode: 'OUTPUT',
    tracedProcessors: { to1: 'BOTH' }, logLevels: { 'org.acme': 'DEBUG' },
    taps: [{ tapId: 't1', processorId: 'to1', target: 'INPUT', language: 'simple', expression: '${body}', attribute: 'order', enabled: false }],
    routeRecording: { in: false }, compressSuccess: true, sensitiveKeys: ['pin', '*Token'],
  };
  const name = 'a/b ü?%&#"\'';
  const written = await write(name, json);
  assert.equal(written.status, 200, written.text);
  assert.equal(written.body.pushed, 0);
  await server.kill();
  await server.start();
  admin = await server.adminToken();
  const { body } = await read(name);
  for (const [member, value] of Object.entries(json)) assert.deepEqual(body[member], value, member);
  assert.equal(body.application, name);
  assert.equal(body.version, 1);
  assert.equal(body.tapVersion, 1);
  assert.equal(body.updatedBy, 'admin');
  assert.ok(Math.abs(Date.parse(body.updatedAt) - Date.now()) < 120_000);
  assert.deepEqual(body.mergedSensitiveKeys, [...defaults, 'pin', '*Token']);
});

test('running agents read what was applied live, starting ones get what was stored last', async () => {
  const { accessToken, config } = await server.registerAgent('live-1', 'staging-demo');
  assert.equal(config.version, 0);
  assert.deepEqual(config.mergedSensitiveKeys, defaults);
  assert.equal((await configOf(accessToken)).body.version, 0);
  assert.equal((await write('staging-demo', { engineLevel: 'MINIMAL' }, '?apply=live')).body.version, 1);
  const staged = await write('staging-demo', { engineLevel: 'NONE' }, '?apply=staged');
  assert.equal(staged.body.version, 2);
  assert.ok(!('pushed' in staged.body));
  const running = (await configOf(accessToken)).body;
  assert.deepEqual([running.version, running.engineLevel], [1, 'MINIMAL']);
  const starting = (await server.registerAgent('live-2', 'staging-demo')).config;
  assert.deepEqual([starting.version, starting.engineLevel], [2, 'NONE']);
  assert.equal((await server.registerAgent('live-3', 'other-demo')).config.version, 0);
  assert.equal((await read('staging-demo')).body.engineLevel, 'NONE');
});

test('changes at the same time all succeed, each with a version of its own', async () => {
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => write('busy', { metricsIntervalSeconds: i + 1 })));
  assert.deepEqual(answers.map((one) => one.status), Array(16).fill(200));
  assert.deepEqual(answers.map((one) => one.body.version).sort((a, b) => a - b), Array.from({ length: 16 }, (_, i) => i + 1));
  const last = answers.find((one) => one.body.version === 16).body;
  assert.equal((await read('busy')).body.metricsIntervalSeconds, last.metricsIntervalSeconds);
});

test('an expected version refuses a change to what somebody else has changed', async () => {
  assert.equal((await write('careful', {}, '?expectedVersion=0')).status, 200);
  const refused = await write('careful', {}, '?expectedVersion=0');
  assert.deepEqual([refused.status, refused.body.code], [409, 'conflict']);
  assert.equal((await write('careful', {}, '?expectedVersion=1&apply=staged')).body.version, 2);
  assert.equal((await read('careful')).body.version, 2);
});

test('what is wrong is refused by name', async () => {
  for (const [query, member] of [['?apply=now', 'apply'], ['?expectedVersion=-1', 'expectedVersion'], ['?expectedVersion=1x', 'expectedVersion']]) {
    const answer = await write('wrong', {}, query);
    assert.deepEqual([answer.status, answer.body.code, answer.body.member], [400, 'invalid_parameter', member]);
  }
  const bad = await write('wrong', { samplingRate: 2 });
  assert.deepEqual([bad.status, bad.body.code, bad.body.member], [400, 'invalid_member', '/samplingRate']);
  const large = await server.request('PUT', path('wrong'), { token: admin, json: { note: 'x'.repeat(256 * 1024) } });
  assert.equal(large.status, 413);
  assert.equal((await write('x'.repeat(257), {})).body.member, 'application');
  assert.equal((await write('a\0b', {})).status, 400);
  const push = await server.request('PUT', '/api/v1/admin/sensitive-keys?pushToAgents=yes', { token: admin, json: { keys: [] } });
  assert.deepEqual([push.status, push.body.member], [400, 'pushToAgents']);
  assert.equal((await read('wrong')).body.version, 0);
});

test('agents and strangers change nothing', async () => {
  const { accessToken } = await server.registerAgent('a9', 'orders');
  for (const token of [accessToken, server.apiKey, undefined]) {
    for (const [method, where] of [['GET', path('orders')], ['PUT', path('orders')], ['GET', '/api/v1/admin/sensitive-keys'], ['PUT', '/api/v1/admin/sensitive-keys']]) {
      assert.equal((await server.request(method, where, { token, json: method === 'PUT' ? { keys: [] } : undefined })).status, 401, `${method} ${where}`);
    }
  }
  assert.equal((await configOf(admin)).status, 401);
});

test('what is sensitive is masked at the very next request, whatever the agent knew', async () => {
  const { accessToken } = await server.registerAgent('masked-1', 'masked');
  const send = async (id) => {
    const json = anExecution(id, { inputHeaders: { pin: '1234', Iban: 'DE99', other: 'seen' }, inputBody: '{"pin":"1234","iban":"DE99","other":"seen"}' });
    const answer = await server.request('POST', '/api/v1/data/executions', { token: accessToken, json });
    assert.equal(answer.status, 202, answer.text);
    return eventually(`${id} is stored`, async () => {
      const found = await server.request('GET', `/api/v1/environments/default/executions/${id}`, { token: admin });
      return found.status === 200 && found.body;
    });
  };
  assert.equal((await send('mask-0')).inputHeaders.pin, '1234');
  assert.equal((await write('masked', { sensitiveKeys: ['PIN'] }, '?apply=staged')).status, 200);
  const own = await send('mask-1');
  assert.deepEqual(own.inputHeaders, { pin: '***', Iban: 'DE99', other: 'seen' });
  assert.deepEqual(JSON.parse(own.inputBody), { pin: '***', iban: 'DE99', other: 'seen' });
  const keys = await server.request('PUT', '/api/v1/admin/sensitive-keys', { token: admin, json: { keys: ['*ban'] } });
  assert.deepEqual(keys.body, { keys: ['*ban'], defaultKeys: defaults });
  const both = await send('mask-2');
  assert.deepEqual(both.inputHeaders, { pin: '***', Iban: '***', other: 'seen' });
  assert.deepEqual(JSON.parse(both.inputBody), { pin: '***', iban: '***', other: 'seen' });
});

test('global keys are kept and merged; a push gives each running application a newer configuration', async () => {
  const { accessToken } = await server.registerAgent('keys-1', 'keys-demo');
  const before = (await configOf(accessToken)).body;
  const put = (keys, query = '') => server.request('PUT', `/api/v1/admin/sensitive-keys${query}`, { token: admin, json: { keys } });
  assert.equal((await put(['cvc', 'cookie'])).status, 200);
  assert.deepEqual((await server.request('GET', '/api/v1/admin/sensitive-keys', { token: admin })).body.keys, ['cvc', 'cookie']);
  const quiet = (await configOf(accessToken)).body;
  assert.equal(quiet.version, before.version);
  assert.deepEqual(quiet.mergedSensitiveKeys, [...defaults, 'cvc']);
  const pushed = await put(['cvc', 'ssn'], '?pushToAgents=true');
  assert.equal(pushed.status, 200, pushed.text);
  assert.ok(pushed.body.pushed >= 1);
  const after = (await configOf(accessToken)).body;
  assert.equal(after.version, before.version + 1);
  assert.deepEqual(after.mergedSensitiveKeys, [...defaults, 'cvc', 'ssn']);
});
