/** What a model is asked in a turn: the past, the prompt and the tools, as they are at that moment. */
import type { StageContext, TurnState } from '../../core/stage/stage.ts';
import type { Provider, ProviderRequest } from '../../providers/provider.ts';
import type { Tool } from '../../providers/tools.ts';
import { contextFitOf, withContextFit } from './context-fit.ts';
import { modelHistory } from './model-history.ts';
import type { ProviderStageOptions } from './provider-options.ts';
import type { RunMemory } from './run-memory.ts';
import { turnMediaOf, withMedia } from './turn-media.ts';

/** A turn's question. */
export interface ModelQuestion {
  readonly provider: Provider;
  /** All the turn may use. */
  readonly tools: readonly Tool[];
  readonly conversation: string;
  readonly request: Omit<ProviderRequest, 'tools' | 'toolChoice'>;
}

function toolsOf(
  { tools = [] }: ProviderStageOptions,
  provider: Provider,
  allowed: readonly string[] | undefined,
): readonly Tool[] {
  const own = typeof tools === 'function' ? tools() : tools;
  return [...(provider.tools ?? []), ...own].filter(
    ({ name }) => allowed === undefined || allowed.includes(name),
  );
}

/** The question of `turn`. What nobody has set for it, as when it goes on from another, is as in `settings`. */
export function questionOf(
  options: ProviderStageOptions,
  context: StageContext,
  memory: RunMemory,
  turn: number,
  settings: TurnState,
): ModelQuestion {
  const { maxHistoryMessages = 100, temperature, maxOutputTokens } = options;
  const provider = typeof options.provider === 'function' ? options.provider() : options.provider;
  const own = context.turn(turn);
  const tools = toolsOf(options, provider, own.allowedTools ?? settings.allowedTools);
  const messages = modelHistory(memory.after(settings.history), maxHistoryMessages);
  context.emit('provider-request', {
    turn,
    provider: provider.id,
    messages: messages.length,
    tools: tools.map(({ name }) => name),
  });
  const fit = contextFitOf(own) ?? contextFitOf(settings);
  const media = turnMediaOf(own) ?? turnMediaOf(settings);
  const seeing = media ? withMedia(provider, media.store, media.told) : provider;
  return {
    provider: fit ? withContextFit(seeing, fit) : seeing,
    tools,
    conversation: own.conversation === '' ? settings.conversation : own.conversation,
    request: {
      system: own.systemPrompt === '' ? settings.systemPrompt : own.systemPrompt,
      messages,
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    },
  };
}
