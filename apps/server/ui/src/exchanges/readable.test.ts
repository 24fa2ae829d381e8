import { expect, it } from 'vitest';
import { readable } from './readable.ts';

it.each([
  ['{"a":1,"b":["x"]}', '{\n  "a": 1,\n  "b": [\n    "x"\n  ]\n}'],
  ['<order/>', '<order/>'],
  ['{"a":', '{"a":'],
  ['12345', '12345'],
  ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
  ['{"price":1.50}', '{"price":1.50}'],
  ['', ''],
])('shows %s readably', (body, shown) => expect(readable(body)).toBe(shown));
