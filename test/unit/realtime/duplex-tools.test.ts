/** Tools of a realtime conversation: what the model is offered, and what is told about its calls. */
import { afterEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../src/core/deferred.ts';
import type { ToolPolicy } from '../../../src/providers/tool-policy.ts';
import { answerLater, type Tool, type ToolOptions } from '../../../src/providers/tools.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { duplexHome, serveDuplexHome } from '../../../src/stages/streaming/duplex/home.ts';
import { duplexTools } from '../../../src/stages/streaming/duplex/tools.ts';
import { element } from '../../../src/core/element.ts';
import type {
  DuplexOptions,
  DuplexToolNews,
  DuplexTools,
} from '../../../src/stages/streaming/duplex/options.ts';
import { fakeClock } from '../../../src/testing/index.ts';
import type { OpenAIRealtimeServer, RealtimeReply } from '../../../src/testing/servers/index.ts';
import { openAI, openAIServer } from './rig.ts';
import { Talk } from './talk.ts';

const tool = (
  name: string,
  conduct: Partial<ToolOptions<Readonly<Record<string, unknown>>>> = {},
): Tool =>
  defineTool({ name, description: name, parameters: {}, execute: () => '12:00', ...conduct });

/** A tool that is answered from outside. */
const form = tool('form', { execute: () => answerLater });

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

  it('are answered later, each once, where they want it', async () => {
    const news: DuplexToolNews[] = [];
    const tools = toolsOf({ tools: [form] });
    tools.listen?.((event) => news.push(event));
    const call = { id: 'c1', name: 'form', arguments: {} };
    const { results, open } = await tools.run(1, [call], { signal, provider: 'p' });
    expect(results).toEqual([]);
    expect(open).toMatchObject([{ call, status: 'pending' }]);
    expect(tools.pending).toEqual([call]);
    tools.answer('c1', { city: 'Paris' });
    expect(news.at(-1)).toMatchObject({
      type: 'tool-late',
      turn: 1,
      outcome: { call, status: 'done', result: { city: 'Paris' } },
    });
    expect(tools.pending).toEqual([]);
    for (const id of ['c1', 'c2'])
      expect(() => tools.answer(id, 1)).toThrow(expect.objectContaining({ code: 'tool' }));
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

describe('a call of a realtime turn that is answered later', () => {
  const asks: RealtimeReply = [{ call: { id: 'a', name: 'form', arguments: {} } }];
  const thanks: RealtimeReply = [{ say: 'Thanks.', ms: 100 }];
  const results = (server: OpenAIRealtimeServer, session = 0): string[] =>
    (server.sessions[session]?.conversation.items ?? []).flatMap(({ type, text }) =>
      type === 'function_call_output' ? text : [],
    );
  /** Turn 1, which ends with the call open. */
  const asked = async (
    server: OpenAIRealtimeServer,
    tools: DuplexTools,
    options: Partial<DuplexOptions> = {},
  ): Promise<Talk> => {
    const talk = new Talk(openAI(server), { tools, ...options });
    talk.speaker.start();
    talk.type(1, 'Where am I?');
    await talk.turnOver(1);
    return talk;
  };

  it('ends the turn; the model goes on in a turn of its own', async () => {
    const server = await openAIServer({ replies: [asks, thanks] });
    const tools = toolsOf({ tools: [form] });
    const talk = await asked(server, tools);
    const message = talk.outputs.findLast((output) => output.kind === 'message')?.message;
    expect(message).toMatchObject({ finishReason: 'tool-calls', toolCalls: [{ id: 'a' }] });
    expect(server.sessions[0]?.requested).toHaveLength(1);
    tools.answer('a', 'in Paris');
    await talk.event('tools-answered');
    talk.push(element('turn-end', { turn: 2 }));
    await talk.turnOver(2);
    expect(talk.outputs.map(({ kind, turn }) => `${kind} ${turn}`)).toEqual([
      'message 1',
      'tool-call 1',
      'message 1',
      'turn-end 1',
      'tool-result 1',
      'message 1',
      'message 2',
      'turn-end 2',
    ]);
    expect(talk.messages.at(-1)).toBe('2 assistant: Thanks.');
    expect(results(server)).toEqual([expect.stringContaining('in Paris')]);
  });

  it('goes on in its own turn when the answer is faster than the other calls', async () => {
    const call = { id: 'b', name: 'time', arguments: {} };
    const server = await openAIServer({ replies: [[...asks, { call }], thanks] });
    const gate = deferred<string>();
    const tools = toolsOf({ tools: [form, tool('time', { execute: () => gate.promise })] });
    const talk = new Talk(openAI(server), { tools });
    talk.speaker.start();
    talk.type(1, 'Where am I?');
    await expect.poll(() => tools.pending).toHaveLength(1);
    tools.answer('a', 'in Paris');
    gate.resolve('12:00');
    await talk.turnOver(1);
    expect(talk.messages.at(-1)).toBe('1 assistant: Thanks.');
    expect(results(server)).toHaveLength(2);
    expect(talk.events.map(({ type }) => type)).not.toContain('tools-answered');
  });

  it('goes along with what the person says, when they speak first', async () => {
    const server = await openAIServer({ transcripts: ['Well?'], replies: [asks, thanks] });
    const tools = toolsOf({ tools: [form] });
    const talk = await asked(server, tools);
    talk.speak(2, 400, false);
    await talk.until(() => talk.outputs.some(({ kind }) => kind === 'speech-start'));
    tools.answer('a', 'in Paris');
    talk.push(element('speech-end', { turn: 2, misfire: false }), element('turn-end', { turn: 2 }));
    await talk.turnOver(2);
    expect(results(server)).toHaveLength(1);
    expect(server.sessions[0]?.requested).toHaveLength(2);
    expect(talk.events.map(({ type }) => type)).not.toContain('tools-answered');
  });

  it('is told in words to a session that did not make it', async () => {
    const server = await openAIServer({ replies: [asks, thanks] });
    const tools = toolsOf({ tools: [form] });
    const talk = await asked(server, tools);
    server.sessions[0]?.hangUp();
    await talk.event('realtime-connected', 2);
    tools.answer('a', 'in Paris');
    talk.push(element('turn-end', { turn: 2 }));
    await talk.turnOver(2);
    expect(results(server, 1)).toEqual([expect.stringContaining('Not answered yet')]);
    const told = server.sessions[1]?.conversation.items.findLast(({ role }) => role === 'user');
    expect(told?.text).toMatch(/^The result of form has come:\n\[result .*in Paris/s);
    expect(talk.messages.at(-1)).toBe('2 assistant: Thanks.');
  });

  it('is one, too, that finishes although the person interrupted', async () => {
    const server = await openAIServer({ replies: [asks, thanks] });
    const gate = deferred<string>();
    const begun = deferred<void>();
    const execute = (): Promise<string> => {
      begun.resolve();
      return gate.promise;
    };
    const tools = toolsOf({ tools: [tool('form', { execute, whenInterrupted: 'finish' })] });
    const talk = new Talk(openAI(server), { tools });
    talk.speaker.start();
    talk.type(1, 'Open the door.');
    await begun.promise;
    talk.interrupt(1);
    await talk.turnOver(1);
    expect(results(server)).toEqual([]);
    gate.resolve('opened');
    await expect.poll(() => results(server)).toEqual([expect.stringContaining('opened')]);
    expect(talk.outputs.at(-1)).toMatchObject({ kind: 'tool-result', turn: 1, isError: false });
    talk.type(2, 'And?');
    await talk.turnOver(2);
    expect(talk.messages.at(-1)).toBe('2 assistant: Thanks.');
  });
});
