import { EmptyState } from '@cameleer/ui/empty_state.tsx';
import { ProblemAlert } from '@cameleer/ui/problem_alert.tsx';
import { Button, Skeleton } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { AgentCommand } from '../agent_command.tsx';
import type { ExecutionSummary } from '../api/client.ts';
import { exchangesQuery } from '../api/queries.ts';
import { useEnvironment } from '../environment.ts';
import { DetailPanel } from './detail_panel.tsx';
import { ExchangeList } from './exchange_list.tsx';
import classes from './exchanges_page.module.css';
import { FilterBar } from './filter_bar.tsx';
import { ResultLine } from './result_line.tsx';
import { useView } from './use_view.ts';
import { isFiltered, withoutFilters } from './view_state.ts';

export function ExchangesPage() {
  const { environment, error: environmentError } = useEnvironment();
  const { view, change } = useView();
  const search = useInfiniteQuery({ ...exchangesQuery(environment ?? '', view), enabled: environment !== undefined });
  const items = useMemo(() => search.data?.pages.flatMap((page) => page.items) ?? [], [search.data]);
  const searchBox = useRef<HTMLInputElement>(null);
  const [cursor, setCursor] = useState(-1);

  const open = useCallback(
    (item: ExecutionSummary, replace = false) => change({ id: item.executionId, at: item.startTime, seq: undefined }, replace),
    [change],
  );
  const close = useCallback(() => change({ id: undefined, at: undefined, seq: undefined }), [change]);
  const selected = items.findIndex((item) => item.executionId === view.id);
  const current = Math.min(cursor >= 0 ? cursor : selected, items.length - 1);
  const move = (step: number) => {
    const next = Math.max(0, Math.min(items.length - 1, current + step));
    const item = items[next];
    if (!item) return;
    setCursor(next);
    if (view.id !== undefined) open(item, true);
  };
  useHotkeys([
    ['/', () => searchBox.current?.focus()],
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['r', () => void search.refetch()],
    ['Escape', () => view.id !== undefined && document.querySelector('[role=dialog], [role=menu]') === null && close()],
  ]);

  const first = search.data?.pages[0];
  const problem = environmentError ?? search.error;
  const filtered = isFiltered(view);
  return (
    <div className={classes.page}>
      <h1 className={classes.hidden}>Exchanges</h1>
      <FilterBar environment={environment} view={view} change={change} items={items} searchBox={searchBox} />
      <ResultLine
        page={first}
        shown={items.length}
        view={view}
        fetching={search.isFetching}
        updatedAt={search.dataUpdatedAt}
        failing={search.isError}
        onRefresh={() => void search.refetch()}
        onLive={(live) => change({ live })}
      />
      <div className={classes.split} data-open={view.id !== undefined || undefined}>
        <section className={classes.list} aria-label="Exchanges found">
          {problem && (
            <div className={classes.problem}>
              <ProblemAlert error={problem} onRetry={() => void search.refetch()} />
            </div>
          )}
          {search.isPending && !problem && <Loading />}
          {items.length > 0 && (
            <ExchangeList
              items={items}
              total={first?.total ?? items.length}
              selectedId={view.id}
              current={current}
              onOpen={(item, index) => {
                setCursor(index);
                open(item);
              }}
              onCurrent={setCursor}
              more={search.hasNextPage && !search.isFetchingNextPage ? () => void search.fetchNextPage() : undefined}
              loadingMore={search.isFetchingNextPage}
            />
          )}
          {first && items.length === 0 && !problem && environment && (
            filtered ? (
              <EmptyState title="No exchange matches these filters">
                <p>Nothing in this time range fits. Widen the time range or drop the filters.</p>
                <Button size="xs" variant="default" onClick={() => change(withoutFilters(view))}>
                  Clear filters
                </Button>
              </EmptyState>
            ) : (
              <EmptyState title="No exchange in this time range">
                <p>
                  Nothing was recorded in <b>{environment}</b> in this time. Widen the time range – or, if no application
                  reports yet, start one with the agent attached:
                </p>
                <AgentCommand environment={environment} />
              </EmptyState>
            )
          )}
        </section>
        {view.id !== undefined && environment && (
          <DetailPanel key={view.id} environment={environment} id={view.id} view={view} change={change} onClose={close} />
        )}
      </div>
    </div>
  );
}

function Loading() {
  return (
    <div className={classes.loading} aria-busy aria-label="Loading exchanges">
      {Array.from({ length: 12 }, (_, i) => (
        <Skeleton key={i} h={16} />
      ))}
    </div>
  );
}
