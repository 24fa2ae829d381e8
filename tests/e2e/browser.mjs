// A browser that notes everything a page must not do.
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ServerProcess, eventually } from '../integration/server_process.mjs';
import { remember } from '../secrets/collect.mjs';
import { CamelSystem, camelVersions, recordedByRoute } from './camel_system.mjs';

/**
 * The server under test: the one that CAMELEER_URL, CAMELEER_USER and CAMELEER_PASSWORD name, else one of its own with
 * the orders of a real Camel system. `url` ends with a slash and may have a path (a base path).
 */
export async function serverUnderTest() {
  const { CAMELEER_URL: url, CAMELEER_USER: user, CAMELEER_PASSWORD: password } = process.env;
  if (url) return { url: url.replace(/\/*$/, '/'), user, password, stop: async () => {} };
  const server = await new ServerProcess({ ack: 'journal' }).start();
  const system = new CamelSystem(server, camelVersions.at(-1));
  const stop = async () => { await system.stop(); await server.dispose(); system.assertProtocol('data/executions'); };
  try {
    await system.start();
    const sent = await system.load(40);
    const token = await server.adminToken();
    const expected = Object.values(sent.byRoute).reduce((sum, count) => sum + count, 0);
    await eventually('the orders are recorded', async () => (await recordedByRoute(server, token)).all.length === expected);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `${server.url}/`, user: server.username, password: server.password, stop };
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CAMELEER_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page, and the list of its offences: errors, policy violations, requests to other hosts. */
export async function watchedPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  const offences = [];
  const { origin } = new URL(url);
  await page.exposeFunction('noteViolation', (text) => offences.push(text));
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (event) =>
      window.noteViolation(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
    ),
  );
  page.on('pageerror', (error) => offences.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol !== 'data:' && target.origin !== origin) offences.push(`request: ${request.url()}`);
  });
  page.on('response', async (response) => {
    if (response.status() >= 500) offences.push(`answer: ${response.status()} ${response.url()} ${await response.text().catch(() => '')}`);
  });
  page.on('console', (message) => {
    // The browser itself reports the 401 by which a page learns that nobody is signed in.
    const expected = /status of 401/.test(message.text()) && /\/auth\/(me|login)$/.test(message.location().url);
    if (['error', 'warning'].includes(message.type()) && !expected) offences.push(`console: ${message.text()}`);
  });
  const close = async () => {
    for (const { value } of await context.cookies()) remember('cookie', value);
    await context.close();
  };
  return { page, offences, close };
}

/** Fails when axe finds something serious or critical. */
export async function assertAccessible(page, where) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const grave = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim()})`).join('\n    ')}`);
  assert.deepEqual(grave, [], `accessibility of ${where}`);
}

/** Keeps a picture when CAMELEER_ARTEFACTS names a directory. */
export async function picture(page, name) {
  const directory = process.env.CAMELEER_ARTEFACTS;
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

export async function signIn(page, { user, password }) {
  await page.getByLabel('Username').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
