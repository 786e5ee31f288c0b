/** The worker that holds the session with a realtime model: audio in from ears, speech out to the playback worklet. */
import { hostStages } from '../src/core/stage/stage-host.ts';
import { realtimeFromRecipe } from '../src/providers/realtime/from-recipe.ts';
import type { RealtimeRecipe } from '../src/providers/realtime/realtime.ts';
import { duplexHome } from '../src/stages/streaming/duplex/home.ts';
import type { DuplexOptions } from '../src/stages/streaming/duplex/options.ts';
import { DuplexProviderStage } from '../src/stages/streaming/duplex-provider-stage.ts';

/** What the page posts: how to make the provider, where to ask for the rest, and the stage's options. */
export type DuplexWorkerOptions = Omit<DuplexOptions, 'provider' | 'setup' | 'tools'> & {
  readonly recipe: RealtimeRecipe;
  /** Where a `DuplexHome` answers. */
  readonly home: MessagePort;
};

hostStages({
  duplex: ({ recipe, home: port, ...options }: DuplexWorkerOptions) => {
    const home = duplexHome(port);
    return new DuplexProviderStage({
      ...options,
      provider: realtimeFromRecipe(recipe, home.token),
      setup: home.setup,
      tools: home.tools,
    });
  },
});
