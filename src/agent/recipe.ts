/** What a session is made of: the local pipeline, or one around a realtime model. */
import type { AudioEdge } from '../audio/audio-edge.ts';
import { element, type Message, type StreamElement, type ToolCall } from '../core/element.ts';
import type { Pipeline } from '../core/pipeline/pipeline.ts';
import type { WorkerStage } from '../core/stage/remote-stage.ts';
import type { StageEvent } from '../core/stage/stage.ts';
import type { RealtimeProvider } from '../providers/realtime/realtime.ts';
import { duplexTools } from '../stages/streaming/duplex-tools.ts';
import { notPending } from '../stages/conversation/open-answers.ts';
import { MicrophoneStage } from '../stages/streaming/microphone-stage.ts';
import { SpeakerStage } from '../stages/streaming/speaker-stage.ts';
import { conversationPipeline, type ConversationParts } from './conversation.ts';
import type { VoiceAgentOptions } from './options.ts';
import { workerStages, type FloorPorts } from './parts.ts';
import { realtimePipeline, realtimeSetup } from './realtime-conversation.ts';
import { realtimeStage } from './realtime-parts.ts';

/** A pipeline and what belongs to it. */
export interface SessionRecipe {
  readonly pipeline: Pipeline;
  /** What is loaded before the start, and closed in the end. */
  readonly workers: readonly WorkerStage[];
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
    hasWords: true,
    amend: (message) => provider.amend(message),
    pendingTools: () => provider.pendingTools,
    answerTool: (...answer) => provider.answerTool(...answer),
    takeEvent: () => false,
    close: () => {},
  };
}

/** A realtime model between microphone and speaker, behind our ears unless it has its own. */
export function realtimeRecipe(provider: RealtimeProvider, parts: RecipeParts): SessionRecipe {
  const { options, edge, ports, conversation } = parts;
  const { toolPolicy: policy } = options;
  const tools = duplexTools({
    tools: options.tools ?? [],
    conversation,
    ...(policy === undefined ? {} : { policy }),
  });
  const setup = async () => {
    const { system, history } = await realtimeSetup(parts, parts.onUser);
    return { system, history, tools: tools.offered };
  };
  const isOpen = (): boolean => ports() !== undefined;
  const duplex = realtimeStage(provider, options, edge, { setup, tools }, isOpen);
  const isLocal = provider.turnDetection === 'local';
  const ears = isLocal ? workerStages(options, edge, ports).ears : undefined;
  const pipeline = realtimePipeline(parts, {
    microphone: new MicrophoneStage(edge),
    ...(ears ? { ears } : {}),
    duplex: duplex.stage,
    speaker: new SpeakerStage(edge),
  });
  return {
    pipeline,
    workers: [ears, duplex.worker].flatMap((worker) => worker ?? []),
    hasWords: false,
    // The stage counts itself what was heard.
    amend: () => {},
    pendingTools: () => [],
    answerTool: (callId) => {
      throw notPending(callId);
    },
    takeEvent: (event) => {
      if (event.type === 'element') look(event.detail as StreamElement, parts);
      else if (event.type === 'turn-committed') {
        const facts = event.detail as { readonly turn: number; readonly at: number };
        parts.onUser(element('turn-end', { ...facts, meta: { awaited: true } }));
      }
      return event.type === 'element';
    },
    close: () => {
      tools.close();
      duplex.close();
    },
  };
}

/** Shows what the stage emits to whoever watches the person, or the reply. Errors and ends come with the output. */
function look(item: StreamElement, { onUser, onReply }: RecipeParts): void {
  if (item.kind === 'text' || item.kind === 'tool-call' || item.kind === 'tool-result')
    onReply(item);
  else if (item.kind === 'message' && item.message.role === 'assistant') onReply(item);
  else if (item.kind !== 'error' && item.kind !== 'turn-end') onUser(item);
}
