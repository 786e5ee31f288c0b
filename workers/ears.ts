/** The worker that hears: hosts `AudioTurnStage` over Silero. */
import { hostStages } from '../src/core/stage/stage-host.ts';
import { type SileroOptions, sileroVoiceActivityDetector } from '../src/speech/vad/silero.ts';
import type { VoiceActivityDetector } from '../src/speech/vad/voice-activity.ts';
import type { AudioTurnOptions } from '../src/stages/streaming/audio-turn-options.ts';
import { AudioTurnStage } from '../src/stages/streaming/audio-turn-stage.ts';

/** What the page posts: where the model is, and the stage's options that survive structured clone. */
export type EarsOptions = SileroOptions &
  Omit<AudioTurnOptions, 'vad' | 'endpoint' | 'turnDetector'>;

/** Detectors no run is using, by the address of their model: the next run starts with one that is loaded. */
const idle = new Map<string, VoiceActivityDetector[]>();

/** A detector for one run; disposing it gives it back. */
function lend(options: SileroOptions): VoiceActivityDetector {
  const address = String(options.modelUrl);
  const waiting = idle.get(address) ?? [];
  idle.set(address, waiting);
  const vad = waiting.pop() ?? sileroVoiceActivityDetector(options);
  return {
    ...vad,
    dispose: () => {
      waiting.push(vad);
      return Promise.resolve();
    },
  };
}

hostStages({
  ears: ({ modelUrl, wasmPaths, ...options }: EarsOptions) =>
    new AudioTurnStage({
      ...options,
      vad: lend({ modelUrl, ...(wasmPaths === undefined ? {} : { wasmPaths }) }),
    }),
});
