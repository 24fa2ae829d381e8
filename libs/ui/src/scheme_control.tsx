import { SegmentedControl, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { DesktopIcon, MoonIcon, SunIcon } from '@radix-ui/react-icons';
import classes from './scheme_control.module.css';

const option = (value: MantineColorScheme, label: string, icon: React.ReactNode) => ({
  value,
  label: (
    <span className={classes.option}>
      {icon}
      {label}
    </span>
  ),
});

/** Light, dark, or as the operating system says. */
export function SchemeControl() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      size="xs"
      fullWidth
      aria-label="Colour scheme"
      value={colorScheme}
      onChange={(value) => setColorScheme(value as MantineColorScheme)}
      data={[option('light', 'Light', <SunIcon />), option('dark', 'Dark', <MoonIcon />), option('auto', 'Auto', <DesktopIcon />)]}
    />
  );
}
