/** A conversation with a realtime model as a pipeline, and what its sessions start from. */
import { element, textMessage, type Message, type StreamElement } from '../core/element.ts';
import { PipelineBuilder } from '../core/pipeline/builder.ts';
import type { PipelineConfig } from '../core/pipeline/config.ts';
import type { Pipeline } from '../core/pipeline/pipeline.ts';
import { sink } from '../core/stage/define-stage.ts';
import type { Stage } from '../core/stage/stage.ts';
import { PromptAssemblyStage } from '../stages/conversation/prompt-assembly-stage.ts';
import { StateStoreLoadStage } from '../stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../stages/conversation/template-stage.ts';
import type { AudioTurnKind } from '../stages/streaming/audio-turn-stage.ts';
import type { DuplexConsumed, DuplexKind } from '../stages/streaming/duplex-provider-stage.ts';
import { TapStage } from '../stages/utility/tap-stage.ts';
import { defaultSystem, type ConversationParts } from './conversation.ts';

/** The stages of a realtime conversation. */
export interface RealtimeEnds {
  readonly microphone: Stage<never, 'audio'>;
  /** Decides about turns; absent where the server does. */
  readonly ears?: Stage<'audio', AudioTurnKind>;
  readonly duplex: Stage<DuplexConsumed, DuplexKind>;
  readonly speaker: Stage<'speech', 'message' | 'error'>;
}

/** What both need of the conversation. */
export type RealtimeParts = Pick<ConversationParts, 'options' | 'conversation' | 'store'>;

/** The whole conversation as a pipeline; its input is what is typed. */
export function realtimePipeline(
  { conversation, store }: RealtimeParts,
  ends: RealtimeEnds,
  config: PipelineConfig = {},
): Pipeline {
  const { microphone, ears, duplex, speaker } = ends;
  const builder = new PipelineBuilder({ ...config, session: 'live' });
  const heard = ears ? builder.chain(microphone, ears) : builder.add(microphone);
  return heard
    .add(new TapStage('typed', () => {}))
    .chain(duplex, speaker, new StateStoreSaveStage({ store, conversation }))
    .merge(duplex.name, (ears ?? microphone).name, 'typed')
    .build();
}

/** Prompt and past of the conversation at this moment; trouble with the store is told, and then there is no past. */
export async function realtimeSetup(
  { options, conversation, store }: RealtimeParts,
  onTrouble: (element: StreamElement) => void,
): Promise<{ readonly system: string; readonly history: readonly Message[] }> {
  let setup: { system: string; history: readonly Message[] } = { system: '', history: [] };
  const look = sink({
    name: 'look',
    consumes: ['message', 'error'],
    take(item, context) {
      const { systemPrompt, history } = context.turn(item.turn);
      if (item.kind === 'error') onTrouble(item);
      else setup = { system: systemPrompt, history };
    },
  });
  // The very stages that prepare the turn of a text model.
  const run = new PipelineBuilder()
    .chain(
      new StateStoreLoadStage({ store, conversation }),
      new PromptAssemblyStage({
        prompts: { conversation: { system: options.system ?? defaultSystem } },
        task: 'conversation',
      }),
      new TemplateStage(options.variables === undefined ? {} : { variables: options.variables }),
      look,
    )
    .build()
    .execute([element('message', { turn: 1, message: textMessage('user', '') })]);
  await run.drain();
  return setup;
}
