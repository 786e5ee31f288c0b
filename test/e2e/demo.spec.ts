/** The demo as a person uses it: samples, keyboard, settings, a reload, trouble; under its own CSP, with the real agent. */
import { expect, test, type Locator, type Page } from '@playwright/test';
import { browserFlags, ensureBrowser } from '../../tools/browser.mjs';
import './voice-page.ts';

declare global {
  // Every stream the page was given, noted by an init script of these tests.
  var streams: MediaStream[];
}

test.use({
  launchOptions: {
    executablePath: ensureBrowser(),
    // Audio needs a gesture here, as it does on a person's machine.
    args: [
      ...browserFlags.filter((flag) => !flag.startsWith('--autoplay-policy')),
      '--use-fake-device-for-media-stream',
    ],
  },
});

const calls = (page: Page): Locator => page.locator('.call .words');
const responses = (page: Page): Locator => page.locator('.response .words');
const talk = (page: Page): Locator => page.locator('#talk');

async function open(page: Page, query = '/'): Promise<void> {
  await page.goto(query);
  await page.waitForFunction(() => 'agent' in globalThis);
  await expect(page.locator('#samples button')).toHaveCount(5);
}

async function type(page: Page, text: string): Promise<void> {
  await page.getByLabel('Type a message').fill(text);
  await page.keyboard.press('Enter');
}

/** Waits until the newest reply on screen has been heard to its end. */
async function heardToTheEnd(page: Page): Promise<void> {
  await expect(responses(page).last()).toHaveAttribute('data-done', '');
  await expect(responses(page).last().locator('.word:not([data-heard])')).toHaveCount(0);
}

test('loads without an error on the console and draws the pipeline of its agent', async ({
  page,
}) => {
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  await open(page);
  await page.evaluate(() => globalThis.agent.load());
  await expect(page.locator('#loading')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Start talking' })).toBeVisible();
  const stages = await page.evaluate(() => globalThis.agent.graph.nodes.map(({ name }) => name));
  const drawn = await page.locator('.stage-name').allTextContents();
  expect(drawn.toSorted()).toEqual(stages.toSorted());
  expect(trouble).toEqual([]);
});

test('a sample question is understood, answered and heard, and survives a reload', async ({
  page,
}) => {
  await open(page);
  await page.getByRole('button', { name: 'What is 17 plus 25?' }).click();
  await expect(calls(page).last()).toHaveText(/seventeen plus twenty.?five/i);
  await expect(responses(page).last()).toHaveText(/forty.?two|42/i);
  await heardToTheEnd(page);
  await expect(page.locator('#latency details')).toHaveCount(1);
  const reply = await responses(page).last().innerText();
  await expect
    .poll(() => page.evaluate(async () => (await globalThis.agent.history()).at(-1)?.heard))
    .toBe(reply);

  await open(page);
  await expect(calls(page)).toHaveText([/seventeen plus twenty.?five/i]);
  await expect(responses(page)).toHaveText([reply]);
  await expect(page.locator('#conversation-list [aria-current]')).toContainText(/seventeen/i);
});

test('starts and stops from the keyboard, and releases the microphone', async ({ page }) => {
  await page.context().grantPermissions(['microphone']);
  await page.addInitScript(() => {
    globalThis.streams = [];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      globalThis.streams.push(stream);
      return stream;
    };
  });
  const tracks = (): Promise<string[]> =>
    page.evaluate(() => globalThis.streams.flatMap((s) => s.getTracks()).map((t) => t.readyState));
  await open(page);
  expect(await tracks()).toEqual([]);

  await talk(page).focus();
  await page.keyboard.press('Enter');
  await expect(talk(page)).toHaveAttribute('data-state', 'listening');
  await expect(talk(page)).toHaveAccessibleName('Stop talking');
  expect(await tracks()).toEqual(['live']);
  await page.keyboard.press('Space');
  await expect(talk(page)).toHaveAttribute('data-state', 'idle');
  await expect.poll(tracks).toEqual(['ended']);

  await page.getByLabel('Type a message').focus();
  await page.keyboard.press('Control+Shift+Space');
  await expect(talk(page)).toHaveAttribute('data-state', 'listening');
  await page.keyboard.press('Control+Shift+Space');
  await expect(talk(page)).toHaveAttribute('data-state', 'idle');
  await expect.poll(tracks).toEqual(['ended', 'ended']);
});

