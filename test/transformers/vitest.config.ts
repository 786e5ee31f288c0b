/** A project of its own, run by `npm ci && npm test` in this folder: the package it needs is installed nowhere else. */
import { playwright } from '@vitest/browser-playwright';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const executablePath = process.env['CHROME_PATH'] ?? '/usr/bin/chromium';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('../..'),
  worker: { format: 'es' },
  server: { fs: { strict: false } },
  resolve: {
    alias: {
      '@huggingface/transformers': here(
        './node_modules/@huggingface/transformers/dist/transformers.web.js',
      ),
    },
  },
  test: {
    include: ['test/transformers/*.test.ts'],
    testTimeout: 120_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath, args: ['--no-sandbox', '--disable-gpu'] },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
