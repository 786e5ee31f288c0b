/**
 * Any language model of the AI SDK as a provider; in `antiphon/ai-sdk`. Needs no code of the AI SDK, only the
 * types of `@ai-sdk/provider`.
 */
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import { abortable, streamValues } from './abort.ts';
import { modelError } from './ai-sdk/model-error.ts';
import { modelPrompt } from './ai-sdk/prompt.ts';
import { PartReader } from './ai-sdk/part-reader.ts';
import { withAttempts } from './attempts.ts';
import type { RetryPolicy } from './http/retry.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

/** A model of version 2, 3 or 4 of the AI SDK's specification. */
export type AISDKModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4;

/** What {@link fromAISDK} may be told. */
export interface AISDKOptions {
  /** A request's own value wins. Not sent unless given. */
  readonly temperature?: number;
  /** A request's own value wins. Not sent unless given. */
  readonly maxOutputTokens?: number;
  /** Options of the model's vendor, by its name, as `providerOptions` of the AI SDK. */
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Trying again, before the first token only: a bare model never does. */
  readonly retry?: RetryPolicy;
}

/** What the three versions of the specification have in common for us. */
interface StreamingModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  doStream(
    options: Readonly<Record<string, unknown>>,
  ): PromiseLike<{ readonly stream: ReadableStream<unknown> }>;
}

function callOptions(
  model: StreamingModel,
  options: AISDKOptions,
  request: ProviderRequest,
  signal: AbortSignal,
): Record<string, unknown> {
  const temperature = request.temperature ?? options.temperature;
  const maxOutputTokens = request.maxOutputTokens ?? options.maxOutputTokens;
  return {
    prompt: modelPrompt(request, model.specificationVersion),
    abortSignal: signal,
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(options.providerOptions === undefined ? {} : { providerOptions: options.providerOptions }),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: 'function',
            name,
            description,
            inputSchema: parameters,
          })),
          toolChoice: toolChoiceOf(request),
        }),
  };
}

function toolChoiceOf({ toolChoice = 'auto' }: ProviderRequest): Record<string, unknown> {
  if (typeof toolChoice === 'string') return { type: toolChoice };
  return { type: 'tool', toolName: toolChoice.name };
}

async function* attempt(
  model: StreamingModel,
  options: AISDKOptions,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  const where = `${model.provider} ${model.modelId}`;
  // Breaking off has to reach a model that listens to its signal alone.
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const call = callOptions(model, options, request, controller.signal);
    const opening = Promise.resolve(model.doStream(call));
    const { stream } = await abortable(opening, signal).catch((error: unknown) => {
      // It may still come although nobody waits for it any more.
      opening.then((late) => late.stream.cancel()).catch(() => undefined);
      throw error;
    });
    const reader = new PartReader(where);
    for await (const part of streamValues(stream, signal)) yield* reader.read(part);
    yield* reader.finish();
  } catch (error) {
    throw modelError(error, where, signal);
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

/**
 * A {@link Provider} from a language model of the AI SDK, so that every provider of that ecosystem works:
 * text, reasoning, tools, usage, pictures and files, as far as the model takes them. Calls that the vendor runs
 * itself are left to it. Vendors' metadata travels with calls and comes back to them.
 *
 * @throws when streaming: the typed error of a refusal, `provider-network`, `provider-protocol`, `unsupported`, `aborted`
 * @example
 * const provider = fromAISDK(createMistral({ apiKey, baseURL: '/mistral' })('mistral-small-latest'));
 */
export function fromAISDK(model: AISDKModel, options: AISDKOptions = {}): Provider {
  const streaming = model as unknown as StreamingModel;
  return {
    id: `ai-sdk:${model.provider}:${model.modelId}`,
    stream: (request, { signal }) =>
      withAttempts(() => attempt(streaming, options, request, signal), options.retry ?? {}, signal),
  };
}
