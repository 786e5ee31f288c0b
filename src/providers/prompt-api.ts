/** The language model that Chrome brings along (Prompt API), as a provider. */
import { abortedError, AntiphonError } from '../core/errors.ts';
import { abortable, streamValues } from './abort.ts';
import {
  builtInModel,
  promptError,
  type BuiltInModel,
  type BuiltInSession,
  type ModelAvailability,
} from './prompt-api/built-in-model.ts';
import { sessionPrompts } from './prompt-api/prompts.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

export type { BuiltInModel, ModelAvailability } from './prompt-api/built-in-model.ts';

/** What {@link promptAPI} may be told. */
export interface PromptAPIOptions {
  /** BCP 47 tags of the languages the conversation is in; `['en']` unless given. */
  readonly languages?: readonly string[];
  /** What users may send besides text; nothing unless given. */
  readonly inputs?: readonly ('image' | 'audio')[];
  /** How freely the model picks its words; the browser's own way unless given. Browsers without it ignore it. */
  readonly samplingMode?:
    | 'most-predictable'
    | 'predictable'
    | 'balanced'
    | 'creative'
    | 'most-creative';
  /** Told how much of the model has been downloaded, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  /** Instead of the browser's `LanguageModel`. */
  readonly languageModel?: BuiltInModel;
}

/** A {@link Provider} that can be asked, and told, about its model beforehand. */
export interface PromptAPIProvider extends Provider {
  /** What the browser says; `unavailable` too where it has no such API, in workers for instance. */
  availability(): Promise<ModelAvailability>;
  /**
   * Downloads the model when it is not there yet. Call it in a click: browsers download only after a gesture.
   *
   * @throws `unsupported` without the API or a model for this device, `model-load`, `aborted`
   */
  load(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** The options that decide which model it is; `availability` and `create` have to be told the same. */
function modelOptions(options: PromptAPIOptions): Record<string, unknown> {
  const { languages = ['en'], inputs = [], samplingMode } = options;
  return {
    expectedInputs: ['text', ...inputs].map((type) =>
      type === 'text' ? { type, languages } : { type },
    ),
    expectedOutputs: [{ type: 'text', languages }],
    ...(samplingMode === undefined ? {} : { samplingMode }),
  };
}

async function openSession(
  options: PromptAPIOptions,
  more: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<BuiltInSession> {
  const model = builtInModel(options.languageModel);
  const availability = await abortable(model.availability(modelOptions(options)), signal);
  if (availability === 'unavailable')
    throw new AntiphonError('unsupported', 'The browser has no language model for this device.', {
      hint: 'Give another provider as a fallback; the model needs a desktop with 22 GB of free disk and a GPU or 16 GB of memory.',
      details: { availability },
    });
  const creating = model.create({
    ...modelOptions(options),
    ...more,
    signal,
    monitor: (target) =>
      target.addEventListener('downloadprogress', ({ loaded }) => options.onProgress?.(loaded)),
  });
  try {
    return await abortable(creating, signal);
  } catch (error) {
    // It may still come although nobody waits for it any more.
    creating.then((session) => session.destroy()).catch(() => undefined);
    throw error;
  }
}

async function* reply(
  options: PromptAPIOptions,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  if (request.tools.length > 0)
    throw new AntiphonError(
      'unsupported',
      'The Prompt API has no tool calls of the kind tools need.',
      {
        hint: 'It would run tools by itself, past their policy. Give this provider none.',
      },
    );
  const { initialPrompts, prompt } = sessionPrompts(request, options.inputs ?? []);
  const session = await openSession(options, { initialPrompts }, signal);
  try {
    for await (const text of streamValues(session.promptStreaming(prompt, { signal }), signal)) {
      if (text !== '') yield { type: 'text-delta', text };
      if (signal.aborted) throw abortedError();
    }
    yield { type: 'finish', reason: 'stop' };
  } finally {
    session.destroy();
  }
}

/**
 * A {@link Provider} over Chrome's built-in model: nothing leaves the device. Each reply has a session of its own,
 * made from the history and destroyed on every path. Text, and pictures and audio where `inputs` names them;
 * no tools. On pages only, not in workers. Sampling is `samplingMode`: a request's `temperature` and
 * `maxOutputTokens` mean nothing here.
 *
 * @throws when streaming: `unsupported`, `model-load`, `context-length`, `content-filter`, `model-run`, `aborted`
 * @example
 * const provider = fallback([promptAPI(), offlineAssistant()]);
 */
export function promptAPI(options: PromptAPIOptions = {}): PromptAPIProvider {
  return {
    id: 'prompt-api',
    takesTools: false,
    async availability() {
      try {
        return await builtInModel(options.languageModel).availability(modelOptions(options));
      } catch (error) {
        if (AntiphonError.is(error, 'unsupported')) return 'unavailable';
        throw promptError(error);
      }
    },
    async load({ signal = new AbortController().signal } = {}) {
      try {
        (await openSession(options, {}, signal)).destroy();
      } catch (error) {
        throw signal.aborted ? abortedError() : promptError(error);
      }
    },
    async *stream(request, { signal }) {
      try {
        if (signal.aborted) throw abortedError();
        yield* reply(options, request, signal);
      } catch (error) {
        throw signal.aborted ? abortedError() : promptError(error);
      }
    },
  };
}
