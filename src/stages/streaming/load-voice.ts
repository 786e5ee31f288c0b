/** Loads a voice for a stage, telling the run about every chunk. */
import type { StageContext } from '../../core/stage/stage.ts';
import type { Synthesizer } from '../../speech/tts/synthesizer.ts';

/** Loads `synthesizer`, with a `progress` event per chunk; rejects with `model-load`. */
export function loadVoice(synthesizer: Synthesizer, context: StageContext): Promise<void> {
  return synthesizer.load((progress) => context.emit('progress', progress), context.signal);
}
