import { formatInstant, zoneName } from '@cameleer/ui/format.ts';
import { Button, Popover, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { CheckIcon, ChevronDownIcon, ClockIcon } from '@radix-ui/react-icons';
import { useState } from 'react';
import { localInput } from './local_input.ts';
import classes from './range_picker.module.css';
import { presets, rangeLabel, type TimeRange } from './view_state.ts';

export function RangePicker({ range, onRange }: { range: TimeRange; onRange: (range: TimeRange) => void }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const choose = (next: TimeRange) => {
    onRange(next);
    close();
  };
  const short = (iso: string) => formatInstant(iso).slice(0, -4);
  return (
    <Popover opened={opened} onDismiss={close} onClose={close} position="bottom-start" width={300} trapFocus returnFocus>
      <Popover.Target>
        <Button size="xs" variant="default" onClick={toggle} leftSection={<ClockIcon />} rightSection={<ChevronDownIcon />} aria-label={`Time range: ${rangeLabel(range, short)}`}>
          {rangeLabel(range, short)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8} aria-label="Time range">
        {presets.map((preset) => {
          const on = range.kind === 'preset' && range.preset === preset.value;
          return (
            <button key={preset.value} type="button" className={classes.preset} aria-pressed={on} onClick={() => choose({ kind: 'preset', preset: preset.value })}>
              {preset.label}
              {on && <CheckIcon />}
            </button>
          );
        })}
        <Absolute range={range} onRange={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Absolute({ range, onRange }: { range: TimeRange; onRange: (range: TimeRange) => void }) {
  const [from, setFrom] = useState(range.kind === 'absolute' ? localInput(range.from) : localInput(new Date(Date.now() - 3_600_000).toISOString()));
  const [to, setTo] = useState(range.kind === 'absolute' && range.to ? localInput(range.to) : '');
  const wrong = from === '' || (to !== '' && to <= from);
  return (
    <form
      className={classes.absolute}
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong) return;
        onRange({ kind: 'absolute', from: new Date(from).toISOString(), to: to === '' ? undefined : new Date(to).toISOString() });
      }}
    >
      <TextInput size="xs" type="datetime-local" step={1} label={`From (${zoneName()})`} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput
        size="xs"
        type="datetime-local"
        step={1}
        label={`To (${zoneName()}), empty means now`}
        value={to}
        error={to !== '' && to <= from ? 'The end must be after the start.' : undefined}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" disabled={wrong}>
        Use this range
      </Button>
    </form>
  );
}
