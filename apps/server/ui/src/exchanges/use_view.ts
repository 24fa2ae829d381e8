import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { decodeView, encodeView, keepEnvironment, type ExchangeView, type RawSearch } from './view_state.ts';

export type ChangeView = (patch: Partial<ExchangeView>, replace?: boolean) => void;

/** The view that the URL says, and a way to change it. */
export function useView(): { view: ExchangeView; change: ChangeView } {
  const raw = useSearch({ from: '/signed-in/exchanges' }) as RawSearch;
  const navigate = useNavigate();
  const key = JSON.stringify(raw);
  const view = useMemo(() => decodeView(JSON.parse(key) as RawSearch), [key]);
  const change = useCallback<ChangeView>(
    (patch, replace = false) =>
      void navigate({
        to: '/exchanges',
        search: (old) => ({ ...keepEnvironment(old), ...encodeView({ ...decodeView(old), ...patch }) }),
        replace,
      }),
    [navigate],
  );
  return { view, change };
}
