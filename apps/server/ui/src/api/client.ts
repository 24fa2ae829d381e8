import { parseProblem, ProblemError } from '@cameleer/ui/problem.ts';
import createClient, { type Middleware } from 'openapi-fetch';
import { basePath } from '../base_path.ts';
import type { components, paths } from './schema.gen.ts';

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];
export type ExecutionSummary = Schema<'ExecutionSummary'>;
export type ExecutionDetail = Schema<'ExecutionDetail'>;
export type ExecutionPage = Schema<'ExecutionPage'>;
export type ExecutionStatus = Schema<'ExecutionStatus'>;
export type ProcessorNode = Schema<'ProcessorNode'>;
export type Agent = Schema<'Agent'>;
export type Me = Schema<'Me'>;

// Every failure leaves the client as a ProblemError, so that callers see data or an exception.
const failures: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    const body: unknown = await response.json().catch(() => undefined);
    throw new ProblemError(parseProblem(response.status, body, response.headers.get('X-Request-Id')));
  },
};

export const api = createClient<paths>({ baseUrl: basePath.replace(/\/$/, '') });
api.use(failures);

/** The body of an answer that the document says has one. */
export function bodyOf<Data>(answer: { data?: Data }): Data {
  if (answer.data === undefined) throw new Error('The answer has no body.');
  return answer.data;
}
