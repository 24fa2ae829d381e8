import { formatClock, formatCount, zoneName } from '@cameleer/ui/format.ts';
import { ActionIcon, Switch, Tooltip } from '@mantine/core';
import { ReloadIcon } from '@radix-ui/react-icons';
import type { ExecutionPage } from '../api/client.ts';
import { liveIntervalMs } from '../api/queries.ts';
import classes from './result_line.module.css';
import type { ExchangeView } from './view_state.ts';

interface Props {
  page: ExecutionPage | undefined;
  shown: number;
  view: ExchangeView;
  fetching: boolean;
  failing: boolean;
  updatedAt: number;
  onRefresh: () => void;
  onLive: (live: boolean) => void;
}

/** How many there are, as of when, and the ways to look again. */
export function ResultLine({ page, shown, view, fetching, failing, updatedAt, onRefresh, onLive }: Props) {
  const count = page && formatCount(page.total, 'exchange');
  return (
    <div className={classes.line}>
      <span role="status" className={classes.count}>
        {page && (
          <>
            <b title={page.totalIsLowerBound ? 'Counting stopped here; there are at least so many.' : undefined}>
              {page.totalIsLowerBound ? `at least ${count}` : count}
            </b>
            {shown > 0 && shown < page.total && ` · ${shown.toLocaleString('en-US')} loaded`}
            {` · as of ${formatClock(page.asOf)} ${zoneName()}`}
          </>
        )}
      </span>
      {view.live && (
        <span className={classes.state} data-failing={failing || undefined}>
          {failing ? 'Connection lost, trying again' : `Live, every ${liveIntervalMs / 1000} s · newest ${shown} shown`}
        </span>
      )}
      <Switch size="xs" label="Live" checked={view.live} onChange={(event) => onLive(event.currentTarget.checked)} />
      <Tooltip label={updatedAt > 0 ? `Refresh (r) · loaded ${formatClock(new Date(updatedAt).toISOString())}` : 'Refresh (r)'}>
        <ActionIcon variant="subtle" color="gray" aria-label="Refresh" loading={fetching && !view.live} onClick={onRefresh}>
          <ReloadIcon />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
