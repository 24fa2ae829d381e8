// Writes the JSON form of the OpenAPI document: node to_json.mjs <output.json> [input.yaml]
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const [output, input = new URL('server.yaml', import.meta.url)] = process.argv.slice(2);
if (!output) {
  console.error('usage: node to_json.mjs <output.json> [input.yaml]');
  process.exit(2);
}
writeFileSync(output, JSON.stringify(parse(readFileSync(input, 'utf8'), { maxAliasCount: 1000 })));
