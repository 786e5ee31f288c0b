/** Trouble from outside the page: a model server that fails, storage that refuses, an insecure page, files that are no recordings. */
import { expect, test, type Page } from '@playwright/test';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserFlags, ensureBrowser } from '../../tools/browser.mjs';
import { installTalk } from '../../tools/talk/conversation.mjs';
import {
  chatFrame,
  chatReply,
  eventStream,
  openAIChatServer,
  openAIError,
  refusal,
  type Reply,
} from '../../src/testing/servers/index.ts';
import { readClip, type TalkNotes } from './voice-page.ts';

test.use({
  launchOptions: {
    executablePath: ensureBrowser(),
    args: [...browserFlags, '--use-fake-device-for-media-stream'],
  },
});

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(() => 'agent' in globalThis);
  await page.evaluate(installTalk);
}

const notes = (page: Page): Promise<TalkNotes> => page.evaluate(() => globalThis.talk);

/** Types `text` and waits until its turn is over. */
async function ask(page: Page, text: string): Promise<TalkNotes['turns'][number]> {
  const turns = (await notes(page)).turns.length;
  await page.evaluate((words) => globalThis.agent.send(words), text);
  await page.waitForFunction((count) => globalThis.talk.turns.length > count, turns);
  const turn = (await notes(page)).turns.at(-1);
  if (!turn) throw new Error('No turn was noted.');
  return turn;
}

const startWithoutMicrophone = (page: Page): Promise<void> =>
  page.evaluate(() => globalThis.agent.start({ microphone: false }));

const stored = (page: Page): Promise<string[]> =>
  page.evaluate(async () =>
    (await globalThis.agent.history()).map(({ role, parts }) => {
      const [part] = parts;
      return `${role}: ${part?.type === 'text' ? part.text : ''}`;
    }),
  );

const refuse = (status: number, message: string): Reply =>
  refusal(status, openAIError(status, message));

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly answer: Reply;
  /** What of the reply is there, and kept. */
  readonly reply?: string;
}

const failures: readonly Failure[] = [
  { name: '401', code: 'provider-auth', answer: refuse(401, 'invalid token') },
  { name: '429', code: 'provider-rate-limit', answer: refuse(429, 'slow down') },
  { name: '500', code: 'provider-overloaded', answer: refuse(500, 'broken') },
  {
    name: 'malformed events',
    code: 'provider-protocol',
    answer: eventStream('data: {"choices": [{"del\n\n'),
  },
  {
    name: 'a web page',
    code: 'provider-protocol',
    answer: {
      headers: { 'content-type': 'text/html' },
      steps: ['<!doctype html><title>Welcome</title>'],
    },
  },
  {
    name: 'half a reply',
    code: 'provider-network',
    reply: 'The first half is this.',
    answer: eventStream(
      chatFrame({ content: 'The first half is this.' }),
      { gate: 'shown' },
      { fault: 'drop' },
    ),
  },
];

test('a model server that answers 401, 429, 500, malformed events, a web page or half a reply costs one reply each: typed errors, the conversation goes on, nothing said is lost', async ({
  page,
}) => {
  let answer = refuse(500, 'nothing was asked yet');
  const model = await openAIChatServer({ replies: [() => answer] });
  const query = new URLSearchParams({
    provider: model.baseURL,
    model: 'm',
    conversation: 'trouble',
  });
  await open(page, `/?${query}`);
  await startWithoutMicrophone(page);
  try {
    for (const { name, code, answer: failing, reply = '' } of failures) {
      answer = failing;
      const before = (await notes(page)).errors.length;
      const asked = ask(page, `question for ${name}`);
      if (reply !== '') {
        await page.waitForFunction(
          (text) => globalThis.talk.events.some((event) => event['text'] === text),
          reply,
        );
        model.gates.open('shown');
      }
      const turn = await asked;
      expect(turn, name).toMatchObject({ transcript: `question for ${name}`, reply, heard: reply });
      const { errors, state } = await notes(page);
      expect(errors.slice(before), name).toEqual([
        expect.objectContaining({ code, hint: expect.stringMatching(/\w+/) }),
      ]);
      expect(state.assistant, name).toBe('listening');
    }
    answer = chatReply({ text: 'All is well.' });
    expect(await ask(page, 'and now?')).toMatchObject({
      heard: 'All is well.',
      interrupted: false,
    });
    await expect
      .poll(() => stored(page))
      .toEqual([
        ...failures.flatMap(({ name, reply }) => [
          `user: question for ${name}`,
          ...(reply === undefined ? [] : [`assistant: ${reply}`]),
        ]),
        'user: and now?',
        'assistant: All is well.',
      ]);
    expect(model.violations).toEqual([]);
  } finally {
    await model.close();
  }
});

