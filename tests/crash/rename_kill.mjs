// Kills a process when it is about to rename something: strace injects the signal at the entrance of the system call, so that all that
// came before is done and the rename is not. The engine writes a part under a temporary name (`tmp_insert_…`), its deduplication log
// when the table has one, and then renames the part: that is the moment.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../integration/server_process.mjs';

/** The program's threads are all followed; other system calls of it are not slowed down. */
export async function killAtRename(pid, number, seconds = 60) {
  const folder = mkdtempSync(join(tmpdir(), 'cameleer-strace-'));
  const log = join(folder, 'log');
  try {
    const strace = spawn('strace', ['-f', '-qq', '-s', '4096', '-p', String(pid), '-e', 'trace=rename,renameat,renameat2', '-e', `inject=rename,renameat,renameat2:signal=SIGKILL:when=${number}`, '-o', log],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '', ended;
    strace.stderr.on('data', (chunk) => { said += chunk; });
    strace.on('error', (error) => { ended = { error }; });
    strace.on('close', (code, signal) => { ended ??= { code, signal }; });
    try {
      await eventually('the engine dies at a rename', () => ended, seconds);
    } finally {
      if (!ended) strace.kill('SIGTERM');
    }
    if (ended.error) throw new Error(`strace cannot be run: ${ended.error.message}`);
    const text = readFileSync(log, 'utf8');
    if (!/killed by SIGKILL/.test(text)) throw new Error(`strace killed nothing (is ptrace permitted here? a container needs CAP_SYS_PTRACE or its own processes only): ${said || text}`);
    const calls = [...text.matchAll(/rename(?:at2?)?\([^"]*"([^"]*)"[^"]*"([^"]*)"/g)].map(([, from, to]) => ({ from, to }));
    return calls.at(-1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
