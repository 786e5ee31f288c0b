/** What a session is made of: the local pipeline, or one around a realtime model (`realtime-recipe.ts`). */
import type { AudioEdge } from '../audio/audio-edge.ts';
import type { Message, ToolCall } from '../core/element.ts';
import type { Pipeline } from '../core/pipeline/pipeline.ts';
import type { WorkerStage } from '../core/stage/remote-stage.ts';
import type { StageEvent } from '../core/stage/stage.ts';
import { MicrophoneStage } from '../stages/streaming/microphone-stage.ts';
import { SpeakerStage } from '../stages/streaming/speaker-stage.ts';
import { conversationPipeline, type ConversationParts } from './conversation.ts';
import type { VoiceAgentOptions } from './options.ts';
import { workerStages, type FloorPorts } from './parts.ts';

/** A pipeline and what belongs to it. */
export interface SessionRecipe {
  readonly pipeline: Pipeline;
  /** What is loaded before the start, and closed in the end. */
  readonly workers: readonly WorkerStage[];
  /** Whether it works only once a connection is there (event `realtime-connected`). */
  readonly connects: boolean;
  /** Whether somebody writes down what is said for ears to judge interruptions by. */
  readonly hasWords: boolean;
  /** Corrects what the model remembers of a reply. */
  readonly amend: (message: Message) => void;
  /** The calls that wait for an answer from outside, oldest first. */
  readonly pendingTools: () => readonly ToolCall[];
  /** Answers one of them; throws `tool` when it does not wait. */
  readonly answerTool: (
    callId: string,
    result: unknown,
    options: { readonly isError?: boolean },
  ) => void;
  /** Looks at an event; true when it was only for the session and nobody else is to be told. */
  readonly takeEvent: (event: StageEvent) => boolean;
  readonly close: () => void;
}

/** What a recipe is given. */
export interface RecipeParts extends ConversationParts {
  readonly options: VoiceAgentOptions;
  readonly edge: AudioEdge;
  /** The direct ports; undefined while the models are only loaded. */
  readonly ports: () => FloorPorts | undefined;
}

/** Makes the pipeline of one session. */
export type MakeRecipe = (parts: RecipeParts) => SessionRecipe;

/** Ears, scribe, model and voice, each a stage of its own. */
export function localRecipe(parts: RecipeParts): SessionRecipe {
  const { options, edge, ports } = parts;
  const workers = workerStages(options, edge, ports);
  const { pipeline, provider } = conversationPipeline(parts, {
    ...workers,
    microphone: new MicrophoneStage(edge),
    speaker: new SpeakerStage(edge),
  });
  return {
    pipeline,
    workers: Object.values(workers),
    connects: false,
    hasWords: true,
    amend: (message) => provider.amend(message),
    pendingTools: () => provider.pendingTools,
    answerTool: (...answer) => provider.answerTool(...answer),
    takeEvent: () => false,
    close: () => {},
  };
}
