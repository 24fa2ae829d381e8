// Stands between agents and the server, passes everything on untouched, keeps it, and holds every message to its schema.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { createServer, request as httpRequest } from 'node:http';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { eventually } from '../integration/server_process.mjs';
import { rememberHeaders, rememberMembers } from '../secrets/collect.mjs';
import { callOf, messages, violation } from './agent_protocol.mjs';

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'http2-settings', 'te', 'trailer', 'proxy-connection']);
const endToEnd = (raw) => raw.filter((_, index) => !hopByHop.has(raw[index - (index % 2)].toLowerCase()));

function decoded(bytes, encoding) {
  if (encoding === 'gzip') return gunzipSync(bytes);
  if (encoding === 'zstd') return zstdDecompressSync(bytes);
  return bytes;
}

export class RecordingProxy {
  /** @param {{url: string}} server its address is asked for with every request: it may start again */
  constructor(server) {
    /** Calls: {name, agentId, request, status, answer, startedAt, endedAt}; streams: and `events`. */
    Object.assign(this, { target: server, calls: [], violations: [], keys: new Map(), agents: new Map(), commands: new Map() });
  }

  async start() {
    this.http = createServer((incoming, outgoing) => this.pass(incoming, outgoing));
    this.http.keepAliveTimeout = 60_000;
    await new Promise((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.http.address().port}`;
    return this;
  }

  async stop() {
    this.http?.closeAllConnections();
    await new Promise((resolve) => (this.http ? this.http.close(resolve) : resolve()));
  }

  /** Calls of a kind that were answered as they should be. */
  answered(name) {
    return this.calls.filter((call) => call.name === name && call.status === callStatus(name));
  }

  /** The elements of all accepted requests `data/<kind>`, as sent. */
  data(kind) {
    return this.answered(`data/${kind}`).flatMap((call) => call.request.json);
  }

  /** The command streams of an agent that the server opened, oldest first. */
  streams(agentId) {
    return this.calls.filter((call) => call.name === 'events' && call.agentId === agentId && call.status === 200);
  }

  /** The open command stream of an agent, once there is one. */
  streamOpened(agentId) {
    return eventually(`${agentId} listens for commands`, () => this.streams(agentId).find(({ endedAt }) => !endedAt), 60);
  }

  /** Puts bytes of somebody else's into an agent's open stream, behind what the server has sent. */
  async inject(agentId, text) {
    const stream = await this.streamOpened(agentId);
    assert.ok(stream.betweenEvents(), 'the server is in the middle of an event');
    await new Promise((resolve) => stream.outgoing.write(text, resolve));
  }

  /** Events of all streams: {name, id, message, envelope, at, agentId}. */
  get events() {
    return this.calls.flatMap((call) => call.events ?? []);
  }

  /** Everything that agents sent, as text: bodies without their content coding. */
  get sentText() {
    return this.calls.map((call) => `${call.path} ${call.request.text}`).join('\n');
  }

  pass(incoming, outgoing) {
    const { pathname, search } = new URL(incoming.url, 'http://proxy');
    const call = { method: incoming.method, path: pathname, startedAt: Date.now(), kind: callOf(incoming.method, pathname), request: { text: '' } };
    call.name = call.kind?.name ?? `${call.method} ${pathname}`;
    call.agentId = decodeURIComponent(/^\/api\/v1\/agents\/([^/]+)\/./.exec(pathname)?.[1] ?? '');
    call.search = search;
    this.calls.push(call);
    if (!call.kind) this.refuse(call, 'request', 'it is no call of the protocol');

    const upstream = httpRequest(this.target.url + incoming.url, { method: incoming.method, headers: headersOf(endToEnd(incoming.rawHeaders)), agent: false });
    // A server that is gone is a connection that ends, as it would be without the proxy.
    upstream.on('error', () => { call.endedAt ??= Date.now(); outgoing.destroy(); });
    outgoing.on('close', () => { call.endedAt ??= Date.now(); upstream.destroy(); });

    const sent = [];
    incoming.on('data', (chunk) => { sent.push(chunk); upstream.write(chunk); });
    incoming.on('end', () => { this.takeRequest(call, Buffer.concat(sent), incoming.headers); upstream.end(); });
    incoming.on('error', () => upstream.destroy());

    upstream.on('response', (answer) => {
      call.status = answer.statusCode;
      call.answeredAt = Date.now();
      outgoing.writeHead(answer.statusCode, endToEnd(answer.rawHeaders));
      outgoing.flushHeaders();
      const stream = answer.statusCode === 200 && call.name === 'events' ? this.streamOf(call, answer.headers, outgoing) : undefined;
      const got = [];
      answer.on('data', (chunk) => { outgoing.write(chunk); if (stream) stream(chunk); else got.push(chunk); });
      answer.on('end', () => { call.endedAt ??= Date.now(); if (!stream) this.takeAnswer(call, Buffer.concat(got), answer.headers); outgoing.end(); });
      answer.on('error', () => { call.endedAt ??= Date.now(); outgoing.destroy(); });
    });
  }

  takeRequest(call, bytes, headers) {
    call.headers = headers;
    rememberHeaders(new Headers({ authorization: headers.authorization ?? '' }));
    try {
      call.request.text = decoded(bytes, headers['content-encoding']).toString('utf8');
      if (call.request.text) call.request.json = JSON.parse(call.request.text);
    } catch (error) {
      this.refuse(call, 'request', error.message);
      return;
    }
    if (call.kind?.request && call.request.json !== undefined) this.check(call, 'request', call.kind.request, call.request.json);
    if (call.kind && !call.kind.request && call.request.text && call.request.text !== '{}') this.refuse(call, 'request', 'it has a body');
    if (call.name === 'ack') this.checkAck(call);
  }

  takeAnswer(call, bytes, headers) {
    const good = call.status === call.kind?.status;
    try {
      call.answer = JSON.parse(decoded(bytes, headers['content-encoding']).toString('utf8'));
    } catch (error) {
      this.refuse(call, 'answer', error.message);
      return;
    }
    if (call.answer.accessToken) rememberMembers(call.answer);
    const type = headers['content-type'] ?? '';
    if (!type.startsWith(good ? 'application/json' : 'application/problem+json')) this.refuse(call, 'answer', `its content type is ${type}`);
    this.check(call, 'answer', good ? call.kind.answer : messages.failure, call.answer);
    if (good && call.name === 'register') {
      const { serverKeyId, serverPublicKey, tenantId, agentId } = call.answer;
      this.keys.set(serverKeyId, createPublicKey({ key: Buffer.from(serverPublicKey ?? '', 'base64'), format: 'der', type: 'spki' }));
      this.agents.set(agentId, { tenantId, environment: call.request.json?.environmentId });
    }
  }

  /** Reads a stream of events as the HTML standard says. */
  streamOf(call, headers, outgoing) {
    Object.assign(call, { events: [], outgoing, betweenEvents: () => text === '' && Object.keys(event).length === 0 });
    if (!(headers['content-type'] ?? '').startsWith('text/event-stream')) this.refuse(call, 'answer', `its content type is ${headers['content-type']}`);
    let text = '', event = {};
    const line = (one) => {
      if (one === '') {
        if (event.data !== undefined) this.takeEvent(call, event);
        event = {};
      } else if (one.startsWith(':')) {
        call.comments = (call.comments ?? 0) + 1;
      } else {
        const [, field, value] = /^([^:]*):? ?(.*)$/.exec(one);
        event[field] = field === 'data' && event.data !== undefined ? `${event.data}\n${value}` : value;
      }
    };
    const decoder = new TextDecoder();
    return (chunk) => {
      const lines = (text + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
      text = lines.pop();
      lines.forEach(line);
    };
  }

  takeEvent(call, { event: name, id, data }) {
    const taken = { name, id, at: Date.now(), agentId: call.agentId };
    call.events.push(taken);
    let message;
    try {
      message = taken.message = JSON.parse(data);
      if (name === 'reauth') {
        this.check(call, 'event reauth', messages.stream.reauth, message);
        return;
      }
      if (!this.check(call, `event ${name}`, messages.stream.event, message)) return;
      taken.envelope = JSON.parse(Buffer.from(message.payload, 'base64url').toString('utf8'));
    } catch (error) {
      this.refuse(call, `event ${name}`, error.message);
      return;
    }
    this.check(call, `envelope of ${name}`, messages.stream.envelope, taken.envelope);
    const { commandId, type, tenantId, environment, agentId, issuedAt, expiresAt } = taken.envelope;
    const agent = this.agents.get(call.agentId);
    const wrong = Object.entries({
      signature: !this.isSigned(message),
      name: type !== name,
      id: commandId !== id,
      agent: agentId !== call.agentId,
      tenant: agent && tenantId !== agent.tenantId,
      environment: agent && environment !== agent.environment,
      life: !(Date.parse(expiresAt) > Date.parse(issuedAt)),
    }).filter(([, is]) => is).map(([what]) => what);
    if (wrong.length > 0) this.refuse(call, `envelope of ${name}`, `wrong ${wrong.join(', ')}: ${JSON.stringify(taken.envelope).slice(0, 300)}`);
    this.commands.set(commandId, type);
  }

  isSigned({ payload, signature, keyId }) {
    const key = this.keys.get(keyId);
    return key !== undefined && verify(null, Buffer.from(`cameleer-command-v1.${payload}`, 'ascii'), key, Buffer.from(signature, 'base64url'));
  }

  checkAck(call) {
    const commandId = call.path.split('/').at(-2), type = this.commands.get(commandId);
    if (!type) this.refuse(call, 'request', `no stream carried the command ${commandId}`);
    const schema = messages.commands[type]?.ackData;
    if (schema && call.request.json?.status === 'SUCCESS') this.check(call, `data of the ack of ${type}`, schema, call.request.json.data ?? null);
  }

  check(call, what, schema, value) {
    const wrong = violation(schema, value);
    if (wrong) this.refuse(call, what, wrong);
    return !wrong;
  }

  refuse(call, what, why) {
    this.violations.push(`${call.method} ${call.path}, ${what}${call.status ? ` (${call.status})` : ''}: ${why}`);
  }
}

const callStatus = (name) => messages.calls.find((call) => call.name === name).status;

function headersOf(raw) {
  const headers = {};
  for (let index = 0; index < raw.length; index += 2) headers[raw[index]] = raw[index + 1];
  return headers;
}
