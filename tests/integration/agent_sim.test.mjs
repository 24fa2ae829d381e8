// The simulated agents: what they count is what the server shows, and their check finds what is not so.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess, build } from './server_process.mjs';

const simulator = join(build, 'bin/agent-sim');
const folder = mkdtempSync(join(tmpdir(), 'cameleer-sim-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('agent-sim', () => {
  const server = new ServerProcess({ ack: 'journal' });
  before(() => server.start());
  after(() => server.dispose());

  const run = (mode, ...flags) => {
    const all = [mode, '--url', server.url, '--secrets', join(server.folder, 'data/first-start.txt'), ...flags];
    const { status, stdout, stderr } = spawnSync(simulator, all, { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const count = (text, name) => Number(text.match(new RegExp(`^${name} +(\\d+)`, 'm'))?.[1]);

  test('what it sent with every chaos is there once, whole', () => {
    const ledger = join(folder, 'chaos');
    const load = run('load', '--agents', '4', '--count', '900', '--batch', '30', '--payload', '2x200', '--encoding', 'gzip', '--ledger', ledger, '--seed', '41',
      '--reconnect-every', '3', '--duplicate-rate', '0.4', '--clock-skew', '60000', '--slow-read', '5', '--timeout-retry', '10', '--error-rate', '0.1');
    assert.equal(load.status, 0, load.text);
    assert.equal(count(load.text, 'acknowledged'), 900, load.text);
    const check = run('check', '--ledger', ledger, '--details', '100');
    assert.equal(check.status, 0, check.text);
    assert.equal(count(check.text, 'found'), 900);
    assert.equal(count(check.text, 'whole content'), 100);
  });

  test('its check tells what the ledger does not know from what the server does not know', () => {
    const ledger = join(folder, 'cut');
    assert.equal(run('load', '--count', '60', '--batch', '20', '--ledger', ledger, '--seed', '42').status, 0);
    const lines = readFileSync(ledger, 'utf8').split('\n');
    const without = join(folder, 'without');
    writeFileSync(without, lines.filter((_, index) => index !== 2).join('\n'));
    const unexpected = run('check', '--ledger', without);
    assert.equal(unexpected.status, 1, unexpected.text);
    assert.equal(count(unexpected.text, 'unexpected'), 20, unexpected.text);
    // Nobody sent these to this environment.
    const elsewhere = run('check', '--ledger', withOtherEnvironment(lines));
    assert.equal(elsewhere.status, 1, elsewhere.text);
  });

  test('a key that does not count ends it with a sentence', () => {
    const { status, text } = run('load', '--count', '1', '--api-key', 'cmk_wrong');
    assert.equal(status, 1, text);
    assert.match(text, /registration of sim-1-0 was answered 401/);
  });

  test('the server keeps every rule of the protocol', (context) => {
    const { status, text } = run('conformance', '--json');
    const rules = JSON.parse(text);
    context.diagnostic(`${rules.length} rules`);
    assert.deepEqual(rules.filter((rule) => !rule.ok), []);
    assert.equal(status, 0);
    assert.ok(rules.length > 200);
  });

  function withOtherEnvironment(lines) {
    const ledger = join(folder, 'elsewhere');
    // The head's checksum is that of the other text no longer: a ledger that was changed is refused.
    writeFileSync(ledger, [lines[0].replace('environment=default', 'environment=another'), ...lines.slice(1)].join('\n'));
    return ledger;
  }
});
