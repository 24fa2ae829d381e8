import classes from './code_block.module.css';
import { CopyText } from './copy_text.tsx';

/** Text kept as it is, with a button that copies it. */
export function CodeBlock({ text, what, wrap = false, maxHeight }: { text: string; what: string; wrap?: boolean; maxHeight?: number }) {
  return (
    <div className={classes.block}>
      <pre className={classes.text} data-wrap={wrap || undefined} style={{ maxHeight }} tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
      <div className={classes.copy}>
        <CopyText value={text} what={what} />
      </div>
    </div>
  );
}
