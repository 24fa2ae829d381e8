import { formatDuration } from '@cameleer/ui/format.ts';
import { StatusGlyph, statusWord } from '@cameleer/ui/status_mark.tsx';
import { ChevronDownIcon, ChevronRightIcon } from '@radix-ui/react-icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { ExecutionDetail } from '../api/client.ts';
import classes from './processor_tree.module.css';
import { flattenTree, spanOf, type TreeRow } from './tree.ts';

const rowHeight = 30;
export type TreeSelection = number | 'route';

interface Props {
  detail: ExecutionDetail;
  failedSeq: number | undefined;
  selected: TreeSelection;
  onSelect: (selected: TreeSelection) => void;
}

/** What the processors did, in order and nested, on the time of the exchange. Line 0 is the route itself. */
export function ProcessorTree({ detail, failedSeq, selected, onSelect }: Props) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => new Set());
  const span = useMemo(() => spanOf(detail.startTime, detail.durationMs, detail.processors), [detail]);
  const rows = useMemo(() => flattenTree(detail.processors, collapsed, span), [detail, collapsed, span]);
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useVirtualizer({ count: rows.length + 1, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 15 });
  const lineOf = (selection: TreeSelection) => (selection === 'route' ? 0 : rows.findIndex((row) => row.node.seq === selection) + 1);
  const selectedLine = lineOf(selected);

  useEffect(() => lines.scrollToIndex(selectedLine, { align: 'auto' }), [selectedLine, lines]);

  const toggle = (seq: number) =>
    setCollapsed((old) => {
      const next = new Set(old);
      if (!next.delete(seq)) next.add(seq);
      return next;
    });
  const goTo = (line: number) => {
    const bounded = Math.max(0, Math.min(rows.length, line));
    onSelect(bounded === 0 ? 'route' : rows[bounded - 1]!.node.seq);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-line="${bounded}"]`)?.focus({ preventScroll: true }));
  };
  const onKey = (event: KeyboardEvent, line: number) => {
    const row = line === 0 ? undefined : rows[line - 1];
    const moves: Record<string, () => void> = {
      ArrowDown: () => goTo(line + 1),
      ArrowUp: () => goTo(line - 1),
      Home: () => goTo(0),
      End: () => goTo(rows.length),
      ArrowRight: () => row?.expandable && (row.expanded ? goTo(line + 1) : toggle(row.node.seq)),
      ArrowLeft: () => (row?.expanded ? toggle(row.node.seq) : goTo(parentLine(rows, line))),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  return (
    <div ref={scroller} className={classes.tree} role="tree" aria-label="Processors">
      <div role="presentation" className={classes.sizer} style={{ height: lines.getTotalSize() }}>
        {lines.getVirtualItems().map(({ index, start }) => {
          const row = index === 0 ? undefined : rows[index - 1];
          const line = {
            line: index,
            top: start,
            selected: index === selectedLine,
            onSelect: () => onSelect(row ? row.node.seq : 'route'),
            onKey: (event: KeyboardEvent) => onKey(event, index),
          };
          if (!row) return <RouteLine key="route" detail={detail} span={span.durationMs} {...line} />;
          return <ProcessorLine key={row.node.seq} row={row} failedHere={row.node.seq === failedSeq} onToggle={() => toggle(row.node.seq)} {...line} />;
        })}
      </div>
    </div>
  );
}

function parentLine(rows: readonly TreeRow[], line: number): number {
  const depth = rows[line - 1]?.depth ?? 0;
  for (let above = line - 1; above > 0; above -= 1) if (rows[above - 1]!.depth < depth) return above;
  return 0;
}

interface LineProps {
  line: number;
  top: number;
  selected: boolean;
  onSelect: () => void;
  onKey: (event: KeyboardEvent) => void;
}

function RouteLine({ detail, span, ...line }: { detail: ExecutionDetail; span: number } & LineProps) {
  return (
    <Line {...line} level={1} expanded status={detail.status} offset={0} width={(detail.durationMs ?? span) / span} durationMs={detail.durationMs}>
      <span className={classes.leaf} />
      <StatusGlyph status={detail.status} label={statusWord(detail.status)} />
      <b className={classes.id}>{detail.routeId}</b>
      <span className={classes.type}>route</span>
    </Line>
  );
}

function ProcessorLine({ row, failedHere, onToggle, ...line }: { row: TreeRow; failedHere: boolean; onToggle: () => void } & LineProps) {
  const { node } = row;
  const endpoint = node.resolvedEndpointUri ?? node.endpointUri;
  const facts = [row.iteration, node.filterMatched === false ? 'filtered out' : undefined, node.duplicateMessage ? 'duplicate' : undefined, node.circuitBreakerState].filter(Boolean);
  return (
    <Line
      {...line}
      level={row.depth + 2}
      expanded={row.expandable ? row.expanded : undefined}
      failedHere={failedHere}
      status={node.status}
      offset={row.offset}
      width={row.width}
      durationMs={node.durationMs}
    >
      {row.expandable ? (
        <span
          className={classes.leaf}
          aria-hidden
          onClick={(event) => {
            event.stopPropagation();
            onToggle();
          }}
        >
          {row.expanded ? <ChevronDownIcon /> : <ChevronRightIcon />}
        </span>
      ) : (
        <span className={classes.leaf} />
      )}
      <StatusGlyph status={node.status} label={statusWord(node.status)} />
      <span className={classes.id} title={endpoint ? `${node.processorId} → ${endpoint}` : node.processorId}>
        {node.processorId}
      </span>
      <span className={classes.type}>{node.processorType}</span>
      {facts.map((fact) => (
        <span key={fact} className={classes.fact}>
          {fact}
        </span>
      ))}
      {failedHere && <span className={classes.failedHere}>failed here</span>}
      {endpoint && <span className={classes.endpoint}>{endpoint}</span>}
    </Line>
  );
}

interface RowProps extends LineProps {
  level: number;
  expanded: boolean | undefined;
  failedHere?: boolean;
  status: string;
  offset: number;
  width: number;
  durationMs: number | undefined;
  children: ReactNode;
}

function Line(props: RowProps) {
  return (
    <div
      role="treeitem"
      aria-level={props.level}
      aria-expanded={props.expanded}
      aria-selected={props.selected}
      tabIndex={props.selected ? 0 : -1}
      data-line={props.line}
      data-failed-here={props.failedHere || undefined}
      className={classes.line}
      style={{ height: rowHeight, transform: `translateY(${props.top}px)` }}
      onClick={props.onSelect}
      onKeyDown={props.onKey}
    >
      <span className={classes.name} style={{ paddingLeft: (props.level - 1) * 16 }}>
        {props.children}
      </span>
      <span className={classes.time} aria-hidden>
        <span
          className={classes.bar}
          data-failed={props.status === 'FAILED' || undefined}
          style={{ left: `${props.offset * 100}%`, width: `max(2px, ${props.width * 100}%)` }}
        />
      </span>
      <span className={classes.duration}>{props.durationMs === undefined ? '–' : formatDuration(props.durationMs)}</span>
    </div>
  );
}
