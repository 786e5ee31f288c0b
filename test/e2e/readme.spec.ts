/** The README's embedding example, word for word, in a page of its own. */
import { expect, test } from '@playwright/test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('the example of the README greets aloud after a click and stops after another', async ({
  browser,
}) => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const example = /## Embed it[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(example?.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
  const folder = mkdtempSync(join(root, 'test-results-readme-'));
  writeFileSync(join(folder, 'main.ts'), example ?? '');
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><button>talk</button><output></output><script type="module" src="./main.ts"></script>',
  );
  const server = await createServer({
    configFile: join(root, 'vite.config.ts'),
    root: folder,
    // A cache of its own: the demo's server is optimising the same dependencies.
    cacheDir: join(folder, '.vite'),
    logLevel: 'error',
    server: { port: 0, hmr: false, watch: null },
  });
  const context = await browser.newContext({ permissions: ['microphone'] });
  try {
    await server.listen();
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(error.message));
    // Silence for a microphone: the shared browser of the test run has no fake device.
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () =>
        Promise.resolve(new AudioContext().createMediaStreamDestination().stream);
    });
    await page.goto(server.resolvedUrls?.local[0] ?? '');
    await page.getByRole('button').click();
    await expect(page.locator('output')).toHaveText('Hello, what can I do for you?');
    await page.getByRole('button').click();
    expect(trouble).toEqual([]);
  } finally {
    await context.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
