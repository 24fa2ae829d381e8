// What the end-to-end tests rely on: the proxy changes nothing, and nothing wrong gets past it.
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { RecordingProxy } from '../e2e/recording_proxy.mjs';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const now = '2026-11-22T01:02:03.456Z';
const config = {
  application: 'orders', environment: 'default', version: 0, metricsEnabled: true, metricsIntervalSeconds: 60, samplingRate: 1, engineLevel: 'COMPLETE', payloadCaptureMode: 'BOTH',
  tracedProcessors: {}, logLevels: {}, taps: [], tapVersion: 0, routeRecording: {}, compressSuccess: false, sensitiveKeys: [], mergedSensitiveKeys: ['Cookie'],
};
const registered = {
  agentId: 'a-1', tenantId: 'default', sseEndpoint: '/api/v1/agents/a-1/events', heartbeatIntervalMs: 30_000, accessToken: 'a', refreshToken: 'r', expiresInSeconds: 3600,
  serverPublicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'), serverKeyId: 'k1', config, serverTime: now,
};
const envelope = {
  commandId: '0d4b3f4e-6a51-4d0e-9f6e-5a1f0c9d7b21', type: 'route-control', tenantId: 'default', environment: 'default', agentId: 'a-1',
  issuedAt: now, expiresAt: '2026-11-22T01:03:03.456Z', nonce: 'm2JYk0y6qT0b9m1W4zJQxA', body: { action: 'stop', routeId: 'audit' },
};
const eventOf = (content, { name = content.type, id = content.commandId, keyId = 'k1', context = 'cameleer-command-v1.' } = {}) => {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
  const signature = sign(null, Buffer.from(context + payload), privateKey).toString('base64url');
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify({ payload, signature, keyId })}\n\n`;
};

describe('a proxy that records', () => {
  let answers, upstream, proxy;
  const server = { get url() { return `http://127.0.0.1:${upstream.address().port}`; } };

  before(async () => {
    upstream = createServer((request, response) => {
      request.resume().on('end', () => {
        const [status, body, type = 'application/json'] = answers[`${request.method} ${request.url}`] ?? [404, '{}'];
        response.writeHead(status, { 'content-type': type }).end(body);
      });
    });
    await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  });
  after(() => new Promise((resolve) => { upstream.closeAllConnections(); upstream.close(resolve); }));
  beforeEach(async () => {
    answers = { 'POST /api/v1/agents/register': [200, JSON.stringify(registered)] };
    proxy = await new RecordingProxy(server).start();
  });
  afterEach(() => proxy.stop());

  const post = (path, json, headers = {}) => fetch(proxy.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof json === 'object' && !Buffer.isBuffer(json) ? JSON.stringify(json) : json });
  const register = (more = {}) => post('/api/v1/agents/register', { agentId: 'a-1', application: 'orders', environmentId: 'default', ...more });
  const stream = async (text) => {
    answers['GET /api/v1/agents/a-1/events'] = [200, text, 'text/event-stream'];
    return (await fetch(`${proxy.url}/api/v1/agents/a-1/events`)).text();
  };

  test('passes answers and streams on as they are, and finds nothing wrong with what is right', async () => {
    assert.deepEqual(await (await register()).json(), registered);
    const text = `: hello\n\n${eventOf(envelope)}event: reauth\ndata: {}\n\n`;
    assert.equal(await stream(text), text);
    answers['POST /api/v1/data/events'] = [202, '{"accepted":1}'];
    await post('/api/v1/data/events', gzipSync(JSON.stringify({ type: 'T', timestamp: now })), { 'content-encoding': 'gzip' });
    assert.deepEqual(proxy.violations, []);
    assert.deepEqual(proxy.data('events'), [{ type: 'T', timestamp: now }]);
    assert.deepEqual(proxy.events.map(({ name }) => name), ['route-control', 'reauth']);
  });

  const wrongMessages = [
    ['a call that the protocol does not have', () => post('/api/v1/data/spans', {}), /no call of the protocol/],
    ['a request with a member nobody published', () => register({ colour: 'red' }), /register, request: .*colour/],
    ['a request that is no JSON', () => post('/api/v1/agents/register', '{'), /register, request/],
    ['an answer without a member', () => { const { tenantId, ...rest } = registered; answers['POST /api/v1/agents/register'] = [200, JSON.stringify(rest)]; return register(); }, /answer \(200\): .*tenantId/],
    ['a failure that is no problem document', () => { answers['POST /api/v1/agents/register'] = [500, '{}']; return register(); }, /content type[\s\S]*code/],
    ['an event that another key signed', () => stream(eventOf(envelope, { keyId: 'k2' })), /wrong signature/],
    ['an event signed for another purpose', () => stream(eventOf(envelope, { context: '' })), /wrong signature/],
    ['an event under another name', () => stream(eventOf(envelope, { name: 'replay' })), /wrong name/],
    ['an event with another id', () => stream(eventOf(envelope, { id: 'x' })), /wrong id/],
    ['an envelope for another agent', () => stream(eventOf({ ...envelope, agentId: 'a-2' })), /wrong agent/],
    ['an envelope whose body is of another type', () => stream(eventOf({ ...envelope, body: { processors: {} } })), /envelope of route-control.*action/],
    ['an acknowledgement of a command that was never sent', () => post('/api/v1/agents/a-1/commands/x/ack', { status: 'SUCCESS' }), /no stream carried/],
    ['a result that does not fit its command', async () => { await stream(eventOf(envelope)); await post(`/api/v1/agents/a-1/commands/${envelope.commandId}/ack`, { status: 'SUCCESS', data: {} }); }, /ack of route-control: .*routeId/],
  ];
  for (const [what, act, why] of wrongMessages) {
    test(`notes ${what}`, async () => {
      await register();
      await act();
      assert.match(proxy.violations.join('\n'), why);
      });
  }

  test('a server that ends in the middle of a stream ends it for the agent, too', async () => {
    const other = createServer((request, response) => { response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n', () => setImmediate(() => response.destroy())); });
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    proxy.target = { url: `http://127.0.0.1:${other.address().port}` };
    await assert.rejects(async () => (await fetch(`${proxy.url}/api/v1/agents/a-1/events`)).text());
    assert.ok(proxy.calls[0].endedAt);
    await new Promise((resolve) => other.close(resolve));
  });
});
