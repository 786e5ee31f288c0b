import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  element,
  textMessage,
  type Message,
  type StreamElement,
} from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { TTSStage } from '../../../src/stages/streaming/tts-stage.ts';
import { TTSStageWithInterruption } from '../../../src/stages/streaming/tts-stage-with-interruption.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import type { StateStore } from '../../../src/state/state-store.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { settle } from '../../../src/testing/fake-clock.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { scriptedProvider } from '../../../src/testing/scripted-provider.ts';
import { scriptedSynthesizer } from '../../../src/testing/scripted-synthesizer.ts';
import { assistant, brief, collect, feed, shown, turnEnd, user } from './helpers.ts';

const blocked = new AntiphonError('storage-blocked', 'no', { hint: 'Use memoryStore().' });
const silent = new Promise<never>(() => undefined);

/** A memory store whose appends do as `fate` says. */
function fated(
  fate: (messages: readonly Message[]) => Promise<void>,
): StateStore & { readonly calls: (readonly Message[])[] } {
  const store = memoryStore();
  const calls: (readonly Message[])[] = [];
  return {
    ...store,
    calls,
    async append(id, messages) {
      calls.push(messages);
      await fate(messages);
      await store.append(id, messages);
    },
  };
}

describe('StateStoreLoadStage', () => {
  it('puts the past into every turn, loaded once, before the turn’s first message passes', async () => {
    const store = memoryStore();
    await store.append('kitchen', [textMessage('user', 'Old'), textMessage('assistant', 'Older')]);
    const load = vi.spyOn(store, 'load');
    const context = testContext();
    const stage = new StateStoreLoadStage({ store, conversation: 'kitchen' });
    const seen: unknown[] = [];
    for await (const item of stage.process(
      (async function* () {
        yield* [element('speech-start', { turn: 1 }), user('A'), turnEnd(), user('B', 2)];
      })(),
      context,
    ))
      seen.push([item.kind, shown(context.turn(item.turn).history)]);
    const past = ['user:Old', 'assistant:Older'];
    expect(seen).toEqual([
      ['speech-start', []],
      ['message', past],
      ['turn-end', past],
      ['message', past],
    ]);
    expect(context.turn(2).conversation).toBe('kitchen');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('replays the past as marked messages when asked to', async () => {
    const store = memoryStore();
    await store.append('test', [textMessage('user', 'Old')]);
    const outputs = await runOn(new StateStoreLoadStage({ store, replay: true }), [user('A')]);
    expect(brief(outputs)).toEqual(['user:Old', 'user:A']);
    expect(outputs.map(({ meta }) => meta?.['fromHistory'])).toEqual([true, undefined]);
  });

  it('reports a blocked store once and goes on without a past', async () => {
    const store = { ...memoryStore(), load: () => Promise.reject(blocked) };
    const outputs = await runOn(new StateStoreLoadStage({ store }), [user('A'), user('B', 2)]);
    expect(brief(outputs)).toEqual(['error:storage-blocked', 'user:A', 'user:B']);
    expect(outputs[0]).toMatchObject({
      error: { stage: 'state-store-load', hint: 'Use memoryStore().' },
    });
  });

  it('lets audio, transcripts and speech go on while the first message waits for the past', async () => {
    let answer: (messages: Message[]) => void = () => undefined;
    const store = {
      ...memoryStore(),
      load: () => new Promise<Message[]>((resolve) => (answer = resolve)),
    };
    const input = feed();
    const outputs = collect(new StateStoreLoadStage({ store }).process(input, testContext()));
    const audio = element('audio', { samples: new Float32Array(1), sampleRate: 16_000, turn: 2 });
    const start = element('speech-start', { turn: 2 });
    input.push(user('A'), turnEnd(), user('B', 2), start, audio, turnEnd(2));
    await outputs.until(2);
    expect(brief(outputs.all)).toEqual(['speech-start', 'audio']);
    answer([]);
    input.end();
    await outputs.done;
    expect(brief(outputs.all.slice(2))).toEqual(['user:A', 'turn-end', 'user:B', 'turn-end']);
  });

  it('does not wait for ever for a store that is silent', async () => {
    const store = { ...memoryStore(), load: () => silent };
    const outputs = await runOn(new StateStoreLoadStage({ store, timeoutMs: 10 }), [user('A')]);
    expect(brief(outputs)).toEqual(['error:storage-blocked', 'user:A']);
  });
});

describe('StateStoreSaveStage', () => {
  it('stores what passes in order, and nothing of the past or of replies that said nothing', async () => {
    const store = memoryStore();
    const inputs = [
      user('Old', 0, { fromHistory: true }),
      user('A'),
      element('text', { turn: 1, text: 'x', delta: true }),
      assistant('One two', 1, { generated: 'One two three', heard: 'One two' }),
      assistant('', 2, { generated: '', finishReason: 'interrupted' }),
      user('B', 3),
      element('end', {}),
    ];
    const outputs = await runOn(
      new StateStoreSaveStage({ store, conversation: 'kitchen' }),
      inputs,
    );
    expect(outputs).toEqual(inputs);
    expect(shown(await store.load('kitchen'))).toEqual(['user:A', 'assistant:One two', 'user:B']);
  });

  it('stores the user’s message at once and holds up nobody meanwhile', async () => {
    let finish: () => void = () => undefined;
    const store = fated(() => new Promise((resolve) => (finish = resolve)));
    const input = feed();
    const outputs = collect(new StateStoreSaveStage({ store }).process(input, testContext()));
    input.push(
      user('A'),
      turnEnd(),
      element('text', { turn: 1, text: 'x', delta: true }),
      assistant('B'),
    );
    await outputs.until(4);
    expect(store.calls.map((messages) => shown(messages))).toEqual([['user:A']]);
    finish();
    await expect.poll(() => store.calls.length).toBe(2);
    finish();
    input.end();
    await outputs.done;
    expect(shown(await store.load('test'))).toEqual(['user:A', 'assistant:B']);
  });

  it('tells of a failure once, at once, keeps what failed and stores it with the next', async () => {
    let broken = true;
    const store = fated(async () => {
      if (broken) throw new AntiphonError('storage-full', 'full');
    });
    const input = feed();
    const outputs = collect(new StateStoreSaveStage({ store }).process(input, testContext()));
    input.push(user('A'));
    await outputs.until(2);
    expect(brief(outputs.all)).toEqual(['user:A', 'error:storage-full']);
    input.push(assistant('B'));
    await expect.poll(() => store.calls.length).toBe(2);
    broken = false;
    input.push(user('C', 2));
    await expect.poll(() => store.calls.length).toBe(3);
    input.end();
    await outputs.done;
    expect(brief(outputs.all)).toEqual(['user:A', 'error:storage-full', 'assistant:B', 'user:C']);
    expect(shown(await store.load('test'))).toEqual(['user:A', 'assistant:B', 'user:C']);
  });

  it('writes what is left before it lets the end pass', async () => {
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const store = fated(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      order.push('stored');
    });
    const input = feed();
    const outputs = collect(new StateStoreSaveStage({ store }).process(input, testContext()));
    input.push(user('A'), element('end', {}));
    input.end();
    await outputs.until(1);
    await expect.poll(() => store.calls.length).toBe(1);
    expect(brief(outputs.all)).toEqual(['user:A']);
    finish();
    await outputs.done;
    expect(brief(outputs.all)).toEqual(['user:A', 'end']);
    expect(order).toEqual(['stored']);
  });

  it('writes what is left when its consumer stops reading', async () => {
    const store = memoryStore();
    for await (const item of new StateStoreSaveStage({ store }).process(
      (async function* () {
        yield user('A');
        await silent;
      })(),
      testContext(),
    ))
      if (item.kind === 'message') break;
    expect(shown(await store.load('test'))).toEqual(['user:A']);
  });

  it('does not wait for ever for a store that is silent', async () => {
    const store = fated(() => silent);
    const outputs = await runOn(new StateStoreSaveStage({ store, timeoutMs: 10 }), [
      user('A'),
      element('end', {}),
    ]);
    expect(brief(outputs)).toContain('error:storage-blocked');
    expect(brief(outputs)).toContain('end');
  });

  it('tells of a message that it has to give up, and keeps the newer ones', async () => {
    let broken = true;
    const store = fated(async () => {
      if (broken) throw new AntiphonError('storage-full', 'full');
    });
    const context = testContext();
    const input = feed();
    const outputs = collect(new StateStoreSaveStage({ store }).process(input, context));
    const messages = Array.from({ length: 1002 }, (_, index) => user(`${index}`));
    input.push(...messages);
    await outputs.until(1003);
    const givenUp = context.events.filter(({ type }) => type === 'message-given-up');
    const first = messages[0];
    expect(givenUp.map(({ detail }) => detail)).toEqual([
      { conversation: 'test', id: first?.kind === 'message' ? first.message.id : '' },
      expect.objectContaining({ conversation: 'test' }),
    ]);
    // Every attempt under way has failed.
    await settle();
    broken = false;
    input.push(user('last'));
    input.end();
    await outputs.done;
    const stored = shown(await store.load('test'));
    expect([stored[0], stored.at(-1), stored.length]).toEqual(['user:3', 'user:last', 1000]);
  });

  it('gives up a message that no store can keep, and keeps the others', async () => {
    const store = memoryStore();
    const context = testContext();
    const bad = element('message', {
      turn: 1,
      message: textMessage('user', 'B', {
        toolCalls: [{ id: '1', name: 'x', arguments: () => 1 }],
      }),
    });
    const inputs = [user('A'), bad, user('C'), user('D'), turnEnd(), element('end', {})];
    const outputs = await runOn(new StateStoreSaveStage({ store }), inputs, context);
    expect(shown(await store.load('test'))).toEqual(['user:A', 'user:C', 'user:D']);
    expect(outputs.filter(({ kind }) => kind === 'error')).toHaveLength(1);
    expect(context.events.map(({ type, detail }) => [type, detail])).toEqual([
      ['message-given-up', { conversation: 'test', id: bad.message.id }],
    ]);
  });

  it('throws what its input throws, after saving', async () => {
    const store = memoryStore();
    const source = (async function* (): AsyncGenerator<StreamElement> {
      yield user('A');
      throw new Error('upstream');
    })();
    await expect(runOn(new StateStoreSaveStage({ store }), source)).rejects.toThrow('upstream');
    expect(shown(await store.load('test'))).toEqual(['user:A']);
  });
});

describe('a conversation that goes on', () => {
  it('hears the past from nobody’s mouth, and saves none of it again', async () => {
    const store = memoryStore();
    await store.append('a', [textMessage('user', 'Old?'), textMessage('assistant', 'Old.')]);
    const append = vi.spyOn(store, 'append');
    const voices: Stage[] = [
      new TTSStage({ synthesizer: scriptedSynthesizer() }),
      new TTSStageWithInterruption({ synthesizer: scriptedSynthesizer() }),
    ];
    for (const voice of voices) {
      append.mockClear();
      const provider = scriptedProvider(['New.']);
      const { outputs } = await new PipelineBuilder()
        .chain(
          new StateStoreLoadStage({ store, conversation: 'a', replay: true }),
          new ProviderStage({ provider }),
          voice,
          new StateStoreSaveStage({ store }),
        )
        .build()
        .executeSync(user('New?'), turnEnd());
      const spoken = outputs.flatMap((one) => (one.kind === 'speech' ? [one.text] : [])).join('');
      expect(spoken).toBe('New.');
      expect(shown(provider.requests[0]?.messages ?? []).slice(0, 3)).toEqual([
        'user:Old?',
        'assistant:Old.',
        'user:New?',
      ]);
      expect(append.mock.calls.flatMap(([, messages]) => shown(messages))).toEqual([
        'user:New?',
        'assistant:New.',
      ]);
      await store.delete('a');
      await store.append('a', [textMessage('user', 'Old?'), textMessage('assistant', 'Old.')]);
    }
  });

  it.each([
    ['load', (store: StateStore): Stage => new StateStoreLoadStage({ store })],
    ['save', (store: StateStore): Stage => new StateStoreSaveStage({ store })],
  ])('is not to be guessed by the stage that is to %s it', async (_, make) => {
    const pipeline = new PipelineBuilder().chain(make(memoryStore())).build();
    await expect(pipeline.executeSync(user('A'))).rejects.toMatchObject({
      code: 'invalid-argument',
      hint: expect.stringMatching(/conversation/),
    });
    const run = pipeline.execute([user('A')], { turn: { conversation: 'a' } });
    await run.drain();
  });
});

describe('memoryStore', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('appends, replaces by id, copies in and out, and lists the newest first', async () => {
    const store = memoryStore();
    const first = textMessage(
      'user',
      'What is  the weather like in the beautiful city of Rome on a day in May?',
    );
    await store.append('a', [first]);
    vi.advanceTimersByTime(5);
    await store.append('b', [textMessage('assistant', 'Hi'), textMessage('user', 'Short')]);
    vi.advanceTimersByTime(5);
    await store.append('a', [textMessage('assistant', 'Sunny'), { ...first, heard: 'x' }]);
    expect(await store.load('a')).toMatchObject([
      { id: first.id, heard: 'x' },
      { role: 'assistant' },
    ]);
    expect(await store.load('a')).not.toBe(await store.load('a'));
    expect(await store.list()).toEqual([
      {
        id: 'a',
        title: 'What is the weather like in the beautiful city of Rome on a…',
        createdAt: 1000,
        updatedAt: 1010,
        messageCount: 2,
      },
      { id: 'b', title: 'Short', createdAt: 1005, updatedAt: 1005, messageCount: 2 },
    ]);
    await store.delete('a');
    expect(await store.load('a')).toEqual([]);
    expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
  });

  it('keeps values per conversation, without listing a conversation nobody spoke in', async () => {
    const store = memoryStore();
    await store.setValue('a', 'name', { first: 'Anna' });
    expect(await store.getValue('a', 'name')).toEqual({ first: 'Anna' });
    expect(await store.getValue('b', 'name')).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});
