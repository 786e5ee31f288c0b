import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  element,
  textMessage,
  type Message,
  type MessagePart,
  type StreamElement,
} from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { Provider, ProviderRequest } from '../../../src/providers/provider.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { resolveMedia, withMedia } from '../../../src/stages/conversation/turn-media.ts';
import { MediaExternalizerStage } from '../../../src/stages/utility/media-externalizer-stage.ts';
import { parseMediaReference } from '../../../src/state/media-reference.ts';
import type { MediaStore } from '../../../src/state/media-store.ts';
import { memoryMediaStore } from '../../../src/state/memory-media-store.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { collect, feed, turnEnd, user } from '../conversation/helpers.ts';
import { bytes } from '../state/media-store-cases.ts';

const image = (data: Uint8Array<ArrayBuffer> | string): MessagePart => ({
  type: 'image',
  mediaType: 'image/png',
  data,
});

const showing = (...parts: MessagePart[]): Message => ({ ...textMessage('user', 'See'), parts });

const message = (value: Message, turn = 1): StreamElement =>
  element('message', { message: value, turn });

/** What is in the place of data: `bytes 100`, `ni`, or the URL. */
const dataIn = (data: Uint8Array | string): string => {
  if (typeof data !== 'string') return `bytes ${data.length}`;
  return parseMediaReference(data) ? 'ni' : data;
};

const brief = (elements: readonly StreamElement[]): string[] =>
  elements.map((item) => {
    if (item.kind === 'media') return `media ${dataIn(item.data)}`;
    if (item.kind === 'error') return `error ${item.error.code}`;
    if (item.kind !== 'message') return `${item.kind} ${item.turn}`;
    const parts = item.message.parts.map((part) =>
      'data' in part ? dataIn(part.data) : part.text,
    );
    return `message ${parts.join(', ')}`;
  });

/** A media store whose puts wait for `go`, or fail. */
function held(fail?: () => unknown): MediaStore & { go(): void; readonly waiting: number } {
  const store = memoryMediaStore();
  const waiting: (() => void)[] = [];
  return {
    ...store,
    get waiting() {
      return waiting.length;
    },
    go: () => waiting.splice(0).forEach((each) => each()),
    async put(...args) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      const reason = fail?.();
      if (reason !== undefined) throw reason;
      return store.put(...args);
    },
  };
}

