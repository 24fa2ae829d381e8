// The server of the integration tests, with the time it takes to be ready and a port that is known before.
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../integration/free_port.mjs';
import { ServerProcess } from '../integration/server_process.mjs';

export { freePort };

const statusOf = (url) => new Promise((resolve) => {
  get(url, { agent: false, timeout: 1000 }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on('error', () => resolve(0));
});

export class BenchServer extends ServerProcess {
  /** Starts it; milliseconds from its spawning until /health/ready answers 200. */
  async timedStart() {
    this.port ||= await freePort();
    const begin = performance.now();
    let failure;
    const started = this.start().catch((error) => { failure = error; });
    while (!failure && (await statusOf(`http://127.0.0.1:${this.port}/health/ready`)) !== 200) await delay(2);
    const elapsed = performance.now() - begin;
    await started;
    if (failure) throw failure;
    return elapsed;
  }
}
