/** Models that run in the page on WebGPU (WebLLM), as a provider. The library is the caller's to import. */
import { abortedError, AntiphonError, toAntiphonError } from '../core/errors.ts';
import { abortable } from './abort.ts';
import { ChunkReader } from './chat/chunk-reader.ts';
import { recordOf } from './chat/json.ts';
import { chatRequest } from './chat/request.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

/** The part of a WebLLM engine that we use; its own `MLCEngine` and worker engines fit. */
export interface WebLLMEngine {
  readonly chat: {
    readonly completions: {
      // WebLLM's overloads are its own; what comes back of a streaming request is iterable.
      create(request: never): Promise<unknown>;
    };
  };
  interruptGenerate(): void;
  unload(): Promise<void>;
}

/** What {@link webLLM} needs to know. */
export interface WebLLMOptions {
  /** Id in WebLLM's list of models, e.g. `Llama-3.2-1B-Instruct-q4f16_1-MLC`. */
  readonly model: string;
  /** Makes the engine: WebLLM's `CreateMLCEngine`, or a function that makes one in a worker. Called once. */
  readonly createEngine: (
    model: string,
    config: {
      readonly initProgressCallback: (report: {
        readonly progress: number;
        readonly text: string;
      }) => void;
    },
  ) => Promise<WebLLMEngine>;
  /** Told how much of the model has been loaded, 0…1, and what is being done. */
  readonly onProgress?: (fraction: number, text: string) => void;
  /** A request's own value wins. Not sent unless given. */
  readonly temperature?: number;
  /** A request's own value wins. Not sent unless given. */
  readonly maxOutputTokens?: number;
  /** Sent along as `extra_body`, e.g. `{ enable_thinking: false }`. */
  readonly extraBody?: Readonly<Record<string, unknown>>;
}

/** A {@link Provider} whose model is loaded and can be let go. */
export interface WebLLMProvider extends Provider {
  /** True where WebGPU gives an adapter. */
  supported(): Promise<boolean>;
  /**
   * Loads the model; replies wait for it otherwise.
   *
   * @throws `unsupported` without WebGPU, `model-load`, `aborted` (the load itself goes on)
   */
  load(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Frees the model's memory; the next reply loads it again. */
  dispose(): Promise<void>;
}

async function hasWebGPU(): Promise<boolean> {
  const { gpu } = globalThis.navigator as {
    readonly gpu?: { requestAdapter(): Promise<unknown> };
  };
  if (!gpu) return false;
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter !== null && adapter !== undefined;
}

/** Loads the engine when it is first needed, and again after a failure or `dispose`. */
class EngineHolder {
  readonly #options: WebLLMOptions;
  #engine: Promise<WebLLMEngine> | undefined;

  constructor(options: WebLLMOptions) {
    this.#options = options;
  }

  get(): Promise<WebLLMEngine> {
    if (!this.#engine) {
      const loading = this.#create();
      this.#engine = loading;
      loading.catch(() => {
        if (this.#engine === loading) this.#engine = undefined;
      });
    }
    return this.#engine;
  }

  async dispose(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.then(
      (loaded) => loaded.unload(),
      () => undefined,
    );
  }

  async #create(): Promise<WebLLMEngine> {
    const { model, createEngine, onProgress } = this.#options;
    if (!(await hasWebGPU()))
      throw new AntiphonError('unsupported', 'This browser gives no WebGPU adapter.', {
        hint: 'Use a browser and a device with WebGPU, or another provider as a fallback.',
      });
    try {
      return await createEngine(model, {
        initProgressCallback: ({ progress, text }) => onProgress?.(progress, text),
      });
    } catch (error) {
      throw toAntiphonError(error, 'model-load', {
        hint: 'Check the id of the model, the network and the free memory of the GPU.',
        retryable: true,
      });
    }
  }
}

async function* generate(
  engine: WebLLMEngine,
  options: WebLLMOptions,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  const where = `WebLLM ${options.model}`;
  const reader = new ChunkReader(where);
  const interrupt = (): void => engine.interruptGenerate();
  const body = {
    ...chatRequest(options, request, 'max_tokens', where),
    ...(options.extraBody === undefined ? {} : { extra_body: options.extraBody }),
  };
  const { completions } = engine.chat;
  const chunks = (await completions.create(body as never)) as AsyncIterable<unknown>;
  const iterator = chunks[Symbol.asyncIterator]();
  let ended = false;
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    for (;;) {
      const step = await abortable(iterator.next(), signal);
      ended = step.done === true;
      if (step.done === true) break;
      yield* reader.readChunk(recordOf(step.value));
      if (signal.aborted) throw abortedError();
    }
    yield* reader.finish();
  } finally {
    signal.removeEventListener('abort', interrupt);
    if (!ended) {
      interrupt();
      // The engine is free for the next reply only when this one has been read to its end.
      await drain(iterator);
    }
  }
}

async function drain(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    while ((await iterator.next()).done !== true);
  } catch {
    // It ended by failing: ended all the same.
  }
}

/**
 * A {@link Provider} over WebLLM: the model is downloaded once and runs on the visitor's GPU. Replies come one after
 * the other; an interrupted one stops the engine. Text, pictures and tools as far as the model takes them.
 *
 * @throws when streaming: `unsupported` without WebGPU, `model-load`, `model-run`, `aborted`
 * @example
 * import { CreateMLCEngine } from '@mlc-ai/web-llm';
 * const provider = webLLM({ model: 'Llama-3.2-1B-Instruct-q4f16_1-MLC', createEngine: CreateMLCEngine });
 */
export function webLLM(options: WebLLMOptions): WebLLMProvider {
  const holder = new EngineHolder(options);
  let previous: Promise<void> = Promise.resolve();
  return {
    id: `web-llm:${options.model}`,
    supported: hasWebGPU,
    async load({ signal = new AbortController().signal } = {}) {
      await abortable(holder.get(), signal);
    },
    dispose: () => holder.dispose(),
    async *stream(request, { signal }) {
      const before = previous;
      let free: () => void = () => undefined;
      previous = new Promise((resolve) => (free = resolve));
      try {
        if (signal.aborted) throw abortedError();
        await abortable(before, signal);
        const engine = await abortable(holder.get(), signal);
        yield* generate(engine, options, request, signal);
      } catch (error) {
        if (signal.aborted) throw abortedError();
        throw toAntiphonError(error, 'model-run', {
          hint: 'Try again; the message of the engine says more.',
          retryable: true,
        });
      } finally {
        // A reply that never got its turn must not let the next one overtake the one before.
        void before.then(free);
      }
    },
  };
}
