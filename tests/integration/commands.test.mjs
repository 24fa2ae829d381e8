// Commands: sent by people, streamed to agents, acknowledged; and what restarts, revocation and slow readers do to them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { ServerProcess, eventually } from './server_process.mjs';
import { CommandStream, envelopeIn } from './command_stream.mjs';

const server = new ServerProcess({
  flags: ['--agents.command-wait-ms=1500', '--agents.command-expiry-ms=30000', '--log.level=debug'],
  env: { CAMELEER_SERVER_SECURITY_BOOTSTRAPTOKEN: 'a-token-of-the-first-hour' },
});
let admin;
before(async () => { await server.start(); admin = await server.adminToken(); });
after(() => server.dispose());

const stop = { type: 'route-control', payload: { action: 'stop', routeId: 'in' } };
const expression = { type: 'test-expression', payload: { language: 'simple', expression: '${body}', body: '42' } };
const replay = { routeId: 'in', exchange: { headers: { tries: '2' }, body: 'edited' }, originalExecutionId: 'e1' };
const unknownId = '0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e';

const send = (agentId, json, token = admin) => server.request('POST', `/api/v1/agents/${agentId}/commands`, { token, json });
const acknowledge = (agentId, commandId, token, json = { status: 'SUCCESS' }) =>
  server.request('POST', `/api/v1/agents/${agentId}/commands/${commandId}/ack`, { token, json });
const show = (agentId, commandId) => server.request('GET', `/api/v1/agents/${agentId}/commands/${commandId}`, { token: admin });
async function sent(agentId, json = stop) {
  const answer = await send(agentId, json);
  assert.equal(answer.status, 202, answer.text);
  return answer.body.commands[0].commandId;
}
async function metric(name) {
  const { text } = await server.request('GET', '/metrics');
  return Number(text.split('\n').find((line) => line.startsWith(name))?.split(' ').pop());
}
/** Closes a stream and waits until the server has noticed: what it sends later is not sent there. */
async function closed(stream) {
  const open = await metric('cameleer_command_streams');
  stream.close();
  await eventually('the server sees the stream end', async () => (await metric('cameleer_command_streams')) < open);
}
function refused(answer, status, code, member) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.member, member);
}

test('a command is signed, streamed, acknowledged and shown', async () => {
  const agent = await server.registerAgent('one');
  const stream = await CommandStream.open(server, 'one', { token: agent.accessToken });
  assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
  assert.ok(await metric('cameleer_command_streams') >= 1);
  const id = await sent('one');
  const event = await stream.next();
  assert.equal(event.event, 'route-control');
  assert.equal(event.id, id);
  const envelope = envelopeIn(event, agent);
  assert.ok(envelope.good);
  assert.equal(envelope.keyId, agent.serverKeyId);
  assert.deepEqual([envelope.commandId, envelope.type, envelope.tenantId, envelope.environment, envelope.agentId],
    [id, 'route-control', agent.tenantId, 'default', 'one']);
  assert.equal(Date.parse(envelope.expiresAt) - Date.parse(envelope.issuedAt), 30_000);
  assert.deepEqual(envelope.body, stop.payload);
  assert.equal((await show('one', id)).body.state, 'DELIVERED');
  const acked = await acknowledge('one', id, agent.accessToken, { status: 'SUCCESS', message: 'done', data: { routeId: 'in', state: 'Stopped' } });
  assert.deepEqual([acked.status, acked.body], [200, { commandId: id, state: 'ACKNOWLEDGED' }]);
  const shown = (await show('one', id)).body;
  assert.deepEqual([shown.state, shown.message, shown.data, shown.issuedBy], ['ACKNOWLEDGED', 'done', { routeId: 'in', state: 'Stopped' }, 'admin']);
  assert.ok(await metric('cameleer_commands_settled_total{state="ACKNOWLEDGED",type="route-control"}') >= 1);
  stream.close();
});

