/** Google's Gemini through `generateContent`. */
import { GeminiReader } from './gemini/chunk-reader.ts';
import { geminiContents } from './gemini/contents.ts';
import { httpModel, type HttpModelOptions } from './http-model.ts';
import { endpoint } from './http/endpoint.ts';
import type { Provider, ProviderRequest } from './provider.ts';

/** What {@link gemini} needs to know; nothing but the model is required. */
export interface GeminiOptions extends HttpModelOptions {
  /** Where `/models` begins; `https://generativelanguage.googleapis.com/v1beta` unless given. */
  readonly baseURL?: string;
  /** How much to think before the answer, which a listener waits for; the model's own way unless given. */
  readonly thinking?: {
    /** For models that know levels. */
    readonly level?: 'minimal' | 'low' | 'medium' | 'high';
    /** For models that count tokens; 0 for none. */
    readonly budgetTokens?: number;
    /** Whether summaries of the thoughts are streamed as reasoning. */
    readonly includeThoughts?: boolean;
  };
}

function generationConfig(
  { thinking, ...options }: GeminiOptions,
  request: ProviderRequest,
): Record<string, unknown> {
  const temperature = request.temperature ?? options.temperature;
  const maxOutputTokens = request.maxOutputTokens ?? options.maxOutputTokens;
  const thinkingConfig = {
    ...(thinking?.level === undefined ? {} : { thinkingLevel: thinking.level.toUpperCase() }),
    ...(thinking?.budgetTokens === undefined ? {} : { thinkingBudget: thinking.budgetTokens }),
    ...(thinking?.includeThoughts === undefined
      ? {}
      : { includeThoughts: thinking.includeThoughts }),
  };
  const config = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(Object.keys(thinkingConfig).length === 0 ? {} : { thinkingConfig }),
  };
  return Object.keys(config).length === 0 ? {} : { generationConfig: config };
}

function toolConfigOf({ toolChoice = 'auto' }: ProviderRequest): Record<string, unknown> {
  if (toolChoice === 'auto') return {};
  const names = toolChoice === 'required' ? {} : { allowedFunctionNames: [toolChoice.name] };
  return { toolConfig: { functionCallingConfig: { mode: 'ANY', ...names } } };
}

/**
 * A {@link Provider} for Gemini: text, thoughts, tools, pictures, audio, video and files. Signatures of
 * thoughts are sent back with the calls they belong to. The token goes out as `x-goog-api-key`; Google's
 * ephemeral tokens work for live sessions only, so a page needs a proxy of yours as `baseURL`.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page
 * @example
 * const provider = gemini({ model: 'gemini-3.6-flash', baseURL: '/gemini/v1beta', token: () => sessionToken() });
 */
export function gemini(options: GeminiOptions): Provider {
  const { baseURL = 'https://generativelanguage.googleapis.com/v1beta', model } = options;
  const path = model.includes('/') ? model : `models/${model}`;
  return httpModel(options, {
    id: `gemini:${model}`,
    baseURL,
    call: (request) => ({
      url: endpoint(baseURL, `/${encodeURI(path)}:streamGenerateContent?alt=sse`),
      authorize: (token) => ({ 'x-goog-api-key': token }),
      missing: 'Check that `baseURL` ends where `/models` begins and that the model exists.',
      body: {
        ...geminiContents(request),
        ...generationConfig(options, request),
        ...(request.tools.length === 0
          ? {}
          : {
              tools: [
                {
                  functionDeclarations: request.tools.map(({ name, description, parameters }) => ({
                    name,
                    description,
                    parametersJsonSchema: parameters,
                  })),
                },
              ],
              ...toolConfigOf(request),
            }),
      },
    }),
    reader: (where) => new GeminiReader(where),
  });
}
