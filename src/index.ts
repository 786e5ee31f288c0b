/** Antiphon's public surface: the agent, the stages, the engines and devices they are made of, and the core. */
export * from './core/index.ts';

export { createVoiceAgent } from './create-voice-agent.ts';
export { VoiceAgent } from './voice-agent.ts';
export type {
  AgentEvents,
  AgentState,
  AssistantState,
  TurnSummary,
  TurnTrace,
  UserState,
} from './agent/events.ts';
export type {
  AgentCtcOptions,
  AgentFliteOptions,
  AgentHearingOptions,
  AgentRecogniserOptions,
  AgentRemoteVoiceOptions,
  AgentVoiceOptions,
  AssetUrl,
  VoiceAgentOptions,
} from './agent/options.ts';
export type { Speech } from './agent/speech.ts';

export { StateStoreLoadStage } from './stages/conversation/state-store-load-stage.ts';
export type { StateStoreLoadOptions } from './stages/conversation/state-store-load-stage.ts';
export { StateStoreSaveStage } from './stages/conversation/state-store-save-stage.ts';
export type { StateStoreSaveOptions } from './stages/conversation/state-store-save-stage.ts';
export { PromptAssemblyStage } from './stages/conversation/prompt-assembly-stage.ts';
export type { Prompt, PromptAssemblyOptions } from './stages/conversation/prompt-assembly-stage.ts';
export { TemplateStage } from './stages/conversation/template-stage.ts';
export type { TemplateOptions } from './stages/conversation/template-stage.ts';
export { ProviderStage } from './stages/conversation/provider-stage.ts';
export type { ProviderStageOptions } from './stages/conversation/provider-stage.ts';
export { contextFitOf } from './stages/conversation/context-fit.ts';
export type { ContextFit, ModelContext } from './stages/conversation/context-fit.ts';
export { resolveMedia, turnMediaOf, withMedia } from './stages/conversation/turn-media.ts';
export type { TurnMedia } from './stages/conversation/turn-media.ts';
export { ValidationStage } from './stages/conversation/validation-stage.ts';
export type {
  RefusedText,
  ValidationNote,
  ValidationOptions,
} from './stages/conversation/validation-stage.ts';
export { bannedWords, maxLength, maxSentences } from './stages/conversation/validators.ts';
export type {
  MaxLengthOptions,
  Scan,
  StreamingValidator,
  ValidationContext,
  ValidationFailure,
  Validator,
  WholeValidator,
} from './stages/conversation/validators.ts';
export {
  customValidator,
  jsonSchema,
  requiredFields,
  standardSchema,
} from './stages/conversation/whole-validators.ts';
export type {
  CustomVerdict,
  StandardSchemaOptions,
} from './stages/conversation/whole-validators.ts';
export { AudioTurnStage } from './stages/streaming/audio-turn-stage.ts';
export type { AudioTurnKind } from './stages/streaming/audio-turn-stage.ts';
export type { AudioTurnOptions } from './stages/streaming/audio-turn-options.ts';
export { duplexTools } from './stages/streaming/duplex/tools.ts';
export type { DuplexToolsOptions, LocalDuplexTools } from './stages/streaming/duplex/tools.ts';
export { DuplexProviderStage } from './stages/streaming/duplex-provider-stage.ts';
export type { DuplexConsumed, DuplexKind } from './stages/streaming/duplex-provider-stage.ts';
export type * from './stages/streaming/duplex/options.ts';
export { MicrophoneStage } from './stages/streaming/microphone-stage.ts';
export { SpeakerStage } from './stages/streaming/speaker-stage.ts';
export { VADAccumulatorStage } from './stages/streaming/vad-accumulator-stage.ts';
export type { VADAccumulatorOptions } from './stages/streaming/vad-accumulator-stage.ts';
export type { SilenceTurnOptions } from './stages/streaming/silence-turns.ts';
export { speakerTracks } from './stages/streaming/speaker-tracks.ts';
export type { SpeakerTrack, SpeakerTracksOptions } from './stages/streaming/speaker-tracks.ts';
export type { LabelText } from './stages/streaming/speaker-track.ts';
export { STTStage } from './stages/streaming/stt-stage.ts';
export type { STTStageOptions } from './stages/streaming/stt-options.ts';
export { TTSStage } from './stages/streaming/tts-stage.ts';
export { TTSStageWithInterruption } from './stages/streaming/tts-stage-with-interruption.ts';
export type {
  PostableRemoteVoice,
  TTSOptions,
  TTSWithInterruptionOptions,
} from './stages/streaming/tts-options.ts';
export { compete } from './stages/flow/compete.ts';
export type { CompeteOptions } from './stages/flow/compete.ts';
export { filter, map, passthrough } from './stages/flow/compose.ts';
export { MergeStage } from './stages/flow/merge-stage.ts';
export { MetricsStage } from './stages/flow/metrics-stage.ts';
export type { MetricsOptions } from './stages/flow/metrics-stage.ts';
export type { StageMetrics } from './stages/flow/stage-meter.ts';
export type { Distribution } from './stages/flow/histogram.ts';
export { pipelineStage } from './stages/flow/pipeline-stage.ts';
export { PriorityChannel } from './stages/flow/priority-channel.ts';
export type { PriorityChannelOptions, WaitOptions } from './stages/flow/priority-channel.ts';
export { RouterStage } from './stages/flow/router-stage.ts';
export type { RouterOptions } from './stages/flow/router-stage.ts';
export {
  atRandom,
  byContent,
  byRule,
  hashed,
  ofKind,
  roundRobin,
  toAll,
  weighted,
} from './stages/flow/routing.ts';
export type { ContentCase, Routing, RoutingRule } from './stages/flow/routing.ts';
export { stageFrom } from './stages/flow/stage-from.ts';
export type { StreamStageFacts } from './stages/flow/stage-from.ts';
export { TracingStage } from './stages/flow/tracing-stage.ts';
export type { TracingOptions } from './stages/flow/tracing-stage.ts';
export type { GenAiOperation } from './stages/flow/turn-span.ts';
export { TraceRecorder } from './stages/flow/trace-recorder.ts';
export type {
  ChromeTrace,
  ChromeTraceEvent,
  SpanAttributes,
  TraceSpan,
} from './stages/flow/trace-recorder.ts';
export type { OtelSpan, OtelTracer } from './stages/flow/open-telemetry.ts';
export { formatTraceparent, parseTraceparent } from './stages/flow/traceparent.ts';
export type { TraceIds } from './stages/flow/traceparent.ts';

