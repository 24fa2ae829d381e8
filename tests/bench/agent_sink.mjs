// The least that an agent can take for a server: registers it, keeps its stream open and accepts what it sends.
import { createServer } from 'node:http';

export class AgentSink {
  constructor() {
    this.requests = 0;
    this.bytes = 0;
    this.server = createServer((request, answer) => this.#answer(request, answer));
  }

  async start() {
    this.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.server.once('listening', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #answer(request, answer) {
    const data = request.url.startsWith('/api/v1/data/');
    if (!data && request.url.endsWith('/events')) {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.write(':\n\n');
      return;
    }
    request.on('data', (chunk) => { if (data) this.bytes += chunk.length; });
    request.on('end', () => {
      if (data) this.requests++;
      answer.writeHead(data ? 202 : 200, { 'Content-Type': 'application/json' });
      answer.end(JSON.stringify(data ? { accepted: 1 } : {
        agentId: 'bench', tenantId: 'default', sseEndpoint: '/api/v1/agents/bench/events', heartbeatIntervalMs: 30_000, accessToken: 'access',
        refreshToken: 'refresh', expiresInSeconds: 3600, serverTime: new Date().toISOString(), config: { version: 0 }, version: 0,
      }));
    });
  }
}
