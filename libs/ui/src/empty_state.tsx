import type { ReactNode } from 'react';
import classes from './empty_state.module.css';

/** What to do next where there is nothing to show yet. */
export function EmptyState({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.empty}>
      <svg viewBox="0 0 120 44" className={classes.art} aria-hidden>
        <path d="M4 34c14 0 14-26 30-26s14 20 28 20 14-20 28-20 14 14 26 14" />
        <circle cx="34" cy="8" r="4" />
        <circle cx="62" cy="28" r="4" />
        <circle cx="90" cy="8" r="4" />
      </svg>
      <h2 className={classes.title}>{title}</h2>
      {children}
    </section>
  );
}
