import { CodeBlock } from '@cameleer/ui/code_block.tsx';
import { CopyText } from '@cameleer/ui/copy_text.tsx';
import { formatBytes, formatCount, formatDuration, formatInstant, zoneName } from '@cameleer/ui/format.ts';
import { ProblemAlert } from '@cameleer/ui/problem_alert.tsx';
import { StatusMark } from '@cameleer/ui/status_mark.tsx';
import { CloseButton, Skeleton, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';
import type { ExecutionDetail, ExecutionSummary } from '../api/client.ts';
import { exchangeQuery, liveIntervalMs } from '../api/queries.ts';
import classes from './detail_panel.module.css';
import { MessageView } from './message_view.tsx';
import { ProcessorTree } from './processor_tree.tsx';
import { findBySeq, findFailed } from './tree.ts';
import type { ChangeView } from './use_view.ts';
import { decodeView, encodeView, keepEnvironment, type ExchangeView } from './view_state.ts';

interface Props {
  environment: string;
  id: string;
  view: ExchangeView;
  change: ChangeView;
  onClose: () => void;
}

/** One exchange beside the list. */
export function DetailPanel({ environment, id, view, change, onClose }: Props) {
  const query = useQuery({
    ...exchangeQuery(environment, id, view.at),
    refetchInterval: ({ state }) => (view.live && state.data?.status === 'RUNNING' ? liveIntervalMs : false),
  });
  const detail = query.data;
  return (
    <aside className={classes.panel} aria-label="Exchange">
      <header className={classes.header}>
        {detail ? (
          <>
            <StatusMark status={detail.status} />
            <h2 className={classes.title} title={detail.routeId}>
              {detail.routeId}
            </h2>
            <span className={classes.where}>
              {detail.application} · {detail.instanceId}
            </span>
          </>
        ) : (
          <h2 className={classes.title}>Exchange</h2>
        )}
        <span className={classes.actions}>
          <CopyText value={window.location.href} what="link to this view" />
          <Tooltip label="Close (Esc)">
            <CloseButton aria-label="Close the exchange" onClick={onClose} />
          </Tooltip>
        </span>
      </header>
      <div className={classes.body}>
        {query.error && <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <Skeleton h={220} />}
        {detail && <Body detail={detail} view={view} change={change} />}
      </div>
    </aside>
  );
}

function Body({ detail, view, change }: { detail: ExecutionDetail; view: ExchangeView; change: ChangeView }) {
  const failed = useMemo(
    () => (detail.status === 'FAILED' ? findFailed(detail.processors, detail.failedProcessorId) : undefined),
    [detail],
  );
  const seq = view.seq ?? failed?.seq ?? 'route';
  const processor = useMemo(() => (seq === 'route' ? undefined : findBySeq(detail.processors, seq)), [detail, seq]);
  return (
    <>
      <Facts detail={detail} />
      {detail.errorMessage && <Failure detail={detail} />}
      <Section title="Processors" note={formatCount(detail.processorCount, 'step')}>
        <ProcessorTree detail={detail} failedSeq={failed?.seq} selected={processor ? processor.seq : 'route'} onSelect={(next) => change({ seq: next }, true)} />
      </Section>
      <MessageView key={processor?.seq ?? 'route'} of={processor ?? detail} name={processor ? processor.processorId : `Route ${detail.routeId}`} />
      {detail.correlated.length > 0 && <Correlated detail={detail} view={view} />}
    </>
  );
}

function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h3 className={classes.heading}>
        {title}
        {note && <span>{note}</span>}
      </h3>
      {children}
    </section>
  );
}

function Facts({ detail }: { detail: ExecutionDetail }) {
  const sizes = [
    ['Input', detail.inputBodySize],
    ['Output', detail.outputBodySize],
  ] as const;
  return (
    <dl className={classes.facts}>
      <Fact name={`Started (${zoneName()})`}>
        <span title={detail.startTime}>{formatInstant(detail.startTime)}</span>
      </Fact>
      <Fact name="Duration">{detail.durationMs === undefined ? 'not ended' : formatDuration(detail.durationMs)}</Fact>
      {sizes.map(
        ([name, bytes]) =>
          bytes !== undefined && (
            <Fact key={name} name={`${name} body`}>
              {formatBytes(bytes)}
            </Fact>
          ),
      )}
      <Fact name="Exchange id" wide>
        <code>{detail.exchangeId}</code>
        <CopyText value={detail.exchangeId} what="exchange id" />
      </Fact>
      {detail.correlationId && (
        <Fact name="Correlation id" wide>
          <code>{detail.correlationId}</code>
          <CopyText value={detail.correlationId} what="correlation id" />
        </Fact>
      )}
      {detail.fromEndpoint && (
        <Fact name="From" wide>
          <code>{detail.fromEndpoint}</code>
        </Fact>
      )}
      {Object.entries(detail.attributes).map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={classes.fact} data-wide={wide}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Failure({ detail }: { detail: ExecutionDetail }) {
  const [shown, setShown] = useState(false);
  return (
    <section className={classes.failure} aria-label="Error">
      <div className={classes.message}>{detail.errorMessage}</div>
      <div className={classes.failureLine}>
        {detail.failedProcessorId && (
          <span>
            in <b>{detail.failedProcessorId}</b>
            {detail.failedProcessorType && ` (${detail.failedProcessorType})`}
          </span>
        )}
        {detail.errorStackTrace && (
          <button type="button" className={classes.toggle} aria-expanded={shown} onClick={() => setShown(!shown)}>
            {shown ? 'Hide stack trace' : 'Show stack trace'}
          </button>
        )}
      </div>
      {shown && detail.errorStackTrace && <CodeBlock text={detail.errorStackTrace} what="stack trace" maxHeight={260} />}
    </section>
  );
}

function Correlated({ detail, view }: { detail: ExecutionDetail; view: ExchangeView }) {
  const target = (item: ExecutionSummary) => encodeView({ ...view, id: item.executionId, at: item.startTime, seq: undefined });
  return (
    <Section title="Correlated exchanges" note={formatCount(detail.correlated.length, 'exchange')}>
      <ul className={classes.correlated}>
        {detail.correlated.map((item) => (
          <li key={item.executionId}>
            <Link to="/exchanges" search={(old) => ({ ...keepEnvironment(old), ...target(item) })}>
              <StatusMark status={item.status} />
              <span className={classes.correlatedRoute}>
                {item.application} · <b>{item.routeId}</b>
              </span>
              <span className={classes.correlatedTime}>{formatInstant(item.startTime)}</span>
              <span className={classes.correlatedTime}>{item.durationMs === undefined ? '–' : formatDuration(item.durationMs)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <Link
        className={classes.all}
        to="/exchanges"
        search={(old) => ({
          ...keepEnvironment(old),
          ...encodeView({ ...decodeView({}), range: view.range, correlationId: detail.correlationId, id: detail.executionId, at: detail.startTime }),
        })}
      >
        Show all of this correlation in the list
      </Link>
    </Section>
  );
}
