import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { environmentsQuery } from './api/queries.ts';

/** The environment that every page looks at: the one in the URL, else `default`, else the first. */
export function useEnvironment() {
  const { env } = useSearch({ from: '/signed-in' });
  const navigate = useNavigate();
  const query = useQuery(environmentsQuery);
  const items = query.data?.items ?? [];
  const fallback = items.find((item) => item.slug === 'default') ?? items[0];
  return {
    environment: env ?? fallback?.slug,
    environments: items,
    error: query.error,
    choose: (slug: string) =>
      // Filters stay; a selected exchange belongs to the environment that is left.
      void navigate({ to: '.', search: (old) => ({ ...old, env: slug, id: undefined, at: undefined, seq: undefined }) }),
  };
}
