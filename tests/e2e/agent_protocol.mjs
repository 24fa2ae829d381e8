// The published schemas of the agent protocol, compiled: tolerant as a reader is, or strict as a sender has to be.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const schemaFolder = fileURLToPath(new URL('../../schemas/agent-protocol', import.meta.url));
const ending = '.schema.json';
const read = (file) => JSON.parse(readFileSync(join(schemaFolder, file), 'utf8'));

export const messages = read('messages.json');
export const schemaNames = readdirSync(schemaFolder).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));

/** A schema as it is in its file. */
export const schemaOf = (name) => read(name + ending);

/** The examples of docs/PROTOCOL.md: {name, text}; `<!-- schema: name -->` before a block of JSON says what it shows. */
export function examplesOfPage() {
  const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
  return [...page.matchAll(/(?:<!-- schema: ([\w-]+) -->\n)?```json\n([\s\S]*?)```/g)].map(([, name, text]) => ({ name, text }));
}

/** The call of messages.json that a request is, or undefined. */
export function callOf(method, path) {
  return messages.calls.find((call) => call.method === method
    && new RegExp(`^${call.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
}

/** What this version does not define is an error for a sender: objects closed, open enumerations taken at their word. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (schema.type === 'object' && schema.properties && schema.additionalProperties === undefined) copy.unevaluatedProperties = false;
  if (Array.isArray(schema['x-values'])) copy.enum = schema['x-values'];
  return copy;
}

function compiled(prepare) {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  addFormats(ajv);
  ajv.addVocabulary(['x-values']);
  for (const name of schemaNames) ajv.addSchema(prepare(read(name + ending)));
  return ajv;
}

const forms = {};

/** What is wrong with `value` as the message `name`: undefined, or a text. @param {'strict' | 'tolerant'} form */
export function violation(name, value, form = 'strict') {
  const ajv = (forms[form] ??= compiled(form === 'strict' ? closed : (schema) => schema));
  const validate = ajv.getSchema(name + ending);
  if (!validate) return `there is no schema ${name}`;
  if (validate(value)) return undefined;
  // The deepest first: an error inside one element also makes every `anyOf` around it fail.
  const errors = [...validate.errors].sort((a, b) => b.instancePath.length - a.instancePath.length).slice(0, 5);
  return errors.map((error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`).join('; ');
}
