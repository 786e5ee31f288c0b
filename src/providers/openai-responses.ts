/** OpenAI's Responses API, and the servers that emulate it. */
import { httpModel, type HttpModelOptions } from './http-model.ts';
import { endpoint } from './http/endpoint.ts';
import type { Provider, ProviderRequest } from './provider.ts';
import { ResponseReader } from './responses/event-reader.ts';
import { inputItems } from './responses/input-items.ts';

/** What {@link openAIResponses} needs to know; nothing but the model is required. */
export interface OpenAIResponsesOptions extends HttpModelOptions {
  /** Where `/responses` begins; `https://api.openai.com/v1` unless given. */
  readonly baseURL?: string;
  /** How much to think before the answer, which a listener waits for; the model's own way unless given. */
  readonly reasoningEffort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  /** Whether summaries of the thinking are streamed as reasoning; not unless given. */
  readonly reasoningSummary?: 'auto' | 'concise' | 'detailed';
}

function reasoningOf(options: OpenAIResponsesOptions): Record<string, unknown> {
  const { reasoningEffort: effort, reasoningSummary: summary } = options;
  if (effort === undefined && summary === undefined) return {};
  return {
    reasoning: {
      ...(effort === undefined ? {} : { effort }),
      ...(summary === undefined ? {} : { summary }),
    },
    // Models that do not reason refuse to be asked for this.
    ...(effort === 'none' ? {} : { include: ['reasoning.encrypted_content'] }),
  };
}

function limitsOf(options: OpenAIResponsesOptions, request: ProviderRequest): object {
  const temperature = request.temperature ?? options.temperature;
  const limit = request.maxOutputTokens ?? options.maxOutputTokens;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(limit === undefined ? {} : { max_output_tokens: limit }),
  };
}

function toolChoiceOf({ toolChoice = 'auto' }: ProviderRequest): Record<string, unknown> {
  if (toolChoice === 'auto') return {};
  const named = typeof toolChoice === 'string' ? toolChoice : { type: 'function', ...toolChoice };
  return { tool_choice: named };
}

/**
 * A {@link Provider} for the Responses API: text, reasoning, tools, pictures and files. Nothing is stored at the
 * vendor (`store: false`): the history travels with each request, and encrypted reasoning that led to a call
 * goes back with it.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page
 * @example
 * const provider = openAIResponses({ model: 'gpt-5.4-mini', baseURL: '/openai/v1', token: () => sessionToken() });
 */
export function openAIResponses(options: OpenAIResponsesOptions): Provider {
  const { baseURL = 'https://api.openai.com/v1', model } = options;
  return httpModel(options, {
    id: `openai-responses:${model}`,
    baseURL,
    call: (request) => ({
      url: endpoint(baseURL, '/responses'),
      missing: 'Check that `baseURL` ends where `/responses` begins and that the model exists.',
      body: {
        model,
        stream: true,
        store: false,
        ...(request.system === '' ? {} : { instructions: request.system }),
        input: inputItems(request.messages),
        ...reasoningOf(options),
        ...limitsOf(options, request),
        ...(request.tools.length === 0
          ? {}
          : {
              tools: request.tools.map(({ name, description, parameters }) => ({
                type: 'function',
                name,
                description,
                parameters,
                // Strict schemas are a dialect of their own; arguments are checked before a tool runs.
                strict: false,
              })),
              ...toolChoiceOf(request),
            }),
      },
    }),
    reader: (where) => new ResponseReader(where),
  });
}
