// Looks for secrets in files, in every form in which one may have got there: as it is, in JSON, in a URL, in base64 at any
// position, in hexadecimal digits. One pass of grep for all of them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

// Of a longer one its end is looked for: nobody else's token ends in the same 40 characters.
const enough = 40;

/** Base64 of bytes that stand anywhere in a longer text: what is the same whatever is before and behind them. */
function encodedAnywhere(bytes, encoding) {
  return [0, 1, 2].map((before) => Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding)
    .slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)));
}

/** @param {{text?: string, bytes?: string}} secret bytes in base64 */
export function formsOf({ text, bytes }) {
  const end = text?.slice(-enough);
  const raw = text === undefined ? Buffer.from(bytes, 'base64') : Buffer.from(end);
  const forms = [...encodedAnywhere(raw, 'base64'), ...encodedAnywhere(raw, 'base64url'), raw.toString('hex')];
  if (end !== undefined) forms.push(end, JSON.stringify(end).slice(1, -1), encodeURIComponent(end), new URLSearchParams({ end }).toString().slice('end='.length));
  return [...new Set(forms)];
}

export function secretsIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
}

function filesIn(folder) {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)) : [];
}

export const sizeOf = (folder) => filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);

/** What of `secrets` is in the files of `folders`: {found: [{kind, file, line, excerpt}], files, bytes, patterns}. */
export function search(secrets, folders) {
  const kinds = new Map(secrets.flatMap((secret) => formsOf(secret).map((form) => [form, secret.kind])));
  const result = { found: [], patterns: kinds.size, files: folders.flatMap(filesIn).length, bytes: folders.reduce((sum, folder) => sum + sizeOf(folder), 0) };
  if (result.files === 0 || result.patterns === 0) return result;
  const scratch = mkdtempSync(join(tmpdir(), 'cameleer-secrets-'));
  try {
    writeFileSync(join(scratch, 'patterns'), [...kinds.keys()].join('\n'));
    const grep = spawnSync('grep', ['-r', '-a', '-o', '-n', '-H', '-m', '20', '-Z', '-F', '-f', join(scratch, 'patterns'), ...folders.filter(existsSync)],
      { encoding: 'latin1', env: { PATH: process.env.PATH, LC_ALL: 'C' }, maxBuffer: 1 << 28 });
    if (grep.status !== 0 && grep.status !== 1) throw new Error(`grep: ${grep.status} ${grep.error ?? grep.stderr}`);
    for (const row of grep.stdout.split('\n').filter(Boolean)) {
      const [, file, line, match] = /^([^\0]*)\0(\d+):(.*)$/.exec(row);
      const text = Buffer.from(match, 'latin1').toString();
      result.found.push({ kind: kinds.get(text) ?? 'unknown', file: relative(process.cwd(), file), line: Number(line), excerpt: `${text.slice(0, 6)}…` });
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return result;
}
