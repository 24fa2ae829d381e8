// What agents say besides executions: diagrams, logs, metrics and events, as they went over the wire.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { ServerProcess, eventually } from '../integration/server_process.mjs';
import { CamelSystem, camelVersions } from './camel_system.mjs';
import { Operator } from './operator.mjs';

const routes = {
  orders: ['audit', 'billing', 'order-bulk', 'order-express', 'order-standard', 'orders-http', 'reserve', 'shipping'],
  warehouse: ['reserve-stock', 'take'],
};

for (const version of camelVersions) {
  describe(`Camel ${version}: diagrams, logs, metrics and events of orders and warehouse`, () => {
    const server = new ServerProcess({ ack: 'journal' });
    const config = { metricsIntervalSeconds: 1 };
    let system, operator, proxy;

    before(async () => {
      await server.start();
      system = await new CamelSystem(server, version).start();
      proxy = system.proxy;
      operator = await new Operator(server, system).signIn();
      for (const name of ['orders', 'warehouse']) await proxy.streamOpened(system.agentId(name));
      for (const application of ['orders', 'warehouse']) await operator.configure(application, config);
    });
    after(async () => { await system?.stop(); await server.dispose(); });

    /** The elements of a kind that one application's agent sent. */
    const sentBy = (application, kind) => proxy.answered(`data/${kind}`)
      .filter(({ headers }) => applicationOf(headers) === application).flatMap(({ request }) => request.json);
    /** The token says who sent it: that is all the server goes by, too. */
    const applicationOf = ({ authorization }) => JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url')).group;

    const nodesOf = (diagram) => {
      const all = (nodes) => nodes.flatMap((node) => [node, ...all(node.children ?? [])]);
      return all(diagram.nodes);
    };

    for (const [application, routeIds] of Object.entries(routes)) {
      test(`${application} sent the diagram of each of its routes once`, async () => {
        await eventually('all diagrams are there', () => routeIds.every((routeId) => sentBy(application, 'diagrams').some((one) => one.routeId === routeId)));
        assert.deepEqual(sentBy(application, 'diagrams').map(({ routeId }) => routeId).sort(), routeIds);
        for (const diagram of sentBy(application, 'diagrams')) {
          const ids = nodesOf(diagram).map(({ id }) => id);
          assert.equal(new Set(ids).size, ids.length, `${diagram.routeId}: every id once`);
          assert.ok(ids.length >= 2);
          for (const { from, to } of diagram.edges) assert.ok(ids.includes(from) && ids.includes(to), `${diagram.routeId}: ${from} to ${to}`);
        }
      });
    }

    test('executions refer to the diagram of their route, which has a node for each processor that ran', async () => {
      await system.load(20);
      const kinds = [operator.order(), operator.order({ delivery: 'express', carrierFailures: 1 }), operator.order({ lines: [] }), operator.order({ customer: 'blocked' })];
      const orders = await Promise.all(kinds);
      assert.deepEqual(orders.map(({ status }) => status), [200, 200, 422, 502]);
      for (const order of orders) await operator.recorded(order);
      await eventually('every route has run', async () => {
        const ran = new Set(proxy.data('executions').filter(({ status }) => status !== 'RUNNING').map(({ routeId }) => routeId));
        return Object.values(routes).flat().every((routeId) => ran.has(routeId));
      });
      for (const application of Object.keys(routes)) {
        const diagrams = new Map(sentBy(application, 'diagrams').map((diagram) => [diagram.diagramHash, diagram]));
        for (const execution of sentBy(application, 'executions').filter(({ status }) => status !== 'RUNNING')) {
          const diagram = diagrams.get(execution.diagramHash);
          assert.equal(diagram?.routeId, execution.routeId, `${execution.routeId} refers to ${execution.diagramHash}`);
          const known = new Set(nodesOf(diagram).map(({ id }) => id));
          const strange = execution.processorExecutions.map(({ processorId }) => processorId).filter((id) => !known.has(id));
          assert.deepEqual(strange, [], `processors of ${execution.routeId} that its diagram does not have`);
        }
      }
    });

    const frameworks = [
      ['orders', 'Log4j 2', 'billing', 'billing-log', ({ orderId }) => [`billing ${orderId}`]],
      ['warehouse', 'Logback', 'take', 'take-line', ({ lines }) => lines.map(({ sku }) => `taken ${sku}`)],
    ];
    for (const [application, framework, routeId, processorId, messages] of frameworks) {
      test(`lines of ${application}, by ${framework}, carry their exchange, route and processor`, async () => {
        const sent = await operator.order();
        const { exchangeId } = await operator.recorded(sent, routeId);
        const expected = messages(sent.order);
        const lines = await eventually('the lines are sent', () => {
          const of = sentBy(application, 'logs').filter((line) => line.exchangeId === exchangeId && line.routeId === routeId);
          return of.length >= expected.length && of;
        });
        assert.deepEqual(lines.map(({ message }) => message).sort(), expected);
        for (const line of lines) {
          assert.deepEqual([line.level, line.logger, line.source], ['INFO', routeId, 'app']);
          assert.equal(line.mdc['cameleer.processorId'], processorId);
        }
      });
    }

    test('a log level of the configuration counts from the next line on, and is taken back with it', async () => {
      const billed = ({ order }) => sentBy('orders', 'logs').some(({ message }) => message === `billing ${order.orderId}`);
      await operator.configure('orders', { ...config, logLevels: { billing: 'ERROR' } });
      const silent = await operator.order();
      await operator.configure('orders', config);
      const told = await operator.order();
      await eventually('the later line is sent', () => billed(told));
      assert.equal(billed(silent), false);
    });

    test('metrics of the JVM and of Camel arrive at the configured interval', async () => {
      for (const application of Object.keys(routes)) {
        const names = () => new Set(sentBy(application, 'metrics').map(({ metricName }) => metricName));
        await eventually('both kinds are sent', () => ['jvm.memory.used', 'jvm.threads.live', 'camel.exchanges.total', 'camel.route.exchanges'].every((name) => names().has(name)));
        await eventually('more than once', () => new Set(sentBy(application, 'metrics').map(({ timestamp }) => timestamp)).size >= 3);
      }
      const totals = sentBy('orders', 'metrics').filter(({ metricName, tags }) => metricName === 'camel.route.exchanges' && tags.routeId === 'orders-http').map(({ value }) => value);
      assert.ok(totals.length > 0 && totals.every((value, index) => index === 0 || value >= totals[index - 1]), `${totals}`);
    });

    test('a change of a route is an event, and so is a configuration that was taken', async () => {
      await operator.command('orders-1', 'route-control', { action: 'stop', routeId: 'billing' });
      await operator.command('orders-1', 'route-control', { action: 'start', routeId: 'billing' });
      const changes = await eventually('both changes are sent', () => {
        const of = sentBy('orders', 'events').filter(({ type, detail }) => type === 'ROUTE_STATE_CHANGED' && detail.routeId === 'billing');
        return of.length >= 2 && of;
      });
      assert.deepEqual(changes.map(({ detail }) => detail.to), ['Stopped', 'Started']);
      const { version: stored } = await operator.configure('orders', {});
      await eventually('the configuration is told', () => sentBy('orders', 'events').some(({ type, detail }) => type === 'CONFIG_APPLIED' && detail.version === stored));
    });

    test('nothing was refused or dropped', async () => {
      for (const call of proxy.calls) assert.equal(call.answer?.rejected, undefined, `${call.path}: ${JSON.stringify(call.answer)}`);
      for (const name of Object.keys(routes)) {
        const { capabilities } = await operator.agent(system.agentId(name));
        assert.deepEqual(Object.keys(capabilities).filter((key) => /^(dropped|refused)\./.test(key)), [], JSON.stringify(capabilities));
      }
    });

    test('every message of agents and server had its published form', () => {
      system.assertProtocol('config', 'events', 'ack', 'data/executions', 'data/diagrams', 'data/logs', 'data/metrics', 'data/events');
    });
  });
}
