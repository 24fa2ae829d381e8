// The commands of the operator's guide, one after the other, as they stand there.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RealProvider, audience } from './oidc_provider.mjs';
import { ServerProcess, build, temporaryFolder } from './server_process.mjs';

const guide = readFileSync(new URL('../../docs/operator-guide.md', import.meta.url), 'utf8');
/** The shell commands of a chapter. */
function commandsOf(chapter) {
  const text = guide.split(/^## /m).find((part) => part.startsWith(`${chapter}\n`));
  assert.ok(text, `there is no chapter ${chapter}`);
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);
  assert.ok(blocks.length > 0, `${chapter} has no commands`);
  return blocks.join('');
}

const provider = new RealProvider({});
const folder = temporaryFolder();
let server;
before(async () => {
  await provider.start();
  server = new ServerProcess({ env: { CAMELEER_OIDC_ISSUER_URI: provider.issuer, CAMELEER_OIDC_AUDIENCE: audience, CAMELEER_SERVER_OIDC_CLIENT_ID: 'cameleer' } });
  await server.start();
});
after(async () => {
  await server?.dispose();
  await provider.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('each command does what its chapter says', async () => {
  const chapters = ['First start', 'OpenID Connect', 'Claim mapping', 'Keys', 'Ingest: what to watch', 'Audit'];
  const script = `set -euo pipefail\n${chapters.map((chapter) => `echo '== ${chapter}'\n${commandsOf(chapter)}`).join('\n')}\n`;
  const shell = spawn('bash', ['-s'], {
    cwd: folder, stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: `${join(build, 'bin')}:${process.env.PATH}`, CAMELEER: server.url, DATA: join(server.folder, 'data'), TMPDIR: folder, HOME: folder },
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk) => { output += chunk; });
  shell.stdin.end(script);
  const [code] = await once(shell, 'close');
  assert.equal(code, 0, output);
  const said = Object.fromEntries(output.split(/^== /m).slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
  assert.match(said['First start'], /^admin\n[\s\S]*true\n[\s\S]*"role": "ADMIN"/);
  assert.match(said['OpenID Connect'], /^true\n[\s\S]*discovery/);
  assert.match(said['Claim mapping'], /"ADMIN"[\s\S]*matched: [\s\S]*differs: [\s\S]*\[\d+,"department","OPERATOR"\]/);
  assert.match(said.Keys, /^[A-Za-z0-9+/]{43}=\n[A-Za-z0-9+/]{43}=cmk_\S+\tACTIVE\torders team\n/);
  assert.match(said['Ingest: what to watch'], /^\S+:\d+\ncameleer_\w+\n/);
  assert.match(said.Audit, /create_user\tada\tSUCCESS\n[\s\S]*"ok": true[\s\S]*are unbroken; the end was signed by this key/);
});
