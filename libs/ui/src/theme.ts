import { createTheme, type ConvertCSSVariablesInput, type MantineTheme } from '@mantine/core';

const sans = "'Inter Variable', system-ui, sans-serif";
const mono = "'JetBrains Mono Variable', ui-monospace, monospace";

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 7 },
  colors: {
    petrol: ['#e7f6f5', '#cfeceb', '#9fd9d6', '#6cc6c1', '#42b5af', '#219f98', '#0f8a83', '#0b736d', '#095c58', '#064341'],
    gray: ['#f6f8fa', '#eef1f4', '#e2e7ec', '#d2d9e0', '#b7c1cb', '#8e9ba8', '#67747f', '#4b5661', '#2e3740', '#1a2028'],
    dark: ['#dbe1e8', '#b3bdc8', '#93a0ad', '#6c7986', '#3c4651', '#2d3640', '#222932', '#171d24', '#11161c', '#0b0f14'],
  },
  defaultRadius: 'sm',
  fontFamily: sans,
  fontFamilyMonospace: mono,
  headings: { fontFamily: sans, fontWeight: '600' },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  cursorType: 'pointer',
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true, fz: 'xs' } },
    Modal: { defaultProps: { lockScroll: false } },
  },
});

/** Colours that Mantine's defaults leave below the contrast of WCAG AA. */
export function contrast(merged: MantineTheme): ConvertCSSVariablesInput {
  const { gray, dark } = merged.colors;
  return {
    variables: {},
    light: {
      '--mantine-color-dimmed': gray[7],
      '--mantine-color-placeholder': gray[6],
      '--mantine-color-error': '#c02a2a',
      '--surface': '#ffffff',
      '--surface-sunken': gray[0],
      '--surface-raised': '#ffffff',
      '--line': gray[2],
      '--line-strong': gray[3],
      '--row-hover': gray[1],
      '--row-selected': merged.colors['petrol']![0],
      '--status-completed': '#1d7a3f',
      '--status-failed': '#c02a2a',
      '--status-failed-soft': '#fdeeee',
      '--status-running': '#1c64c4',
      '--status-incomplete': '#96600a',
      '--bar': '#9fb3c4',
      '--accent': merged.colors['petrol']![7],
    },
    dark: {
      '--mantine-color-dimmed': dark[2],
      '--mantine-color-placeholder': dark[2],
      '--mantine-color-error': '#ff8a8a',
      '--surface': dark[7],
      '--surface-sunken': dark[8],
      '--surface-raised': dark[6],
      '--line': dark[5],
      '--line-strong': dark[4],
      '--row-hover': dark[6],
      '--row-selected': '#12343a',
      '--status-completed': '#5ecb86',
      '--status-failed': '#ff8a8a',
      '--status-failed-soft': '#3a1f24',
      '--status-running': '#79b0ff',
      '--status-incomplete': '#f0b65a',
      '--bar': '#526375',
      '--accent': merged.colors['petrol']![4],
    },
  };
}
