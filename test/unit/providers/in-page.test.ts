import { afterEach, describe, expect, it, vi } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import type { AntiphonError } from '../../../src/core/errors.ts';
import {
  promptAPI,
  type BuiltInModel,
  type ModelAvailability,
} from '../../../src/providers/prompt-api.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import { webLLM, type WebLLMEngine } from '../../../src/providers/web-llm.ts';

const request: ProviderRequest = {
  system: 'Be brief.',
  messages: [
    textMessage('user', 'My name is Anna.'),
    textMessage('assistant', '', { toolCalls: [{ id: 'c', name: 'remember', arguments: {} }] }),
    textMessage('tool', 'ok', { toolCallId: 'c' }),
    textMessage('assistant', 'Hello Anna.'),
    textMessage('user', 'Who am I?'),
  ],
  tools: [],
};
const tool = { name: 'clock', description: 'The time.', parameters: { type: 'object' } };

async function run(
  provider: Provider,
  asked: ProviderRequest = request,
  signal: AbortSignal = new AbortController().signal,
  onPart: (part: ProviderPart) => void = () => undefined,
): Promise<{ parts: ProviderPart[]; error: AntiphonError | undefined }> {
  const parts: ProviderPart[] = [];
  try {
    for await (const part of provider.stream(asked, { signal })) {
      parts.push(part);
      onPart(part);
    }
    return { parts, error: undefined };
  } catch (error) {
    return { parts, error: error as AntiphonError };
  }
}

afterEach(() => vi.unstubAllGlobals());

/** Chrome's `LanguageModel` as its specification has it: downloads, streams deltas, stops by signal, can be destroyed once. */
class FakeLanguageModel implements BuiltInModel {
  readonly created: Record<string, unknown>[] = [];
  readonly prompts: unknown[] = [];
  readonly availabilityAsked: unknown[] = [];
  open = 0;
  state: ModelAvailability = 'available';
  failure: Error | undefined;
  deltas = ['Anna', ', of course.'];
  hang = false;
  onCreate: () => Promise<void> = () => Promise.resolve();

  async availability(options: unknown): Promise<ModelAvailability> {
    this.availabilityAsked.push(options);
    return this.state;
  }

  async create(options: Parameters<BuiltInModel['create']>[0]): ReturnType<BuiltInModel['create']> {
    const { signal, monitor, ...rest } = options;
    const target = new EventTarget();
    monitor({
      addEventListener: (type, listener) =>
        target.addEventListener(type, (event) =>
          listener(event as unknown as { readonly loaded: number }),
        ),
    });
    if (this.state !== 'available')
      for (const loaded of [0, 0.5, 1])
        target.dispatchEvent(Object.assign(new Event('downloadprogress'), { loaded }));
    await this.onCreate();
    signal.throwIfAborted();
    if (this.failure?.name === 'NotAllowedError') throw this.failure;
    this.created.push(rest);
    this.open += 1;
    let destroyed = false;
    return {
      promptStreaming: (input, { signal: stop }) => {
        this.prompts.push(input);
        const deltas = [...this.deltas];
        return new ReadableStream<string>({
          pull: async (controller) => {
            const next = deltas.shift();
            if (next !== undefined) return controller.enqueue(next);
            if (this.failure) throw this.failure;
            if (!this.hang) return controller.close();
            await new Promise((_, reject) =>
              stop.addEventListener('abort', () =>
                reject(new DOMException('stopped', 'AbortError')),
              ),
            );
          },
        });
      },
      destroy: () => {
        if (destroyed) throw new Error('destroyed twice');
        destroyed = true;
        this.open -= 1;
      },
    };
  }
}

