/** Tools of a realtime conversation: what the model is offered, and what is told about its calls. */
import { afterEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../src/core/deferred.ts';
import type { ToolEvent, ToolPolicy } from '../../../src/providers/tool-policy.ts';
import { answerLater, type Tool, type ToolOptions } from '../../../src/providers/tools.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { duplexHome, serveDuplexHome } from '../../../src/stages/streaming/duplex/home.ts';
import { duplexTools } from '../../../src/stages/streaming/duplex/tools.ts';
import { fakeClock } from '../../../src/testing/index.ts';
import type { RealtimeReply } from '../../../src/testing/servers/index.ts';
import { openAI, openAIServer } from './rig.ts';
import { Talk } from './talk.ts';

const tool = (
  name: string,
  conduct: Partial<ToolOptions<Readonly<Record<string, unknown>>>> = {},
): Tool =>
  defineTool({ name, description: name, parameters: {}, execute: () => '12:00', ...conduct });

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function toolsOf(...options: Parameters<typeof duplexTools>): ReturnType<typeof duplexTools> {
  const tools = duplexTools(...options);
  closing.push(tools.close);
  return tools;
}

const { signal } = new AbortController();

describe('the tools of a realtime session', () => {
  it('are offered sorted, without those the policy denies', () => {
    const { offered } = toolsOf({
      tools: [tool('weather'), tool('door'), tool('alarm', { permission: 'deny' }), tool('clock')],
      policy: { permissions: { door: 'deny' } },
    });
    expect(offered.map(({ name }) => name)).toEqual(['clock', 'weather']);
    expect(offered[0]).toEqual({
      name: 'clock',
      description: 'clock',
      parameters: { type: 'object' },
    });
  });

  it('fail when they want to be answered later, which nobody could do', async () => {
    const events: ToolEvent[] = [];
    const tools = toolsOf({ tools: [tool('form', { execute: () => answerLater })] });
    tools.listen?.((event) => events.push(event));
    const call = { id: 'c1', name: 'form', arguments: {} };
    const { results } = await tools.run(1, [call], { signal, provider: 'p' });
    expect(results).toMatchObject([{ callId: 'c1', isError: true }]);
    expect(results[0]?.text).toContain("can't be answered later");
    expect(events.at(-1)).toMatchObject({ type: 'tool-end', status: 'failed' });
  });

  it('tell as events of the stage what happens to a call, behind the call itself', async () => {
    const replies: RealtimeReply[] = [
      [{ call: { id: 'c1', name: 'time', arguments: {} } }],
      [{ say: 'It is noon.', ms: 200 }],
    ];
    const server = await openAIServer({
      replies,
      transcripts: [{ text: 'When?', gate: 'transcript' }],
    });
    const tools = toolsOf({
      tools: [tool('time', { permission: 'ask' })],
      policy: {
        approve: () => {
          // The person's words come after their answer was given.
          setTimeout(() => server.gates.open('transcript'));
          return true;
        },
      },
    });
    const talk = new Talk(openAI(server), { tools, tell: true, transcriptTimeoutMs: 60_000 });
    talk.speaker.start();
    talk.speak(1);
    await talk.turnOver(1);
    const told = talk.events.flatMap(({ type, detail }) => {
      const kind = type === 'element' ? (detail as { kind: string }).kind : type;
      return kind.startsWith('tool-') ? kind : [];
    });
    expect(told).toEqual([
      'tool-call',
      'tool-approval',
      'tool-decision',
      'tool-start',
      'tool-end',
      'tool-result',
    ]);
    expect(talk.events.find(({ type }) => type === 'tool-start')).toMatchObject({
      stage: 'duplex',
      detail: { turn: 1, callId: 'c1', name: 'time' },
    });
  });

  it('tell it to a worker, too, before it gets the results', async () => {
    const tools = toolsOf({ tools: [tool('time')] });
    const { port1, port2 } = new MessageChannel();
    const setup = { system: '', history: [], tools: tools.offered };
    closing.push(
      serveDuplexHome({ token: () => 'ek_1', setup: () => Promise.resolve(setup), tools }, port1),
      () => port2.close(),
    );
    const home = duplexHome(port2);
    const told: string[] = [];
    home.tools.listen?.(({ type }) => told.push(type));
    const call = { id: 'c1', name: 'time', arguments: {} };
    const { results } = await home.tools.run(1, [call], { signal, provider: 'p' });
    told.push(`${results.length} result`);
    expect(told).toEqual(['tool-start', 'tool-end', '1 result']);
  });
});

describe('a realtime turn with tools', () => {
  const calls = (id: string): RealtimeReply => [{ call: { id, name: 'time', arguments: {} } }];
  const noon: RealtimeReply = [{ say: 'It is noon.', ms: 100 }];

  it('counts the tokens of all its answers', async () => {
    const server = await openAIServer({ replies: [calls('a'), noon] });
    const talk = new Talk(openAI(server), { tools: toolsOf({ tools: [tool('time')] }) });
    talk.speaker.start();
    talk.type(1, 'When?');
    await talk.turnOver(1);
    const reply = talk.outputs.findLast((output) => output.kind === 'message');
    expect(reply?.message.usage).toEqual({ inputTokens: 20, outputTokens: 40 });
  });

  it.each([
    ['rounds', { maxRounds: 2 }, 'maxRounds', 2],
    ['cost', { price: ({ outputTokens = 0 }) => outputTokens, maxCost: 30 }, 'maxCost', 2],
  ] satisfies [string, ToolPolicy, string, number][])(
    'that uses up its limit of %s ends with the error',
    async (_, policy, limit, rounds) => {
      const server = await openAIServer({ replies: ['a', 'b', 'c', 'd'].map(calls) });
      const tools = toolsOf({ tools: [tool('time')], policy });
      const talk = new Talk(openAI(server), { tools });
      talk.speaker.start();
      talk.type(1, 'When?');
      await talk.turnOver(1);
      const errors = talk.outputs.flatMap((output) =>
        output.kind === 'error' ? [output.error] : [],
      );
      expect(errors).toMatchObject([{ code: 'tool', details: { limit }, stage: 'duplex' }]);
      const reply = talk.outputs.findLast((output) => output.kind === 'message');
      expect(reply?.message.finishReason).toBe('error');
      expect(server.sessions[0]?.requested).toHaveLength(rounds);
    },
  );

  it('that is interrupted tells what became of its calls, also to the server, before it ends', async () => {
    const server = await openAIServer({ replies: [calls('a'), [{ say: 'Ok.', ms: 100 }]] });
    const { promise, resolve } = deferred<void>();
    const slow = tool('time', {
      execute: () => {
        resolve();
        return new Promise(() => {});
      },
    });
    const talk = new Talk(openAI(server), { tools: toolsOf({ tools: [slow] }) });
    talk.speaker.start();
    talk.type(1, 'When?');
    await promise;
    talk.interrupt(1);
    talk.type(2, 'Never mind.');
    await talk.turnOver(2);
    expect(talk.outputs.map(({ kind, turn }) => `${kind} ${turn}`)).toEqual([
      'message 1',
      'tool-call 1',
      'interrupt 1',
      'tool-result 1',
      'message 1',
      'turn-end 1',
      'message 2',
      'message 2',
      'turn-end 2',
    ]);
    expect(talk.outputs.find(({ kind }) => kind === 'tool-result')).toMatchObject({
      isError: true,
    });
    const output = server.sessions[0]?.conversation.items.find(
      ({ type }) => type === 'function_call_output',
    );
    expect(output?.text).toContain('interrupted');
    expect(talk.messages.at(-1)).toBe('2 assistant: Ok.');
  });

  it('takes the server for dead that does not go on with the results', async () => {
    const server = await openAIServer({ replies: [calls('a'), noon, noon] });
    const clock = fakeClock();
    const mute = tool('time', {
      execute: () => {
        for (const peer of server.sessions) peer.send = () => {};
        return '12:00';
      },
    });
    const talk = new Talk(openAI(server), { tools: toolsOf({ tools: [mute] }) }, { clock });
    talk.speaker.start();
    talk.type(1, 'When?');
    await expect.poll(() => server.sessions[0]?.requested.length).toBe(2);
    await clock.advance(15_000);
    await talk.event('realtime-reconnecting');
    await clock.advance(100);
    await talk.turnOver(1);
    expect(talk.messages).toEqual(['1 user: When?', '1 assistant: It is noon.']);
    expect(server.sessions[1]?.conversation.items.map(({ type }) => type).slice(0, 3)).toEqual([
      'message',
      'function_call',
      'function_call_output',
    ]);
  });
});
