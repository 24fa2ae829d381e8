// An operator in front of a Camel system: sends commands and configurations through the API and looks what became of them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../integration/server_process.mjs';

const settledStates = ['ACKNOWLEDGED', 'FAILED', 'EXPIRED'];
const lines = [{ sku: 'SKU-1', qty: 2 }, { sku: 'SKU-2', qty: 1 }];

export class Operator {
  constructor(server, system) {
    Object.assign(this, { server, system });
  }

  async signIn() {
    this.token = await this.server.adminToken();
    return this;
  }

  /** The body of an answer that has to have this status. */
  async ask(status, method, path, json) {
    const answer = await this.server.request(method, path, { token: this.token, json });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    return answer.body;
  }

  send(agentId, type, payload) {
    return this.ask(202, 'POST', `/api/v1/agents/${agentId}/commands`, { type, payload }).then(({ commands }) => commands[0]);
  }

  /** Sends a command and gives its final state, as the API shows it. */
  async command(agentId, type, payload) {
    return this.settled(await this.send(agentId, type, payload));
  }

  settled({ agentId, commandId }) {
    return eventually(`${commandId} is settled`, async () => {
      const command = await this.ask(200, 'GET', `/api/v1/agents/${agentId}/commands/${commandId}`);
      return settledStates.includes(command.state) && command;
    });
  }

  /** Stores a configuration; a live one is in use by the application's agent when this comes back. */
  async configure(application, config, apply = 'live') {
    const stored = await this.ask(200, 'PUT', `/api/v1/environments/default/apps/${application}/config?apply=${apply}`, config);
    if (apply === 'live') await this.inUse(this.system.agentId(application), stored.version);
    return stored;
  }

  inUse(agentId, version) {
    return eventually(`${agentId} uses version ${version}`, () => this.system.proxy.events.some(({ name, envelope }) =>
      name === 'config-update' && envelope.agentId === agentId && envelope.body.config.version >= version && this.ackOf(envelope.commandId)?.status === 'SUCCESS'));
  }

  /** What the agent said of a command, once the server has taken it. */
  ackOf(commandId) {
    return this.system.proxy.answered('ack').find(({ path }) => path.includes(commandId))?.request.json;
  }

  async agent(agentId) {
    const { items } = await this.ask(200, 'GET', '/api/v1/environments/default/agents');
    return items.find((one) => one.agentId === agentId);
  }

  /** Sends one order. All its executions in both applications have the correlation id that this gives. */
  async order({ body, headers = {}, correlationId = randomUUID(), ...members } = {}) {
    const order = { orderId: `o-${correlationId.slice(0, 8)}`, customer: 'c-17', delivery: 'standard', carrierFailures: 0, lines, ...members };
    const answer = await fetch(`${this.system.url}/orders`, {
      method: 'POST', headers: { 'content-type': 'application/json', breadcrumbId: correlationId, ...headers }, body: body ?? JSON.stringify(order),
    });
    return { correlationId, order, status: answer.status, text: await answer.text() };
  }

  async executions(query) {
    return (await this.ask(200, 'GET', `/api/v1/environments/default/executions?limit=200&${new URLSearchParams(query)}`)).items;
  }

  detail({ executionId, startTime }) {
    return this.ask(200, 'GET', `/api/v1/environments/default/executions/${executionId}?at=${startTime}`);
  }

  /** The whole execution of a route for an order, once it has ended. */
  async recorded({ correlationId }, routeId = 'orders-http') {
    const item = await eventually(`the ${routeId} of ${correlationId} is recorded`, async () =>
      (await this.executions({ correlationId, routeId })).find((one) => one.status !== 'RUNNING'));
    return this.detail(item);
  }
}

/** All processors of an execution, in order. */
export function processorsOf(execution) {
  const all = (nodes) => nodes.flatMap((node) => [node, ...all(node.children)]);
  return all(execution.processors);
}

/** Whether anything of a message was kept: of an execution, or of one of its processors. */
export function hasMessage(record) {
  return ['inputBody', 'outputBody'].some((name) => record[name] !== undefined)
    || ['inputHeaders', 'outputHeaders'].some((name) => Object.keys(record[name] ?? {}).length > 0);
}
