// The Exchanges page in a real browser against a running server that holds at least one failed exchange.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertAccessible, launch, picture, serverUnderTest, signIn, watchedPage } from './browser.mjs';

let server;
const at = (path) => server.url + path;
const rows = (page) => page.getByRole('grid', { name: 'Exchanges' }).getByRole('row');

let browser;
before(async () => {
  server = await serverUnderTest();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What the API says, asked with the page's own session. */
async function ask(page, path) {
  const answer = await page.request.get(at(`api/v1/${path}`));
  assert.equal(answer.status(), 200, `${path}: ${await answer.text()}`);
  return answer.json();
}

/** A page that is signed in and shows the address. */
async function open(path, options) {
  const watched = await watchedPage(browser, server.url, options);
  await watched.page.goto(at(path));
  await signIn(watched.page, server);
  await rows(watched.page).nth(1).waitFor();
  return watched;
}

describe('the page itself', () => {
  test('comes with a policy that allows no inline script, no inline style and no other host', async () => {
    const { page, close } = await watchedPage(browser, server.url);
    const policy = (await page.goto(at('exchanges'))).headers()['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.match(policy, /style-src 'self'(;|$)/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    await close();
  });
});

describe('signing in', () => {
  test('refuses a wrong password with a request id, then leads to the page that was asked for', async () => {
    const { page, offences, close } = await watchedPage(browser, server.url);
    const wanted = at('exchanges?range=7d&status=FAILED');
    await page.goto(wanted);
    await page.getByRole('heading', { name: 'Sign in to Cameleer' }).waitFor();
    await assertAccessible(page, 'the sign-in page');
    await signIn(page, { ...server, password: 'not the password' });
    await page.getByRole('alert').getByText('Request id').waitFor();
    await picture(page, 'sign_in_refused');
    await signIn(page, server);
    await rows(page).nth(1).waitFor();
    assert.equal(page.url(), wanted);
    assert.deepEqual(offences, []);
    await close();
  });

  test('ends with the sign-out', async () => {
    const { page, offences, close } = await open('exchanges?range=7d');
    const { displayName } = await ask(page, 'auth/me');
    await page.getByRole('button', { name: displayName }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Username').waitFor();
    assert.equal((await page.request.get(at('api/v1/auth/me'))).status(), 401);
    assert.deepEqual(offences, []);
    await close();
  });
});

describe('the list', () => {
  test('shows what the API lists, and draws only the rows in sight', async () => {
    const { page, offences, close } = await open('exchanges?range=7d');
    const from = new Date(Date.now() - 7 * 86_400_000).toISOString();
    const api = await ask(page, `environments/default/executions?limit=5&status=FAILED&status=COMPLETED&from=${from}`);
    await page.getByRole('button', { name: 'Failed', exact: true }).click();
    await page.getByRole('button', { name: 'Completed', exact: true }).click();
    await page.waitForURL(/status=FAILED&status=COMPLETED/);
    for (const { exchangeId } of api.items) await page.getByRole('gridcell', { name: exchangeId }).first().waitFor();
    assert.ok((await rows(page).count()) <= 80);
    await assertAccessible(page, 'the list');
    await picture(page, 'list_light');
    assert.deepEqual(offences, []);
    await close();
  });

  test('filters by text and says so when nothing matches', async () => {
    const { page, offences, close } = await open('exchanges?range=7d');
    await page.keyboard.press('/');
    await page.keyboard.type('no-such-text-anywhere');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No exchange matches these filters' }).waitFor();
    assert.match(page.url(), /q=no-such-text-anywhere/);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await rows(page).nth(1).waitFor();
    assert.deepEqual(offences, []);
    await close();
  });

  test('is worked with the keyboard alone', async () => {
    const { page, offences, close } = await open('exchanges?range=7d');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').first().waitFor();
    assert.match(page.url(), /[?&]id=/);
    await page.keyboard.press('Escape');
    await page.getByRole('treeitem').first().waitFor({ state: 'detached' });
    assert.doesNotMatch(page.url(), /[?&]id=/);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    assert.deepEqual(offences, []);
    await close();
  });
});

describe('a failed exchange', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`shows the failing processor and the exception (${colorScheme})`, async () => {
      const { page, offences, close } = await open('exchanges?range=7d', { colorScheme });
      await page.getByRole('button', { name: 'Failed', exact: true }).click();
      await page.waitForURL(/status=FAILED/);
      const from = new Date(Date.now() - 7 * 86_400_000).toISOString();
      const { items } = await ask(page, `environments/default/executions?status=FAILED&limit=50&from=${from}`);
      const failed = items.find((item) => item.failedProcessorId && item.errorMessage);
      assert.ok(failed, 'the server holds no failed exchange with a failing processor');

      await page.getByRole('row').filter({ hasText: failed.exchangeId }).first().click();
      const panel = page.getByRole('complementary', { name: 'Exchange' });
      const culprit = panel.getByRole('treeitem', { name: 'failed here' }).filter({ hasText: failed.failedProcessorId });
      await culprit.waitFor();
      assert.equal(await culprit.getAttribute('aria-selected'), 'true');
      await panel.getByRole('region', { name: 'Error' }).first().getByText(failed.errorMessage.split('\n')[0].trim().slice(0, 60)).first().waitFor();
      await picture(page, `failed_${colorScheme}`);
      await assertAccessible(page, `a failed exchange, ${colorScheme}`);

      await panel.getByRole('tab', { name: 'Bodies' }).click();
      await panel.getByRole('heading', { name: 'Input' }).waitFor();
      await panel.getByRole('tab', { name: 'Headers' }).click();
      await panel.getByRole('heading', { name: 'Output' }).waitFor();

      // The address is the view: a reload shows the same exchange.
      await page.reload();
      await culprit.waitFor();
      assert.deepEqual(offences, []);
      await close();
    });
  }
});

test('the agents page lists the agents of the API', async () => {
  const { page, offences, close } = await open('exchanges?range=7d');
  const { items } = await ask(page, 'environments/default/agents');
  await page.getByRole('link', { name: 'Agents' }).click();
  for (const { displayName } of items) await page.getByRole('cell', { name: displayName }).first().waitFor();
  await assertAccessible(page, 'the agents page');
  await picture(page, 'agents');
  assert.deepEqual(offences, []);
  await close();
});
