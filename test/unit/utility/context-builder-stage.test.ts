import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, messageText, textMessage, type Message } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { contextFitOf, type ModelContext } from '../../../src/stages/conversation/context-fit.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { ContextBuilderStage } from '../../../src/stages/utility/context-builder-stage.ts';
import type { ContextBuilderOptions } from '../../../src/stages/utility/context-options.ts';
import {
  estimateMessageTokens,
  estimateTokens,
} from '../../../src/stages/utility/token-estimate.ts';
import {
  reply,
  runOn,
  scriptedProvider,
  testContext,
  type TestContext,
} from '../../../src/testing/index.ts';
import { brief, shown, turnEnd, user } from '../conversation/helpers.ts';

/** One token per character, so that sums can be read off. */
const exact = {
  reserveForOutput: 0,
  countTokens: (message: Message) => messageText(message).length,
  countTextTokens: (text: string) => text.length,
};

/** `u:…` is the user's, anything else the assistant's. */
const talk = (...lines: readonly string[]): Message[] =>
  lines.map((line) =>
    line.startsWith('u:') ? textMessage('user', line) : textMessage('assistant', line),
  );

const texts = ({ messages }: ModelContext): string[] => messages.map(messageText);

/** Asks the fit the stage gave turn 1. */
async function fitter(
  options: ContextBuilderOptions,
  context: TestContext = testContext(),
): Promise<(messages: readonly Message[], system?: string) => Promise<ModelContext>> {
  await runOn(new ContextBuilderStage(options), [turnEnd()], context);
  const fit = contextFitOf(context.turn(1));
  if (!fit) throw new Error('no fit was set');
  return (messages, system = '') => fit({ system, messages }, context.signal);
}

