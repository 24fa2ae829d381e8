// Adds up the JUnit files of a test run and prints `N passed, N failed` as the last line. Fails when anything failed,
// when a stage failed without saying so in a file, or when no test ran at all.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedStages] = [process.argv[2], Number(process.argv[3] ?? 0)];
let passed = 0, failed = 0, skipped = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.xml')).sort()) {
  const text = readFileSync(join(folder, file), 'utf8');
  // One <testcase> is one test; self-closing, or closed after its failure or skip mark.
  for (const [, , body] of text.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(body ?? '')) failed++;
    else if (/<skipped\b/.test(body ?? '')) skipped++;
    else passed++;
  }
}
if (failedStages > 0 && failed === 0) failed = failedStages;
if (passed === 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);
