import { ProblemError } from '@cameleer/ui/problem.ts';
import { infiniteQueryOptions, keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query';
import { searchParameters, type ExchangeView } from '../exchanges/view_state.ts';
import { api, bodyOf } from './client.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // Only what may pass by itself is tried again.
      retry: (failures, error) => failures < 2 && error instanceof ProblemError && error.problem.status >= 500,
    },
  },
});

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => {
    try {
      return bodyOf(await api.GET('/api/v1/auth/me', { signal }));
    } catch (error) {
      if (error instanceof ProblemError && error.problem.status === 401) return null;
      throw error;
    }
  },
});

export const capabilitiesQuery = queryOptions({
  queryKey: ['capabilities'],
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/v1/auth/capabilities', { signal })),
});

export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/v1/environments', { signal })),
});

export const agentsQuery = (environment: string) =>
  queryOptions({
    queryKey: ['agents', environment],
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/v1/environments/{environment}/agents', { params: { path: { environment } }, signal })),
  });

export const pageSize = 100;
export const liveIntervalMs = 3000;

interface PageStart {
  cursor: string;
  from: string;
  to: string;
}

export const exchangesQuery = (environment: string, view: ExchangeView) =>
  infiniteQueryOptions({
    queryKey: ['exchanges', environment, searchParameters(view, 0), view.live],
    initialPageParam: null as PageStart | null,
    queryFn: async ({ pageParam, signal }) => {
      // A relative range is fixed by the first page; the following ones belong to the same search.
      const { cursor, ...range } = pageParam ?? { cursor: undefined };
      const query = { ...searchParameters(view, Date.now()), ...range, limit: pageSize, cursor };
      return bodyOf(
        await api.GET('/api/v1/environments/{environment}/executions', { params: { path: { environment }, query }, signal }),
      );
    },
    getNextPageParam: (last): PageStart | null =>
      last.nextCursor && !view.live ? { cursor: last.nextCursor, from: last.from, to: last.to } : null,
    refetchInterval: view.live ? liveIntervalMs : false,
    placeholderData: keepPreviousData,
  });

export const exchangeQuery = (environment: string, executionId: string, at?: string) =>
  queryOptions({
    queryKey: ['exchange', environment, executionId],
    queryFn: async ({ signal }) =>
      bodyOf(
        await api.GET('/api/v1/environments/{environment}/executions/{executionId}', {
          params: { path: { environment, executionId }, query: { at } },
          signal,
        }),
      ),
  });