test('an acknowledgement: the same again 200, another 409, of another agent 403, of nothing 404, wrong 400, without a token 401', async () => {
  const { accessToken } = await server.registerAgent('ack-1');
  const other = (await server.registerAgent('ack-2')).accessToken;
  const id = await sent('ack-1');
  refused(await acknowledge('ack-1', id, accessToken, { status: 'MAYBE' }), 400, 'invalid_member', '/status');
  refused(await acknowledge('ack-1', id, undefined), 401, 'unauthenticated');
  refused(await acknowledge('ack-2', id, other), 403, 'foreign_agent', 'commandId');
  refused(await acknowledge('ack-1', id, other), 403, 'foreign_agent', 'agentId');
  refused(await acknowledge('ack-1', unknownId, accessToken), 404, 'command_not_found', 'commandId');
  assert.equal((await acknowledge('ack-1', id, accessToken, { status: 'FAILURE' })).body.state, 'FAILED');
  assert.equal((await acknowledge('ack-1', id, accessToken, { status: 'FAILURE' })).status, 200);
  refused(await acknowledge('ack-1', id, accessToken), 409, 'command_settled', 'commandId');
});

test('an order: wrong 400, without a token 401, by an agent 401, to nobody 404, to a gone agent 409, too large 413', async () => {
  const { accessToken } = await server.registerAgent('order-1');
  refused(await send('order-1', { type: 'restart', payload: {} }), 400, 'invalid_member', '/type');
  refused(await send('order-1', { type: 'route-control', payload: { action: 'stop' } }), 400, 'invalid_member', '/payload/routeId');
  refused(await send('order-1', stop, null), 401, 'unauthenticated');
  refused(await send('order-1', stop, accessToken), 401, 'unauthenticated');
  refused(await send('nobody', stop), 404, 'agent_not_found', 'agentId');
  refused(await show('order-1', unknownId), 404, 'command_not_found', 'commandId');
  refused(await server.request('POST', '/api/v1/agents/commands', { token: admin, json: stop }), 400, 'invalid_parameter', 'environment');
  refused(await server.request('POST', '/api/v1/agents/groups/orders/commands?environment=none', { token: admin, json: stop }), 404, 'environment_not_found', 'environment');
  refused(await send('order-1', { ...expression, payload: { ...expression.payload, body: 'b'.repeat(1_600_000) } }), 413, 'body_too_large');
  assert.equal((await server.request('POST', '/api/v1/agents/order-1/deregister', { token: accessToken })).status, 200);
  refused(await send('order-1', stop), 409, 'conflict');
});

test('a command for an application or an environment goes to each of its agents', async () => {
  const streams = [];
  for (const [id, application] of [['many-1', 'many'], ['many-2', 'many'], ['few-1', 'few']]) {
    const { accessToken } = await server.registerAgent(id, application);
    streams.push(await CommandStream.open(server, id, { token: accessToken }));
  }
  const toMany = await server.request('POST', '/api/v1/agents/groups/many/commands?environment=default', { token: admin, json: { type: 'deep-trace', payload: {} } });
  assert.equal(toMany.status, 202, toMany.text);
  assert.deepEqual(toMany.body.commands.map((one) => one.agentId).sort(), ['many-1', 'many-2']);
  const toAll = await server.request('POST', '/api/v1/agents/commands?environment=default', { token: admin, json: { type: 'config-update' } });
  const reached = toAll.body.commands.map((one) => one.agentId);
  for (const id of ['many-1', 'many-2', 'few-1']) assert.ok(reached.includes(id), id);
  assert.ok(!reached.includes('order-1'), 'an agent that said goodbye gets none');
  await streams[0].next(2);
  await streams[1].next(2);
  await streams[2].next(1);
  assert.deepEqual(streams[0].events.map((one) => one.event), ['deep-trace', 'config-update']);
  assert.deepEqual(streams[2].events.map((one) => one.event), ['config-update']);
  streams.forEach((stream) => stream.close());
});

