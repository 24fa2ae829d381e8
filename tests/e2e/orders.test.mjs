// A real Camel system, recorded by the agent, found by the API: every execution of every order, once, with what failed.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess, eventually } from '../integration/server_process.mjs';
import { CamelSystem, camelVersions, recordedByRoute } from './camel_system.mjs';

assert.ok(camelVersions.length >= 2, 'two Camel versions at least');
const sorted = (counts) => Object.fromEntries(Object.entries(counts).sort());
const sum = (...maps) => sorted(maps.reduce((all, map) => { for (const [key, value] of Object.entries(map)) all[key] = (all[key] ?? 0) + value; return all; }, {}));

for (const version of camelVersions) {
  describe(`Camel ${version}: orders on Camel Main, warehouse on Spring Boot`, () => {
    const server = new ServerProcess({ ack: 'journal' });
    let system, admin, expected;

    before(async () => {
      await server.start();
      admin = await server.adminToken();
      system = await new CamelSystem(server, version).start();
    });
    after(async () => { await system?.stop(); await server.dispose(); });

    const detail = async (item) => (await server.request('GET', `/api/v1/environments/default/executions/${item.executionId}?at=${item.startTime}`, { token: admin })).body;

    test('both applications registered', async () => {
      const agents = await eventually('both agents are LIVE', async () => {
        const { body } = await server.request('GET', '/api/v1/environments/default/agents', { token: admin });
        return body.items.filter((one) => one.state === 'LIVE').length === 2 && body.items;
      });
      assert.deepEqual(agents.map((one) => one.application).sort(), ['orders', 'warehouse']);
      assert.ok(agents.every((one) => one.camelVersion === version), JSON.stringify(agents));
      assert.ok(agents.every((one) => one.routeIds.length > 0));
    });

    test('every execution of 40 orders is recorded once, with its outcome', async () => {
      const sent = await system.load(40);
      expected = sent.byRoute;
      assert.ok(sent.failed > 0 && sent.succeeded > 0);
      await eventually('all executions arrived', async () => {
        const { counts } = await recordedByRoute(server, admin);
        assert.deepEqual(sorted(counts), sorted(expected));
        return true;
      }, 30);
    });

    test('a failed order names the failing processor and the exception', async () => {
      const { all } = await recordedByRoute(server, admin, '&status=FAILED');
      const failed = all.filter((one) => one.routeId === 'orders-http');
      assert.ok(failed.length > 0);
      for (const one of all) {
        assert.ok(one.errorMessage, `${one.routeId} says what failed`);
        assert.ok(one.failedProcessorId, `${one.routeId} says where: ${one.errorMessage}`);
      }
      const whole = await detail(all.find((one) => one.routeId === 'order-standard'));
      const nodes = (function* walk(list) { for (const node of list) { yield node; yield* walk(node.children); } });
      const failing = [...nodes(whole.processors)].find((node) => node.processorId === whole.failedProcessorId && node.status === 'FAILED');
      assert.ok(failing, 'the failing processor is in the tree');
      assert.match(failing.errorStackTrace ?? whole.errorStackTrace, /\n\s*at /);
    });

    test('one order is one correlation over HTTP, direct and seda, across both applications', async () => {
      const { all } = await recordedByRoute(server, admin);
      const reserve = all.find((one) => one.application === 'warehouse' && one.status === 'COMPLETED');
      const family = all.filter((one) => one.correlationId === reserve.correlationId);
      assert.deepEqual([...new Set(family.map((one) => one.application))].sort(), ['orders', 'warehouse']);
      assert.ok(family.some((one) => one.routeId === 'orders-http') && family.some((one) => one.routeId === 'audit'));
      const shown = await detail(family.find((one) => one.routeId === 'orders-http'));
      assert.equal(shown.correlated.length, family.length - 1);
    });

    test('splits and multicasts are numbered, redeliveries counted', async () => {
      const { all } = await recordedByRoute(server, admin);
      const text = JSON.stringify(await Promise.all(all.filter((one) => ['order-standard', 'order-express', 'reserve'].includes(one.routeId)).map(detail)));
      assert.match(text, /"splitIndex":1/);
      assert.match(text, /"multicastIndex":1/);
      assert.match(text, /edeliver/);
    });

    test('kill -9 of the server: the JVMs go on, the agent comes back by itself, and what was recorded meanwhile arrives', async () => {
      const { port } = server;
      await server.kill();
      const during = await system.load(20);
      await server.start();
      assert.equal(server.port, port);
      const later = await system.load(20);
      expected = sum(expected, during.byRoute, later.byRoute);
      admin = await server.adminToken();
      await eventually('all executions arrived', async () => {
        const { counts } = await recordedByRoute(server, admin);
        assert.deepEqual(sorted(counts), expected);
        return true;
      }, 60);
      assert.ok(system.children.every((child) => child.exitCode === null), 'the JVMs are those from before');
    });

    test('every message of agents and server had its published form', () => system.assertProtocol('data/executions'));
  });
}
