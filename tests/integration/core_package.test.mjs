// cameleer-core as others get it: installed, found by CMake, linked with four libraries, used by the documented example.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = process.env.CAMELEER_BUILD;
const cache = Object.fromEntries(
  [...readFileSync(join(build, 'CMakeCache.txt'), 'utf8').matchAll(/^([A-Z_]+):[A-Z]+=(.*)$/gm)].map((match) => [match[1], match[2]]),
);
const sanitize = cache.CAMELEER_SANITIZE ? [`-fsanitize=${cache.CAMELEER_SANITIZE}`] : [];

let folder, prefix;
const run = (command, ...options) => execFileSync(command, options, { encoding: 'utf8', timeout: 120_000, stdio: ['ignore', 'pipe', 'pipe'] });

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cameleer-core-'));
  prefix = join(folder, 'installed');
  run('cmake', '--install', build, '--component', 'core', '--prefix', prefix);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the installed library names OpenSSL, simdjson, fmt and RE2, and nothing else', () => {
  const targets = readFileSync(join(prefix, 'lib/cmake/cameleer-core/cameleer-core-targets.cmake'), 'utf8');
  const [, names] = targets.match(/INTERFACE_LINK_LIBRARIES "([^"]*)"/);
  const libraries = names.split(';').map((name) => name.replace(/^\\?\$<LINK_ONLY:(.*)>$/, '$1'));
  assert.deepEqual(libraries.sort(), ['OpenSSL::Crypto', 'PkgConfig::re2', 'fmt::fmt', 'simdjson::simdjson']);
});

test('all of it links with these four alone, and with none of them left out', () => {
  const source = join(folder, 'empty.cpp');
  writeFileSync(source, 'int main() {}\n');
  const whole = ['-Wl,--whole-archive', join(prefix, 'lib/libcameleer_core.a'), '-Wl,--no-whole-archive'];
  const four = ['-lcrypto', '-lsimdjson', '-lfmt', '-lre2'];
  const link = (libraries) =>
    spawnSync(cache.CMAKE_CXX_COMPILER, [...sanitize, '-fuse-ld=mold', source, ...whole, ...libraries, '-o', join(folder, 'whole')], { encoding: 'utf8', timeout: 120_000 });

  const all = link(four);
  assert.equal(all.status, 0, all.stderr);
  const needed = [...run('readelf', '-d', join(folder, 'whole')).matchAll(/\(NEEDED\).*\[(lib[a-z0-9_+]+)/g)].map((match) => match[1]);
  const language = ['libstdc++', 'libm', 'libgcc_s', 'libc', 'libresolv', 'libdl', 'libpthread', 'librt'];
  assert.deepEqual(needed.filter((name) => !language.includes(name)).sort(), ['libcrypto', 'libfmt', 'libre2', 'libsimdjson']);
  for (const left of four) {
    const fewer = link(four.filter((library) => library !== left));
    assert.notEqual(fewer.status, 0, `it links without ${left}`);
    assert.match(fewer.stderr, /undefined symbol/);
  }
});

test('no public header of it needs another one', () => {
  const headers = run('find', join(prefix, 'include'), '-name', '*.hpp').trim().split('\n');
  assert.ok(headers.length > 15);
  for (const header of headers) {
    for (const [, include] of readFileSync(header, 'utf8').matchAll(/^#include [<"]([^>"]+)[>"]/gm)) {
      assert.ok(/^[a-z_]+$/.test(include) || include === 'simdjson.h' || include.startsWith('cameleer/core/'), `${header} includes ${include}`);
    }
  }
});

test('the documented example is configured, built and run against it', () => {
  const example = join(folder, 'license-check');
  run('cmake', '-G', 'Ninja', '-S', join(root, 'docs/examples/license-check'), '-B', example, `-DCMAKE_PREFIX_PATH=${prefix}`,
    `-DCMAKE_CXX_COMPILER=${cache.CMAKE_CXX_COMPILER}`, `-DCMAKE_C_COMPILER=${cache.CMAKE_C_COMPILER}`, `-DCMAKE_CXX_FLAGS=${sanitize.join(' ')}`);
  run('cmake', '--build', example);

  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const licence = (members) => {
    const payload = Buffer.from(JSON.stringify({
      expiresAt: '2260-01-01T00:00:00Z', gracePeriodDays: 0, issuedAt: '2026-01-01T00:00:00Z', label: 'Acme', licenseId: randomUUID(),
      limits: { max_apps: 50 }, tenantId: 'acme', ...members,
    }));
    const file = join(folder, 'token');
    writeFileSync(file, `${payload.toString('base64')}.${sign(null, payload, privateKey).toString('base64')}\n`);
    return file;
  };
  const check = (...options) => spawnSync(join(example, 'license-check'), options, { encoding: 'utf8', timeout: 60_000 });

  const active = check(spki, 'acme', licence({}));
  assert.equal(active.status, 0, active.stderr);
  assert.match(active.stdout, /^ACTIVE\nlabel: Acme\n/);
  assert.match(active.stdout, /^max_apps: 50$/m);
  assert.match(active.stdout, /^max_users: 3 \(default\)$/m);

  const foreign = check(spki, 'other', licence({}));
  assert.equal(foreign.status, 1);
  assert.match(foreign.stdout, /^INVALID\nTENANT_MISMATCH: /);
  const late = check(spki, 'acme', licence({ expiresAt: '2026-01-02T00:00:00Z' }));
  assert.equal(late.status, 1);
  assert.match(late.stdout, /^EXPIRED\nEXPIRED: /);
  assert.equal(check('nonsense', 'acme', licence({})).status, 2);
  assert.equal(check(spki, 'acme', join(folder, 'missing')).status, 2);
  assert.equal(check().status, 2);
});

test('a build that names a file of keys embeds them', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'keys'), `2026=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}\n`);
  writeFileSync(join(folder, 'embed.cmake'), `file(READ ${folder}/keys CAMELEER_LICENSE_KEYS_TEXT)
configure_file(${root}/libs/core/src/license_embedded_keys.cpp.in ${folder}/embedded.cpp @ONLY)\n`);
  run('cmake', '-P', join(folder, 'embed.cmake'));
  writeFileSync(join(folder, 'shown.cpp'), `#include <cameleer/core/license_keys.hpp>
#include <iostream>
int main() {
  const auto ring = cameleer::read_license_keys(cameleer::embedded_license_keys(), cameleer::LicenseTrust::embedded);
  std::cout << name_of(ring.value().trust()) << ' ' << *ring.value().keys().at(0).key_id << ' ' << to_spki(ring.value().keys().at(0));
}\n`);
  // What is linked first takes the place of the library's own, empty list.
  run(cache.CMAKE_CXX_COMPILER, '-std=c++23', ...sanitize, '-fuse-ld=mold', `-I${prefix}/include`, join(folder, 'shown.cpp'), join(folder, 'embedded.cpp'),
    join(prefix, 'lib/libcameleer_core.a'), '-lcrypto', '-lsimdjson', '-lfmt', '-lre2', '-o', join(folder, 'shown'));
  assert.equal(run(join(folder, 'shown')), `embedded 2026 ${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`);
});

test('the server holds no code that makes licences, and the minter does', () => {
  const mints = (program) => run('sh', '-c', 'nm "$1" | grep -c 8cameleer7minting || true', 'sh', join(build, 'bin', program)).trim();
  assert.notEqual(mints('cameleer-license-minter'), '0');
  assert.equal(mints('cameleer-server'), '0');
});