export { ContextBuilderStage } from './stages/utility/context-builder-stage.ts';
export type {
  ContextBuilderOptions,
  RelevanceRequest,
  SummaryRequest,
} from './stages/utility/context-options.ts';
export { DebugStage } from './stages/utility/debug-stage.ts';
export type { DebugLevel, DebugLogger, DebugOptions } from './stages/utility/debug-stage.ts';
export { MediaExternalizerStage } from './stages/utility/media-externalizer-stage.ts';
export type { MediaExternalizerOptions } from './stages/utility/media-externalizer-stage.ts';
export { RateLimitStage } from './stages/utility/rate-limit-stage.ts';
export type { RateLimitOptions } from './stages/utility/rate-limit-stage.ts';
export { estimateMessageTokens, estimateTokens } from './stages/utility/token-estimate.ts';
export { VariableProviderStage } from './stages/utility/variable-provider-stage.ts';
export type {
  VariableProvider,
  VariableProviderOptions,
  VariableRequest,
} from './stages/utility/variable-provider-stage.ts';
export { storeVariables, timeVariables } from './stages/utility/variables.ts';
export type { StoreVariablesOptions, TimeVariablesOptions } from './stages/utility/variables.ts';
export { TapStage } from './stages/utility/tap-stage.ts';

export { AudioEdge } from './audio/audio-edge.ts';
export type {
  AudioEdgeEvents,
  AudioEdgeOptions,
  EdgeStream,
  SpeakerPorts,
} from './audio/audio-edge.ts';
export { ClipStream } from './audio/clip-stream.ts';
export type { ClipStreamOptions } from './audio/clip-stream.ts';
export type {
  FloorCommand,
  FloorMessage,
  FloorReport,
  FloorTurn,
  FloorWords,
} from './audio/floor.ts';
export { microphoneConstraints } from './audio/microphone.ts';
export type { GetStream } from './audio/microphone.ts';
export { resample, Resampler } from './audio/resample.ts';
export { decodeWav, encodeWav } from './audio/wav.ts';
export type { Recording } from './audio/wav.ts';

export type { VoiceActivityDetector } from './speech/vad/voice-activity.ts';
export { fixedSilence, learnedSilence } from './speech/turn/endpointing.ts';
export type {
  EndpointPolicy,
  LearnedSilenceOptions,
  TurnDetector,
  TurnEvidence,
} from './speech/turn/endpointing.ts';
export type { InterruptionOptions } from './speech/turn/interruption.ts';
export type { SpeechDetectorOptions } from './speech/turn/speech-detector.ts';
export type { TurnTakingOptions } from './speech/turn/turn-taking.ts';
export { remoteRecognizer } from './speech/stt/remote-recognizer.ts';
export type { RemoteRecognizerOptions } from './speech/stt/remote-recognizer.ts';
export type {
  LoadProgress,
  OnProgress,
  Recognition,
  RecognitionStream,
  Recognizer,
  TranscribeOptions,
} from './speech/stt/recognizer.ts';
export { wordErrorRate } from './speech/stt/word-error-rate.ts';
export type { FliteOptions, FliteVoice } from './speech/tts/flite.ts';
export { remoteSynthesizer } from './speech/tts/remote-synthesizer.ts';
export type { RemoteSynthesizerOptions } from './speech/tts/remote-synthesizer.ts';
export { SentenceSplitter, splitSentences } from './speech/tts/sentence-splitter.ts';
export type { SentenceSplitterOptions } from './speech/tts/sentence-splitter.ts';
export type { SynthesizedSpeech, Synthesizer } from './speech/tts/synthesizer.ts';

