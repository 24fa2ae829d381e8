// An agent's command stream as a client sees it, read by a parser of event streams.
import { createPublicKey, verify } from 'node:crypto';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { eventually } from './server_process.mjs';

export class CommandStream {
  /** Opens it; `events` grows as they come, `ended` becomes true with its end. */
  static async open(server, agentId, { token, lastEventId, queryToken } = {}) {
    const stream = new CommandStream();
    const headers = { accept: 'text/event-stream' };
    if (token) headers.authorization = `Bearer ${token}`;
    if (lastEventId) headers['last-event-id'] = lastEventId;
    const query = queryToken ? `?token=${queryToken}` : '';
    const answer = await fetch(`${server.url}/api/v1/agents/${agentId}/events${query}`, { headers, signal: stream.abort.signal });
    stream.status = answer.status;
    stream.headers = answer.headers;
    if (answer.status !== 200) {
      stream.body = await answer.json();
      return stream;
    }
    stream.read(answer.body).then(() => { stream.ended = true; }, () => { stream.ended = true; });
    await eventually('the stream greets', () => stream.comments > 0);
    return stream;
  }

  abort = new AbortController();
  events = [];
  comments = 0;
  ended = false;

  async read(body) {
    const parser = new EventSourceParserStream({ onComment: () => { this.comments += 1; } });
    for await (const event of body.pipeThrough(new TextDecoderStream()).pipeThrough(parser)) this.events.push(event);
  }

  async next(count = 1) {
    return eventually(`${count} events, saw ${this.events.length}`, () => this.events.length >= count && this.events[count - 1]);
  }

  close() { this.abort.abort(); }
}

/** The envelope in an event's data, verified against the key that the agent got at registration. */
export function envelopeIn(event, registration) {
  const { payload, signature, keyId } = JSON.parse(event.data);
  const key = createPublicKey({ key: Buffer.from(registration.serverPublicKey, 'base64'), format: 'der', type: 'spki' });
  const good = verify(null, Buffer.from(`cameleer-command-v1.${payload}`, 'ascii'), key, Buffer.from(signature, 'base64url'));
  return { good, keyId, ...JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) };
}
