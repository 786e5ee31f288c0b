/** End-to-end tests: real Chromium on the demo, its microphone fed from WAV files; one at a time, since audio needs the machine. */
import { defineConfig } from '@playwright/test';

const port = Number(process.env['ANTIPHON_PORT'] ?? 5199);

export default defineConfig({
  testDir: './test/e2e',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 45_000 },
  outputDir: './test-results',
  use: {
    baseURL: `http://localhost:${port}/`,
    launchOptions: {
      ...(process.env['CHROME_PATH'] === undefined
        ? {}
        : { executablePath: process.env['CHROME_PATH'] }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  webServer: {
    command: `npx vite --config vite.config.ts --port ${port} --strictPort`,
    url: `http://localhost:${port}/`,
    env: { ANTIPHON_RELOAD: '0' },
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
