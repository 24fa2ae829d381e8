import { describe, expect, it } from 'vitest';
import { decodeView, encodeView, formatQuery, isFiltered, parseQuery, searchParameters, withoutFilters } from './view_state.ts';

const roundTrip = (query: string) => formatQuery(encodeView(decodeView(parseQuery(query))));

describe('the view in the URL', () => {
  it.each([
    '',
    '?range=1h',
    '?from=2026-11-22T01:02:03.456Z',
    '?from=2026-11-22T01:02:03.456Z&to=2026-11-22T02:00:00.000Z',
    '?status=FAILED&status=RUNNING&application=orders&route=order-intake&q=no+stock&correlation=c1&live=1',
    '?id=e1&at=2026-11-22T01:02:03.456Z&seq=0',
    '?id=e1&seq=route',
    '?q=a%26b%3Dc+%22%C3%A9',
  ])('survives reading and writing: %s', (query) => expect(roundTrip(query)).toBe(query));

  it.each([
    ['?range=24h', ''],
    ['?range=forever', ''],
    ['?status=failed&status=LOST', ''],
    ['?status=RUNNING&status=FAILED&status=FAILED', '?status=FAILED&status=RUNNING'],
    ['?q=+&application=', ''],
    ['?from=yesterday', ''],
    ['?from=2026-11-22T02:00:00Z&to=2026-11-22T01:00:00Z', '?from=2026-11-22T02:00:00.000Z'],
    ['?at=2026-11-22T01:00:00Z&seq=1', ''],
    ['?id=e1&seq=-1', '?id=e1'],
    ['?id=e1&seq=x', '?id=e1'],
    ['?id=e1&seq=1e3', '?id=e1'],
    ['?live=yes', ''],
    ['?unknown=1', ''],
  ])('reads %s as %s', (query, normal) => expect(roundTrip(query)).toBe(normal));
});

describe('the parameters of the search', () => {
  const now = Date.parse('2026-11-22T12:00:00.000Z');
  it('fix a relative range at the time of the search', () => {
    expect(searchParameters(decodeView({ range: '1h' }), now)).toMatchObject({ from: '2026-11-22T11:00:00.000Z', to: undefined });
    expect(searchParameters(decodeView({ range: '1h' }), 0)).toMatchObject({ from: '1h' });
  });
  it('leave an absolute range as it is', () => {
    const view = decodeView({ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' });
    expect(searchParameters(view, now)).toMatchObject({ from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00.000Z' });
  });
  it('repeat what may be repeated', () =>
    expect(searchParameters(decodeView({ status: ['FAILED', 'RUNNING'], application: 'orders' }), now)).toMatchObject({
      status: ['FAILED', 'RUNNING'],
      application: ['orders'],
      routeId: undefined,
    }));
});

it('clears filters but keeps range, selection and live mode', () => {
  const view = decodeView(parseQuery('?range=7d&status=FAILED&q=x&live=1&id=e1'));
  expect(isFiltered(view)).toBe(true);
  expect(formatQuery(encodeView(withoutFilters(view)))).toBe('?range=7d&live=1&id=e1');
  expect(isFiltered({ ...view, ...withoutFilters(view) })).toBe(false);
});
