import { Button } from '@mantine/core';
import { CopyText } from './copy_text.tsx';
import { problemOf } from './problem.ts';
import classes from './problem_alert.module.css';
import { StatusGlyph } from './status_mark.tsx';

/** A failure: what happened, what to do, and the request id. */
export function ProblemAlert({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = problemOf(error);
  return (
    <div role="alert" className={classes.alert}>
      <StatusGlyph status="FAILED" />
      <div className={classes.body}>
        <strong>{problem.title}</strong>
        {problem.detail && problem.detail !== problem.title && <div>{problem.detail}</div>}
        <div>{problem.advice}</div>
        {problem.requestId && (
          <div className={classes.request}>
            Request id <code>{problem.requestId}</code>
            <CopyText value={problem.requestId} what="request id" />
          </div>
        )}
      </div>
      {onRetry && (
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