test('where IndexedDB is blocked the page works, says so, and the conversation goes on in memory', async ({
  page,
}) => {
  await page.addInitScript(() => {
    indexedDB.open = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
  });
  await open(page, '/');
  await expect(page.getByRole('alert').first().locator('code')).toHaveText('storage-blocked');
  await startWithoutMicrophone(page);
  expect(await ask(page, 'what is 2 plus 2')).toMatchObject({
    reply: expect.stringMatching(/four/i),
    interrupted: false,
  });
  expect(await ask(page, 'what is 3 plus 3')).toMatchObject({
    reply: expect.stringMatching(/six/i),
  });
  const { errors, state } = await notes(page);
  expect(state.assistant).toBe('listening');
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors)
    expect(error).toMatchObject({ code: 'storage-blocked', hint: expect.stringMatching(/\w+/) });
  await page.getByLabel('Type a message').fill('what is 4 plus 4');
  await page.keyboard.press('Enter');
  await expect(page.locator('.response .words').last()).toHaveText(/eight/i);
});

test('while the disk is full nothing said is lost: it is stored once there is room again', async ({
  page,
}) => {
  await page.addInitScript(() => {
    const { put } = IDBObjectStore.prototype;
    let isFull = false;
    Object.assign(globalThis, { fill: (full: boolean) => (isFull = full) });
    IDBObjectStore.prototype.put = function (
      this: IDBObjectStore,
      value: unknown,
      key?: IDBValidKey,
    ) {
      if (isFull) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
      return put.call(this, value, key);
    };
  });
  const fill = (full: boolean): Promise<void> =>
    page.evaluate(
      (value) => (globalThis as never as { fill(full: boolean): void }).fill(value),
      full,
    );
  await open(page, '/?conversation=full');
  await startWithoutMicrophone(page);
  await ask(page, 'what is 1 plus 1');
  await expect.poll(async () => (await stored(page)).length).toBe(2);
  await fill(true);
  expect(await ask(page, 'what is 2 plus 2')).toMatchObject({
    reply: expect.stringMatching(/four/i),
  });
  const { errors } = await notes(page);
  expect(errors).toEqual([
    expect.objectContaining({ code: 'storage-full', hint: expect.stringMatching(/\w+/) }),
  ]);
  expect(await stored(page)).toHaveLength(2);
  await fill(false);
  await ask(page, 'what is 3 plus 3');
  await expect.poll(async () => (await stored(page)).length).toBe(6);
});

test('a page that was not served securely says so before it loads or opens anything', async ({
  page,
  baseURL,
}) => {
  const inside = 'http://antiphon.test';
  await page.route(`${inside}/**`, async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({
      response: await route.fetch({ url: new URL(`${pathname}${search}`, baseURL).href }),
    });
  });
  await open(page, `${inside}/`);
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  const error = await page.evaluate(() =>
    globalThis.agent.start().then(
      () => undefined,
      ({ code, hint }) => ({ code, hint }),
    ),
  );
  expect(error).toEqual({ code: 'insecure-context', hint: expect.stringMatching(/https/) });
  expect((await notes(page)).state).toEqual({ assistant: 'idle', user: 'silent' });
  // The page may be loading something that nobody waits for.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

interface Outcome {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

function talk(...given: string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL('../../tools/talk.mjs', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...given], (error, output, errors) =>
      resolve({
        exitCode: typeof error?.code === 'number' ? error.code : 0,
        output,
        errors: errors.trim(),
      }),
    );
  });
}

