// libFuzzer against everything that reads licences, for a few seconds each, from the kept corpus. `./dev fuzz` takes longer.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const build = process.env.CAMELEER_BUILD;
const kept = fileURLToPath(new URL('../fuzz/corpus', import.meta.url));
const sanitized = /^CAMELEER_SANITIZE:[A-Z]+=.*address/m.test(readFileSync(join(build, 'CMakeCache.txt'), 'utf8'));
const seconds = 6;

/// The exit code, what was printed, and the inputs that failed, as base64.
async function fuzz(name) {
  const folder = mkdtempSync(join(tmpdir(), 'cameleer-fuzz-'));
  try {
    cpSync(join(kept, name), join(folder, 'corpus'), { recursive: true });
    const child = spawn(join(build, 'fuzz', `fuzz_${name}`),
      [`-max_total_time=${seconds}`, '-timeout=20', '-rss_limit_mb=2048', '-max_len=4096', `-artifact_prefix=${folder}/failed-`, join(folder, 'corpus')],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { output += text; });
    const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000);
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(deadline);
    const failed = readdirSync(folder).filter((file) => file.startsWith('failed-')).map((file) => readFileSync(join(folder, file)).toString('base64'));
    return { code, output, failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (sanitized) {
  for (const name of ['license_token', 'license_payload', 'license_keys']) {
    test(`no input of ${name} crashes, hangs, or is accepted without a signature`, async () => {
      const corpus = readdirSync(join(kept, name)).length;
      assert.ok(existsSync(join(build, 'fuzz', `fuzz_${name}`)));
      const { code, output, failed } = await fuzz(name);
      assert.deepEqual({ code, failed }, { code: 0, failed: [] }, output.slice(-4_000));
      const runs = Number(output.match(/Done (\d+) runs/)[1]);
      assert.ok(runs > corpus, `${runs} runs`);
      // A fuzzer that sees nothing of the code would only throw dice.
      const [, counters] = output.match(/\((\d+) inline 8-bit counters\)/);
      const [, covered] = output.match(/INITED cov: (\d+)/);
      assert.ok(Number(counters) > 300 && Number(covered) > 50, `covers ${covered} of ${counters}`);
    });
  }
}
