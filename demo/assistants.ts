/** Who can answer: the offline assistant, whose tools any model may use too, or a server of the person's choice. */
import {
  type OfflineAssistant,
  offlineAssistant,
  openAICompatible,
  type Provider,
  type StateStore,
} from 'antiphon';
import type { AssistantChoice } from './views/settings-dialog.ts';

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

/** The provider of a choice. */
export function providerOf(choice: AssistantChoice, offline: OfflineAssistant): Provider {
  if (choice.kind === 'offline') return offline;
  const { baseURL, model, token } = choice;
  const server = openAICompatible({
    baseURL,
    model,
    ...(token === '' ? {} : { token }),
    // The person typed their own key into their own page; it is never stored.
    dangerouslyAllowBrowserKey: true,
  });
  if (choice.tools) return server;
  return {
    id: server.id,
    stream: (request, options) => server.stream({ ...request, tools: [] }, options),
  };
}
