// Runs after all others: nothing that they gave the servers in confidence, or got from them, is in clear in what the
// servers left behind.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { traces } from './collect.mjs';
import { formsOf, search, secretsIn, sizeOf } from './search.mjs';

/** Where a secret may be in clear: {kind, file: RegExp, why}. First secrets are in first-start.txt, which is not looked at. */
const allowed = [];

describe('the search', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cameleer-planted-'));
  after(() => rmSync(folder, { recursive: true }));
  const planted = (name, text) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'server.log'), `{"event":"request"}\n${text}\n`);
    return join(folder, name);
  };
  const password = 'Päss "word" / of+ada\\1', key = Buffer.from('0123456789abcdef0123456789abcdef');
  const token = `eyJhbGciOiJIUzI1NiJ9.${'e'.repeat(700)}.${'signature-of-this-token-and-no-other-0001234'}`;
  const secrets = [{ kind: 'password', text: password }, { kind: 'access token', text: token }, { kind: 'master key', bytes: key.toString('base64') }];
  const base64 = (value) => Buffer.from(value).toString('base64');

  for (const [name, text, kind] of [
    ['as it is', `the password ${password} was wrong`, 'password'],
    ['in JSON', JSON.stringify({ password }), 'password'],
    ['in a URL', `GET /x?password=${encodeURIComponent(password)}&y`, 'password'],
    ['in a form', `password=${new URLSearchParams({ p: password }).toString().slice(2)}`, 'password'],
    ['in a Basic header', base64(`ada:${password}`), 'password'],
    ['in base64, one further', base64(`ada1:${password}!`), 'password'],
    ['in base64, two further', base64(`ada12:${password}!!`), 'password'],
    ['in hexadecimal digits', `\\x${Buffer.from(password).toString('hex')}`, 'password'],
    ['a token in a longer line', `authorization: Bearer ${token}, refused`, 'access token'],
    ['a token that was cut at its front', token.slice(300), 'access token'],
    ['bytes in base64', `key=${key.toString('base64')}`, 'master key'],
    ['bytes in a database dump', `1\t\\x${key.toString('hex')}\t2`, 'master key'],
  ]) {
    test(`finds one ${name}`, () => {
      const { found } = search(secrets, [planted(name, text)]);
      assert.deepEqual(found.map((one) => [one.kind, one.line]), [[kind, 2]]);
    });
  }

  test('finds nothing where there is nothing', () => {
    const { found, files } = search(secrets, [planted('innocent', `argon2id, ${password.slice(0, 8)}, ${token.slice(0, 300)}, cmk_12345678`)]);
    assert.deepEqual([found, files], [[], 1]);
  });

  test('looks for nothing that is in every text by chance', () => {
    for (const form of secrets.flatMap(formsOf)) assert.ok(form.length >= 12, form);
  });
});

test('no secret of the whole run is in a log, an error body or a database', (context) => {
  assert.ok(traces, 'CAMELEER_TRACES is not set: run the tests with ./dev test');
  const secrets = secretsIn(join(traces, 'secrets'));
  const counts = Object.groupBy(secrets, ({ kind }) => kind);
  for (const kind of ['password', 'access token', 'refresh token', 'API key', 'client secret', 'cookie', 'authorization code', 'master key', 'derived key', 'private key', 'engine password']) {
    assert.ok(counts[kind]?.length > 0, `the tests met no ${kind}: nothing would be found`);
  }
  const places = ['logs', 'problems', 'databases'].map((name) => join(traces, name));
  for (const place of places) assert.ok(sizeOf(place) > 0, `nothing was kept in ${place}`);
  // What must be there is found in the same way.
  for (const [place, text] of [['logs', '"event":"started"'], ['problems', 'invalid_credentials'], ['databases', 'create_first_user']]) {
    assert.ok(search([{ kind: 'mark', text }], [join(traces, place)]).found.length > 0, `${place} do not show ${text}`);
  }
  const { found, files, bytes, patterns } = search(secrets, places);
  const report = `${secrets.length} secrets (${Object.entries(counts).map(([kind, all]) => `${all.length} ${kind}`).join(', ')}), ${patterns} forms, in ${files} files of ${(bytes / 1e6).toFixed(1)} MB`;
  context.diagnostic(report);
  console.log(`looked for ${report}`);
  const leaks = found.filter((one) => !allowed.some(({ kind, file }) => kind === one.kind && file.test(one.file)));
  assert.deepEqual(leaks.slice(0, 50), [], `${leaks.length} places`);
});