describe('ContextBuilderStage', () => {
  it('passes everything on, audio and control too', async () => {
    const inputs = [
      element('audio', { samples: new Float32Array(4), sampleRate: 16_000 }),
      element('speech-start', { turn: 1 }),
      user('Hi'),
      turnEnd(),
      element('interrupt', { turn: 1 }),
      element('end', {}),
    ];
    expect(await runOn(new ContextBuilderStage({ maxTokens: 1 }), inputs)).toEqual(inputs);
  });

  it('changes nothing while it fits, or without a limit', async () => {
    const messages = talk('u:1', 'one', 'u:2');
    expect((await (await fitter({ ...exact, maxTokens: 9 }))(messages)).messages).toEqual(messages);
    expect((await (await fitter({ ...exact, maxTokens: 0 }))(messages)).messages).toEqual(messages);
  });

  it('drops the oldest exchanges, whole, and counts the prompt and the reserve', async () => {
    const context = testContext();
    const fit = await fitter({ ...exact, maxTokens: 20, reserveForOutput: 5 }, context);
    // 20 − 5 − 6 leaves 9: the last exchange and the one before take 8.
    expect(texts(await fit(talk('u:1', 'one', 'u:2', 'to', 'u:3'), 'prompt'))).toEqual([
      'u:2',
      'to',
      'u:3',
    ]);
    expect(context.events).toMatchObject([
      {
        type: 'context-truncated',
        detail: { turn: 1, strategy: 'oldest', kept: 3, dropped: 2, tokens: 8, budget: 9 },
      },
    ]);
  });

  it('keeps the newest exchange even when it is too long alone', async () => {
    const fit = await fitter({ ...exact, maxTokens: 4 });
    expect(texts(await fit(talk('u:1', 'one', 'u:a long one')))).toEqual(['u:a long one']);
  });

  it('fails when told to, and when the prompt leaves no room', async () => {
    const fit = await fitter({ ...exact, maxTokens: 5, strategy: 'fail' });
    await expect(fit(talk('u:123', 'one'))).rejects.toMatchObject({
      code: 'context-length',
      message: 'The conversation exceeds the token budget.',
      details: { budget: 5, tokens: 8 },
    });
    await expect(fit(talk('u:1'), 'prompt')).rejects.toMatchObject({ code: 'context-length' });
  });

  it('summarises what does not fit, once, and builds on that when it is too much again', async () => {
    const asked: [previous: string, lines: string[]][] = [];
    const fit = await fitter({
      ...exact,
      maxTokens: 90,
      strategy: 'summarise',
      summarise: ({ previous, messages }) => {
        asked.push([previous, messages.map(messageText)]);
        return Promise.resolve(`S${asked.length}`);
      },
    });
    const messages = talk(...[1, 2, 3, 4].flatMap((n) => [`u:${n}`.padEnd(20, '.'), 'answer']));
    const lines = messages.map(messageText);
    const first = await fit(messages);
    expect(first.system).toBe('Summary of 6 earlier messages: S1');
    expect(texts(first)).toEqual(lines.slice(6));
    expect(asked).toEqual([['', lines.slice(0, 6)]]);
    expect(await fit(messages)).toEqual(first);
    const more = [...messages, ...talk('u:5'.padEnd(40, '.'), 'answer')];
    const second = await fit(more, 'Be kind.');
    expect(second.system).toBe('Be kind.\n\nSummary of 8 earlier messages: S2');
    expect(texts(second)).toEqual([more[8], more[9]].flatMap((m) => (m ? [messageText(m)] : [])));
    expect(asked[1]).toEqual(['S1', lines.slice(6)]);
    // What was summarised has left the history meanwhile: the summary stays.
    expect((await fit(more.slice(8))).system).toBe('Summary of 8 earlier messages: S2');
  });

  it.each([
    ['fails', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('at once');
      },
    ],
    ['is empty', () => Promise.resolve(' ')],
    ['is too long', () => Promise.resolve('x'.repeat(99))],
  ])('drops the oldest when the summary %s', async (_, summarise) => {
    const context = testContext();
    const fit = await fitter({ ...exact, maxTokens: 8, strategy: 'summarise', summarise }, context);
    const fitting = await fit(talk('u:1', 'one', 'u:2', 'to', 'u:3'));
    expect(fitting.system).toBe('');
    expect(texts(fitting)).toEqual(['u:2', 'to', 'u:3']);
    expect(context.events.map(({ type }) => type)).toEqual([
      'context-summarise-failed',
      'context-truncated',
    ]);
  });

  it('keeps the most relevant exchanges that fit, in their order, and the newest messages', async () => {
    const asked: unknown[] = [];
    const fit = await fitter({
      ...exact,
      maxTokens: 19,
      strategy: 'relevance',
      minRecent: 1,
      minScore: 0.2,
      score: ({ query, texts: candidates }) => {
        asked.push([query, candidates]);
        return Promise.resolve([0.5, 0.1, 0.9, 0.7]);
      },
    });
    const messages = talk('u:a', 'aaa', 'u:b', 'u:c', 'ccc', 'u:too long to fit', 'u:now');
    expect(texts(await fit(messages))).toEqual(['u:a', 'aaa', 'u:c', 'ccc', 'u:now']);
    expect(asked).toEqual([['u:now', ['u:a\naaa', 'u:b', 'u:c\nccc', 'u:too long to fit']]]);
  });

  it.each([
    ['fail', () => Promise.reject(new Error('down'))],
    ['are too few', () => Promise.resolve([1])],
  ])('drops the oldest when scores %s', async (_, score) => {
    const context = testContext();
    const options = { ...exact, maxTokens: 8, minRecent: 1, score } as const;
    const fit = await fitter({ ...options, strategy: 'relevance' }, context);
    expect(texts(await fit(talk('u:1', 'u:2', 'to', 'u:3')))).toEqual(['u:2', 'to', 'u:3']);
    expect(context.events[0]?.type).toBe('context-relevance-failed');
  });

  it.each([
    { maxTokens: Number.NaN },
    { maxTokens: 9, reserveForOutput: -1 },
    { maxTokens: 9, strategy: 'newest' as never },
  ])('refuses %o', (options) => {
    expect(() => new ContextBuilderStage(options)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it.each(['summarise', 'relevance'] as const)('refuses %s without its callback', (strategy) => {
    expect(() => new ContextBuilderStage({ maxTokens: 9, strategy })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it('does not wait for a callback when the run ends', async () => {
    const context = testContext();
    const summarise = (): Promise<string> => {
      queueMicrotask(() => context.end());
      return new Promise(() => undefined);
    };
    const options = { ...exact, maxTokens: 4, strategy: 'summarise', summarise } as const;
    const fit = await fitter(options, context);
    await expect(fit(talk('u:1', 'u:2'))).rejects.toMatchObject({ code: 'aborted' });
  });

  it('never exceeds the budget but for the newest exchange, and keeps order and tool pairs', async () => {
    const lines = array(
      record({
        role: constantFrom('user', 'assistant', 'tool'),
        length: integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const strategies = constantFrom('oldest', 'summarise', 'relevance');
    await assert(
      asyncProperty(
        lines,
        integer({ min: 1, max: 60 }),
        strategies,
        async (given, maxTokens, strategy) => {
          const messages = given.map(({ role, length }) => textMessage(role, 'x'.repeat(length)));
          const fit = await fitter({
            ...exact,
            maxTokens,
            strategy,
            summarise: () => Promise.resolve('s'),
            score: ({ texts: candidates }) =>
              Promise.resolve(candidates.map((text) => text.length % 3)),
          });
          const fitting = await fit(messages);
          const kept = messages.filter((message) => fitting.messages.includes(message));
          expect(fitting.messages).toEqual(kept);
          expect(kept.at(-1)).toBe(messages.at(-1));
          const length = texts(fitting).join('').length + fitting.system.length;
          const exchanges = kept.filter(({ role }, index) => role === 'user' || index === 0).length;
          if (exchanges > 1 || fitting.system !== '') expect(length).toBeLessThanOrEqual(maxTokens);
          // Where something was left out, what is left begins with what a user said.
          if (kept.length < messages.length && kept[0] !== messages[0])
            expect(kept[0]?.role).toBe('user');
        },
      ),
    );
  });

  it('bounds a live conversation: what the provider is shown, this run’s replies included', async () => {
    const provider = scriptedProvider([['12345']], { repeat: true });
    const pipeline = new PipelineBuilder()
      .chain(
        new StateStoreLoadStage({ store: memoryStore(), conversation: 'a' }),
        new ContextBuilderStage({ ...exact, maxTokens: 12 }),
        new ProviderStage({ provider }),
      )
      .build();
    await pipeline.executeSync(
      ...[1, 2, 3, 4].flatMap((turn) => [user(`Q${turn}`, turn), turnEnd(turn)]),
    );
    expect(provider.requests.map(({ messages }) => shown(messages))).toEqual([
      ['user:Q1'],
      ['user:Q1', 'assistant:12345', 'user:Q2'],
      ['user:Q2', 'assistant:12345', 'user:Q3'],
      ['user:Q3', 'assistant:12345', 'user:Q4'],
    ]);
    await pipeline.shutdown();
  });

  it('is asked for tool rounds too, and its failure is the reply’s', async () => {
    const provider = scriptedProvider([[reply.call('clock')]]);
    const tool = {
      name: 'clock',
      description: 'Tells the time.',
      parameters: {},
      execute: () => Promise.resolve('a very long answer'),
    };
    const stage = new ContextBuilderStage({
      maxTokens: 10,
      strategy: 'fail',
      reserveForOutput: 0,
      countTokens: (message) => (message.role === 'tool' ? 100 : 1),
    });
    const context = testContext();
    await runOn(stage, [turnEnd()], context);
    const provided = await runOn(
      new ProviderStage({ provider, tools: [tool] }),
      [user('Time?'), turnEnd()],
      context,
    );
    expect(provider.requests).toHaveLength(1);
    expect(brief(provided)).toContain('error:context-length');
    expect(brief(provided).at(-1)).toBe('turn-end');
  });
});

describe('token estimates', () => {
  it.each([
    ['', 0],
    ['one two three', 5],
    ['abcdefghijklmnop', 4],
    ['你好', 2],
    ['你好 you', 4],
  ])('“%s” takes about %i', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  it('counts parts and the arguments of tool calls', () => {
    const plain = textMessage('assistant', 'hello');
    expect(estimateMessageTokens(plain)).toBe(6);
    const image = { type: 'image', mediaType: 'image/png', data: 'x' } as const;
    expect(estimateMessageTokens({ ...plain, parts: [...plain.parts, image] })).toBe(1006);
    const toolCalls = [{ id: '1', name: 'find', arguments: { words: 'a b c d e f g' } }];
    expect(estimateMessageTokens({ ...plain, toolCalls })).toBeGreaterThan(14);
  });
});
