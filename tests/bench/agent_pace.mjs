// Orders at a fixed rate, each sent when it is due whether or not the one before was answered: what an application with time to spare feels.
import { Agent, request } from 'node:http';
import { processorTime } from './figures.mjs';

/** p50 and p99 in ms from when an order was due, and processor microseconds of `pid` for each. */
export async function pace({ url, body, pid, seconds, rate }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const took = [], started = performance.now(), before = processorTime(pid), total = Math.round(seconds * rate);
  const send = (due) => new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.resume().once('end', () => resolve(took.push(performance.now() - due)));
    });
    sent.once('error', reject);
    sent.setTimeout(30_000, () => sent.destroy(new Error(`${url}: no answer`)));
    sent.end(body);
  });
  const all = [];
  let failure;
  for (let index = 0; index < total;) {
    const now = performance.now();
    for (; index < total && started + index * (1000 / rate) <= now; index++) all.push(send(started + index * (1000 / rate)).catch((error) => { failure ??= error; }));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  agent.destroy();
  if (failure) throw failure;
  took.sort((a, b) => a - b);
  const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))];
  return { p50: at(0.5), p99: at(0.99), cost: (processorTime(pid) - before) / total };
}
