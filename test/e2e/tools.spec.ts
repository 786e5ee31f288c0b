/** A conversation by voice with tools: allowed, asked, denied, failing, slow and talked over, against a strict server on loopback. */
import { expect, test } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import type { AgentEvents } from '../../src/index.ts';
import {
  chatReply,
  openAIChatServer,
  type LoopbackServer,
} from '../../src/testing/servers/index.ts';
import { transcribe } from './transcribe.ts';
import { readClip, sequence, VoicePage, type Clip } from './voice-page.ts';

const sample = (name: string): Clip => readClip(`demo/public/samples/${name}.wav`);
const sdk = `/@fs${fileURLToPath(new URL('../../src/index.ts', import.meta.url))}`;

declare global {
  // Of the page: what its agent told of tools.
  var noted: { readonly tools: AgentEvents['tool'][]; readonly fillers: string[] };
}

interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_call_id?: string;
}

const call = (name: string): { id: string; name: string; arguments: unknown } => ({
  id: `call_${name}`,
  name,
  arguments: {},
});

/** What the server was shown last: `role: text`, results without their frame. */
function lastMessages({ requests }: LoopbackServer): string[] {
  const body = requests.at(-1)?.body as { readonly messages: readonly ChatMessage[] } | undefined;
  return (body?.messages ?? []).map(({ role, content }) => {
    const text = (content ?? '').replace(/^\[result .*\]\n([^]*)\n\[end of result .*\]$/, '$1');
    return `${role}: ${text}`;
  });
}

/** An agent in the page whose mind is the server, with a tool of each sort; asks by a button. */
async function makeAgent(voice: VoicePage, baseURL: string): Promise<void> {
  await voice.page.evaluate(
    async ({ sdk, baseURL, conversation }) => {
      const { createVoiceAgent, defineTool, openAICompatible } = (await import(
        sdk
      )) as typeof import('../../src/index.ts');
      const tool = (
        name: string,
        execute: (args: unknown, options: { signal: AbortSignal }) => unknown,
        permission: 'allow' | 'ask' | 'deny' = 'allow',
      ) => defineTool({ name, description: name, parameters: {}, permission, execute });
      const hangs = (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        });
      globalThis.agent = await createVoiceAgent({
        conversation,
        provider: openAICompatible({ baseURL, model: 'scripted' }),
        filler: { texts: ['One moment please.'], delayMs: 1000 },
        tools: [
          tool('allowed', () => ({ sum: 42 })),
          tool('asked', () => 'the door is open', 'ask'),
          tool('refused', () => 'the house is on fire', 'ask'),
          tool('denied', () => 'all is deleted', 'deny'),
          tool('failing', () => {
            throw new Error('no route');
          }),
          tool('slow', () => new Promise((resolve) => setTimeout(() => resolve('found'), 4000))),
          tool('endless', hangs),
        ],
        toolPolicy: {
          approve: ({ call: { name } }, { signal }) =>
            new Promise((resolve) => {
              const question = document.createElement('dialog');
              question.textContent = `May it use ${name}?`;
              for (const answer of ['Allow', 'Deny']) {
                const button = document.createElement('button');
                button.textContent = `${answer} ${name}`;
                button.onclick = () => {
                  question.remove();
                  resolve(answer === 'Allow');
                };
                question.append(button);
              }
              signal.addEventListener('abort', () => question.remove());
              document.body.append(question);
              question.show();
            }),
        },
      });
      globalThis.noted = { tools: [], fillers: [] };
      globalThis.agent.on('tool', (event) => globalThis.noted.tools.push(event));
      globalThis.agent.on('filler', ({ text }) => globalThis.noted.fillers.push(text));
    },
    { sdk, baseURL, conversation: crypto.randomUUID() },
  );
  await voice.attach();
}

