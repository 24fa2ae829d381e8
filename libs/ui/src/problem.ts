/** A failure as the pages show it: what happened, what to do, and the id that finds it in the server's log. */
export interface ProblemInfo {
  status: number;
  code: string;
  title: string;
  detail?: string;
  member?: string;
  requestId?: string;
  advice: string;
}

export class ProblemError extends Error {
  constructor(readonly problem: ProblemInfo) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
  }
}

const adviceByCode: Record<string, string> = {
  invalid_credentials: 'Check the name and the password. After five failures the account is locked for 15 minutes.',
  account_locked: 'Wait until the lock ends, or ask an administrator.',
  too_many_requests: 'Wait a minute before the next attempt.',
  unauthenticated: 'Sign in again.',
  invalid_token: 'Sign in again.',
  forbidden: 'Ask an administrator for the permission.',
  foreign_origin: 'Open the page at the server’s public address; a proxy may be changing the host name.',
  environment_not_found: 'Choose another environment at the top of the page.',
  execution_not_found: 'It may be older than the retention, or the link may belong to another environment.',
  invalid_parameter: 'Correct the filter named here, or clear all filters.',
  unavailable: 'The server is running without one of its stores. It reconnects by itself: try again shortly.',
  overloaded: 'The server is at its limit. Try again shortly.',
  upstream_timeout: 'Search a shorter time range, or try again.',
};

function adviceFor(status: number, code: string): string {
  const known = adviceByCode[code];
  if (known) return known;
  if (status === 0) return 'Check that the server is running and that your network reaches it.';
  if (status >= 500) return 'Try again. If it stays, look for the request id in the server’s log.';
  return 'Go back and try again; quote the request id if you report it.';
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Reads a problem document; anything else (a proxy's page, an empty body) still gives a usable problem. */
export function parseProblem(status: number, body: unknown, requestIdHeader?: string | null): ProblemInfo {
  const member = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const code = text(member['code']) ?? `http_${status}`;
  return {
    status,
    code,
    title: text(member['title']) ?? `The server answered with status ${status}.`,
    detail: text(member['detail']),
    member: text(member['member']),
    requestId: text(member['requestId']) ?? text(requestIdHeader ?? undefined),
    advice: adviceFor(status, code),
  };
}

/** Any thrown value as a problem: a failed fetch has no status. */
export function problemOf(error: unknown): ProblemInfo {
  if (error instanceof ProblemError) return error.problem;
  return {
    status: 0,
    code: 'unreachable',
    title: 'The server did not answer.',
    detail: error instanceof Error ? error.message : undefined,
    advice: adviceFor(0, 'unreachable'),
  };
}
