/** The mind of an agent that was given none: the offline assistant, at home in the agent's store. */
import type { Provider } from '../providers/provider.ts';
import { offlineAssistant } from '../providers/offline-assistant.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AgentState } from './events.ts';

/** What the assistant needs of its agent. */
export interface OfflineHost {
  readonly conversation: string;
  readonly state: AgentState;
  say(text: string): unknown;
}

/** Makes it; `host` is asked once something is remembered or a timer rings, which it then says if it can. */
export function offlineMind(store: StateStore, host: () => OfflineHost): Provider {
  const assistant = offlineAssistant({
    values: {
      get: (key) => store.getValue(host().conversation, key),
      set: (key, value) => store.setValue(host().conversation, key, value),
    },
  });
  assistant.onTimer(({ announcement }) => {
    const { assistant: doing } = host().state;
    if (doing !== 'idle' && doing !== 'loading') host().say(announcement);
  });
  return assistant;
}
