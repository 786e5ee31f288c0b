/** The worker that speaks: text in, speech for the playback worklet out. */
import { hostStages } from '../src/core/stage/stage-host.ts';
import { fliteSynthesizer, type FliteOptions } from '../src/speech/tts/flite.ts';
import { remoteSynthesizer } from '../src/speech/tts/remote-synthesizer.ts';
import type { Synthesizer } from '../src/speech/tts/synthesizer.ts';
import { TTSStageWithInterruption } from '../src/stages/streaming/tts-stage-with-interruption.ts';
import type { VoiceWorkerOptions } from '../src/stages/streaming/tts-options.ts';

/** The voice outlives a run, so that the next one starts without loading it. */
let loaded: { readonly key: string; readonly synthesizer: Synthesizer } | undefined;

function synthesizerFor(options: VoiceWorkerOptions): Synthesizer {
  return 'remote' in options ? remoteSynthesizer(options.remote) : embedded(options.flite);
}

function embedded(options: FliteOptions): Synthesizer {
  const { wasmUrl, voice, rate } = options;
  if (typeof wasmUrl !== 'string') return fliteSynthesizer(options);
  const key = JSON.stringify([wasmUrl, voice, rate]);
  if (loaded?.key !== key) loaded = { key, synthesizer: fliteSynthesizer(options) };
  return loaded.synthesizer;
}

hostStages({
  voice: (options: VoiceWorkerOptions) =>
    new TTSStageWithInterruption({ ...options, synthesizer: synthesizerFor(options) }),
});
