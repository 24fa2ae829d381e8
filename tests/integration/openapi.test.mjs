// The OpenAPI document and the server's routes say the same, both ways.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { serverProgram } from './server_process.mjs';

const document = parse(readFileSync(new URL('../../schemas/openapi/server.yaml', import.meta.url), 'utf8'));
const routes = JSON.parse(spawnSync(serverProgram, ['--print=routes'], { encoding: 'utf8' }).stdout);

const documented = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => ['get', 'put', 'post', 'delete', 'patch'].includes(method))
    .map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation.operationId} ${operation['x-cameleer-access']}`)).sort();
// Routes without an operation id are the page's files, no part of the API.
const served = routes.filter((route) => route.operationId).map((route) => `${route.method} ${route.path} ${route.operationId} ${route.access}`).sort();

test('every route of the server is in the document and every operation of the document is served, with the same access', () => {
  assert.ok(served.length > 10);
  assert.deepEqual(served, documented);
});

test('routes outside the document are public and get only', () => {
  for (const route of routes.filter((one) => !one.operationId)) assert.deepEqual([route.method, route.access], ['GET', 'public']);
});
