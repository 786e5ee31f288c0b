/** Claude through Anthropic's Messages API. */
import { AntiphonError } from '../core/errors.ts';
import { anthropicMessages } from './anthropic/messages.ts';
import { AnthropicReader } from './anthropic/event-reader.ts';
import { httpModel, type HttpModelOptions } from './http-model.ts';
import { inBrowser } from './http/api-key.ts';
import { bearer } from './http/credentials.ts';
import { endpoint } from './http/endpoint.ts';
import type { Provider, ProviderRequest } from './provider.ts';

/** What {@link anthropic} needs to know; nothing but the model is required. */
export interface AnthropicOptions extends HttpModelOptions {
  /** Where `/messages` begins; `https://api.anthropic.com/v1` unless given. In a page better a proxy of yours. */
  readonly baseURL?: string;
  /**
   * Version of the API; `2026-10-21` unless given. That one knows no temperature; `2023-06-01` does, and takes
   * the token as `x-api-key`.
   */
  readonly version?: '2026-10-21' | '2023-06-01';
  /**
   * Thinking before the answer, which a listener waits for: `disabled` unless given. `adaptive` lets the model
   * choose, `budgetTokens` (from 1024 on, below `maxOutputTokens`) sets a limit, `model-default` sends nothing. Off
   * where the API refuses it: with a `toolChoice`, and behind calls that were made without it.
   */
  readonly thinking?: 'disabled' | 'adaptive' | 'model-default' | { readonly budgetTokens: number };
}

/** The API insists on a limit. */
const defaultMaxTokens = 4096;

/** True where the API refuses to think: before a call it is made to make, and behind one made without thinking. */
function mayNotThink({ toolChoice = 'auto', messages, tools }: ProviderRequest): boolean {
  if (tools.length > 0 && toolChoice !== 'auto') return true;
  const call = messages.findLast(({ role }) => role === 'assistant')?.toolCalls?.[0];
  return messages.at(-1)?.role === 'tool' && call?.providerData?.['anthropic'] === undefined;
}

function thinkingOf(
  { thinking = 'disabled' }: AnthropicOptions,
  request: ProviderRequest,
): Record<string, unknown> {
  if (thinking === 'model-default') return {};
  if (mayNotThink(request)) return { thinking: { type: 'disabled' } };
  if (typeof thinking === 'string') return { thinking: { type: thinking } };
  return { thinking: { type: 'enabled', budget_tokens: thinking.budgetTokens } };
}

function temperatureOf(
  options: AnthropicOptions,
  request: ProviderRequest,
): Record<string, unknown> {
  const temperature = request.temperature ?? options.temperature;
  if (temperature === undefined) return {};
  if (options.version === '2023-06-01') return { temperature };
  throw new AntiphonError('unsupported', 'Version 2026-10-21 of the API takes no temperature.', {
    hint: "Leave `temperature` out, or set `version: '2023-06-01'`.",
  });
}

function toolChoiceOf({ toolChoice = 'auto' }: ProviderRequest): Record<string, unknown> {
  if (toolChoice === 'auto') return {};
  if (toolChoice === 'required') return { tool_choice: { type: 'any' } };
  return { tool_choice: { type: 'tool', name: toolChoice.name } };
}

/**
 * A {@link Provider} for Claude: text, thinking, tools, pictures, PDF and plain text files. Thinking that
 * led to a tool call is sent back with its signature. From a page it sends the header by which Anthropic
 * allows that; a page should pass short-lived tokens of a proxy.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page
 * @example
 * const provider = anthropic({ model: 'claude-haiku-5-5', baseURL: '/claude', token: () => sessionToken() });
 */
export function anthropic(options: AnthropicOptions): Provider {
  const { baseURL = 'https://api.anthropic.com/v1', model, version = '2026-10-21' } = options;
  const headers = {
    'anthropic-version': version,
    ...(inBrowser() ? { 'anthropic-dangerous-direct-browser-access': 'true' } : {}),
  };
  return httpModel(options, {
    id: `anthropic:${model}`,
    baseURL,
    call: (request) => ({
      url: endpoint(baseURL, '/messages'),
      headers,
      authorize: version === '2023-06-01' ? (token) => ({ 'x-api-key': token }) : bearer,
      missing: 'Check that `baseURL` ends where `/messages` begins and that the model exists.',
      body: {
        model,
        max_tokens: request.maxOutputTokens ?? options.maxOutputTokens ?? defaultMaxTokens,
        stream: true,
        ...anthropicMessages(request),
        ...thinkingOf(options, request),
        ...temperatureOf(options, request),
        ...(request.tools.length === 0
          ? {}
          : {
              tools: request.tools.map(({ name, description, parameters }) => ({
                name,
                description,
                input_schema: { type: 'object', ...parameters },
              })),
              ...toolChoiceOf(request),
            }),
      },
    }),
    reader: (where) => new AnthropicReader(where),
  });
}