/** A question as an 8-bit stereo WAV at 96 kHz. */
function oddWav(): Uint8Array {
  const { samples, sampleRate } = readClip('demo/public/samples/seventeen-plus-twenty-five.wav');
  const frames = Math.floor((samples.length / sampleRate) * 96_000);
  const bytes = Buffer.alloc(44 + frames * 2);
  bytes.write('RIFF', 0).toString();
  bytes.writeUInt32LE(36 + frames * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(96_000, 24);
  bytes.writeUInt32LE(192_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(frames * 2, 40);
  for (let frame = 0; frame < frames; frame++) {
    const at = (frame * sampleRate) / 96_000;
    const from = samples[Math.floor(at)] ?? 0;
    const to = samples[Math.floor(at) + 1] ?? from;
    const value = Math.round(128 + 127 * (from + (to - from) * (at % 1)));
    bytes.fill(Math.max(0, Math.min(255, value)), 44 + frame * 2, 46 + frame * 2);
  }
  return bytes;
}

test('talk refuses an empty, truncated, compressed or missing file, and one that is no WAV, with one sentence and exit code 2', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-trouble-'));
  const good = oddWav();
  const compressed = Buffer.from(good);
  compressed.writeUInt16LE(85, 20);
  const files: readonly (readonly [string, Uint8Array | undefined, RegExp])[] = [
    ['empty.wav', Buffer.alloc(0), /empty/],
    ['header-only.wav', good.subarray(0, 30), /cut off/],
    ['truncated.wav', good.subarray(0, good.length >> 1), /cut off/],
    ['text.wav', Buffer.from('This is a letter, not a recording.'), /no WAV file/],
    ['mp3.wav', compressed, /compressed/],
    ['missing.wav', undefined, /missing\.wav/],
  ];
  try {
    for (const [name, bytes, sentence] of files) {
      const path = join(folder, name);
      if (bytes) writeFileSync(path, bytes);
      const { exitCode, output, errors } = await talk(path, '--json');
      expect({ name, exitCode, output }).toEqual({ name, exitCode: 2, output: '' });
      expect(errors, name).toMatch(sentence);
      expect(errors.split('\n'), name).toHaveLength(1);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('talk understands an 8-bit stereo file at 96 kHz', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-trouble-'));
  const path = join(folder, 'odd.wav');
  writeFileSync(path, oddWav());
  try {
    const { exitCode, output, errors } = await talk(path, '--json');
    expect(errors).toBe('');
    expect(exitCode).toBe(0);
    const { turns } = JSON.parse(output) as TalkNotes;
    expect(turns).toMatchObject([{ transcript: 'what is seventeen plus twenty five' }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('talk ends with exit code 1 and names the trouble when the model server refuses', async () => {
  const model = await openAIChatServer({ replies: [refuse(401, 'invalid token')] });
  try {
    const file = fileURLToPath(
      new URL('../../demo/public/samples/what-time-is-it.wav', import.meta.url),
    );
    const { exitCode, output } = await talk(
      file,
      '--json',
      '--provider',
      model.baseURL,
      '--model',
      'm',
    );
    expect(exitCode).toBe(1);
    const { turns, errors } = JSON.parse(output) as TalkNotes;
    expect(turns).toMatchObject([{ transcript: 'what time is it', reply: '' }]);
    expect(errors).toMatchObject([{ code: 'provider-auth', hint: expect.stringMatching(/token/) }]);
  } finally {
    await model.close();
  }
});
