/** A demo page with a fake microphone that plays given samples, and a tap on what it plays: one browser a test. */
import { chromium, type Browser, type Page } from '@playwright/test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VoiceAgent } from '../../src/index.ts';
import { decodeWav, encodeWav } from '../../src/audio/wav.ts';
import { resample } from '../../src/audio/resample.ts';
import { browserFlags, ensureBrowser } from '../../tools/browser.mjs';
import { installTalk } from '../../tools/talk/conversation.mjs';
import {
  microphoneFile,
  microphoneFlags,
  useBareMicrophone,
} from '../../tools/talk/microphone-file.mjs';
import { installSpeakerTap, takeRecording } from '../../tools/talk/speaker-tap.mjs';

/** Mono samples and their rate. */
export interface Clip {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly sampleRate: number;
}

/** What `tools/talk/conversation.mjs` notes inside the page. */
export interface TalkNotes {
  readonly events: readonly ({ readonly type: string; readonly at: number } & Record<
    string,
    unknown
  >)[];
  readonly turns: readonly {
    readonly turn: number;
    readonly transcript: string;
    readonly reply: string;
    readonly heard: string;
    readonly interrupted: boolean;
    readonly trace: Readonly<Record<string, number | undefined>>;
  }[];
  readonly errors: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  }[];
  readonly state: { readonly assistant: string; readonly user: string };
  readonly origin: number;
}

declare global {
  // Globals of the page, for code that runs inside `page.evaluate`.
  var agent: VoiceAgent;
  var talk: TalkNotes;
}

/** A WAV file of the repository as a clip; the path is relative to the repository. */
export function readClip(path: string): Clip {
  const bytes = readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
  return decodeWav(new Uint8Array(bytes));
}

/** Clips one after the other at 16 kHz; a number is that many ms of quiet. */
export function sequence(...parts: readonly (Clip | number)[]): Clip {
  const pieces = parts.map((part) =>
    typeof part === 'number'
      ? new Float32Array(Math.round(part * 16))
      : resample(part.samples, part.sampleRate, 16_000),
  );
  const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    samples.set(piece, offset);
    offset += piece.length;
  }
  return { samples, sampleRate: 16_000 };
}

/** An open page; close it in every case. */
export class VoicePage {
  readonly page: Page;
  readonly #browser: Browser;
  readonly #scratch: string;

  private constructor(page: Page, browser: Browser, scratch: string) {
    this.page = page;
    this.#browser = browser;
    this.#scratch = scratch;
  }

  /** Opens the demo at `url` in a browser of its own whose microphone plays `microphone` once a stream opens. */
  static async open(url: string, microphone: Clip): Promise<VoicePage> {
    const scratch = mkdtempSync(join(tmpdir(), 'antiphon-e2e-'));
    const file = join(scratch, 'microphone.wav');
    const wav = encodeWav(microphone.samples, microphone.sampleRate);
    writeFileSync(file, microphoneFile(wav, { decodeWav, encodeWav, resample }).wav);
    const browser = await chromium.launch({
      executablePath: ensureBrowser(),
      args: [...browserFlags, ...microphoneFlags(file)],
    });
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    await page.addInitScript(installSpeakerTap);
    await page.addInitScript(useBareMicrophone);
    await page.goto(url);
    const voicePage = new VoicePage(page, browser, scratch);
    await voicePage.attach();
    return voicePage;
  }

  /** Notes events of the page's agent from here on; again after a reload. */
  async attach(): Promise<void> {
    await this.page.waitForFunction(() => 'agent' in globalThis);
    await this.page.evaluate(installTalk);
  }

  /** Loads the models, then opens the microphone: the clip starts now. */
  async start(): Promise<void> {
    await this.page.evaluate(async () => {
      await globalThis.agent.load();
      await globalThis.agent.start();
    });
  }

  /** Everything noted so far. */
  notes(): Promise<TalkNotes> {
    return this.page.evaluate(() => globalThis.talk);
  }

  /** Waits until `count` turns are over and gives them. */
  async turns(count: number): Promise<TalkNotes['turns']> {
    await this.page.waitForFunction((wanted) => globalThis.talk.turns.length >= wanted, count, {
      timeout: 90_000,
    });
    return (await this.notes()).turns;
  }

  /** What the speaker played so far. */
  recording(): Promise<Clip & { readonly originMs: number }> {
    return takeRecording(this.page);
  }

  /** Closes the browser and removes the microphone file. */
  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}
