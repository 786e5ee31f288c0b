/** Streaming chat completions of any OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, clouds. */
import { ChunkReader } from './chat/chunk-reader.ts';
import { chatRequest } from './chat/request.ts';
import { httpModel, type HttpModelOptions } from './http-model.ts';
import { endpoint } from './http/endpoint.ts';
import { publicUrl } from './http/redact.ts';
import type { Provider } from './provider.ts';

/** What {@link openAICompatible} needs to know; nothing but the address and the model is required. */
export interface OpenAICompatibleOptions extends HttpModelOptions {
  /** Where `/chat/completions` begins, e.g. `http://localhost:11434/v1`; may carry a query string. */
  readonly baseURL: string;
}

/**
 * A {@link Provider} for any server that speaks streaming chat completions. Retries with backoff before
 * the first token, never after; breaking off or aborting closes the socket; no token ever shows in an error.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page.
 * @example
 * const provider = openAICompatible({ baseURL: 'http://localhost:11434/v1', model: 'llama3.2' });
 */
export function openAICompatible(options: OpenAICompatibleOptions): Provider {
  const { baseURL, model } = options;
  // OpenAI retired `max_tokens`; local servers know nothing else.
  const isOpenAI = /\/\/api\.openai\.com(?:[:/]|$)/.test(baseURL);
  const limitName = isOpenAI ? 'max_completion_tokens' : 'max_tokens';
  const url = endpoint(baseURL, '/chat/completions');
  return httpModel(options, {
    id: `openai-compatible:${model}`,
    baseURL,
    call: (request) => ({
      url,
      body: { model, ...chatRequest(options, request, limitName, publicUrl(url)) },
      missing:
        'Check that `baseURL` ends where `/chat/completions` begins, usually with /v1, and that the model exists there.',
    }),
    reader: (where) => new ChunkReader(where),
  });
}
