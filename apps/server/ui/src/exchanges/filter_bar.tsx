import { StatusGlyph, statusWord } from '@cameleer/ui/status_mark.tsx';
import { Autocomplete, Button, CloseButton, Kbd, TextInput } from '@mantine/core';
import { Cross2Icon, MagnifyingGlassIcon } from '@radix-ui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, type RefObject } from 'react';
import type { ExecutionSummary } from '../api/client.ts';
import { agentsQuery } from '../api/queries.ts';
import classes from './filter_bar.module.css';
import { RangePicker } from './range_picker.tsx';
import type { ChangeView } from './use_view.ts';
import { isFiltered, statuses, withoutFilters, type ExchangeView } from './view_state.ts';

interface Props {
  environment: string | undefined;
  view: ExchangeView;
  change: ChangeView;
  items: readonly ExecutionSummary[];
  searchBox: RefObject<HTMLInputElement | null>;
}

export function FilterBar({ environment, view, change, items, searchBox }: Props) {
  const { applications, routes } = useKnownNames(environment, items);
  return (
    <search className={classes.bar}>
      <SearchBox text={view.text} onText={(text) => change({ text })} searchBox={searchBox} />
      <RangePicker range={view.range} onRange={(range) => change({ range })} />
      <div className={classes.states} role="group" aria-label="Status">
        {statuses.map((status) => {
          const on = view.status.includes(status);
          const next = on ? view.status.filter((other) => other !== status) : [...view.status, status];
          return (
            <button key={status} type="button" aria-pressed={on} className={classes.state} onClick={() => change({ status: next })}>
              <StatusGlyph status={status} />
              {statusWord(status)}
            </button>
          );
        })}
      </div>
      <NameFilter label="Application" value={view.application} known={applications} onName={(application) => change({ application })} />
      <NameFilter label="Route" value={view.routeId} known={routes} onName={(routeId) => change({ routeId })} />
      {view.correlationId && (
        <button type="button" className={classes.state} aria-pressed onClick={() => change({ correlationId: undefined })}>
          Correlation {view.correlationId.slice(-12)}
          <Cross2Icon aria-label="remove" />
        </button>
      )}
      {isFiltered(view) && (
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => change(withoutFilters(view))}>
          Clear
        </Button>
      )}
    </search>
  );
}

function SearchBox({ text, onText, searchBox }: { text?: string; onText: (text?: string) => void; searchBox: Props['searchBox'] }) {
  const [draft, setDraft] = useState(text ?? '');
  useEffect(() => setDraft(text ?? ''), [text]);
  const commit = (value: string) => value.trim() !== (text ?? '') && onText(value.trim() || undefined);
  return (
    <TextInput
      ref={searchBox}
      size="xs"
      className={classes.search}
      type="search"
      aria-label="Search error, id or route"
      placeholder="Search error, id or route"
      maxLength={512}
      leftSection={<MagnifyingGlassIcon />}
      rightSection={draft ? <CloseButton size="xs" aria-label="Clear the search" onClick={() => commit('')} /> : <Kbd size="xs">/</Kbd>}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={() => commit(draft)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit(draft);
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
    />
  );
}

interface NameFilterProps {
  label: string;
  value?: string;
  known: readonly string[];
  onName: (name?: string) => void;
}

function NameFilter({ label, value, known, onName }: NameFilterProps) {
  const [draft, setDraft] = useState(value ?? '');
  useEffect(() => setDraft(value ?? ''), [value]);
  const commit = (name: string) => name.trim() !== (value ?? '') && onName(name.trim() || undefined);
  return (
    <Autocomplete
      size="xs"
      w={160}
      aria-label={label}
      placeholder={`Any ${label.toLowerCase()}`}
      data={[...known]}
      limit={50}
      maxLength={256}
      clearable
      clearButtonProps={{ 'aria-label': `Any ${label.toLowerCase()}` }}
      value={draft}
      onChange={(name) => {
        setDraft(name);
        if (name === '') commit('');
      }}
      onOptionSubmit={commit}
      onBlur={() => commit(draft)}
      onKeyDown={(event) => event.key === 'Enter' && commit(draft)}
    />
  );
}

/** Names to offer: what the agents report, and what the list shows. */
function useKnownNames(environment: string | undefined, items: readonly ExecutionSummary[]) {
  const agents = useQuery({ ...agentsQuery(environment ?? ''), enabled: environment !== undefined, retry: false });
  return useMemo(() => {
    const reported = agents.data?.items ?? [];
    const sorted = (names: string[]) => [...new Set(names)].sort((a, b) => a.localeCompare(b));
    return {
      applications: sorted([...reported.map((agent) => agent.application), ...items.map((item) => item.application)]),
      routes: sorted([...reported.flatMap((agent) => agent.routeIds), ...items.map((item) => item.routeId)]),
    };
  }, [agents.data, items]);
}
