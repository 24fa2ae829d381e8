// The published schemas hold together, and docs/PROTOCOL.md shows nothing that they refuse.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOfPage, messages, schemaFolder, schemaNames, violation } from '../e2e/agent_protocol.mjs';

const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const openapi = readFileSync(new URL('../../schemas/openapi/server.yaml', import.meta.url), 'utf8');

test('every schema compiles, in both forms', () => {
  for (const name of schemaNames) for (const form of ['strict', 'tolerant']) assert.doesNotMatch(violation(name, {}, form) ?? '', /there is no schema/, name);
});

test('messages.json names schemas that exist, and every schema but the shared ones has a message', () => {
  const named = [
    ...messages.calls.flatMap(({ request, answer }) => [request, answer]), ...Object.values(messages.stream),
    ...Object.values(messages.commands).flatMap(({ body, ackData }) => [body, ackData]), messages.failure,
  ].filter(Boolean);
  for (const name of named) assert.ok(schemaNames.includes(name), name);
  const texts = schemaNames.map((name) => readFileSync(join(schemaFolder, `${name}.schema.json`), 'utf8')).join('\n');
  const referred = new Set([...texts.matchAll(/"\$ref": "([\w-]+)\.schema\.json/g)].map(([, name]) => name));
  assert.deepEqual(schemaNames.filter((name) => !named.includes(name) && !referred.has(name)), []);
});

test('every call of the protocol is in the OpenAPI document', () => {
  for (const { path } of messages.calls) assert.ok(openapi.includes(`\n  ${path}:`), path);
});

test('every example of the page is what its schema describes', () => {
  const examples = examplesOfPage();
  assert.ok(examples.length >= 15, `${examples.length} examples`);
  for (const { name, text } of examples) {
    assert.ok(name, `an example says of what: ${text.slice(0, 80)}`);
    assert.equal(violation(name, JSON.parse(text)), undefined, `${name}: ${text}`);
  }
});

test('the page names every call and every type of command', () => {
  for (const { path } of messages.calls) assert.ok(page.includes(path.replace(/data\/\w+$/, 'data/')), path);
  for (const type of Object.keys(messages.commands)) assert.ok(page.includes(`\`${type}\``), type);
});

const refused = [
  ['register-request', { agentId: 'a b', application: 'orders', environmentId: 'default' }, /agentId/],
  ['register-request', { agentId: 'a', application: 'orders', environmentId: '' }, /environmentId/],
  ['register-answer', { agentId: 'a' }, /tenantId/],
  ['execution', { executionId: 'e', exchangeId: 'x', routeId: 'r', status: 'COMPLETED', startTime: '2026-11-22 01:02:03' }, /startTime/],
  ['execution', { executionId: 'e', exchangeId: 'x', routeId: 'r', status: 'DONE', startTime: '2026-11-22T01:02:03Z' }, /status/],
  ['executions-request', [{ executionId: 'e', exchangeId: 'x', routeId: 'r', status: 'FAILED', startTime: '2026-11-22T01:02:03Z', colour: 'red' }], /colour/],
  ['command-route-control', { action: 'restart', routeId: 'r' }, /action/],
  ['ack-request', { status: 'OK' }, /status/],
  ['problem', { title: 'no', status: 400, code: 'malformed_body', requestId: 'r' }, /type/],
];
for (const [name, value, why] of refused) {
  test(`the strict form refuses ${name} ${JSON.stringify(value).slice(0, 60)}`, () => assert.match(violation(name, value) ?? 'nothing wrong', why));
}

test('a reader takes members and words that it does not know', () => {
  const execution = { executionId: 'e', exchangeId: 'x', routeId: 'r', status: 'PAUSED', startTime: '2026-11-22T01:02:03+01:00', colour: 'red' };
  assert.equal(violation('executions-request', execution, 'tolerant'), undefined);
  assert.notEqual(violation('executions-request', execution, 'strict'), undefined);
});

test('an envelope is held to the body of its type', () => {
  const envelope = {
    commandId: '0d4b3f4e-6a51-4d0e-9f6e-5a1f0c9d7b21', type: 'route-control', tenantId: 'default', environment: 'default', agentId: 'orders-1',
    issuedAt: '2026-11-22T01:02:03.456Z', expiresAt: '2026-11-22T01:03:03.456Z', nonce: 'AAAAAAAAAAAAAAAAAAAAAA', body: { action: 'stop', routeId: 'audit' },
  };
  assert.equal(violation('command-envelope', envelope), undefined);
  assert.match(violation('command-envelope', { ...envelope, type: 'replay' }) ?? '', /body/);
  assert.match(violation('command-envelope', { ...envelope, body: { ...envelope.body, force: true } }) ?? '', /force/);
});
