/**
 * Three projects: `unit` in Node, `browser` in headless Chromium (CHROME_PATH, found by tools/browser.mjs), with the
 * unit tests that run in every realm, and `fuzz`: the property tests of `unit` with many more runs.
 */
import { playwright } from '@vitest/browser-playwright';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { realtimeServerCommands } from './test/browser/realtime/commands.ts';
import { providerServerCommands } from './test/providers/commands.ts';
import { families, nodeOnly } from './test/realms/unit-files.ts';
import { workerDependencies } from './vite.config.ts';

const executablePath =
  process.env['CHROME_PATH'] ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(existsSync);

const fastCheck = fileURLToPath(new URL('test/fast-check.ts', import.meta.url));

export default defineConfig({
  plugins: [
    {
      name: 'fast-check as configured',
      enforce: 'pre',
      resolveId: (id, importer) =>
        id === 'fast-check' && importer !== fastCheck ? fastCheck : undefined,
    },
  ],
  worker: { format: 'es' },
  server: { fs: { strict: false } },
  optimizeDeps: { include: [...workerDependencies, 'fast-check'] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'node',
          include: ['test/{unit,fuzz,conformance}/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'fuzz',
          environment: 'node',
          include: ['test/fuzz/**/*.test.ts'],
          env: { FUZZ_RUNS: process.env['FUZZ_RUNS'] ?? '10000' },
          testTimeout: 3_600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [
            'test/{browser,realms}/**/*.test.ts',
            `test/unit/{${families.join(',')}}/**/*.test.ts`,
          ],
          exclude: Object.keys(nodeOnly).map((file) => `test/unit/${file}`),
          testTimeout: 240_000,
          hookTimeout: 90_000,
          fileParallelism: false,
          // Of tests that say they are concurrent: files in workers, which leave a core idle one by one.
          maxConcurrency: 2,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            commands: { ...providerServerCommands, ...realtimeServerCommands },
            provider: playwright({
              launchOptions: {
                ...(executablePath === undefined ? {} : { executablePath }),
                args: [
                  '--no-sandbox',
                  '--disable-gpu',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                  '--autoplay-policy=no-user-gesture-required',
                  '--use-fake-ui-for-media-stream',
                  '--use-fake-device-for-media-stream',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
