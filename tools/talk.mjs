/**
 * The whole product without a human: plays a WAV file as the microphone of a real headless browser on the
 * demo's page, waits until the conversation settles, and prints what was heard, said and how long it took.
 *
 *   npm run talk -- speech.wav [--json] [--out reply.wav] [--provider URL --model NAME] [--built]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { createServer, preview } from 'vite';
import { browserFlags, ensureBrowser } from './browser.mjs';
import { hasSettled, installTalk } from './talk/conversation.mjs';
import {
  leadMs,
  microphoneFile,
  microphoneFlags,
  useBareMicrophone,
} from './talk/microphone-file.mjs';
import { print, report } from './talk/report.mjs';
import { installSpeakerTap, takeRecording } from './talk/speaker-tap.mjs';

const usage =
  'usage: npm run talk -- speech.wav [--json] [--out reply.wav] [--provider URL --model NAME] [--built]';
const root = fileURLToPath(new URL('../', import.meta.url));

/** Serves the demo, from source or as built; gives its address and the SDK's own audio code. */
async function serve(built) {
  const configFile = join(root, 'vite.config.ts');
  if (built) {
    const server = await preview({
      configFile,
      root: join(root, 'demo'),
      logLevel: 'error',
      preview: { port: 0 },
    });
    const wav = await import('../dist/src/audio/wav.js');
    const { resample } = await import('../dist/src/audio/resample.js');
    return {
      url: server.resolvedUrls.local[0],
      audio: { ...wav, resample },
      close: () => server.close(),
    };
  }
  const server = await createServer({
    configFile,
    logLevel: 'error',
    server: { port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const wav = await server.ssrLoadModule(join(root, 'src/audio/wav.ts'));
  const { resample } = await server.ssrLoadModule(join(root, 'src/audio/resample.ts'));
  return {
    url: server.resolvedUrls.local[0],
    audio: { ...wav, resample },
    close: () => server.close(),
  };
}

async function talk(file, options) {
  const scratch = mkdtempSync(join(tmpdir(), 'antiphon-talk-'));
  const server = await serve(options.built);
  let browser;
  try {
    const microphone = microphoneFile(new Uint8Array(readFileSync(file)), server.audio);
    const path = join(scratch, 'microphone.wav');
    writeFileSync(path, microphone.wav);
    browser = await chromium.launch({
      executablePath: ensureBrowser(),
      args: [...browserFlags, ...microphoneFlags(path)],
    });
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    const pageErrors = [];
    page.on('pageerror', (error) =>
      pageErrors.push({ code: 'unknown', message: error.message, hint: '' }),
    );
    await page.addInitScript(installSpeakerTap);
    await page.addInitScript(useBareMicrophone);
    const query = new URLSearchParams({ conversation: `talk-${Date.now()}` });
    if (options.provider) query.set('provider', options.provider);
    if (options.model) query.set('model', options.model);
    await page.goto(`${server.url}?${query}`);
    await page.waitForFunction(() => 'agent' in globalThis, undefined, { timeout: 60_000 });
    await page.evaluate(installTalk);
    await page.evaluate(async () => {
      try {
        await globalThis.agent.load();
        await globalThis.agent.start();
        globalThis.talk.origin = await new Promise((resolve) => {
          const off = globalThis.agent.on('level', () => {
            const origin = globalThis.agent.captureOrigin;
            if (Number.isNaN(origin)) return;
            off();
            resolve(origin);
          });
        });
      } catch (error) {
        const { code = 'unknown', message, hint = '' } = error;
        globalThis.talk.errors.push({ code, message, hint });
        globalThis.talk.state = { assistant: 'idle', user: 'silent' };
      }
    });
    const timeout = microphone.durationMs + 180_000;
    await page
      .waitForFunction(
        hasSettled,
        { untilMs: leadMs + microphone.durationMs + 1500, quietMs: 2000 },
        { timeout, polling: 200 },
      )
      .catch((cause) => {
        if (cause.name !== 'TimeoutError') throw cause;
        pageErrors.push({
          code: 'execution-timeout',
          message: 'The conversation did not settle.',
          hint: 'Look at the events.',
        });
      });
    const notes = await page.evaluate(() => globalThis.talk);
    if (options.out) {
      const { samples, sampleRate } = await takeRecording(page);
      writeFileSync(options.out, server.audio.encodeWav(samples, sampleRate || 48_000));
    }
    await page.evaluate(() => globalThis.agent.stop());
    return report(notes, pageErrors, leadMs);
  } finally {
    await browser?.close();
    await server.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      built: { type: 'boolean', default: false },
      out: { type: 'string' },
      provider: { type: 'string' },
      model: { type: 'string' },
    },
  });
  if (positionals.length !== 1) throw new Error(usage);
  const result = await talk(positionals[0], values);
  if (values.json) console.log(JSON.stringify(result, null, 2));
  else print(result);
  process.exitCode = result.errors.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error.hint ? `${error.message} ${error.hint}` : error.message);
  process.exitCode = 2;
}
process.exit();
