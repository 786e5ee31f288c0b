/** What listening costs the page's main thread, as Chromium itself counts it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { microphoneFile } from '../../tools/talk/microphone-file.mjs';

const samplesFolder = fileURLToPath(new URL('../../demo/public/samples', import.meta.url));

/** 4 s at 16 kHz: shorter pauses teach our end of turn to wait, and the two would hear different turns. */
const pauseSamples = 64_000;

/** Writes the demo's sample questions, one after the other with pauses, as a file for the fake microphone. */
export function writeMicrophone(path, audio) {
  const clips = readdirSync(samplesFolder).filter((name) => name.endsWith('.wav'));
  const pieces = clips.flatMap((name) => {
    const { samples, sampleRate } = audio.decodeWav(
      new Uint8Array(readFileSync(join(samplesFolder, name))),
    );
    return [audio.resample(samples, sampleRate, 16_000), new Float32Array(pauseSamples)];
  });
  const speech = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    speech.set(piece, offset);
    offset += piece.length;
  }
  writeFileSync(path, microphoneFile(audio.encodeWav(speech, 16_000), audio).wav);
}

/**
 * Main-thread milliseconds per minute of audio while `way` (a function of `globalThis.bench`) listens on a
 * fresh page for `seconds`: all tasks by the wall, and the time the thread had the processor. Starting up does not count.
 */
export async function measureMainThread(browser, way, seconds) {
  const page = await browser.open();
  try {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const read = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    };
    await page.evaluate(async (way) => {
      globalThis.bench.heard = await globalThis.bench[way]();
    }, way);
    // Models warm up and compilers settle before anything counts.
    await page.waitForTimeout(3000);
    await devtools.send('HeapProfiler.collectGarbage');
    const before = await read();
    await page.waitForTimeout(seconds * 1000);
    const after = await read();
    const heard = await page.evaluate(() => globalThis.bench.heard());
    const minutes = (after.Timestamp - before.Timestamp) / 60;
    const perMinute = (name) => ((after[name] - before[name]) * 1000) / minutes;
    return { heard, taskMs: perMinute('TaskDuration'), threadMs: perMinute('ThreadTime') };
  } finally {
    await page.close();
  }
}
