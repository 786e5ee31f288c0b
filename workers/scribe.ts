/** The worker that writes down: hosts `STTStage` with the engine the page asks for. */
import { hostStages } from '../src/core/stage/stage-host.ts';
import { type EngineOptions, engineCache } from '../src/speech/stt/engines.ts';
import type { STTStageOptions } from '../src/stages/streaming/stt-options.ts';
import { STTStage } from '../src/stages/streaming/stt-stage.ts';

/** What the page posts: an engine with its options, and those of the stage. */
export type ScribeOptions = EngineOptions & Omit<STTStageOptions<boolean>, 'recognizer'>;

// Engines outlive a run: the next one finds the model loaded.
const engine = engineCache();

hostStages({
  scribe: (options: ScribeOptions) => {
    // The port is of this run only; everything else says which engine it is.
    const { words, ...settings } = options;
    const recognizer = engine(settings);
    return new STTStage<boolean>({
      ...settings,
      ...(words === undefined ? {} : { words }),
      recognizer,
    });
  },
});
