/** `npm run talk`: the command a developer or a script uses, from source and with the production build. */
import { expect, test } from '@playwright/test';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeWav } from '../../src/audio/wav.ts';
import { chatReply, openAIChatServer } from '../../src/testing/servers/index.ts';
import { transcribe } from './transcribe.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

async function talk(...args: readonly string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['tools/talk.mjs', ...args, '--json'], {
    cwd: root,
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout);
}

const question = 'demo/public/samples/seventeen-plus-twenty-five.wav';

test('prints what was understood and said, and writes what the speaker played', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'antiphon-talk-'));
  try {
    const out = join(scratch, 'reply.wav');
    const result = await talk(question, '--out', out);
    expect(result).toMatchObject({
      turns: [
        {
          turn: 1,
          transcript: 'what is seventeen plus twenty five',
          reply: expect.stringContaining('forty two'),
          interrupted: false,
          trace: { voiceToVoiceMs: expect.any(Number) },
        },
      ],
      errors: [],
    });
    expect(await transcribe(decodeWav(new Uint8Array(readFileSync(out))))).toContain('forty two');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test('talks to an OpenAI-compatible server on the loopback interface', async () => {
  const server = await openAIChatServer({
    replies: [chatReply({ text: ['It is ', 'forty ', 'two, ', 'says the model.'] })],
  });
  try {
    const result = await talk(question, '--provider', server.baseURL, '--model', 'scripted');
    expect(result).toMatchObject({
      turns: [{ turn: 1, reply: 'It is forty two, says the model.', interrupted: false }],
      errors: [],
    });
    expect(server.violations).toEqual([]);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.body).toMatchObject({
      model: 'scripted',
      messages: [
        { role: 'system' },
        { role: 'user', content: 'what is seventeen plus twenty five' },
      ],
    });
  } finally {
    await server.close();
  }
});

test('works with the production build as well', async () => {
  test.setTimeout(240_000);
  if (!existsSync(join(root, 'dist/demo/index.html')))
    await run(process.execPath, ['tools/build.mjs'], { cwd: root, maxBuffer: 1 << 24 });
  const result = await talk(question, '--built');
  expect(result).toMatchObject({
    turns: [{ reply: expect.stringContaining('forty two') }],
    errors: [],
  });
});
