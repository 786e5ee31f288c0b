/** A session around a realtime model; apart from the local one, so that a page without such a model never loads it. */
import { element, type StreamElement } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import { duplexTools } from '../stages/streaming/duplex/tools.ts';
import { MicrophoneStage } from '../stages/streaming/microphone-stage.ts';
import { SpeakerStage } from '../stages/streaming/speaker-stage.ts';
import { workerStages } from './parts.ts';
import { realtimePipeline, realtimeSetup } from './realtime-conversation.ts';
import { realtimeStage } from './realtime-parts.ts';
import type { VoiceAgentOptions } from './options.ts';
import type { RecipeParts, SessionRecipe } from './recipe.ts';

const hints = {
  filler: 'Ask in `system` for a word before slow tools, or leave `fallback` on: there it counts.',
  toolChoice:
    'Its API knows none but `none`; openAIRealtime takes it. Or leave `fallback` on: there it counts.',
};

/**
 * Refuses what a realtime session can't do and no local pipeline stands by for.
 *
 * @throws AntiphonError `unsupported`
 */
export function checkRealtimeOptions(options: VoiceAgentOptions): void {
  const { fallback, filler, toolChoice = 'auto', realtime } = options;
  if (fallback !== false) return;
  const takesChoice = realtime?.takesToolChoice ?? false;
  const given = {
    filler: filler !== undefined,
    toolChoice: !takesChoice && toolChoice !== 'auto' && toolChoice !== 'none',
  };
  for (const name of ['filler', 'toolChoice'] as const)
    if (given[name])
      throw new AntiphonError('unsupported', `This realtime model can't be given \`${name}\`.`, {
        hint: hints[name],
      });
}

/** A realtime model between microphone and speaker, behind our ears unless it has its own. */
export function realtimeRecipe(parts: RecipeParts): SessionRecipe {
  const { options, edge, ports, conversation } = parts;
  const { toolPolicy: policy, toolChoice, realtime: provider } = options;
  if (!provider)
    throw new AntiphonError('invalid-argument', 'There is no `realtime` among the options.', {
      hint: 'Give one, for example openAIRealtime(…).',
    });
  const tools = duplexTools({
    tools: options.tools ?? [],
    conversation,
    ...(policy === undefined ? {} : { policy }),
  });
  const setup = async () => {
    const { system, history } = await realtimeSetup(parts, parts.onUser);
    // Not every API can forbid what it was offered.
    const offered = toolChoice === 'none' ? [] : tools.offered;
    return { system, history, tools: offered, ...(toolChoice ? { toolChoice } : {}) };
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
    connects: true,
    hasWords: false,
    // The stage counts itself what was heard.
    amend: () => {},
    pendingTools: () => tools.pending,
    answerTool: (...answer) => tools.answer(...answer),
    takeEvent: (event) => {
      if (event.type === 'element') look(event.detail as StreamElement, parts);
      else if (event.type === 'turn-committed') {
        const facts = event.detail as { readonly turn: number; readonly at: number };
        parts.onUser(element('turn-end', { ...facts, meta: { awaited: true } }));
      } else if (event.type === 'tools-answered') parts.onResume?.();
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
