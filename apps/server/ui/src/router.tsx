import { EmptyState } from '@cameleer/ui/empty_state.tsx';
import { ProblemAlert } from '@cameleer/ui/problem_alert.tsx';
import { ProblemError } from '@cameleer/ui/problem.ts';
import { createRootRoute, createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router';
import { meQuery, queryClient } from './api/queries.ts';
import { AppFrame } from './app_frame.tsx';
import { basePath } from './base_path.ts';
import { decodeView, encodeView, formatQuery, parseQuery, type RawSearch } from './exchanges/view_state.ts';
import { ExchangesPage } from './exchanges/exchanges_page.tsx';
import { AgentsPage } from './pages/agents.tsx';
import { SignInPage } from './pages/sign_in.tsx';

const only = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: () => (
    <EmptyState title="There is no page at this address">
      <a href={basePath}>Go to the exchanges</a>
    </EmptyState>
  ),
  errorComponent: ({ error, reset }) => (
    <div style={{ maxWidth: 720, margin: '12vh auto 0', padding: 16 }}>
      <ProblemAlert
        error={error}
        onRetry={() => {
          queryClient.removeQueries({ queryKey: meQuery.queryKey });
          reset();
          void router.invalidate();
        }}
      />
    </div>
  ),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignInPage,
  validateSearch: (raw: RawSearch): { next?: string; error?: string } => ({ next: only(raw['next']), error: only(raw['error']) }),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: AppFrame,
  validateSearch: (raw: RawSearch): { env?: string } => ({ env: only(raw['env']) }),
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery);
    if (!me) throw redirect({ to: '/sign-in', search: { next: location.pathname + location.searchStr }, replace: true });
    return { me };
  },
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/exchanges', search: true, replace: true });
  },
});

const exchanges = createRoute({
  getParentRoute: () => signedIn,
  path: '/exchanges',
  component: ExchangesPage,
  validateSearch: (raw: RawSearch): RawSearch => encodeView(decodeView(raw)),
});

const agents = createRoute({ getParentRoute: () => signedIn, path: '/agents', component: AgentsPage });

export const router = createRouter({
  routeTree: root.addChildren([signIn, signedIn.addChildren([home, exchanges, agents])]),
  basepath: basePath,
  parseSearch: parseQuery,
  stringifySearch: (search) => formatQuery(search as RawSearch),
  defaultPreload: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

/** Goes to an address of this application that was kept from before the sign-in; anything else leads home. */
export function goTo(next: string | undefined): void {
  const inside = next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';
  router.history.push(basePath.slice(0, -1) + inside);
}

// A session may end at any time: the next answer says so, and every page leads to the sign-in.
queryClient.getQueryCache().subscribe((event) => {
  const { error } = event.query.state;
  if (event.type !== 'updated' || event.action.type !== 'error') return;
  if (error instanceof ProblemError && error.problem.status === 401 && queryClient.getQueryData(meQuery.queryKey)) {
    queryClient.setQueryData(meQuery.queryKey, null);
    void router.invalidate();
  }
});
