import { Kbd, Modal } from '@mantine/core';
import classes from './keyboard_help.module.css';

export interface Shortcut {
  keys: readonly string[];
  does: string;
}

/** The list behind `?`. */
export function KeyboardHelp({ opened, onClose, shortcuts }: { opened: boolean; onClose: () => void; shortcuts: readonly Shortcut[] }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard" size="sm" closeButtonProps={{ 'aria-label': 'Close' }}>
      <dl className={classes.list}>
        {shortcuts.map((shortcut) => (
          <div key={shortcut.does} className={classes.row}>
            <dt>
              {shortcut.keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{shortcut.does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
