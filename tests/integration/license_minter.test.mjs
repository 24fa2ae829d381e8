// The vendor's program as the vendor runs it, and code that is not ours on the other side: openssl, Node's crypto, jose.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT, jwtVerify } from 'jose';
import { canonical, daysAhead, jwtOf, licence, newKeyPair, revocationsOf, tokenOf } from './license_tokens.mjs';
import { build, serverProgram, temporaryFolder } from './server_process.mjs';

const program = join(build, 'bin/cameleer-license-minter');
const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const secrets = new Set();

/** Runs the program in the folder; whatever it says, it says no key. */
function run(args, { input = '', cwd = folder, env = {} } = {}) {
  const ended = spawnSync(program, args, { cwd, input, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 60_000 });
  const result = { code: ended.status, out: ended.stdout, err: ended.stderr };
  for (const secret of secrets) assert.ok(!(result.out + result.err).includes(secret), `a key is printed by ${args.join(' ')}`);
  assert.notEqual(result.code, null, `ended by ${ended.signal}: ${ended.stderr}`);
  return result;
}
function succeed(args, options) {
  const result = run(args, options);
  assert.equal(result.code, 0, result.err);
  return result;
}
const inAYear = daysAhead(365).slice(0, 10);
const in14Days = daysAhead(14).slice(0, 10);
const file = (name) => join(folder, name);

function pair(name) {
  const keys = newKeyPair();
  writeFileSync(file(`${name}.pem`), keys.pem, { mode: 0o600 });
  writeFileSync(file(`${name}.pub`), keys.publicKey);
  keys.body = keys.pem.split('\n')[1];
  secrets.add(keys.body);
  return keys;
}
const vendor = pair('vendor');
const other = pair('other');
const mint = ['--private-key=vendor.pem', '--tenant=acme', `--expires=${inAYear}`];
const id = '0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e';

const caps = ['max_environments', 'max_apps', 'max_agents', 'max_users', 'max_outbound_connections', 'max_alert_rules', 'max_total_cpu_millis',
  'max_total_memory_mb', 'max_total_replicas', 'max_execution_retention_days', 'max_log_retention_days', 'max_metric_retention_days', 'max_jar_retention_count'];
const flagOf = (cap) => `--${cap.replaceAll('_', '-')}`;

const guide = readFileSync(fileURLToPath(new URL('../../docs/vendor-guide.md', import.meta.url)), 'utf8');
const chapter = (title) => guide.split(`\n## ${title}\n`)[1].split('\n## ')[0];
const blocks = (text, language) => [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]);
const shell = (script, cwd) => {
  const ended = spawnSync('sh', ['-eu', '-c', script], { cwd, encoding: 'utf8', timeout: 60_000, env: { ...process.env, PATH: `${join(build, 'bin')}:${process.env.PATH}` } });
  assert.equal(ended.status, 0, ended.stderr);
  return ended.stdout;
};
const payloadOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64').toString());

