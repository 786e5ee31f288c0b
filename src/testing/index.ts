/** What users test their own stages and pages with; in `antiphon/testing`. Needs no test runner; page, worker and Node safe. */
export { collect } from './collect.ts';
export type { CollectOptions } from './collect.ts';
export { describeElement, describeElements, describeMessage } from './describe.ts';
export { diffLogs } from './diff.ts';
export { ElementBuilder, elements, only } from './elements.ts';
export type { ElementFacts, ElementsOptions, Sound } from './elements.ts';
export { fakeClock, settle } from './fake-clock.ts';
export type { FakeClock } from './fake-clock.ts';
export { gate } from './gate.ts';
export type { Gate } from './gate.ts';
export { runOffline } from './offline/run-offline.ts';
export type { OfflineRun } from './offline/run-offline.ts';
export type { OfflineOptions, OfflineParts } from './offline/offline-options.ts';
export type { OfflineEvent, OfflineEvents } from './offline/event-log.ts';
export type { Latencies } from './offline/timed-engines.ts';
export { user } from './offline/user-script.ts';
export type { Scene, UserStep, UserSteps } from './offline/user-script.ts';
export { recognition } from './recognition.ts';
export type { RecognitionFacts } from './recognition.ts';
export { runStage } from './run-stage.ts';
export type { Moment, RunStageOptions, StageRun } from './run-stage.ts';
export { asScripted } from './script.ts';
export type { Verifiable } from './script.ts';
export { reply, scriptedProvider } from './scripted-provider.ts';
export type {
  ReplyStep,
  ReplySteps,
  RequestExpectation,
  ScriptedCall,
  ScriptedExchange,
  ScriptedProvider,
  ScriptedProviderOptions,
} from './scripted-provider.ts';
export { scriptedRecognizer } from './scripted-recognizer.ts';
export type {
  RecognitionStep,
  ScriptedRecognition,
  ScriptedRecognizer,
  ScriptedRecognizerOptions,
  ScriptedStream,
} from './scripted-recognizer.ts';
export { scriptedSynthesizer } from './scripted-synthesizer.ts';
export type {
  ScriptedSpeech,
  ScriptedSynthesizer,
  ScriptedSynthesizerOptions,
  SpeechHook,
  SpeechStep,
} from './scripted-synthesizer.ts';
export { levelVad, scriptedVad } from './scripted-vad.ts';
export type {
  LevelVadOptions,
  ScriptedVad,
  ScriptedVadOptions,
  VadJudge,
  VadTimeline,
} from './scripted-vad.ts';
export { join, silence, tone } from './sounds.ts';
export type { ToneOptions } from './sounds.ts';
export { runOn, testContext } from './stage-context.ts';
export type { TestContext, TestContextOptions } from './stage-context.ts';
export { toneLanguage } from './tone-language.ts';
export type { ToneLanguage } from './tone-language.ts';
export { toneSpeech } from './tone-speech.ts';
export type { ToneSpeechOptions } from './tone-speech.ts';
