import { expect, it } from 'vitest';
import { readable, shortError } from './readable.ts';

it.each([
  ['{"a":1,"b":["x"]}', '{\n  "a": 1,\n  "b": [\n    "x"\n  ]\n}'],
  ['<order/>', '<order/>'],
  ['{"a":', '{"a":'],
  ['12345', '12345'],
  ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
  ['{"price":1.50}', '{"price":1.50}'],
  ['', ''],
])('shows %s readably', (body, shown) => expect(readable(body)).toBe(shown));

it.each([
  ['java.lang.IllegalStateException: no stock', 'IllegalStateException: no stock'],
  ['org.apache.camel.CamelExecutionException: a.B c\nmore', 'CamelExecutionException: a.B c'],
  ['no stock', 'no stock'],
  ['api.example.com refused', 'api.example.com refused'],
])('shortens %s', (message, shown) => expect(shortError(message)).toBe(shown));
