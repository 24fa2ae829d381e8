// What the benchmarks read from /proc, and how they sum up rounds.
import { readFileSync, readdirSync } from 'node:fs';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
export const most = (values) => Math.max(...values);
export const least = (values) => Math.min(...values);

const ticksPerSecond = 100;  // USER_HZ of every Linux that Cameleer runs on

/** Processor time that all threads of a process took so far, in microseconds. */
export function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / ticksPerSecond);
}

/** Resident memory in MiB: all of it, the part that no file backs, and the most it ever was. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) / 1024;
  return { resident: field('VmRSS'), anonymous: field('RssAnon'), peak: field('VmHWM') };
}

/** The process and what descends from it. */
export function familyOf(pid) {
  const parents = new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      return [[Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1])]];
    } catch { return []; }  // it ended meanwhile
  }));
  const family = [pid];
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family;
}

/** Memory of several processes in MiB; pages that they share count once. */
export function proportionalMemory(pids) {
  return pids.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1]) / 1024, 0);
}