test("the vendor guide's example works as typed, and openssl verifies what it makes", () => {
  const cwd = temporaryFolder();
  try {
    const shown = shell(blocks(chapter('A worked example'), 'sh').join('\n'), cwd);
    assert.match(shown, /label +Acme Ltd \(Team\)\n/);
    assert.match(shown, /signature +verified\nstate +ACTIVE\n/);
    const token = readFileSync(join(cwd, 'acme.lic'), 'utf8');
    assert.equal(payloadOf(token).limits.max_apps, 60);
    assert.equal(payloadOf(token).limits.max_agents, 100);
    const [script] = blocks(chapter('The token, for other implementers'), 'sh');
    assert.match(shell(script, cwd), /Signature Verified Successfully/);
    // It can fail: another payload.
    writeFileSync(join(cwd, 'payload'), 'another');
    const again = spawnSync('openssl', ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', 'vendor-2026.pub.pem', '-in', 'payload', '-sigfile', 'signature'], { cwd });
    assert.notEqual(again.status, 0);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("the vendor guide's external signer works as written", () => {
  const cwd = temporaryFolder();
  try {
    const [script, commands] = blocks(chapter('Keys that never leave their store'), 'sh');
    assert.match(script, /^#!\/bin\/sh\n/);
    writeFileSync(join(cwd, 'sign-with-openssl.sh'), script);
    shell(commands, cwd);
    assert.equal(payloadOf(readFileSync(join(cwd, 'acme-hsm.lic'), 'utf8')).tier, 'business');
    assert.deepEqual(readdirSync(cwd).sort(), ['acme-hsm.lic', 'hsm.pem', 'hsm.pub', 'sign-with-openssl.sh']);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("the vendor guide's own minter for Node.js makes a licence that is accepted", () => {
  const cwd = temporaryFolder();
  try {
    writeFileSync(join(cwd, 'vendor-2026.pem'), vendor.pem);
    writeFileSync(join(cwd, 'mint.mjs'), blocks(chapter('The token, for other implementers'), 'js')[0]);
    const made = spawnSync(process.execPath, ['mint.mjs'], { cwd, encoding: 'utf8', timeout: 60_000 });
    assert.equal(made.status, 0, made.stderr);
    succeed(['inspect', made.stdout, '--public-key=vendor.pub', '--tenant=acme']);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("the vendor guide's example token is what its key makes of its payload", () => {
  const text = chapter('The token, for other implementers');
  const [payload] = blocks(text, 'json'), token = blocks(text, 'text')[0].trim();
  const key = createPrivateKey({ key: Buffer.from('MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7', 'base64'), format: 'der', type: 'pkcs8' });
  assert.ok(text.includes(createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')));
  assert.equal(canonical(JSON.parse(payload)), payload.trim());
  assert.equal(tokenOf(payload.trim(), key), token);
});

test("the vendor guide's tiers are those of --tier, and its flags those of --help", () => {
  const rows = chapter('Tiers').split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim().replaceAll('`', '')));
  assert.deepEqual(rows.map((row) => row[0]), caps);
  ['starter', 'team', 'business', 'enterprise'].forEach((tier, index) => {
    const { license } = JSON.parse(succeed([...mint, `--tier=${tier}`, '--json']).out);
    assert.equal(license.tier, tier);
    assert.deepEqual(license.limits, Object.fromEntries(rows.map((row) => [row[0], Number(row[index + 2])])));
  });
  const flags = (text) => new Set([...text.matchAll(/--[a-z][a-z-]*[a-z]/g)].map((match) => match[0]));
  const documented = flags(chapter('Flags'));
  for (const subcommand of [[], ['keygen'], ['inspect'], ['revoke']]) {
    const { out } = succeed([...subcommand, '--help']);
    for (const flag of flags(out)) {
      assert.ok(documented.has(flag) || caps.map(flagOf).includes(flag) || flag === '--help' || chapter('Revocation').includes(flag), `${flag} is not documented`);
    }
  }
});

test('a licence holds what its flags say, and Node verifies it', () => {
  const values = Object.fromEntries(caps.map((cap, index) => [cap, 10 + index]));
  succeed(['--private-key=vendor.pem', '--public-key=vendor.pub', '--tenant=acme', '--label=Acme "Ltd" (Täam)', `--expires=${inAYear}`, '--grace-days=14',
    ...caps.map((cap) => `${flagOf(cap)}=${values[cap]}`), '--feature=lineage', '--feature', 'debugger', '--key-id=2026', '--output=whole.lic', '--verify']);
  const token = readFileSync(file('whole.lic'), 'utf8');
  const [payload, signature] = token.split('.').map((part) => Buffer.from(part, 'base64'));
  assert.ok(verify(null, payload, createPublicKey(vendor.privateKey), signature));
  const read = JSON.parse(payload.toString());
  assert.equal(canonical(read), payload.toString(), 'canonical');
  assert.equal(`${payload.toString('base64')}.${signature.toString('base64')}`, token, 'padded, of the standard alphabet, nothing after it');
  assert.match(read.licenseId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(Math.abs(Date.parse(read.issuedAt) - Date.now()) < 600_000);
  const { licenseId, issuedAt, ...rest } = read;
  assert.deepEqual(rest, { tenantId: 'acme', label: 'Acme "Ltd" (Täam)', expiresAt: `${inAYear}T23:59:59Z`, gracePeriodDays: 14, limits: values,
    features: ['lineage', 'debugger'], keyId: '2026' });
});

test('what is left out has its default, and every licence has another id', () => {
  const [first, second] = [1, 2].map(() => payloadOf(succeed(['--private-key', 'vendor.pem', '--tenant', 'acme', '--expires', inAYear]).out));
  assert.equal(first.label, 'acme');
  assert.equal(first.gracePeriodDays, 0);
  assert.deepEqual(first.limits, {});
  for (const member of ['tier', 'features', 'keyId', 'kind']) assert.ok(!(member in first));
  assert.notEqual(first.licenseId, second.licenseId);
});

test('single flags override a tier, and an instant is itself', () => {
  const read = payloadOf(succeed(['--private-key=vendor.pem', '--tenant=acme', `--expires=${in14Days}T06:30:00+02:00`, '--tier=team', '--max-agents=0']).out);
  assert.equal(read.expiresAt, `${in14Days}T04:30:00Z`);
  assert.equal(read.limits.max_agents, 0);
  assert.equal(read.limits.max_apps, 50);
});

test('the JWT form verifies with jose, and one made by jose is accepted', async () => {
  const token = succeed([...mint, '--format=jwt', '--key-id=2026', '--public-key=vendor.pub', '--verify']).out.trim();
  const { payload, protectedHeader } = await jwtVerify(token, createPublicKey(vendor.privateKey), { algorithms: ['EdDSA'], typ: 'license+jwt' });
  assert.equal(payload.tenantId, 'acme');
  assert.equal(payload.expiresAt, `${inAYear}T23:59:59Z`);
  assert.deepEqual(protectedHeader, { alg: 'EdDSA', kid: '2026', typ: 'license+jwt' });
  await assert.rejects(jwtVerify(token, createPublicKey(other.privateKey)));

  const made = await new SignJWT(licence({ tenantId: 'acme' })).setProtectedHeader({ alg: 'EdDSA', typ: 'license+jwt' }).sign(vendor.privateKey);
  const seen = JSON.parse(succeed(['inspect', made, '--public-key=vendor.pub', '--json']).out);
  assert.deepEqual([seen.form, seen.verified, seen.state], ['jwt', true, 'ACTIVE']);
  const foreign = await new SignJWT(licence({ tenantId: 'acme' })).setProtectedHeader({ alg: 'EdDSA', typ: 'license+jwt' }).sign(other.privateKey);
  assert.equal(run(['inspect', foreign, '--public-key=vendor.pub']).code, 3);
});

test('a private key is read as PEM, as bare base64, from stdin, from a pipe; others may not touch its file', () => {
  writeFileSync(file('bare.key'), `${vendor.body}\n`, { mode: 0o600 });
  const rest = ['--tenant=acme', `--expires=${inAYear}`, '--public-key=vendor.pub', '--verify'];
  assert.equal(succeed(['--private-key=vendor.pem', ...rest]).err, '');
  assert.equal(succeed(['--private-key=bare.key', ...rest]).err, '');
  assert.equal(succeed(['--private-key=-', ...rest], { input: vendor.pem }).err, '');
  assert.equal(succeed(['--private-key', '-', ...rest], { input: vendor.body }).err, '');
  const piped = spawnSync('sh', ['-c', `cat vendor.pem | "${program}" --private-key=/dev/stdin ${rest.join(' ')}`], { cwd: folder, encoding: 'utf8' });
  assert.deepEqual([piped.status, piped.stderr], [0, '']);
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file('bare.key'), mode);
    assert.match(succeed(['--private-key=bare.key', ...rest]).err, /--private-key: .*chmod 600/);
  }
});

test('every misuse ends with 2, names the flag, and leaves the output as it was', () => {
  const rows = [
    [['--private-key=vendor.pem', `--expires=${inAYear}`], /--tenant is missing/],
    [['--private-key=vendor.pem', '--tenant=acme'], /--expires is missing/],
    [['--tenant=acme', `--expires=${inAYear}`], /--private-key or --sign-command is missing/],
    [[], /--private-key or --sign-command is missing/],
    [[...mint, '--sign-command=true'], /--private-key and --sign-command/],
    [[...mint, '--verify'], /--verify needs --public-key/],
    [[...mint, '--colour=red'], /--colour is no flag/],
    [[...mint, `--privatkey=${vendor.body}`], /--privatkey is no flag/],
    [[...mint, vendor.body], /belongs to no flag/],
    [[...mint, '--tenant=again'], /--tenant/],
    [[...mint, '--label='], /--label: the value is missing/],
    [['--private-key=vendor.pem', '--expires', '--tenant=acme'], /--expires: the value is missing/],
    [['--private-key=vendor.pem', '--tenant=Acme', `--expires=${inAYear}`], /--tenant must be/],
    [['--private-key=vendor.pem', '--tenant=acme', '--expires=2020-01-01'], /--expires must be in the future/],
    [['--private-key=vendor.pem', '--tenant=acme', '--expires=tomorrow'], /--expires must be a date/],
    [['--private-key=vendor.pem', '--tenant=acme', `--expires=${inAYear.replace(/-\d\d$/, '-32')}`], /--expires must be a date/],
    [[...mint, '--grace-days=-1'], /--grace-days must be/],
    [[...mint, '--grace-days=x'], /--grace-days must be/],
    [[...mint, '--tier=none'], /--tier must be/],
    [[...mint, '--format=xml'], /--format must be/],
    [[...mint, '--key-id=a b'], /--key-id/],
    [[...mint, `--label=${'x'.repeat(201)}`], /--label/],
    [[...mint, `--feature=${'x'.repeat(65)}`], /--feature/],
    ...caps.flatMap((cap) => ['-1', '1.5', 'many', '9007199254740992'].map((value) => [[...mint, `${flagOf(cap)}=${value}`], new RegExp(`${flagOf(cap)} must be a whole number`)])),
    [['mint', ...mint], /belongs to no flag/],
    [['keygen'], /--private-key is missing/],
    [[...mint, 'keygen', '--private-key=new.pem'], /must stand after the subcommand/],
    [['inspect'], /token/],
    [['inspect', 'nonsense'], /neither a file nor a token/],
    [['inspect', 'a.b', '--revocations=x'], /--revocations needs --public-key/],
    [['revoke', '--private-key=vendor.pem', '--sequence=1'], /--license-id is missing/],
    [['revoke', '--private-key=vendor.pem', '--sequence=1', '--license-id=7'], /--license-id must be a UUID/],
    [['revoke', '--private-key=vendor.pem', `--license-id=${id}`], /--sequence is missing/],
    [['revoke', '--private-key=vendor.pem', `--license-id=${id}`, '--sequence=-1'], /--sequence must be/],
    [['revoke', '--private-key=vendor.pem', `--license-id=${id}`, '--previous=nowhere'], /--previous: the file cannot be read/],
  ];
  for (const [args, message] of rows) {
    writeFileSync(file('kept.lic'), 'as before');
    const takesOutput = args[0] !== 'keygen' && args[0] !== 'inspect' && !args.includes('keygen');
    const result = run(takesOutput ? [...args, '--output=kept.lic'] : args);
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.err}`);
    assert.match(result.err, message);
    assert.match(result.err, /^cameleer-license-minter: .*\.\n$/);
    assert.equal(result.out, '');
    assert.equal(readFileSync(file('kept.lic'), 'utf8'), 'as before');
  }
});

test('keys that do not match end with 3, and no file is left at the output', () => {
  writeFileSync(file('sign-other.sh'), 'cat > other.in; openssl pkeyutl -sign -rawin -inkey other.pem -in other.in\n');
  const rows = [
    [...mint, '--public-key=other.pub'],
    [...mint, '--public-key=other.pub', '--verify'],
    ['--sign-command=sh sign-other.sh', '--tenant=acme', `--expires=${inAYear}`, '--public-key=vendor.pub'],
    ['--sign-command=sh sign-other.sh', '--tenant=acme', `--expires=${inAYear}`, '--public-key=vendor.pub', '--format=jwt', '--verify'],
    ['--sign-command=head -c 64 /dev/zero', '--tenant=acme', `--expires=${inAYear}`, '--public-key=vendor.pub'],
    ['revoke', '--private-key=vendor.pem', '--public-key=other.pub', `--license-id=${id}`, '--sequence=1'],
    ['revoke', '--sign-command=sh sign-other.sh', '--public-key=vendor.pub', `--license-id=${id}`, '--sequence=1'],
  ];
  for (const args of rows) {
    writeFileSync(file('gone.lic'), 'an older licence');
    const result = run([...args, '--output=gone.lic']);
    assert.equal(result.code, 3, result.err);
    assert.equal(result.out, '');
    assert.ok(!existsSync(file('gone.lic')), args.join(' '));
  }
});

test('a key that is none, and a command that does not sign, end with 4', () => {
  for (const [name, algorithm] of [['x25519', ['-algorithm', 'x25519']], ['rsa', ['-algorithm', 'rsa', '-pkeyopt', 'rsa_keygen_bits:1024']], ['ed448', ['-algorithm', 'ed448']]]) {
    assert.equal(spawnSync('openssl', ['genpkey', ...algorithm, '-out', `${name}.pem`], { cwd: folder }).status, 0);
    assert.equal(spawnSync('openssl', ['pkey', '-in', `${name}.pem`, '-pubout', '-out', `${name}.pub`], { cwd: folder }).status, 0);
  }
  assert.equal(spawnSync('openssl', ['pkcs8', '-topk8', '-in', 'vendor.pem', '-passout', 'pass:secret', '-out', 'encrypted.pem'], { cwd: folder }).status, 0);
  writeFileSync(file('empty.pem'), '', { mode: 0o600 });
  writeFileSync(file('cut.pem'), vendor.pem.slice(0, 70), { mode: 0o600 });
  writeFileSync(file('cut.pub'), vendor.publicKey.slice(0, 40));
  const rest = ['--tenant=acme', `--expires=${inAYear}`];
  const rows = [
    ...['nowhere', '.', '/dev/null', '/dev/zero', 'empty.pem', 'cut.pem', 'x25519.pem', 'ed448.pem', 'rsa.pem', 'encrypted.pem', 'vendor.pub'].map((key) => [[`--private-key=${key}`, ...rest], /--private-key: /]),
    [['--private-key=encrypted.pem', ...rest], /encrypted/],
    [[`--private-key=${vendor.body}`, ...rest], /--private-key: the file cannot be read/],
    ...['nowhere', '.', '/dev/null', 'cut.pub', 'x25519.pub', 'rsa.pub', 'vendor.pem'].map((key) => [[...mint, `--public-key=${key}`], /--public-key: /]),
    [['--sign-command=exit 1', ...rest], /--sign-command: .* status 1/],
    [['--sign-command=echo short', ...rest], /--sign-command: .* 64/],
    [['--sign-command=yes', ...rest], /--sign-command: .* more than the 64/],
    [['--sign-command=/nowhere', ...rest], /--sign-command: .* status 127/],
    [['--sign-command=kill -TERM $$', ...rest], /--sign-command: .* signal 15/],
    [['inspect', 'a.b', '--public-key=cut.pub'], /--public-key: /],
    [['inspect', 'a.b', '--public-key=/dev/null'], /--public-key: /],
  ];
  for (const [args, message] of rows) {
    writeFileSync(file('kept.lic'), 'as before');
    const result = run(args[0] === 'inspect' ? args : [...args, '--output=kept.lic']);
    assert.equal(result.code, 4, `${args.join(' ')}: ${result.err}`);
    assert.match(result.err, message);
    assert.equal(readFileSync(file('kept.lic'), 'utf8'), 'as before');
  }
});

test('an output that cannot be written ends with 5', () => {
  mkdirSync(file('a-folder'), { recursive: true });
  for (const output of ['nowhere/at/all.lic', 'a-folder', '/dev/null', '/dev/stdout', 'vendor.pem/x']) {
    const result = run([...mint, `--output=${output}`]);
    assert.equal(result.code, 5, `${output}: ${result.err}`);
    assert.match(result.err, /--output: the file cannot be written/);
    assert.equal(result.out, '');
  }
  const full = spawnSync('sh', ['-c', `"${program}" ${mint.join(' ')} > /dev/full`], { cwd: folder, encoding: 'utf8' });
  assert.equal(full.status, 5, full.stderr);
  const closed = spawnSync('sh', ['-c', `"${program}" ${mint.join(' ')} >&-`], { cwd: folder, encoding: 'utf8' });
  assert.equal(closed.status, 5, closed.stderr);
});

test('the output is put in place at once, for its owner alone, and without it stdout has the token and nothing else', () => {
  const clean = temporaryFolder();
  try {
    const output = join(clean, 'new.lic');
    writeFileSync(output, 'an older licence', { mode: 0o644 });
    const before = statSync(output).ino;
    assert.equal(succeed([...mint, `--output=${output}`]).out, '');
    assert.equal(statSync(output).mode & 0o777, 0o600);
    assert.notEqual(statSync(output).ino, before);
    assert.equal(payloadOf(readFileSync(output, 'utf8')).tenantId, 'acme');
    symlinkSync('new.lic', join(clean, 'link.lic'));
    succeed([...mint, '--label=by the link', `--output=${join(clean, 'link.lic')}`]);
    assert.equal(payloadOf(readFileSync(output, 'utf8')).label, 'by the link');
    assert.deepEqual(readdirSync(clean).sort(), ['link.lic', 'new.lic']);
  } finally {
    rmSync(clean, { recursive: true });
  }
  for (const args of [mint, [...mint, '--output=-'], [...mint, '--output', '-']]) {
    const { out, err } = succeed(args);
    assert.match(out, /^[A-Za-z0-9+/]+=*\.[A-Za-z0-9+/]{86}==\n$/);
    assert.equal(err, '');
  }
});

test('--json tells what was made', () => {
  const printed = JSON.parse(succeed([...mint, '--json', '--format=jwt', '--public-key=vendor.pub', '--verify']).out);
  assert.equal(printed.format, 'jwt');
  assert.equal(printed.verified, true);
  assert.equal(printed.license.tenantId, 'acme');
  succeed(['inspect', printed.token, '--public-key=vendor.pub']);
  const written = JSON.parse(succeed([...mint, '--json', '--output=json.lic']).out);
  assert.deepEqual([written.output, written.verified, 'token' in written], ['json.lic', false, false]);
  assert.deepEqual(written.license, payloadOf(readFileSync(file('json.lic'), 'utf8')));
});

test('an external signer sees exactly the bytes that are signed, in both forms', () => {
  writeFileSync(file('recording.sh'), 'cat > seen; openssl pkeyutl -sign -rawin -inkey vendor.pem -in seen\n');
  const args = ['--sign-command=sh recording.sh', '--tenant=acme', `--expires=${inAYear}`, '--public-key=vendor.pub', '--verify'];
  const token = succeed(args).out.trim();
  assert.equal(readFileSync(file('seen'), 'utf8'), Buffer.from(token.split('.')[0], 'base64').toString());
  const jwt = succeed([...args, '--format=jwt']).out.trim();
  assert.equal(readFileSync(file('seen'), 'utf8'), jwt.split('.').slice(0, 2).join('.'));
  succeed(['--sign-command=openssl pkeyutl -sign -rawin -inkey vendor.pem -in /dev/stdin', ...args.slice(1)]);
  // Without a public key nobody can tell; the licence is made all the same.
  succeed(['--sign-command=head -c 64 /dev/zero', '--tenant=acme', `--expires=${inAYear}`]);
});

test('keygen makes a pair that openssl and Node read, keeps what exists, and tells the public half', () => {
  const { out } = succeed(['keygen', '--private-key=made.pem', '--public-key=made.pub']);
  const pem = readFileSync(file('made.pem'), 'utf8');
  secrets.add(pem.split('\n')[1]);
  assert.equal(statSync(file('made.pem')).mode & 0o777, 0o600);
  const fromNode = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' }).toString('base64');
  assert.equal(out, `${fromNode}\n`);
  assert.equal(readFileSync(file('made.pub'), 'utf8'), `${fromNode}\n`);
  const fromOpenssl = spawnSync('openssl', ['pkey', '-in', 'made.pem', '-pubout', '-outform', 'DER'], { cwd: folder });
  assert.equal(fromOpenssl.stdout.toString('base64'), fromNode);
  succeed(['--private-key=made.pem', '--public-key=made.pub', '--tenant=acme', `--expires=${inAYear}`, '--verify']);

  for (const args of [['--private-key=made.pem'], ['--private-key=fresh.pem', '--public-key=made.pub'], ['--private-key=made.pem', '--public-key=fresh.pub']]) {
    const result = run(['keygen', ...args]);
    assert.equal(result.code, 5, result.err);
    assert.match(result.err, /File exists/);
    assert.equal(readFileSync(file('made.pem'), 'utf8'), pem);
    assert.ok(!existsSync(file('fresh.pem')) && !existsSync(file('fresh.pub')));
  }
  const forced = JSON.parse(succeed(['keygen', '--private-key=made.pem', '--public-key=made.pub', '--force', '--json']).out);
  assert.notEqual(forced.publicKey, fromNode);
  assert.deepEqual([forced.privateKeyFile, forced.publicKeyFile], ['made.pem', 'made.pub']);
  assert.notEqual(readFileSync(file('made.pem'), 'utf8'), pem);
  assert.equal(run(['keygen', '--private-key=nowhere/k.pem']).code, 5);
});

test('inspect shows a token from the command line, a file and stdin, and verifies it with a key or a list', () => {
  const token = tokenOf(licence({ tenantId: 'acme', label: 'Acme', limits: { max_apps: 50 }, gracePeriodDays: 3 }), vendor.privateKey);
  writeFileSync(file('some.lic'), `${token}\n`);
  for (const [args, options] of [[[token]], [['some.lic']], [['-'], { input: ` ${token}\n\n` }]]) {
    const { out } = succeed(['inspect', ...args], options);
    assert.match(out, /tenantId +acme\n/);
    assert.match(out, /max_apps +50\n/);
    assert.match(out, /signature +not verified/);
  }
  writeFileSync(file('list.keys'), `2024=${other.publicKey}\n2026=${vendor.publicKey}\n`);
  for (const keys of ['vendor.pub', 'list.keys']) assert.match(succeed(['inspect', 'some.lic', `--public-key=${keys}`]).out, /signature +verified\nstate +ACTIVE\n/);
  const json = JSON.parse(succeed(['inspect', 'some.lic', '--json']).out);
  assert.deepEqual([json.form, json.verified, json.license.label], ['token', null, 'Acme']);
  const grace = JSON.parse(succeed(['inspect', tokenOf(licence({ issuedAt: daysAhead(-30), expiresAt: daysAhead(-1), gracePeriodDays: 14 }), vendor.privateKey), '--public-key=vendor.pub', '--json']).out);
  assert.equal(grace.state, 'GRACE');
});

test('inspect ends with 3 and the reason of a token that a server would refuse', () => {
  const good = licence({ tenantId: 'acme', licenseId: id });
  const token = tokenOf(good, vendor.privateKey);
  writeFileSync(file('revoked.lst'), revocationsOf([id], 1, vendor.privateKey));
  writeFileSync(file('foreign.lst'), revocationsOf([id], 1, other.privateKey));
  const rows = [
    ['MALFORMED', ['a.b']], ['MALFORMED', [`${token}x`]], ['MALFORMED', [token.replaceAll('=', '')]],
    ['MALFORMED', [tokenOf('{"a":', vendor.privateKey)]],
    ['BAD_SIGNATURE', [tokenOf(good, other.privateKey), '--public-key=vendor.pub']],
    ['TENANT_MISMATCH', [token, '--public-key=vendor.pub', '--tenant=globex']],
    ['MISSING_MEMBER', [tokenOf(licence({ label: undefined }), vendor.privateKey)]],
    ['UNKNOWN_LIMIT', [tokenOf(licence({ limits: { max_dreams: 1 } }), vendor.privateKey)]],
    ['BAD_VALUE', [tokenOf(licence({ limits: { max_apps: -1 } }), vendor.privateKey)]],
    ['NOT_YET_VALID', [tokenOf(licence({ issuedAt: daysAhead(1) }), vendor.privateKey), '--public-key=vendor.pub']],
    ['EXPIRED', [tokenOf(licence({ issuedAt: daysAhead(-30), expiresAt: daysAhead(-2), gracePeriodDays: 1 }), vendor.privateKey), '--public-key=vendor.pub']],
    ['REVOKED', [token, '--public-key=vendor.pub', '--revocations=revoked.lst']],
    ['MALFORMED|BAD_VALUE', [jwtOf(good, vendor.privateKey, { alg: 'none', typ: 'license+jwt' }), '--public-key=vendor.pub']],
  ];
  for (const [reason, args] of rows) {
    const result = run(['inspect', ...args]);
    assert.equal(result.code, 3, `${reason}: ${result.err}`);
    assert.match(result.err, new RegExp(`: (${reason}): .+[.?]\\n$`));
    const json = JSON.parse(run(['inspect', ...args, '--json']).out);
    assert.match(json.reason, new RegExp(`^(${reason})$`));
    assert.notEqual(json.verified, true);
  }
  assert.equal(run(['inspect', token, '--public-key=vendor.pub', '--revocations=foreign.lst']).code, 3);
});

test('a hostile token cannot drive the terminal', () => {
  for (const payload of [licence({ label: 'a\u001b[2J\u009bb\nc' }), '\u001b[2J{}', { kind: '\u001b' }]) {
    const result = run(['inspect', tokenOf(payload, other.privateKey)]);
    assert.doesNotMatch(result.out + result.err, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

test('revoke signs a list; the next one keeps what was revoked', () => {
  const second = randomUUID();
  const first = succeed(['revoke', '--private-key=vendor.pem', `--license-id=${id.toUpperCase()}`, '--sequence=4']).out.trim();
  const read = payloadOf(first);
  assert.deepEqual([read.kind, read.sequence, read.licenseIds], ['revocations', 4, [id]]);
  const [payload, signature] = first.split('.').map((part) => Buffer.from(part, 'base64'));
  assert.equal(canonical(read), payload.toString());
  assert.ok(verify(null, payload, createPublicKey(vendor.privateKey), signature));

  writeFileSync(file('4.lst'), first);
  const args = ['revoke', '--private-key=vendor.pem', `--license-id=${second}`, `--license-id=${id}`, '--previous=4.lst'];
  const said = JSON.parse(succeed([...args, '--output=5.lst', '--public-key=vendor.pub', '--verify', '--json']).out);
  assert.deepEqual([said.output, said.verified, said.revocations.sequence], ['5.lst', true, 5]);
  assert.deepEqual(payloadOf(readFileSync(file('5.lst'), 'utf8')).licenseIds, [second, id].sort());
  assert.equal(statSync(file('5.lst')).mode & 0o777, 0o600);
  assert.match(succeed(['inspect', '5.lst', '--public-key=vendor.pub']).out, new RegExp(`sequence +5\\n[^]*revoked +${second}`));
  assert.equal(payloadOf(succeed([...args, '--sequence=9']).out).sequence, 9);
  assert.equal(run([...args, '--sequence=4']).code, 2);

  // A list of somebody else's, and a licence, are no list to go on from.
  writeFileSync(file('foreign.lst'), revocationsOf([id], 1, other.privateKey));
  writeFileSync(file('licence.lst'), tokenOf(licence(), vendor.privateKey));
  for (const previous of ['foreign.lst', 'licence.lst']) {
    const result = run(['revoke', '--private-key=vendor.pem', `--license-id=${id}`, `--previous=${previous}`]);
    assert.equal(result.code, 3, result.err);
    assert.match(result.err, /--previous: /);
  }
  assert.equal(run(['revoke', '--sign-command=true', `--license-id=${id}`, '--previous=4.lst']).code, 2);
  // A list made elsewhere is one as well.
  writeFileSync(file('node.lst'), revocationsOf([second], 6, vendor.privateKey));
  succeed(['revoke', '--private-key=vendor.pem', `--license-id=${id}`, '--previous=node.lst']);
});

test('a licence made by Node alone is accepted in both forms', () => {
  for (const make of [tokenOf, jwtOf]) {
    const token = make(licence({ tenantId: 'acme', tier: 'team', features: ['lineage'], limits: { max_apps: 7 } }), vendor.privateKey);
    const seen = JSON.parse(succeed(['inspect', token, '--public-key=vendor.pub', '--tenant=acme', '--json']).out);
    assert.equal(seen.verified, true);
    assert.equal(seen.license.limits.max_apps, 7);
  }
  // Other orders of members, white space and seconds since 1970 are accepted too.
  const loose = JSON.stringify({ ...licence({ tenantId: 'acme' }), expiresAt: Math.floor(Date.now() / 1000) + 1000, unknown: { deep: [1] } }, null, 2);
  succeed(['inspect', tokenOf(loose, vendor.privateKey), '--public-key=vendor.pub']);
  assert.equal(sign(null, Buffer.from('x'), vendor.privateKey).length, 64);
});

test('the server contains nothing that mints', () => {
  const minting = (path) => {
    const ended = spawnSync('llvm-nm-19', ['--demangle', path], { encoding: 'utf8', maxBuffer: 1 << 30 });
    assert.equal(ended.status, 0, ended.stderr);
    assert.ok(/cameleer::/.test(ended.stdout), 'there are symbols');
    return ended.stdout.split('\n').filter((line) => /cameleer::(minting|license_minter)\b/.test(line)).slice(0, 5);
  };
  assert.notDeepEqual(minting(program), []);
  assert.deepEqual(minting(serverProgram), []);
});