describe('promptAPI', () => {
  it('makes a session from the history, asks the last question and destroys it', async () => {
    const languageModel = new FakeLanguageModel();
    const provider = promptAPI({
      languageModel,
      languages: ['en', 'de'],
      samplingMode: 'balanced',
    });
    const { parts } = await run(provider);
    expect(parts).toEqual([
      { type: 'text-delta', text: 'Anna' },
      { type: 'text-delta', text: ', of course.' },
      { type: 'finish', reason: 'stop' },
    ]);
    const [created] = languageModel.created;
    expect(created).toMatchObject({
      samplingMode: 'balanced',
      initialPrompts: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', value: 'My name is Anna.' }] },
        { role: 'assistant', content: 'Hello Anna.' },
      ],
    });
    expect(languageModel.prompts).toEqual([
      [{ role: 'user', content: [{ type: 'text', value: 'Who am I?' }] }],
    ]);
    const { initialPrompts, ...core } = created!;
    void initialPrompts;
    expect(languageModel.availabilityAsked).toEqual([core]);
    expect(languageModel.open).toBe(0);
  });

  it('sends pictures and audio where inputs names them, and says so where not', async () => {
    const image = { type: 'image', mediaType: 'image/png', data: new Uint8Array([1, 2]) } as const;
    const messages = [{ ...textMessage('user', ''), parts: [image] }];
    const languageModel = new FakeLanguageModel();
    await run(promptAPI({ languageModel, inputs: ['image'] }), { ...request, messages });
    expect(languageModel.prompts).toMatchObject([
      [{ content: [{ type: 'image', value: { size: 2, type: 'image/png' } }] }],
    ]);
    const { error } = await run(promptAPI({ languageModel }), { ...request, messages });
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(languageModel.created).toHaveLength(1);
  });

  it('tells of a download, in load and in the first reply', async () => {
    const languageModel = new FakeLanguageModel();
    languageModel.state = 'downloadable';
    const progress: number[] = [];
    const provider = promptAPI({ languageModel, onProgress: (part) => progress.push(part) });
    expect(await provider.availability()).toBe('downloadable');
    await provider.load();
    expect(progress).toEqual([0, 0.5, 1]);
    expect(languageModel.open).toBe(0);
  });

  it.each([
    ['NotAllowedError', 'model-load', /click/],
    ['QuotaExceededError', 'context-length', /fewer/],
    ['NotReadableError', 'content-filter', /differently/],
    ['UnknownError', 'model-run', /again/],
  ])('types a %s as %s and destroys the session', async (name, code, hint) => {
    const languageModel = new FakeLanguageModel();
    languageModel.failure = new DOMException('no', name);
    const { error } = await run(promptAPI({ languageModel }));
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
    expect(languageModel.open).toBe(0);
  });

  it('destroys the session when it is cancelled, when nobody reads on, and when it comes too late', async () => {
    const languageModel = new FakeLanguageModel();
    languageModel.hang = true;
    const controller = new AbortController();
    const { parts, error } = await run(
      promptAPI({ languageModel }),
      request,
      controller.signal,
      () => controller.abort(),
    );
    expect(parts).toHaveLength(1);
    expect(error).toMatchObject({ code: 'aborted' });
    expect(languageModel.open).toBe(0);

    const stream = promptAPI({ languageModel }).stream(request, {
      signal: new AbortController().signal,
    });
    for await (const part of stream) if (part.type === 'text-delta') break;
    expect(languageModel.open).toBe(0);

    const late = new AbortController();
    let goOn: () => void = () => undefined;
    languageModel.onCreate = () => {
      late.abort();
      return new Promise((resolve) => (goOn = resolve));
    };
    expect((await run(promptAPI({ languageModel }), request, late.signal)).error).toMatchObject({
      code: 'aborted',
    });
    goOn();
    await expect.poll(() => languageModel.open).toBe(0);
  });

  it('has no tools, and is unsupported without the API or a model', async () => {
    const languageModel = new FakeLanguageModel();
    expect(
      (await run(promptAPI({ languageModel }), { ...request, tools: [tool] })).error?.code,
    ).toBe('unsupported');
    languageModel.state = 'unavailable';
    expect((await run(promptAPI({ languageModel }))).error).toMatchObject({
      code: 'unsupported',
      details: { availability: 'unavailable' },
    });
    expect(await promptAPI().availability()).toBe('unavailable');
    expect((await run(promptAPI())).error).toMatchObject({ code: 'unsupported' });
    vi.stubGlobal('LanguageModel', new FakeLanguageModel());
    expect(await promptAPI().availability()).toBe('available');
  });
});