const failing = (next: () => unknown): MediaStore => ({
  ...memoryMediaStore(),
  put: async () => {
    throw next();
  },
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('MediaExternalizerStage', () => {
  it('puts references in the place of what is larger than its bound, in messages and live media', async () => {
    const store = memoryMediaStore();
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 100 });
    const original = showing(image(bytes(101)), { type: 'text', text: 'and' }, image(bytes(100)));
    const context = testContext();
    const outputs = await runOn(
      stage,
      [
        message(original),
        element('media', {
          mediaType: 'image/jpeg',
          data: bytes(500),
          turn: 2,
          meta: { frame: 7 },
        }),
        element('media', { mediaType: 'image/jpeg', data: bytes(5), turn: 2 }),
      ],
      context,
    );
    expect(brief(outputs)).toEqual(['message ni, and, bytes 100', 'media ni', 'media bytes 5']);
    expect(outputs[1]).toMatchObject({ meta: { frame: 7 }, mediaType: 'image/jpeg', turn: 2 });
    const references = (await store.list()).map(({ reference }) => reference);
    expect(references).toHaveLength(2);
    const [first] = outputs;
    if (first?.kind !== 'message') throw new Error('no message');
    expect(original.parts[0]).toMatchObject({ data: bytes(101) });
    expect((await resolveMedia(first.message, store)).parts).toEqual(original.parts);
    expect(context.events.map(({ type, detail }) => [type, detail])).toMatchObject([
      ['media-stored', { turn: 1, bytes: 101 }],
      ['media-stored', { turn: 2, bytes: 500 }],
    ]);
  });

  it('leaves alone what went through before, and URLs that live on', async () => {
    const store = memoryMediaStore();
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 0 });
    const once = await runOn(stage, [
      message(showing(image(bytes(50)), image('https://a.b/c.png'))),
    ]);
    const twice = await runOn(stage, once);
    expect(twice).toEqual(once);
    expect(twice[0]).toBe(once[0]);
    expect(brief(twice)).toEqual(['message ni, https://a.b/c.png']);
  });

  it.each([
    ['base64', `data:image/png;base64,${btoa('hello')}`, 'hello'],
    ['text with escapes', 'data:text/plain,h%C3%A9llo%', 'héllo%'],
    ['text beyond ASCII', 'data:,hél', 'hél'],
  ])('takes data: URLs apart: %s', async (_, url, content) => {
    const store = memoryMediaStore();
    const [output] = await runOn(new MediaExternalizerStage({ store, maxInlineBytes: 2 }), [
      element('media', { mediaType: 'text/plain', data: url }),
    ]);
    if (output?.kind !== 'media' || typeof output.data !== 'string') throw new Error('no URL');
    expect(new TextDecoder().decode(await store.get(output.data))).toBe(content);
  });

  it('saves blob: URLs, which die with the page, whatever their size', async () => {
    const store = memoryMediaStore();
    const url = URL.createObjectURL(new Blob([bytes(3)]));
    const media = (data: string): StreamElement =>
      element('media', { mediaType: 'image/png', data });
    const stage = new MediaExternalizerStage({ store });
    expect(brief(await runOn(stage, [media(url)]))).toEqual(['media ni']);
    URL.revokeObjectURL(url);
    const outputs = await runOn(stage, [media(url)]);
    expect(brief(outputs)).toEqual(['error stage', `media ${url}`]);
    expect(outputs[0]).toMatchObject({ error: { hint: expect.stringMatching(/stays inside/) } });
  });

  it('lets audio, transcripts and control overtake, and keeps the order of the rest', async () => {
    const store = held();
    const input = feed();
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 10 });
    const outputs = collect(stage.process(input, testContext()));
    const audio = element('audio', { samples: new Float32Array(1), sampleRate: 16_000, turn: 2 });
    input.push(
      message(showing(image(bytes(20)))),
      turnEnd(1),
      element('speech-start', { turn: 2 }),
      audio,
      element('interrupt', { turn: 1 }),
      message(showing({ type: 'text', text: 'next' }), 2),
      element('transcript', { text: 'x', final: false, turn: 3 }),
    );
    await outputs.until(4);
    expect(brief(outputs.all)).toEqual([
      'speech-start 2',
      'audio 2',
      'interrupt 1',
      'transcript 3',
    ]);
    store.go();
    input.end();
    await outputs.done;
    expect(brief(outputs.all.slice(4))).toEqual(['message ni', 'turn-end 1', 'message next']);
  });

  it('lets an element go with its media inside when its turn is interrupted, and stores the next', async () => {
    const store = held();
    const input = feed();
    const context = testContext();
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 10 });
    const outputs = collect(stage.process(input, context));
    input.push(message(showing(image(bytes(20)))));
    await expect.poll(() => store.waiting).toBe(1);
    context.interrupt(1);
    await outputs.until(1);
    expect(brief(outputs.all)).toEqual(['message bytes 20']);
    // The message of a turn that is void already is remembered, so it is stored as well.
    input.push(message(showing(image(bytes(30)))));
    await expect.poll(() => store.waiting).toBe(2);
    store.go();
    input.end();
    await outputs.done;
    expect(brief(outputs.all)).toEqual(['message bytes 20', 'message ni']);
  });

  it('keeps inside what cannot be stored, tells of it once until it goes well, and loses nothing', async () => {
    let broken = true;
    const good = memoryMediaStore();
    const store: MediaStore = {
      ...good,
      put: (...args) =>
        broken ? Promise.reject(new AntiphonError('storage-full', 'full')) : good.put(...args),
    };
    const input = feed();
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 10 });
    const outputs = collect(stage.process(input, testContext()));
    input.push(message(showing(image(bytes(20))), 1), message(showing(image(bytes(21))), 2));
    await outputs.until(3);
    broken = false;
    input.push(message(showing(image(bytes(22))), 3));
    await outputs.until(4);
    broken = true;
    input.push(message(showing(image(bytes(23))), 4));
    input.end();
    await outputs.done;
    expect(brief(outputs.all)).toEqual([
      'error storage-full',
      'message bytes 20',
      'message bytes 21',
      'message ni',
      'error storage-full',
      'message bytes 23',
    ]);
    expect(outputs.all[0]).toMatchObject({ turn: 1, error: { stage: 'media-externalizer' } });
  });

  it('keeps what of a message could be stored when the rest could not', async () => {
    const good = memoryMediaStore();
    const store: MediaStore = {
      ...good,
      put: (data, ...rest) =>
        data.length > 100
          ? Promise.reject(new AntiphonError('storage-full', 'full'))
          : good.put(data, ...rest),
    };
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 10 });
    const outputs = await runOn(stage, [message(showing(image(bytes(50)), image(bytes(200))))]);
    expect(brief(outputs)).toEqual(['error storage-full', 'message ni, bytes 200']);
  });

  it('does not wait for ever for a store that is silent', async () => {
    const store = { ...memoryMediaStore(), put: () => new Promise<never>(() => {}) };
    const stage = new MediaExternalizerStage({ store, maxInlineBytes: 10, timeoutMs: 10 });
    const outputs = await runOn(stage, [message(showing(image(bytes(20)))), turnEnd()]);
    expect(brief(outputs)).toEqual(['error storage-blocked', 'message bytes 20', 'turn-end 1']);
  });

  it('says which error it was when it is none of a store', async () => {
    const stage = new MediaExternalizerStage({
      store: failing(() => new Error('odd')),
      maxInlineBytes: 1,
    });
    const outputs = await runOn(stage, [message(showing(image(bytes(20))))]);
    expect(outputs[0]).toMatchObject({ error: { code: 'stage', message: 'odd' } });
  });
});

