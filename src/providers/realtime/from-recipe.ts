/** Providers from what could be posted of them. */
import { geminiLive, type GeminiLiveSettings } from './gemini-live.ts';
import { openAIRealtime, type OpenAIRealtimeSettings } from './openai-realtime.ts';
import type { RealtimeProvider, RealtimeRecipe, RealtimeToken } from './realtime.ts';

/** The provider that `recipe` came from, in this realm, with the token's function of this realm. */
export function realtimeFromRecipe(recipe: RealtimeRecipe, token: RealtimeToken): RealtimeProvider {
  const settings = recipe.settings as unknown;
  return recipe.vendor === 'gemini'
    ? geminiLive({ ...(settings as GeminiLiveSettings), token })
    : openAIRealtime({ ...(settings as OpenAIRealtimeSettings), token });
}