/** WebLLM's engine as documented: one generation at a time, chunks like OpenAI's, `abort` as reason when interrupted. */
class FakeEngine implements WebLLMEngine {
  readonly requests: Record<string, unknown>[] = [];
  running = 0;
  unloaded = 0;
  interrupts = 0;
  hang = false;
  #interrupt: () => void = () => undefined;

  readonly chat = {
    completions: {
      create: async (request: never): Promise<AsyncIterable<unknown>> => {
        this.requests.push(request);
        return this.#chunks();
      },
    },
  };

  async *#chunks(): AsyncGenerator {
    if (this.running > 0) throw new Error('a generation is running');
    this.running += 1;
    const chunk = (delta: object, finish: string | null = null): object => ({
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    let interrupted = false;
    const stopped = new Promise<void>((resolve) => {
      this.#interrupt = () => {
        interrupted = true;
        resolve();
      };
    });
    yield chunk({ role: 'assistant', content: 'Anna' });
    if (this.hang) await stopped;
    // The generation holds its lock until it is read to its end.
    yield chunk({}, interrupted ? 'abort' : 'stop');
    yield { choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } };
    this.running -= 1;
  }

  interruptGenerate(): void {
    this.interrupts += 1;
    this.#interrupt();
  }

  async unload(): Promise<void> {
    this.unloaded += 1;
  }
}

describe('webLLM', () => {
  const withGPU = (adapter: unknown): void => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } });
  };

  it('loads once, with progress, and streams', async () => {
    withGPU({});
    const engine = new FakeEngine();
    const progress: unknown[] = [];
    let made = 0;
    const provider = webLLM({
      model: 'tiny',
      createEngine: async (model, { initProgressCallback }) => {
        made += 1;
        initProgressCallback({ progress: 0.5, text: `Fetching ${model}` });
        return engine;
      },
      onProgress: (...report) => progress.push(report),
      extraBody: { enable_thinking: false },
    });
    expect(await provider.supported()).toBe(true);
    await provider.load();
    const asked = { ...request, tools: [tool], maxOutputTokens: 9 };
    expect((await run(provider, asked)).parts).toEqual([
      { type: 'text-delta', text: 'Anna' },
      { type: 'finish', reason: 'stop', usage: { inputTokens: 3, outputTokens: 1 } },
    ]);
    expect(made).toBe(1);
    expect(progress).toEqual([[0.5, 'Fetching tiny']]);
    expect(engine.requests[0]).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      extra_body: { enable_thinking: false },
      tools: [{ type: 'function', function: tool }],
    });
    await provider.dispose();
    expect(engine.unloaded).toBe(1);
  });

  it('stops the engine when it is cancelled or nobody reads on, and is free for the next reply', async () => {
    withGPU({});
    const engine = new FakeEngine();
    engine.hang = true;
    const provider = webLLM({ model: 'tiny', createEngine: async () => engine });
    const controller = new AbortController();
    const first = run(provider, request, controller.signal, () => controller.abort());
    // Asked while the first one is still running: it waits for its turn.
    const stream = provider.stream(request, { signal: new AbortController().signal });
    for await (const part of stream) if (part.type === 'text-delta') break;
    expect((await first).error).toMatchObject({ code: 'aborted' });
    engine.hang = false;
    expect((await run(provider)).error).toBeUndefined();
    expect(engine.interrupts).toBeGreaterThanOrEqual(2);
    expect(engine.running).toBe(0);
  });

  it('is unsupported without WebGPU, and tries again after a load that failed', async () => {
    vi.stubGlobal('navigator', {});
    const engine = new FakeEngine();
    let attempts = 0;
    const provider = webLLM({
      model: 'tiny',
      createEngine: async () => {
        attempts += 1;
        if (attempts === 1) throw new Error('no such model');
        return engine;
      },
    });
    expect(await provider.supported()).toBe(false);
    expect((await run(provider)).error).toMatchObject({ code: 'unsupported' });
    withGPU(null);
    expect(await provider.supported()).toBe(false);
    withGPU({});
    expect((await run(provider)).error).toMatchObject({ code: 'model-load', retryable: true });
    expect((await run(provider)).error).toBeUndefined();
  });
});
