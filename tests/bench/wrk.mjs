// One run of wrk: a thread with kept connections, each sending its next request when the answer is there.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { processorTime } from './figures.mjs';

const run = promisify(execFile);
const inMilliseconds = { us: 0.001, ms: 1, s: 1000 };

/** Requests a second, p99 in ms, and processor microseconds that `pid` spent on each request. `script`: of wrk, for other than GET. */
export async function load({ url, headers, pid, core, seconds, connections = 64, script }) {
  const before = processorTime(pid);
  const { stdout } = await run('taskset', ['-c', String(core), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...(script ? ['-s', script] : []),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), url]);
  const spent = processorTime(pid) - before;
  if (/Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
  const [, p99, unit] = stdout.match(/99%\s+([\d.]+)(us|ms|s)/);
  const requests = Number(stdout.match(/(\d+) requests in/)[1]);
  const refused = Number(stdout.match(/Non-2xx or 3xx responses: (\d+)/)?.[1] ?? 0);
  return { rate: Number(stdout.match(/Requests\/sec:\s+([\d.]+)/)[1]), p99: p99 * inMilliseconds[unit], cost: spent / requests, requests, refused };
}