test('tools are run, asked for, refused and waited for, and one is talked over', async ({
  baseURL,
}) => {
  const names = ['allowed', 'asked', 'refused', 'denied', 'failing', 'slow'];
  const server = await openAIChatServer({
    replies: [
      chatReply({ text: 'Let me see.', calls: names.map(call) }),
      chatReply({ text: 'The sum is forty two.' }),
      chatReply({ calls: [call('endless')] }),
      chatReply({ text: 'It is noon.' }),
    ],
  });
  // The person asks, waits for the answer, asks again, and talks over the tool that never ends.
  const microphone = sequence(
    sample('seventeen-plus-twenty-five'),
    24_000,
    sample('tell-me-a-joke'),
    5000,
    sample('what-time-is-it'),
  );
  const voice = await VoicePage.open(`${baseURL}?conversation=${crypto.randomUUID()}`, microphone);
  try {
    await makeAgent(voice, server.baseURL);
    await voice.start();
    await voice.page.getByRole('button', { name: 'Allow asked' }).click();
    await voice.page.getByRole('button', { name: 'Deny refused' }).click();
    const [first] = await voice.turns(1);
    const reply = 'Let me see. The sum is forty two.';
    expect(first).toMatchObject({ reply, heard: reply, interrupted: false });
    expect(server.requests).toHaveLength(2);
    expect(lastMessages(server).slice(-7)).toEqual([
      'assistant: Let me see.',
      'tool: {"sum":42}',
      'tool: the door is open',
      'tool: Error: The person did not allow this call.',
      'tool: Error: denied is not allowed here.',
      'tool: Error: no route',
      'tool: found',
    ]);
    const offered = server.requests[0]?.body as {
      readonly tools: readonly { readonly function: { readonly name: string } }[];
    };
    expect(offered.tools.map((tool) => tool.function.name)).toEqual([
      'allowed',
      'asked',
      'endless',
      'failing',
      'refused',
      'slow',
    ]);
    // The filler was heard, and no message knows of it.
    expect(await transcribe(await voice.recording())).toMatch(/moment[^]*forty two/);

    const [, second, third] = await voice.turns(3);
    expect(second).toMatchObject({ transcript: 'tell me a joke', reply: '' });
    expect(third).toMatchObject({ transcript: 'what time is it', heard: 'It is noon.' });
    expect(lastMessages(server).slice(-4)).toEqual([
      'user: tell me a joke',
      'assistant: ',
      'tool: Error: The person interrupted before there was a result.',
      'user: what time is it',
    ]);
    const { tools, fillers } = await voice.page.evaluate(() => globalThis.noted);
    expect(fillers).toEqual(['One moment please.', 'One moment please.']);
    const ends = tools.filter(({ state }) => state === 'done' || state === 'failed');
    expect(ends.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'allowed done',
      'asked done',
      'refused failed',
      'denied failed',
      'failing failed',
      'slow done',
      'endless failed',
    ]);
    const stored = await voice.page.evaluate(() => globalThis.agent.history());
    expect(JSON.stringify(stored)).not.toContain('moment');
    expect((await voice.notes()).errors).toEqual([]);
    expect(server.violations).toEqual([]);
    await voice.page.evaluate(() => globalThis.agent.stop());
    await server.idle();
  } finally {
    await voice.close();
    await server.close();
  }
});

test('the demo asks before a model on a server cancels timers', async ({ baseURL }) => {
  const server = await openAIChatServer({
    replies: [chatReply({ calls: [call('cancel_timers')] }), chatReply({ text: 'I left them.' })],
  });
  const query = new URLSearchParams({
    provider: server.baseURL,
    model: 'scripted',
    conversation: crypto.randomUUID(),
  });
  const voice = await VoicePage.open(`${baseURL}?${query}`, sample('tell-me-a-joke'));
  try {
    await voice.page.getByLabel('Type a message').fill('Cancel my timers');
    await voice.page.keyboard.press('Enter');
    await expect(voice.page.locator('dialog[open]')).toContainText('May it use cancel timers?');
    await voice.page.getByRole('button', { name: 'Deny' }).click();
    const [turn] = await voice.turns(1);
    expect(turn?.reply).toBe('I left them.');
    expect(lastMessages(server).at(-1)).toBe('tool: Error: The person did not allow this call.');
    await expect(voice.page.locator('dialog[open]')).toHaveCount(0);
    expect(server.violations).toEqual([]);
  } finally {
    await voice.close();
    await server.close();
  }
});