test('test-expression and replay answer with what the agent says, or 504 naming the command', async () => {
  const agent = await server.registerAgent('asked');
  const stream = await CommandStream.open(server, 'asked', { token: agent.accessToken });
  const asked = send('asked', expression);
  const id = (await stream.next()).id;
  const data = { result: '42', resultType: 'java.lang.Integer' };
  assert.equal((await acknowledge('asked', id, agent.accessToken, { status: 'SUCCESS', data })).status, 200);
  const answered = await asked;
  assert.deepEqual([answered.status, answered.body], [200, { commandId: id, agentId: 'asked', state: 'ACKNOWLEDGED', data }]);

  const replayed = server.request('POST', '/api/v1/agents/asked/replay', { token: admin, json: replay });
  const second = await stream.next(2);
  assert.equal(second.event, 'replay');
  assert.deepEqual(envelopeIn(second, agent).body, replay);
  await acknowledge('asked', second.id, agent.accessToken, { status: 'FAILURE', message: 'no such route' });
  assert.deepEqual((await replayed).body, { commandId: second.id, agentId: 'asked', state: 'FAILED', message: 'no such route' });

  for (const late of [await send('asked', expression), await server.request('POST', '/api/v1/agents/asked/replay?environment=default', { token: admin, json: replay })]) {
    refused(late, 504, 'upstream_timeout');
    const [named] = late.body.detail.match(/[0-9a-f-]{36}/);
    assert.equal((await show('asked', named)).body.state, 'DELIVERED');
  }
  refused(await server.request('POST', '/api/v1/agents/asked/replay', { token: admin, json: { routeId: 'in' } }), 400, 'invalid_member', '/exchange');
  stream.close();
});

test('the stream: 401, 403, the token in the query, which no log shows, and one stream an agent', async () => {
  const { accessToken } = await server.registerAgent('stream-1');
  const other = await server.registerAgent('stream-2');
  assert.equal((await CommandStream.open(server, 'stream-1')).status, 401);
  assert.equal((await CommandStream.open(server, 'stream-1', { token: other.accessToken })).body.code, 'foreign_agent');
  assert.equal((await CommandStream.open(server, 'stream-1', { queryToken: other.refreshToken })).status, 401);
  assert.equal((await server.request('POST', `/api/v1/agents/stream-1/heartbeat?token=${accessToken}`)).status, 401);

  const first = await CommandStream.open(server, 'stream-1', { queryToken: accessToken });
  assert.equal(first.status, 200);
  const second = await CommandStream.open(server, 'stream-1', { token: accessToken });
  await eventually('the older stream ends', () => first.ended);
  const id = await sent('stream-1');
  assert.equal((await second.next()).id, id);
  assert.equal(first.events.length, 0);
  const head = await fetch(`${server.url}/api/v1/agents/stream-1/events`, { method: 'HEAD', headers: { authorization: `Bearer ${accessToken}` } });
  assert.equal(head.status, 200);
  assert.ok(!second.ended);
  second.close();
  await eventually('the requests are logged', () => server.lines.filter((line) => line.operation === 'streamCommands' && line.status === 200).length >= 2);
  assert.ok(!server.output.includes('?token'));
  assert.ok(!server.output.includes(accessToken.split('.')[2]), 'no part of the token that counts is in the log');
});

test('a reconnect with Last-Event-ID brings unsettled commands again, without it only those that were never sent', async () => {
  const { accessToken } = await server.registerAgent('resume');
  const stream = await CommandStream.open(server, 'resume', { token: accessToken });
  const ids = [];
  for (let i = 0; i < 4; i += 1) ids.push(await sent('resume'));
  await stream.next(4);
  await acknowledge('resume', ids[2], accessToken);
  await closed(stream);
  const again = await CommandStream.open(server, 'resume', { token: accessToken, lastEventId: ids[0] });
  await again.next(2);
  assert.deepEqual(again.events, [stream.events[1], stream.events[3]]);
  await closed(again);
  const waiting = await sent('resume');
  const fresh = await CommandStream.open(server, 'resume', { token: accessToken });
  await fresh.next();
  assert.deepEqual(fresh.events.map((one) => one.id), [waiting]);
  fresh.close();
});

