import { describe, expect, it } from 'vitest';
import { parseProblem, ProblemError, problemOf } from './problem.ts';

describe('a problem document', () => {
  it('keeps code, member and request id', () => {
    const body = { title: 'A parameter is wrong.', status: 400, code: 'invalid_parameter', detail: 'limit: 1..200', member: 'limit', requestId: 'r1' };
    expect(parseProblem(400, body, 'other')).toMatchObject({ code: 'invalid_parameter', member: 'limit', requestId: 'r1', detail: 'limit: 1..200' });
  });
  it('takes the request id from the header when the body has none', () =>
    expect(parseProblem(502, '<html>', 'r2')).toMatchObject({ code: 'http_502', requestId: 'r2' }));
  it.each([undefined, null, '', 7, [], { title: 3, code: '' }])('is made up from %j', (body) => {
    const problem = parseProblem(503, body, null);
    expect(problem.code).toBe('http_503');
    expect(problem.title).not.toBe('');
    expect(problem.advice).not.toBe('');
    expect(problem.requestId).toBeUndefined();
  });
});

it('gives a failed fetch no status and an advice', () => {
  expect(problemOf(new TypeError('Failed to fetch'))).toMatchObject({ status: 0, code: 'unreachable', detail: 'Failed to fetch' });
  const known = parseProblem(404, { code: 'execution_not_found' });
  expect(problemOf(new ProblemError(known))).toBe(known);
});
