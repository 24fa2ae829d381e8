import type { ExecutionStatus } from '../api/client.ts';

/** What one query string says, as the router hands it over: repeated names are arrays. */
export type RawSearch = Record<string, string | string[] | undefined>;

export const presets = [
  { value: '15m', label: 'Last 15 minutes', ms: 15 * 60_000 },
  { value: '1h', label: 'Last hour', ms: 3_600_000 },
  { value: '6h', label: 'Last 6 hours', ms: 6 * 3_600_000 },
  { value: '24h', label: 'Last 24 hours', ms: 24 * 3_600_000 },
  { value: '7d', label: 'Last 7 days', ms: 7 * 86_400_000 },
  { value: '30d', label: 'Last 30 days', ms: 30 * 86_400_000 },
] as const;
export type Preset = (typeof presets)[number]['value'];
export const defaultPreset: Preset = '24h';

export type TimeRange = { kind: 'preset'; preset: Preset } | { kind: 'absolute'; from: string; to?: string };

export const statuses: readonly ExecutionStatus[] = ['FAILED', 'COMPLETED', 'RUNNING', 'INCOMPLETE'];

/** The whole state of the Exchanges page. */
export interface ExchangeView {
  range: TimeRange;
  status: ExecutionStatus[];
  application?: string;
  routeId?: string;
  text?: string;
  correlationId?: string;
  live: boolean;
  /** Selected exchange, its start as a hint, and what is selected in its tree. */
  id?: string;
  at?: string;
  seq?: number | 'route';
}

const all = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
const one = (value: string | string[] | undefined): string | undefined => all(value).find((v) => v.trim() !== '');

/** The environment of a query string: the only part that goes along to another page. */
export const keepEnvironment = (raw: RawSearch): { env: string | undefined } => ({ env: one(raw['env']) });

function instant(value: string | undefined): string | undefined {
  const time = value === undefined ? Number.NaN : Date.parse(value);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

function rangeOf(raw: RawSearch): TimeRange {
  const from = instant(one(raw['from']));
  if (from) {
    const to = instant(one(raw['to']));
    return to === undefined || to > from ? { kind: 'absolute', from, to } : { kind: 'absolute', from };
  }
  const preset = presets.find((p) => p.value === one(raw['range']));
  return { kind: 'preset', preset: preset?.value ?? defaultPreset };
}

function seqOf(value: string | undefined): ExchangeView['seq'] {
  if (value === 'route') return value;
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Reads a query string; what it cannot understand it leaves out. */
export function decodeView(raw: RawSearch): ExchangeView {
  const wanted = all(raw['status']);
  const id = one(raw['id']);
  return {
    range: rangeOf(raw),
    status: statuses.filter((status) => wanted.includes(status)),
    application: one(raw['application']),
    routeId: one(raw['route']),
    text: one(raw['q']),
    correlationId: one(raw['correlation']),
    live: one(raw['live']) === '1',
    id,
    at: id === undefined ? undefined : instant(one(raw['at'])),
    seq: id === undefined ? undefined : seqOf(one(raw['seq'])),
  };
}

/** The shortest query string that means this view; defaults are left out. */
export function encodeView(view: ExchangeView): RawSearch {
  const { range } = view;
  return {
    range: range.kind === 'preset' && range.preset !== defaultPreset ? range.preset : undefined,
    from: range.kind === 'absolute' ? range.from : undefined,
    to: range.kind === 'absolute' ? range.to : undefined,
    status: view.status.length > 0 ? statuses.filter((status) => view.status.includes(status)) : undefined,
    application: view.application,
    route: view.routeId,
    q: view.text,
    correlation: view.correlationId,
    live: view.live ? '1' : undefined,
    id: view.id,
    at: view.at,
    seq: view.seq === undefined ? undefined : String(view.seq),
  };
}

export function parseQuery(query: string): RawSearch {
  const raw: RawSearch = {};
  const params = new URLSearchParams(query);
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name);
    raw[name] = values.length > 1 ? values : values[0];
  }
  return raw;
}

export function formatQuery(raw: RawSearch): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(raw)) for (const item of all(value)) params.append(name, item);
  // Colons of instants are legal in a query and read better as they are.
  const query = params.toString().replaceAll('%3A', ':');
  return query === '' ? '' : `?${query}`;
}

/** The parameters of the search operation; `now` fixes a relative range (0 leaves its name for a cache key). */
export function searchParameters(view: ExchangeView, now: number) {
  const { range } = view;
  const preset = range.kind === 'preset' ? presets.find((p) => p.value === range.preset) : undefined;
  const from = range.kind === 'absolute' ? range.from : now === 0 ? range.preset : new Date(now - (preset?.ms ?? 0)).toISOString();
  return {
    from,
    to: range.kind === 'absolute' ? range.to : undefined,
    status: view.status.length > 0 ? view.status : undefined,
    application: view.application === undefined ? undefined : [view.application],
    routeId: view.routeId === undefined ? undefined : [view.routeId],
    correlationId: view.correlationId,
    text: view.text,
  };
}

/** Whether anything but the time range narrows the search. */
export function isFiltered(view: ExchangeView): boolean {
  return (
    view.status.length > 0 ||
    [view.application, view.routeId, view.text, view.correlationId].some((value) => value !== undefined)
  );
}

/** The same view with nothing narrowed but the time range. Names every filter, so that it can be used as a change. */
export function withoutFilters(view: ExchangeView): ExchangeView {
  return { ...view, status: [], application: undefined, routeId: undefined, text: undefined, correlationId: undefined };
}

export function rangeLabel(range: TimeRange, show: (iso: string) => string): string {
  if (range.kind === 'preset') return presets.find((p) => p.value === range.preset)?.label ?? range.preset;
  return `${show(range.from)} – ${range.to === undefined ? 'now' : show(range.to)}`;
}
