import type { ReactNode } from 'react';
import classes from './frame.module.css';

/** The frame around every page: brand and controls on top, navigation on the left. */
export function Frame({ brand, controls, navigation, children }: { brand: ReactNode; controls: ReactNode; navigation: ReactNode; children: ReactNode }) {
  return (
    <div className={classes.frame}>
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <header className={classes.header}>
        {brand}
        <div className={classes.controls}>{controls}</div>
      </header>
      <nav className={classes.nav} aria-label="Pages">
        {navigation}
      </nav>
      <main id="main" className={classes.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

/** Name and mark of the product. */
export function Brand({ icon }: { icon: string }) {
  return (
    <span className={classes.brand}>
      <img src={icon} alt="" width={24} height={24} />
      Cameleer
    </span>
  );
}
