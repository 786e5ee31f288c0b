/** The body of a chat completions request, apart from the model's name. */
import type { ProviderRequest } from '../provider.ts';
import { chatMessages } from './messages.ts';

/** Limits that an engine has and a request may override. */
export interface ChatLimits {
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

/** The body of a request to the public address `where`; `limitName` is what the server calls the limit. */
export function chatRequest(
  { temperature, maxOutputTokens }: ChatLimits,
  request: ProviderRequest,
  limitName: 'max_tokens' | 'max_completion_tokens',
  where: string,
): Record<string, unknown> {
  const warmth = request.temperature ?? temperature;
  const limit = request.maxOutputTokens ?? maxOutputTokens;
  return {
    messages: chatMessages(request, where),
    stream: true,
    stream_options: { include_usage: true },
    ...(warmth === undefined ? {} : { temperature: warmth }),
    ...(limit === undefined ? {} : { [limitName]: limit }),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: 'function',
            function: { name, description, parameters },
          })),
          ...toolChoice(request),
        }),
  };
}

function toolChoice({ toolChoice: choice = 'auto' }: ProviderRequest): object {
  if (choice === 'auto') return {};
  if (choice === 'required') return { tool_choice: choice };
  return { tool_choice: { type: 'function', function: { name: choice.name } } };
}
