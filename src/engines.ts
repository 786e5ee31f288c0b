/**
 * The engines themselves, for a worker of your own (`antiphon/engines`). Apart from the main entry, so that a
 * page which leaves them to the built-in workers never loads ONNX Runtime.
 */
export { sileroVoiceActivityDetector } from './speech/vad/silero.ts';
export type { SileroOptions } from './speech/vad/silero.ts';
export { ctcRecognizer } from './speech/stt/ctc-recognizer.ts';
export type { CtcRecognizerOptions } from './speech/stt/ctc-recognizer.ts';
export type { CtcModelFiles } from './speech/stt/ctc-model.ts';
export { fliteSynthesizer } from './speech/tts/flite.ts';
export type { FliteOptions, FliteVoice } from './speech/tts/flite.ts';
