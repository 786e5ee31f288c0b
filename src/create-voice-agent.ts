/** How a page gets its voice agent: the parts that are not needed are not loaded. */
import type { VoiceAgentOptions } from './agent/options.ts';
import { indexedDBStore } from './state/indexeddb-store.ts';
import { VoiceAgent } from './voice-agent.ts';

/**
 * Makes a voice agent. No side effects but a look at whether IndexedDB is there.
 *
 * @throws AntiphonError `unsupported` for options that a `realtime` model has no use for, where no `fallback` has either
 * @example
 * const agent = await createVoiceAgent({ system: 'You are brief.' });
 * button.onclick = () => agent.start();
 */
export async function createVoiceAgent(options: VoiceAgentOptions = {}): Promise<VoiceAgent> {
  // What is imported here is loaded by pages that need it alone.
  const store =
    options.state ??
    (typeof indexedDB === 'undefined'
      ? (await import('./state/memory-store.ts')).memoryStore()
      : indexedDBStore());
  const realtime = options.realtime && (await import('./agent/realtime-recipe.ts'));
  realtime?.checkRealtimeOptions(options);
  const recipe = realtime?.realtimeRecipe;
  if (options.provider) return new VoiceAgent(options, store, options.provider, recipe);
  const { offlineMind } = await import('./agent/offline-mind.ts');
  const agent: VoiceAgent = new VoiceAgent(
    options,
    store,
    offlineMind(store, () => agent),
    recipe,
  );
  return agent;
}
