/** A whole conversation as a pipeline: the recipe, whatever its devices and engines are. */
import type { StreamElement } from '../core/element.ts';
import { PipelineBuilder } from '../core/pipeline/builder.ts';
import type { PipelineConfig } from '../core/pipeline/config.ts';
import type { Pipeline } from '../core/pipeline/pipeline.ts';
import type { Stage } from '../core/stage/stage.ts';
import type { Provider } from '../providers/provider.ts';
import { PromptAssemblyStage } from '../stages/conversation/prompt-assembly-stage.ts';
import { ProviderStage } from '../stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../stages/conversation/template-stage.ts';
import type { AudioTurnKind } from '../stages/streaming/audio-turn-stage.ts';
import type { SpokenKind, STTKind } from '../stages/streaming/stt-stage.ts';
import { TapStage } from '../stages/utility/tap-stage.ts';
import type { StateStore } from '../state/state-store.ts';
import type { VoiceAgentOptions } from './options.ts';

/** What the conversation's pipeline needs besides devices and workers. */
export interface ConversationParts {
  readonly options: Pick<
    VoiceAgentOptions,
    'system' | 'variables' | 'tools' | 'toolPolicy' | 'toolChoice' | 'filler'
  >;
  readonly conversation: string;
  readonly store: StateStore;
  readonly provider: () => Provider;
  /** Sends a `turn-end` of a new turn in, because calls of an earlier one were answered; else it goes on in the newest. */
  readonly onResume?: () => void;
  /** Looks at what the person says and does. */
  readonly onUser: (element: StreamElement) => void;
  /** Looks at the reply as it is generated. */
  readonly onReply: (element: StreamElement) => void;
}

/** The stages of a conversation that hear and speak. */
export interface ConversationEnds {
  readonly microphone: Stage<never, 'audio'>;
  readonly ears: Stage<'audio', AudioTurnKind>;
  readonly scribe: Stage<SpokenKind, STTKind>;
  readonly voice: Stage<'text' | 'message', 'speech' | 'message' | 'error'>;
  readonly speaker: Stage<'speech', 'message' | 'error'>;
}

/** The whole conversation as a pipeline; its input is what is typed. */
export function conversationPipeline(
  parts: ConversationParts,
  ends: ConversationEnds,
  config: PipelineConfig = {},
): { readonly pipeline: Pipeline; readonly provider: ProviderStage } {
  const { options, conversation, store } = parts;
  const { tools = [], toolPolicy, toolChoice, filler } = options;
  const provider = new ProviderStage({
    provider: parts.provider,
    tools,
    ...(toolPolicy === undefined ? {} : { toolPolicy }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(filler === undefined ? {} : { filler }),
    ...(parts.onResume === undefined ? {} : { resume: parts.onResume }),
  });
  const pipeline = new PipelineBuilder({ ...config, session: 'live' })
    .chain(ends.microphone, ends.ears)
    .add(new TapStage('typed', () => {}))
    .chain(
      ends.scribe,
      // An error is told here, once, instead of again at the end.
      new TapStage('user', parts.onUser, { drop: ['error'] }),
      new StateStoreLoadStage({ store, conversation }),
      new PromptAssemblyStage({
        prompts: { conversation: { system: options.system ?? defaultSystem } },
        task: 'conversation',
      }),
      new TemplateStage(options.variables === undefined ? {} : { variables: options.variables }),
      provider,
      // What the page has shown already need not travel to the speaker and back; calls tell the voice not to wait.
      new TapStage('reply', parts.onReply, { drop: ['transcript', 'tool-result'] }),
      ends.voice,
      ends.speaker,
      new StateStoreSaveStage({ store, conversation }),
    )
    // What is typed keeps its place behind what is being said, or written down.
    .merge('scribe', 'ears', 'typed')
    .build();
  return { pipeline, provider };
}

/** The system prompt of an agent that was given none. */
export const defaultSystem: string =
  'You are a voice assistant. Your replies are spoken aloud: keep them to one or two short sentences, without markup.';