test('markup in what is said, answered or stored stays text', async ({ page }) => {
  const markup = '<img src=x onerror="document.title=`cracked`"><b>my name is</b>';
  await page.route('**/echo/v1/chat/completions', (route) => {
    const chunk = { choices: [{ index: 0, delta: { content: markup }, finish_reason: 'stop' }] };
    return route.fulfill({
      contentType: 'text/event-stream',
      body: `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`,
    });
  });
  await page.goto('/');
  const server = new URL('echo/v1', page.url()).href;
  await open(page, `/?provider=${encodeURIComponent(server)}&model=echo`);
  await type(page, markup);
  await expect(calls(page)).toHaveText([markup]);
  await expect(responses(page).last()).toHaveText(markup);
  await open(page);
  await expect(calls(page).last()).toHaveText(markup);
  await expect(page.locator('#conversation-list [aria-current]')).toContainText('<img');
  await expect(page.locator('main img, main b, nav img, nav b')).toHaveCount(0);
  await expect(page).not.toHaveTitle('cracked');
});

test('a token reaches its server and is stored nowhere', async ({ page }) => {
  const token = 'one-visit-only-3141592653';
  const seen: (string | undefined)[] = [];
  await page.route('**/guarded/v1/chat/completions', (route) => {
    seen.push(route.request().headers()['authorization']);
    const chunk = { choices: [{ index: 0, delta: { content: 'Yes.' }, finish_reason: 'stop' }] };
    return route.fulfill({
      contentType: 'text/event-stream',
      body: `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`,
    });
  });
  await open(page);
  await page.locator('#show-settings').click();
  await page.getByLabel('A server').check();
  await page.getByLabel('Base URL').fill(new URL('guarded/v1', page.url()).href);
  await page.getByLabel('Model', { exact: true }).fill('guarded-model');
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(page.locator('#provider-name')).toHaveText('guarded-model');
  await type(page, 'Are you there?');
  await expect(responses(page).last()).toHaveText('Yes.');
  expect(seen).toEqual([`Bearer ${token}`]);

  const stored = await page.context().storageState({ indexedDB: true });
  expect(JSON.stringify(stored)).toContain('guarded-model');
  expect(JSON.stringify(stored)).not.toContain(token);
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain(token);
  expect(page.url()).not.toContain(token);

  await open(page);
  await page.locator('#show-settings').click();
  await page.getByLabel('A server').check();
  await expect(page.getByLabel('Base URL')).toHaveValue(/guarded\/v1$/);
  await expect(page.getByLabel('Token', { exact: true })).toHaveValue('');
});

test('a denied microphone says what to do, and the page goes on without it', async ({ page }) => {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
  });
  await open(page);
  await talk(page).click();
  const alert = page.getByRole('alert');
  await expect(alert.locator('code')).toHaveText('microphone-denied');
  await expect(alert.locator('.hint')).toHaveText(/\S+/);
  await expect(talk(page)).toHaveAttribute('data-state', 'idle');
  await type(page, 'what is 2 plus 2');
  await expect(responses(page).last()).toHaveText(/four|4/i);
  await heardToTheEnd(page);
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  await expect(alert).toHaveCount(0);
});

test('conversations can be started, reopened and deleted', async ({ page }) => {
  await open(page);
  await type(page, 'what is 2 plus 3');
  await heardToTheEnd(page);
  await expect(calls(page)).toHaveText(['what is 2 plus 3']);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await expect(page.getByText('Say something.')).toBeVisible();
  await type(page, 'what is 4 plus 5');
  await heardToTheEnd(page);
  await page
    .getByRole('button', { name: /2 plus 3/ })
    .first()
    .click();
  await expect(calls(page)).toHaveText(['what is 2 plus 3']);
  const remove = page.getByRole('button', { name: /elete .*2 plus 3/ });
  await remove.click();
  await remove.click();
  await expect(page.getByRole('button', { name: /2 plus 3/ })).toHaveCount(0);
  await expect(page.getByText('Say something.')).toBeVisible();
  await open(page);
  await expect(page.getByRole('button', { name: /^what is 4 plus 5/ })).toBeVisible();
  await expect(page.getByRole('button', { name: /2 plus 3/ })).toHaveCount(0);
});

test('a timer rings, even when everything was stopped meanwhile', async ({ page }) => {
  await open(page);
  await type(page, 'set a timer for five seconds');
  await heardToTheEnd(page);
  await page.evaluate(() => globalThis.agent.stop());
  await expect(responses(page).last()).toHaveText(/timer is done/);
  await heardToTheEnd(page);
  await expect(talk(page)).toHaveAttribute('data-state', 'idle');
});
