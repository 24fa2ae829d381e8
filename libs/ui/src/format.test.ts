import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatCount, formatDuration, formatInstant } from './format.ts';

describe('a duration', () => {
  it.each([
    [0, '< 1 ms'],
    [0.4, '< 1 ms'],
    [1, '1 ms'],
    [999, '999 ms'],
    [1000, '1.00 s'],
    [1234, '1.23 s'],
    [9_994, '9.99 s'],
    [9_995, '10.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_600, '1 h'],
    [3_780_000, '1 h 3 min'],
    [86_400_000, '1 d'],
    [97_200_000, '1 d 3 h'],
    [-1, '–'],
    [Number.NaN, '–'],
  ])('of %d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('a size', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_048_576, '1.0 MiB'],
    [1_048_575, '1.0 MiB'],
  ])('of %d bytes reads %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

it('counts with a noun', () => {
  expect(formatCount(1, 'exchange')).toBe('1 exchange');
  expect(formatCount(12345, 'exchange')).toBe('12,345 exchanges');
});

it('shows an instant in the zone asked for', () => {
  expect(formatInstant('2026-11-22T01:02:03.004Z', 'UTC')).toBe('22 Nov 01:02:03.004');
  expect(formatInstant('2026-09-22T23:30:00.000Z', 'Europe/Berlin')).toBe('23 Sep 01:30:00.000');
  expect(formatInstant('yesterday', 'UTC')).toBe('yesterday');
});

it.each([
  ['2026-11-22T01:00:00Z', '0 s ago'],
  ['2026-11-22T00:59:01Z', '59 s ago'],
  ['2026-11-22T00:30:00Z', '30 min ago'],
  ['2026-11-20T23:00:00Z', '1 d ago'],
  ['2026-11-22T02:00:00Z', 'in the future'],
])('%s was %s', (iso, text) => expect(formatAgo(iso, Date.parse('2026-11-22T01:00:00Z'))).toBe(text));
