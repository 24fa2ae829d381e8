// The server reads what the published schemas describe: it takes the page's examples, and refuses, by name, what the schemas refuse.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { examplesOfPage, schemaOf, violation } from '../e2e/agent_protocol.mjs';
import { ServerProcess } from './server_process.mjs';

const exampleOf = (name) => JSON.parse(examplesOfPage().find((example) => example.name === name).text);
const first = (value) => (Array.isArray(value) ? value[0] : value);
const registration = exampleOf('register-request');

describe('the server and the schemas', () => {
  const server = new ServerProcess();
  let token, ack, admin;
  before(async () => {
    await server.start();
    token = (await server.registerAgent(registration.agentId, registration.application)).accessToken;
    admin = await server.adminToken();
    const sent = await server.request('POST', `/api/v1/agents/${registration.agentId}/commands`, { token: admin, json: { type: 'route-control', payload: exampleOf('command-route-control') } });
    ack = `/api/v1/agents/${registration.agentId}/commands/${sent.body.commands[0].commandId}/ack`;
  });
  after(() => server.dispose());

  const data = (kind) => async (json) => server.request('POST', `/api/v1/data/${kind}`, { token, json });
  const execution = first(exampleOf('executions-request'));
  /** Schema of an object, a good example, how to send one, where it is in the request, and members that the server leaves alone. */
  const objects = [
    { schema: 'register-request', example: registration, send: (json) => server.request('POST', '/api/v1/agents/register', { token: server.apiKey, json }), good: 200 },
    { schema: 'heartbeat-request', example: exampleOf('heartbeat-request'), send: (json) => server.request('POST', `/api/v1/agents/${registration.agentId}/heartbeat`, { token, json }), good: 200 },
    { schema: 'execution', example: execution, send: data('executions') },
    { schema: 'processor', example: execution.processorExecutions[1], send: (json) => data('executions')({ ...execution, processorExecutions: [json] }), at: '/processorExecutions/0' },
    { schema: 'chunk', example: first(exampleOf('chunks-request')), send: data('chunks') },
    { schema: 'log', example: first(exampleOf('logs-request')), send: data('logs') },
    { schema: 'metric', example: first(exampleOf('metrics-request')), send: data('metrics') },
    { schema: 'event', example: first(exampleOf('events-request')), send: data('events') },
    { schema: 'diagram', example: first(exampleOf('diagrams-request')), send: data('diagrams'), ignored: ['sourceFormat'] },
    { schema: 'ack-request', example: exampleOf('ack-request'), send: (json) => server.request('POST', ack, { token, json }), good: 200 },
  ];

  for (const { schema, example, send, good = 202, at = '', ignored = [] } of objects) {
    const { properties, required = [] } = schemaOf(schema);

    test(`${schema}: each required member is, and is missed by name`, async () => {
      for (const member of required) {
        const { [member]: _, ...rest } = example;
        const answer = await send(rest);
        assert.deepEqual([answer.status, answer.body.code, answer.body.member], [400, 'invalid_member', `${at}/${member}`], answer.text);
      }
    });

    test(`${schema}: a member of another type is refused by name`, async () => {
      for (const member of Object.keys(properties).filter((name) => !ignored.includes(name))) {
        const wrong = [7, 'x', {}, true].find((value) => violation(schema, { ...example, [member]: value }, 'tolerant'));
        assert.notEqual(wrong, undefined, `${schema} has a type for ${member}`);
        const answer = await send({ ...example, [member]: wrong });
        assert.equal(answer.status, 400, `${member}: ${JSON.stringify(wrong)}: ${answer.text}`);
        assert.ok(answer.body.member.startsWith(`${at}/${member}`), `${member}: ${answer.text}`);
      }
    });

    test(`${schema}: the example is taken, with members that nobody knows, and null for what is left out`, async () => {
      const absent = Object.fromEntries(Object.keys(properties).filter((name) => !(name in example)).map((name) => [name, null]));
      for (const json of [example, { ...example, colour: { red: 1 } }, { ...example, ...absent }]) {
        const answer = await send(json);
        assert.equal(answer.status, good, answer.text);
      }
    });
  }

  for (const type of ['deep-trace', 'set-traced-processors', 'route-control', 'replay', 'test-expression']) {
    const schema = `command-${type}`, example = exampleOf(schema), { properties, required = [] } = schemaOf(schema);
    const send = (payload) => server.request('POST', `/api/v1/agents/${registration.agentId}/commands`, { token: admin, json: { type, payload } });

    test(`the payload of ${type} is held to its schema before anything is signed`, async () => {
      for (const member of required) {
        const { [member]: _, ...rest } = example;
        const answer = await send(rest);
        assert.deepEqual([answer.status, answer.body.code, answer.body.member], [400, 'invalid_member', `/payload/${member}`], answer.text);
      }
      for (const member of Object.keys(properties)) {
        const answer = await send({ ...example, [member]: [7, 'x'].find((value) => violation(schema, { ...example, [member]: value })) });
        assert.equal(answer.status, 400, answer.text);
        assert.ok(answer.body.member.startsWith(`/payload/${member}`), answer.text);
      }
      // This one would wait for an agent that does not listen.
      if (type !== 'test-expression') assert.equal((await send({ ...example, colour: 'red' })).status, 202);
    });
  }

  const answers = { register: ['register-answer', objects[0]], heartbeat: ['heartbeat-answer', objects[1]], data: ['data-answer', objects[2]] };
  for (const [what, [schema, { send, example }]] of Object.entries(answers)) {
    test(`the answer to ${what} is as published`, async () => assert.equal(violation(schema, (await send(example)).body), undefined));
  }

  test('a refusal is a problem as published', async () => {
    const answer = await data('logs')({});
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal(violation('problem', answer.body), undefined);
  });
});
