// Stands between a server and a ClickHouse that is well, and makes it sick: passes everything on untouched until it is told to `be`
// something else. It keeps no state of its own beyond one request, so that what it passes on counts at once.
import { createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';

/** One request on its way to the store. */
export class Exchange {
  constructor(store, incoming, outgoing) {
    Object.assign(this, { store, incoming, outgoing, sql: new URL(incoming.url, 'http://store').searchParams.get('query') ?? '' });
  }

  get isInsert() { return /^INSERT INTO/.test(this.sql); }

  async body() {
    if (!this.bytes) {
      const chunks = [];
      for await (const chunk of this.incoming) chunks.push(chunk);
      this.bytes = Buffer.concat(chunks);
    }
    return this.bytes;
  }

  /** What the request holds, without its content coding. */
  async text() {
    const bytes = await this.body();
    return (this.incoming.headers['content-encoding'] === 'zstd' ? zstdDecompressSync(bytes) : bytes).toString('latin1');
  }

  /** Lets the store answer. */
  async forward() {
    const body = await this.body();
    const { host, connection, ...headers } = this.incoming.headers;
    const onward = httpRequest(this.store.target.url + this.incoming.url, { method: this.incoming.method, headers, agent: false });
    onward.on('error', () => {});
    onward.end(body);
    const [answer] = await once(onward, 'response');
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
  }

  /** Brings the store half of the request, and ends both connections. */
  async forwardHalf() {
    const body = await this.body();
    const { host, connection, ...headers } = this.incoming.headers;
    const onward = httpRequest(this.store.target.url + this.incoming.url, { method: this.incoming.method, headers: { ...headers, 'content-length': String(body.length) }, agent: false });
    onward.on('error', () => {});
    onward.flushHeaders();
    await new Promise((resolve) => onward.write(body.subarray(0, body.length / 2), resolve));
    onward.destroy();
    this.drop();
  }

  answer({ status, headers = {}, body = '' }) {
    const { connection, 'transfer-encoding': coding, 'keep-alive': kept, 'content-length': length, ...rest } = headers;
    const bytes = Buffer.from(body);
    this.outgoing.writeHead(status, { ...rest, 'content-length': String(bytes.length) });
    this.outgoing.end(bytes);
  }

  /** As ClickHouse words it. */
  async refuse(code, name, text, status = 500) {
    await this.body();
    this.answer({ status, headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-exception-code': String(code) }, body: `Code: ${code}. DB::Exception: ${text}. (${name}) (version 26.7.3.1)\n` });
  }

  /** Bytes as they are instead of an answer, and the end of the connection. */
  async raw(bytes) {
    await this.body();
    this.outgoing.socket.end(bytes);
  }

  drop() { this.outgoing.socket?.destroy(); }
}

export class SickStore {
  /** @param {{url: string}} target */
  constructor(target) { Object.assign(this, { target, sickness: undefined, met: 0, held: new Set(), port: 0 }); }

  get url() { return `http://127.0.0.1:${this.port}`; }

  async start() {
    this.http = createServer((incoming, outgoing) => {
      const exchange = new Exchange(this, incoming, outgoing);
      incoming.on('error', () => {});
      outgoing.on('error', () => {});
      // A connection that ends while it is served is what this is for; a proxy in front of a dead store has none either.
      this.serve(exchange).catch(() => exchange.drop());
    });
    this.http.keepAliveTimeout = 60_000;
    this.http.requestTimeout = 0;
    this.http.listen(this.port, '127.0.0.1');
    await once(this.http, 'listening');
    this.port = this.http.address().port;
    return this;
  }

  async serve(exchange) {
    const { sickness } = this;
    if (!sickness || !await sickness.of(exchange)) return exchange.answer(await exchange.forward());
    this.met++;
    return sickness.treat(exchange);
  }

  /** From now on; nothing: well. Connections that a sickness holds open are ended. */
  async be(sickness) {
    const closed = this.sickness?.isClosed;
    this.sickness = sickness;
    this.met = 0;
    for (const exchange of this.held) exchange.drop();
    this.held.clear();
    if (sickness?.isClosed && !closed) await this.stop();
    if (closed && !sickness?.isClosed) await this.start();
  }

  async stop() {
    const ended = once(this.http, 'close');
    this.http.close();
    this.http.closeAllConnections();
    await ended;
  }
}

const inserts = (exchange) => exchange.isInsert;
const everything = () => true;
const refusing = (code, name, text, status) => ({ of: inserts, treat: (exchange) => exchange.refuse(code, name, text, status) });

/**
 * Every sickness that the store may have and that passes. `group` is the kind of ./dev crash that uses it; `of` says which requests it
 * treats and `treat` how; `delivers`: rows arrive all the same, so that nothing is repeated; `down`: readiness says DOWN; `isMute`: it is noticed
 * only when a deadline passes, or when the connection ends.
 */
export const sicknesses = [
  { name: 'refuses connections', group: 'errors', isClosed: true, down: true },
  { name: 'answers every request with an error', group: 'errors', of: everything, down: true, treat: (exchange) => exchange.refuse(210, 'NETWORK_ERROR', 'Connection reset by peer') },
  { name: 'has no memory for an insert', group: 'errors', ...refusing(241, 'MEMORY_LIMIT_EXCEEDED', '(total) memory limit exceeded: would use 1.00 GiB') },
  { name: 'merges too slowly', group: 'errors', ...refusing(252, 'TOO_MANY_PARTS', 'Too many parts (3001 with average size of 10.00 KiB) in table tenant_default.executions. Merges are processing significantly slower than inserts') },
  { name: 'runs too many queries', group: 'errors', ...refusing(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries. Maximum: 100') },
  { name: 'takes too long for an insert', group: 'errors', ...refusing(159, 'TIMEOUT_EXCEEDED', 'Timeout exceeded: elapsed 60.01 seconds, maximum: 60') },
  { name: 'is read-only', group: 'errors', ...refusing(242, 'TABLE_IS_READ_ONLY', 'Table is in readonly mode') },
  { name: 'has no room left', group: 'errors', ...refusing(243, 'NOT_ENOUGH_SPACE', 'Cannot reserve 1.00 MiB, not enough space') },
  { name: 'shuts down', group: 'errors', ...refusing(236, 'ABORTED', 'Server is shutting down', 503) },
  { name: 'is behind a balancer that has no store', group: 'errors', of: everything, down: true,
    treat: async (exchange) => { await exchange.body(); exchange.answer({ status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>503 Service Unavailable</h1>' }); } },

  { name: 'answers late', group: 'slow', of: inserts, delivers: true, treat: async (exchange) => { const answer = await exchange.forward(); await delay(1500); exchange.answer(answer); } },
  { name: 'drips its answer', group: 'slow', of: inserts, delivers: true,
    treat: async (exchange) => {
      const answer = await exchange.forward();
      if (answer.status !== 200) return exchange.answer(answer);
      const text = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-ClickHouse-Summary: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      for (const byte of text) { exchange.outgoing.socket.write(byte); await delay(5); }
      exchange.outgoing.socket.end();
    } },
  { name: 'takes requests and says nothing', group: 'slow', isMute: true, of: inserts, treat: async (exchange) => { await exchange.body(); exchange.store.held.add(exchange); } },
  { name: 'stores rows and says nothing', group: 'slow', isMute: true, of: inserts, treat: async (exchange) => { await exchange.forward(); exchange.store.held.add(exchange); } },

  { name: 'stores rows and loses its answer', group: 'half', of: inserts, treat: async (exchange) => { await exchange.forward(); exchange.drop(); } },
  { name: 'breaks off in the head of its answer', group: 'half', of: inserts, treat: async (exchange) => { await exchange.forward(); await exchange.raw('HTTP/1.1 200 OK\r\nX-Click'); } },
  { name: 'breaks off in the body of its answer', group: 'half', of: inserts, treat: async (exchange) => { await exchange.forward(); await exchange.raw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nCode:'); } },
  { name: 'answers what is no HTTP', group: 'half', of: inserts, treat: async (exchange) => exchange.raw('\0\0\0\x12Hello from elsewhere\r\n\r\n') },
  { name: 'ends the connection before it answers', group: 'half', of: inserts, treat: async (exchange) => { await exchange.body(); exchange.drop(); } },
  { name: 'ends the connection in the middle of a request', group: 'half', of: inserts, treat: async (exchange) => { await once(exchange.incoming, 'data'); exchange.drop(); } },
  { name: 'gets half of a request', group: 'half', of: inserts, treat: (exchange) => exchange.forwardHalf() },
  { name: 'reports a failure after its status 200', group: 'half', of: inserts,
    treat: async (exchange) => { await exchange.body(); exchange.answer({ status: 200, headers: { 'x-clickhouse-exception-code': '241' }, body: 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 26.7.3.1)' }); } },
];
