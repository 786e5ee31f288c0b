/** Providers from what could be posted of them. */
import { openAIRealtime, type OpenAIRealtimeSettings } from './openai-realtime.ts';
import type { RealtimeProvider, RealtimeRecipe, RealtimeToken } from './realtime.ts';

/** The provider that `recipe` came from, in this realm, with the token's function of this realm. */
export function realtimeFromRecipe(recipe: RealtimeRecipe, token: RealtimeToken): RealtimeProvider {
  return openAIRealtime({ ...(recipe.settings as unknown as OpenAIRealtimeSettings), token });
}
