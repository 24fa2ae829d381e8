import type { ReactNode } from 'react';
import classes from './status_mark.module.css';

export type StatusTone = 'completed' | 'failed' | 'running' | 'incomplete' | 'neutral';

/** Which shape and colour a state's name gets; unknown names are neutral. */
export function toneOf(status: string): StatusTone {
  switch (status) {
    case 'COMPLETED':
    case 'LIVE':
    case 'UP':
      return 'completed';
    case 'FAILED':
    case 'DEAD':
    case 'DOWN':
      return 'failed';
    case 'RUNNING':
      return 'running';
    case 'INCOMPLETE':
    case 'STALE':
      return 'incomplete';
    default:
      return 'neutral';
  }
}

// One outline each, so that a state is told apart without its colour.
const shapes: Record<StatusTone, ReactNode> = {
  completed: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M4.8 8.2l2.2 2.2 4.2-4.6" className={classes.cut} />
    </>
  ),
  failed: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor" />
      <path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" className={classes.cut} />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="28 10" />
      <path d="M6.4 5.2l4.2 2.8-4.2 2.8z" fill="currentColor" />
    </>
  ),
  incomplete: (
    <>
      <path d="M8 1.2L15.3 14.4H.7z" fill="currentColor" strokeLinejoin="round" />
      <path d="M8 6v3.6M8 11.6v.9" className={classes.cut} />
    </>
  ),
  neutral: <rect x="2.5" y="2.5" width="11" height="11" rx="2" fill="none" stroke="currentColor" strokeWidth="2" />,
};

const words: Record<string, string> = {
  COMPLETED: 'Completed',
  FAILED: 'Failed',
  RUNNING: 'Running',
  INCOMPLETE: 'Incomplete',
  LIVE: 'Live',
  STALE: 'Stale',
  DEAD: 'Dead',
  SHUTDOWN: 'Shut down',
};

export function statusWord(status: string): string {
  return words[status] ?? status;
}

export function StatusGlyph({ status, label }: { status: string; label?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={classes.glyph}
      data-tone={toneOf(status)}
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}
    >
      {shapes[toneOf(status)]}
    </svg>
  );
}

/** A state by shape and word. */
export function StatusMark({ status }: { status: string }) {
  return (
    <span className={classes.mark} data-tone={toneOf(status)}>
      <StatusGlyph status={status} />
      <span className={classes.word}>{statusWord(status)}</span>
    </span>
  );
}