export { anthropic } from './providers/anthropic.ts';
export type { AnthropicOptions } from './providers/anthropic.ts';
export { gemini } from './providers/gemini.ts';
export type { GeminiOptions } from './providers/gemini.ts';
export { openAICompatible } from './providers/openai-compatible.ts';
export type { OpenAICompatibleOptions } from './providers/openai-compatible.ts';
export { openAIResponses } from './providers/openai-responses.ts';
export type { OpenAIResponsesOptions } from './providers/openai-responses.ts';
export type { Credentials } from './providers/http/credentials.ts';
export type { HttpOptions } from './providers/http/exchange.ts';
export type { HttpModelOptions } from './providers/http-model.ts';
export { promptAPI } from './providers/prompt-api.ts';
export type {
  BuiltInModel,
  ModelAvailability,
  PromptAPIOptions,
  PromptAPIProvider,
} from './providers/prompt-api.ts';
export { webLLM } from './providers/web-llm.ts';
export type { WebLLMEngine, WebLLMOptions, WebLLMProvider } from './providers/web-llm.ts';
export { fallback } from './providers/fallback.ts';
export type { FallbackOptions } from './providers/fallback.ts';
export { race } from './providers/race.ts';
export { offlineAssistant } from './providers/offline-assistant.ts';
export type { OfflineAssistant, OfflineAssistantOptions } from './providers/offline-assistant.ts';
export type { JsonSchema } from './providers/json-schema.ts';
export type { RetryPolicy } from './providers/http/retry.ts';
export { geminiLive } from './providers/realtime/gemini-live.ts';
export type { GeminiLiveOptions, GeminiLiveSettings } from './providers/realtime/gemini-live.ts';
export { openAIRealtime } from './providers/realtime/openai-realtime.ts';
export type {
  OpenAIRealtimeOptions,
  OpenAIRealtimeSettings,
} from './providers/realtime/openai-realtime.ts';
export type {
  RealtimeConnectOptions,
  RealtimeEvent,
  RealtimeProvider,
  RealtimeRecipe,
  RealtimeSession,
  RealtimeSetup,
  RealtimeToken,
  RealtimeToolResult,
  TurnDetection,
} from './providers/realtime/realtime.ts';
export type {
  RealtimeFunctions,
  RealtimeSettings,
} from './providers/realtime/realtime-provider.ts';
export type { JsonObject, WebSocketClass } from './providers/realtime/json-socket.ts';
export { defineTool } from './providers/define-tool.ts';
export { answerLater } from './providers/tools.ts';
export type {
  StandardSchema,
  Tool,
  ToolConduct,
  ToolContext,
  ToolDefinition,
  ToolOptions,
  ToolPermission,
} from './providers/tools.ts';
export { ToolRunner } from './providers/tool-runner.ts';
export type {
  ToolOutcome,
  ToolRunnerOptions,
  ToolTurn,
  ToolTurnOptions,
} from './providers/tool-runner.ts';
export type {
  ApproveTool,
  ToolApproval,
  ToolApprovalRequest,
  ToolEvent,
  ToolPolicy,
  ToolStatus,
} from './providers/tool-policy.ts';
export type { ToolFillerOptions } from './providers/tool-filler.ts';
export { unframeResult } from './providers/tool-result.ts';
export type { Provider, ProviderPart, ProviderRequest, ToolChoice } from './providers/provider.ts';

export { indexedDBStore } from './state/indexeddb-store.ts';
export type { IndexedDBStoreOptions } from './state/indexeddb-store.ts';
export { indexedDBMediaStore } from './state/indexeddb-media-store.ts';
export type { IndexedDBMediaStoreOptions } from './state/indexeddb-media-store.ts';
export { mediaReference, parseMediaReference } from './state/media-reference.ts';
export type { MediaName } from './state/media-reference.ts';
export { mediaReferences, withMediaRetention } from './state/media-references.ts';
export type {
  MediaStore,
  MediaStoreOptions,
  StoredMedia,
  SweptMedia,
} from './state/media-store.ts';
export { memoryMediaStore } from './state/memory-media-store.ts';
export { memoryStore } from './state/memory-store.ts';
export { opfsMediaStore } from './state/opfs-media-store.ts';
export type { OpfsMediaStoreOptions } from './state/opfs-media-store.ts';
export type { ConversationInfo, StateStore } from './state/state-store.ts';
