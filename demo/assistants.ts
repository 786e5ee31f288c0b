/** Who can answer: the offline assistant, whose tools any model may use too, or a server of the person's choice. */
import {
  anthropic,
  gemini,
  type OfflineAssistant,
  offlineAssistant,
  openAICompatible,
  openAIResponses,
  promptAPI,
  type Provider,
  type StateStore,
} from 'antiphon';
import type { AssistantChoice, ServerApi } from './views/settings-dialog.ts';

/** Where the offline assistant keeps your name, beside the conversations. */
const valuesOf = 'offline-assistant';

/** The offline assistant; it remembers your name in the store. */
export function makeOffline(store: StateStore): OfflineAssistant {
  return offlineAssistant({
    locale: navigator.language,
    values: {
      get: (key) => store.getValue(valuesOf, key),
      set: (key, value) => store.setValue(valuesOf, key, value),
    },
  });
}

/** What the makers of all server APIs take. */
interface ServerOptions {
  readonly baseURL?: string;
  readonly model: string;
  readonly token?: string;
  readonly dangerouslyAllowBrowserKey: true;
}

const servers: Readonly<Record<ServerApi, (options: ServerOptions) => Provider>> = {
  'openai-compatible': ({ baseURL = 'http://localhost:11434/v1', ...options }) =>
    openAICompatible({ baseURL, ...options }),
  'openai-responses': openAIResponses,
  anthropic,
  gemini,
};

function serverOf({ api, baseURL, model, token }: Extract<AssistantChoice, { kind: 'server' }>) {
  return servers[api]({
    model,
    ...(baseURL === '' ? {} : { baseURL }),
    ...(token === '' ? {} : { token }),
    // The person typed their own key into their own page; it is never stored.
    dangerouslyAllowBrowserKey: true,
  });
}

/** The provider of a choice. */
export function providerOf(choice: AssistantChoice, offline: OfflineAssistant): Provider {
  if (choice.kind === 'offline') return offline;
  const provider = choice.kind === 'built-in' ? promptAPI() : serverOf(choice);
  if (choice.tools) return provider;
  return {
    id: provider.id,
    stream: (request, options) => provider.stream({ ...request, tools: [] }, options),
  };
}