test('a revoked API key ends the streams that came from it within a second, and no others', async () => {
  const keys = '/api/v1/admin/environments/default/api-keys';
  const key = (await server.request('POST', keys, { token: admin, json: { label: 'to be revoked' } })).body;
  const registered = await server.request('POST', '/api/v1/agents/register', {
    token: key.secret, json: { agentId: 'revoked', application: 'orders', environmentId: 'default' },
  });
  assert.equal(registered.status, 200, registered.text);
  const bystander = await server.registerAgent('bystander');
  const [stream, other] = [await CommandStream.open(server, 'revoked', { token: registered.body.accessToken }),
    await CommandStream.open(server, 'bystander', { token: bystander.accessToken })];
  assert.equal((await server.request('DELETE', `${keys}/${key.id}`, { token: admin })).status, 204);
  const since = performance.now();
  await eventually('the stream ended', () => stream.ended, 10);
  console.log(`the stream ended ${Math.round(performance.now() - since)} ms after the key was revoked`);
  assert.deepEqual(stream.events.map(({ event, data }) => [event, data]), [['reauth', '{}']]);
  assert.equal((await CommandStream.open(server, 'revoked', { token: registered.body.accessToken })).status, 401);
  assert.ok(!other.ended);
  other.close();
});

test('a reader that does not read is bounded: its commands wait in the store, others go on, and nothing is lost', async () => {
  const { accessToken } = await server.registerAgent('slow');
  const quick = await server.registerAgent('quick');
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET /api/v1/agents/slow/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`);
  socket.pause();
  const ids = [];
  const large = { type: 'replay', payload: { ...replay, exchange: { body: 'x'.repeat(600_000) } } };
  for (let i = 0; i < 16; i += 1) ids.push(await sent('slow', large));
  const states = async () => Promise.all(ids.map(async (id) => (await show('slow', id)).body.state));
  await eventually('some were delivered', async () => (await states()).includes('DELIVERED'));
  const stream = await CommandStream.open(server, 'quick', { token: quick.accessToken });
  const id = await sent('quick');
  assert.equal((await stream.next()).id, id);
  stream.close();
  assert.ok((await states()).filter((one) => one === 'PENDING').length >= 5, 'most wait in their rows');
  socket.destroy();
  const next = await CommandStream.open(server, 'slow', { token: accessToken, lastEventId: ids[0] });
  await next.next(15);
  assert.deepEqual(next.events.map((one) => one.id), ids.slice(1));
  next.close();
});

test('after kill -9 of the server the agent comes back and gets what was waiting', async () => {
  const { accessToken } = await server.registerAgent('survivor');
  const stream = await CommandStream.open(server, 'survivor', { token: accessToken });
  const seen = await sent('survivor');
  await stream.next();
  await closed(stream);
  const waiting = await sent('survivor');
  await server.kill();
  await eventually('the client sees the end', () => stream.ended);
  await server.start();
  admin = await server.adminToken();
  assert.equal((await show('survivor', waiting)).body.state, 'PENDING');
  const again = await CommandStream.open(server, 'survivor', { token: accessToken, lastEventId: seen });
  assert.equal((await again.next()).id, waiting);
  assert.equal((await acknowledge('survivor', waiting, accessToken)).status, 200);
  assert.equal((await acknowledge('survivor', seen, accessToken)).status, 200);
  again.close();
});

test('a command that nobody acknowledges is EXPIRED, and an acknowledgement then is too late', async () => {
  const { accessToken } = await server.registerAgent('silent');
  const id = await sent('silent');
  await eventually('it is EXPIRED', async () => (await show('silent', id)).body.state === 'EXPIRED', 50);
  refused(await acknowledge('silent', id, accessToken), 409, 'command_settled', 'commandId');
  const stream = await CommandStream.open(server, 'silent', { token: accessToken });
  const next = await sent('silent');
  assert.equal((await stream.next()).id, next);
  stream.close();
});

test('a stop of the server ends the streams', async () => {
  const { accessToken } = await server.registerAgent('last');
  const stream = await CommandStream.open(server, 'last', { token: accessToken });
  await server.stop();
  await eventually('the stream ended', () => stream.ended);
});
