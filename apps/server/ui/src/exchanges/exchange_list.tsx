import { formatDuration, formatInstant, zoneName } from '@cameleer/ui/format.ts';
import { StatusMark } from '@cameleer/ui/status_mark.tsx';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { ExecutionSummary } from '../api/client.ts';
import classes from './exchange_list.module.css';
import { shortError } from './readable.ts';

const rowHeight = 36;
const headHeight = 32;

interface Props {
  items: readonly ExecutionSummary[];
  total: number;
  selectedId: string | undefined;
  /** Index of the row that the keyboard is at; -1 when at none. */
  current: number;
  onOpen: (item: ExecutionSummary, index: number) => void;
  onCurrent: (index: number) => void;
  /** Loads the next page; absent when there is none or it is on its way. */
  more: (() => void) | undefined;
  loadingMore: boolean;
}

export function ExchangeList({ items, total, selectedId, current, onOpen, onCurrent, more, loadingMore }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12, scrollMargin: headHeight, scrollPaddingStart: headHeight });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= items.length - 20) more?.();
  }, [last, items.length, more]);
  useEffect(() => {
    if (current < 0) return;
    rows.scrollToIndex(current);
    const row = scroller.current?.querySelector<HTMLElement>(`[aria-rowindex="${current + 2}"]`);
    // The keyboard follows only when it is not busy in the panel or in a field.
    if (document.activeElement === document.body || scroller.current?.contains(document.activeElement)) row?.focus({ preventScroll: true });
  }, [current, rows]);
  return (
    <div ref={scroller} className={classes.scroller}>
      <div role="grid" aria-label="Exchanges" aria-rowcount={total + 1}>
        <div role="row" aria-rowindex={1} className={classes.head} style={{ height: headHeight }}>
          <span role="columnheader">Status</span>
          <span role="columnheader">Started ({zoneName()})</span>
          <span role="columnheader" className={classes.wide}>
            Application
          </span>
          <span role="columnheader">Route</span>
          <span role="columnheader" className={classes.number}>
            Duration
          </span>
          <span role="columnheader" className={classes.wide}>
            Exchange id
          </span>
          <span role="columnheader" className={classes.failure}>
            Failure
          </span>
        </div>
        <div role="rowgroup" className={classes.sizer} style={{ height: rows.getTotalSize() }}>
          {visible.map(({ index, start }) => {
            const item = items[index]!;
            return (
              <div
                key={item.executionId}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={item.executionId === selectedId}
                tabIndex={index === Math.max(current, 0) ? 0 : -1}
                className={classes.row}
                style={{ height: rowHeight, transform: `translateY(${start - headHeight}px)` }}
                onClick={() => onOpen(item, index)}
                onFocus={() => index !== current && onCurrent(index)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' || event.key === ' ') {
                    event.preventDefault();
                    onOpen(item, index);
                  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
                    event.preventDefault();
                    onCurrent(Math.max(0, Math.min(items.length - 1, index + (event.key === 'ArrowDown' ? 1 : -1))));
                  }
                }}
              >
                <Cells item={item} />
              </div>
            );
          })}
        </div>
      </div>
      {(more || loadingMore) && (
        <button type="button" className={classes.more} onClick={more} disabled={!more}>
          {loadingMore ? 'Loading more…' : 'Load more'}
        </button>
      )}
    </div>
  );
}

function Cells({ item }: { item: ExecutionSummary }) {
  return (
    <>
      <span role="gridcell">
        <StatusMark status={item.status} />
      </span>
      <span role="gridcell" className={classes.time} title={item.startTime}>
        {formatInstant(item.startTime)}
      </span>
      <span role="gridcell" className={classes.wide} title={`${item.application}, instance ${item.instanceId}`}>
        {item.application}
      </span>
      <span role="gridcell" className={classes.route} title={item.routeId}>
        {item.routeId}
      </span>
      <span role="gridcell" className={classes.number}>
        {item.durationMs === undefined ? '–' : formatDuration(item.durationMs)}
      </span>
      <span role="gridcell" className={`${classes.wide} ${classes.id}`} title={item.exchangeId}>
        <bdi>{item.exchangeId}</bdi>
      </span>
      <span role="gridcell" className={classes.failure} title={item.errorMessage}>
        {item.failedProcessorId && <b>{item.failedProcessorId}</b>}
        {item.errorMessage && shortError(item.errorMessage)}
      </span>
    </>
  );
}
