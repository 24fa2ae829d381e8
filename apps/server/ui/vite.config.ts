import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from '@mantine/core';
import react from '@vitejs/plugin-react';
import { loadEnv, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { contrast, theme } from '../../../libs/ui/src/theme.ts';

// The server replaces this prefix in index.html by its base path; nothing else holds an absolute address.
const basePlaceholder = '/__cameleer_base__/';

// Mantine would write the theme into a <style> element at run time, which the content security policy forbids.
function themeStylesheet(): Plugin {
  const id = '\0theme.css';
  return {
    name: 'theme-stylesheet',
    resolveId: (source) => (source === 'virtual:theme.css' ? id : undefined),
    load(source) {
      if (source !== id) return undefined;
      const merged = mergeMantineTheme(DEFAULT_THEME, theme);
      const base = defaultCssVariablesResolver(merged);
      const own = contrast(merged);
      return convertCssVariables({
        variables: { ...base.variables, ...own.variables },
        light: { '--mantine-color-scheme': 'light', ...base.light, ...own.light },
        dark: { '--mantine-color-scheme': 'dark', ...base.dark, ...own.dark },
      });
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), themeStylesheet()],
  base: './',
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 900,
  },
  experimental: {
    renderBuiltUrl: (filename, { hostType }) =>
      hostType === 'html' ? basePlaceholder + filename : { relative: true },
  },
  server: { proxy: { '/api': loadEnv(mode, '.', 'CAMELEER_')['CAMELEER_SERVER'] ?? 'http://127.0.0.1:8081' } },
  test: {
    root: '../../..',
    include: ['apps/server/ui/src/**/*.test.ts', 'libs/ui/src/**/*.test.ts'],
    environment: 'node',
  },
}));
