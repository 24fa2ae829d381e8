// Arrows point one way: core ← libs ← features ← wiring. Read from the includes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';

const root = fileURLToPath(new URL('../..', import.meta.url));

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !['node_modules', 'target', 'dist', 'build'].includes(entry.name)) yield* sources(path);
    else if (/\.(cpp|hpp)$/.test(entry.name)) yield path;
  }
}
const files = ['libs', 'apps', 'tools'].flatMap((folder) => [...sources(join(root, folder))]).map((path) => ({
  path: relative(root, path),
  includes: [...readFileSync(path, 'utf8').matchAll(/^#include [<"]([^>"]+)[>"]/gm)].map((match) => match[1]),
}));

const mayInclude = {
  core: ['core'], masking: ['core', 'masking'], async: ['core', 'async'], web: ['core', 'async', 'web'], journal: ['core', 'journal'], postgres: ['core', 'async', 'postgres'],
  clickhouse: ['core', 'async', 'web', 'clickhouse'], identity: ['core', 'async', 'web', 'identity'], minting: ['core', 'minting'], engines: ['core', 'async', 'engines'],
};

test('a library includes only libraries below it, and none includes an application', () => {
  for (const { path, includes } of files.filter((file) => file.path.startsWith('libs/'))) {
    const room = path.split('/')[1];
    for (const include of includes) {
      const [, other] = include.match(/^cameleer\/([a-z_]+)\//) ?? [];
      assert.ok(!other || mayInclude[room].includes(other), `${path} includes ${include}`);
      assert.ok(!include.startsWith('server/'), `${path} includes ${include}`);
    }
  }
});

test('core knows no I/O, no clock and no threads', () => {
  for (const { path, includes } of files.filter((file) => file.path.startsWith('libs/core/'))) {
    for (const include of includes) assert.doesNotMatch(include, /boost\/asio|boost\/beast|libpq|<thread>|^thread$|^mutex$|^fstream$|^iostream$|sys\/socket/, `${path} includes ${include}`);
  }
});

test('Beast and libpq stay behind their libraries', () => {
  for (const { path, includes } of files) {
    for (const include of includes) {
      if (/boost\/beast/.test(include)) assert.match(path, /^(libs\/web\/src|libs\/async\/src|tools\/engines\/clickhouse)\//, `${path} includes ${include}`);
      if (/libpq-fe/.test(include)) assert.match(path, /^libs\/postgres\/src\//, `${path} includes ${include}`);
    }
  }
});

test('a feature of the server uses another only through its service or its values, and nobody includes the wiring', () => {
  for (const { path, includes } of files.filter((file) => /^apps\/server\/[a-z_]+\//.test(file.path))) {
    const feature = path.split('/')[2];
    for (const include of includes.filter((one) => one.startsWith('server/'))) {
      const parts = include.split('/');
      assert.ok(parts.length === 3, `${path} includes the wiring: ${include}`);
      if (parts[1] !== feature) assert.doesNotMatch(parts[2], /_store\.hpp$|_routes\.hpp$/, `${path} reaches into ${include}`);
    }
  }
});
