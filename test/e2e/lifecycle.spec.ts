/** The microphone's permission as the browser itself handles it: refused, granted, taken away in mid-conversation. */
import { expect, test, type Page } from '@playwright/test';
import { browserFlags, ensureBrowser } from '../../tools/browser.mjs';
import { installTalk } from '../../tools/talk/conversation.mjs';
import './voice-page.ts';

declare global {
  // Every track the page was given, noted by an init script of these tests.
  var tracks: MediaStreamTrack[];
}

test.use({
  launchOptions: {
    executablePath: ensureBrowser(),
    args: [...browserFlags, '--use-fake-device-for-media-stream'],
  },
});

const tracks = (page: Page): Promise<string[]> =>
  page.evaluate(() => globalThis.tracks.map(({ readyState }) => readyState));
const start = (page: Page): Promise<{ code: string; hint: string } | undefined> =>
  page.evaluate(() =>
    globalThis.agent.start().then(
      () => undefined,
      ({ code, hint }) => ({ code, hint }),
    ),
  );

test('a microphone that the browser refuses, then grants, then takes away in mid-conversation: the agent is idle, says why, keeps its turn, and can be started again', async ({
  page,
  context,
}) => {
  await page.addInitScript(() => {
    globalThis.tracks = [];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      globalThis.tracks.push(...stream.getTracks());
      return stream;
    };
  });
  await page.goto('/');
  await page.waitForFunction(() => 'agent' in globalThis);
  await page.evaluate(installTalk);

  expect(await start(page)).toEqual({
    code: 'microphone-denied',
    hint: expect.stringMatching(/\w+/),
  });
  expect(await page.evaluate(() => globalThis.agent.state.assistant)).toBe('idle');
  expect(await tracks(page)).toEqual([]);

  await context.grantPermissions(['microphone']);
  expect(await start(page)).toBeUndefined();
  expect(await tracks(page)).toEqual(['live']);
  await page.evaluate(() => globalThis.agent.send('what is 2 plus 3'));
  await page.waitForFunction(() => globalThis.talk.turns.length === 1);

  await context.clearPermissions();
  await page.waitForFunction(() => globalThis.talk.errors.length > 0);
  expect(await page.evaluate(() => globalThis.talk.errors)).toMatchObject([
    { code: 'microphone-ended', hint: expect.stringMatching(/\w+/) },
  ]);
  expect(await page.evaluate(() => globalThis.agent.state.assistant)).toBe('idle');
  expect(await tracks(page)).toEqual(['ended']);
  const roles = await page.evaluate(async () =>
    (await globalThis.agent.history()).map(({ role }) => role),
  );
  expect(roles).toEqual(['user', 'assistant']);

  await context.grantPermissions(['microphone']);
  expect(await start(page)).toBeUndefined();
  await page.evaluate(() => globalThis.agent.stop());
  expect(await tracks(page)).toEqual(['ended', 'ended']);
});
