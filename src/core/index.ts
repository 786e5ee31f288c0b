/** The core: elements, channels, ports, stages, pipelines; knows nothing of speech. */
export { element, isControl, isInterruptible, messageText, textMessage } from './element.ts';
export type {
  AudioElement,
  ContentElement,
  ControlElement,
  ElementBase,
  ElementFields,
  ElementOf,
  EndElement,
  ErrorElement,
  FinishReason,
  InterruptElement,
  Kind,
  MediaElement,
  Message,
  MessageElement,
  MessagePart,
  Priority,
  Role,
  SpeechElement,
  SpeechEndElement,
  SpeechStartElement,
  StreamElement,
  TextElement,
  TimedWord,
  ToolCall,
  ToolCallElement,
  ToolResultElement,
  TranscriptElement,
  TurnEndElement,
  Usage,
  UtteranceElement,
  WordMark,
} from './element.ts';
export { AntiphonError, deserializeError, serializeError, toAntiphonError } from './errors.ts';
export type { ErrorCode, ErrorData, ErrorOptions } from './errors.ts';
export { msToSamples, samplesToMs, sleep, wallClock } from './time.ts';
export type { Clock } from './time.ts';
export { channel } from './channel/channel.ts';
export type { ChannelOptions, ChannelWriter, Overflow } from './channel/channel.ts';
export type { ChannelReader } from './channel/queue.ts';
export { merge } from './channel/merge.ts';
export { broadcast } from './channel/broadcast.ts';
export { cloneElement } from './port/transferables.ts';
export { portReader } from './port/port-reader.ts';
export type { PortReaderOptions } from './port/port-reader.ts';
export { portWriter } from './port/port-writer.ts';
export type { PortMessage, ReaderMessage, WriterMessage } from './port/protocol.ts';
export { isRemote } from './stage/stage.ts';
export type {
  AudioFormat,
  RemoteStage,
  Stage,
  StageContext,
  StageEnds,
  StageEvent,
  StageSession,
  StageType,
  StepResult,
  TurnState,
} from './stage/stage.ts';
export { accumulate, defineStage, generate, sink, transform } from './stage/define-stage.ts';
export type { Outputs, StageDefinition, StageFacts } from './stage/define-stage.ts';
export type { TurnDefaults } from './stage/turn-states.ts';
export { inWorker } from './stage/remote-stage.ts';
export type { WorkerStage, WorkerStageFacts } from './stage/remote-stage.ts';
export { hostStages } from './stage/stage-host.ts';
export type { StageFactory } from './stage/stage-host.ts';
export { PipelineBuilder } from './pipeline/builder.ts';
export type { BranchTarget } from './pipeline/builder.ts';
export { Pipeline } from './pipeline/pipeline.ts';
export type { ExecutionResult, ExecutionTrace } from './pipeline/pipeline.ts';
export { PipelineRun } from './pipeline/run.ts';
export type { RunInput } from './pipeline/input-stage.ts';
export type { RunOptions } from './pipeline/run.ts';
export type { FormatGap, PipelineConfig } from './pipeline/config.ts';
export { toMermaid } from './pipeline/graph.ts';
export type { EdgeOptions, Graph, GraphEdge, GraphNode } from './pipeline/graph.ts';