/** Answers every request and keeps what it was shown. */
function watching(): Provider & { readonly requests: ProviderRequest[] } {
  const requests: ProviderRequest[] = [];
  return {
    id: 'watching',
    requests,
    async *stream(request) {
      requests.push(request);
      yield { type: 'text-delta', text: 'I see.' };
      yield { type: 'finish', reason: 'stop' };
    },
  };
}

const shown = (request: Pick<ProviderRequest, 'messages'> | undefined): string[] =>
  (request?.messages ?? []).flatMap(({ parts }) =>
    parts.map((part) => ('data' in part ? dataIn(part.data) : part.text)),
  );

describe('media in a conversation', () => {
  it('is seen by the model, in this run and the next, and saved by reference', async () => {
    const store = memoryStore();
    const media = memoryMediaStore();
    const visit = async (...input: StreamElement[]): Promise<ProviderRequest | undefined> => {
      const provider = watching();
      const pipeline = new PipelineBuilder({ session: 'live' })
        .chain(
          new StateStoreLoadStage({ store, conversation: 'a' }),
          new MediaExternalizerStage({ store: media, maxInlineBytes: 10 }),
          new ProviderStage({ provider }),
          new StateStoreSaveStage({ store }),
        )
        .build();
      await pipeline.execute(input).drain();
      return provider.requests.at(-1);
    };
    const first = await visit(
      message(showing({ type: 'text', text: 'See' }, image(bytes(500)))),
      turnEnd(1),
      user('And now?', 2),
      turnEnd(2),
    );
    expect(shown(first)).toEqual(['See', 'bytes 500', 'I see.', 'And now?']);
    const saved = await store.load('a');
    expect(saved.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(shown({ messages: saved.slice(0, 1) })).toEqual(['See', 'ni']);
    const second = await visit(user('Still there?'), turnEnd(1));
    expect(shown(second).slice(0, 2)).toEqual(['See', 'bytes 500']);
  });

  it('that is gone is told of once, and the model is told instead of shown', async () => {
    const media = memoryMediaStore();
    const provider = watching();
    const [stored] = await runOn(new MediaExternalizerStage({ store: media, maxInlineBytes: 1 }), [
      message(showing(image(bytes(500)))),
    ]);
    for (const { reference } of await media.list()) await media.delete(reference);
    const pipeline = new PipelineBuilder({ session: 'live' })
      .chain(new MediaExternalizerStage({ store: media }), new ProviderStage({ provider }))
      .build();
    const outputs: StreamElement[] = [];
    for await (const one of pipeline.execute([
      stored as StreamElement,
      turnEnd(1),
      user('Again', 2),
      turnEnd(2),
    ]))
      outputs.push(one);
    expect(shown(provider.requests[1])).toEqual([
      '[image: no longer available]',
      'I see.',
      'Again',
    ]);
    const errors = outputs.filter(({ kind }) => kind === 'error');
    expect(errors).toMatchObject([{ error: { code: 'storage', stage: 'provider' } }]);
  });

  it('comes back for a provider of your own', async () => {
    const media = memoryMediaStore();
    const reference = await media.put(bytes(20), 'image/png');
    const provider = watching();
    const request = { system: '', tools: [], messages: [showing(image(reference))] };
    const { signal } = new AbortController();
    for await (const _ of withMedia(provider, media).stream(request, { signal }));
    expect(shown(provider.requests[0])).toEqual(['bytes 20']);
    expect(request.messages[0]?.parts[0]).toMatchObject({ data: reference });
  });
});
