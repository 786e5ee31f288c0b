/** One reply of a model as stream elements: deltas, tool traffic, fillers, and in the end exactly one message. */
import {
  element,
  textMessage,
  type FinishReason,
  type Message,
  type StreamElement,
  type Usage,
} from '../../core/element.ts';
import { serializeError, toAntiphonError } from '../../core/errors.ts';
import type { StageContext } from '../../core/stage/stage.ts';
import {
  toolLoop,
  type ToolLoopOptions,
  type ToolLoopPart,
  type ToolOutcome,
} from '../../providers/tool-loop.ts';

/** What a reply needs besides what the tool loop does. */
export interface ReplyOptions extends Omit<ToolLoopOptions, 'signal'> {
  readonly context: StageContext;
  /** Time of what is answered, ms on the capture clock; given to every element. */
  readonly at: number;
  /** Name of the stage, for `source`. */
  readonly source: string;
  /**
   * Hears of the finished message before it is emitted, of its tool rounds, and of the calls in them that have no
   * final result yet.
   */
  onMessage(message: Message, rounds: readonly Message[], open: readonly ToolOutcome[]): void;
}

/** Marks text that is said but is no part of the reply: neither `generated` nor `heard` know it. */
const fillerMeta = { filler: true } as const;

/** A signal that aborts with the turn, with the run, or when `stop` is called. */
function replySignal(
  context: StageContext,
  turn: number,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController();
  const sources = [context.signal, context.turnSignal(turn)];
  const abort = (): void => controller.abort();
  for (const source of sources) {
    if (source.aborted) abort();
    source.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: controller.signal,
    stop: () => {
      for (const source of sources) source.removeEventListener('abort', abort);
      abort();
    },
  };
}

/**
 * Streams the reply. Interrupted, it ends with the message so far (`finishReason: 'interrupted'`); failed, with an
 * `error` element and the message so far (`'error'`). Text, even none, is never lost; nothing is thrown.
 */
export async function* reply(
  options: ReplyOptions,
): AsyncGenerator<StreamElement, void, undefined> {
  const { context, turn, at, source, provider } = options;
  const facts = { turn, at, source };
  const { signal, stop } = replySignal(context, turn);
  const rounds: Message[] = [];
  const open: ToolOutcome[] = [];
  let generated = '';
  let reason: FinishReason = 'stop';
  let usage: Usage | undefined;
  let begun = false;

  const elementsOf = function* (part: ToolLoopPart): Generator<StreamElement> {
    if (!begun && part.type !== 'error' && part.type !== 'finish') {
      begun = true;
      context.emit('first-token', { turn, provider: provider.id });
    }
    if (part.type === 'text-delta') {
      generated += part.text;
      yield element('text', { ...facts, text: part.text, delta: true, role: 'assistant' });
    } else if (part.type === 'reasoning-delta') {
      context.emit('reasoning', { turn, text: part.text });
    } else if (part.type === 'tool-call') {
      yield element('tool-call', { ...facts, call: part.call });
    } else if (part.type === 'tool-result') {
      const { call, result, isError } = part.outcome;
      yield element('tool-result', { ...facts, callId: call.id, name: call.name, result, isError });
    } else if (part.type === 'round') {
      rounds.push(...part.messages);
      open.push(...part.open);
    } else if (part.type === 'filler') {
      context.emit('tool-filler', { turn, text: part.text });
      const said = { text: part.text, delta: false, role: 'assistant', meta: fillerMeta } as const;
      yield element('text', { ...facts, ...said });
    } else if (part.type === 'error') {
      yield element('error', { ...facts, error: { ...part.error, stage: source } });
    } else {
      ({ reason, usage } = part);
    }
  };

  try {
    try {
      for await (const part of toolLoop({ ...options, signal })) yield* elementsOf(part);
    } catch (error) {
      if (context.signal.aborted) return;
      reason = signal.aborted ? 'interrupted' : 'error';
      if (!signal.aborted) {
        const failure = toAntiphonError(error, 'provider-protocol');
        yield element('error', { ...facts, error: { ...serializeError(failure), stage: source } });
      }
    }
    const pending = open.filter(({ status }) => status === 'pending').map(({ call }) => call);
    const message = textMessage('assistant', generated, {
      generated,
      finishReason: reason,
      ...(pending.length === 0 ? {} : { toolCalls: pending }),
      ...(usage === undefined ? {} : { usage }),
    });
    context.emit('provider-finish', { turn, provider: provider.id, reason, usage });
    options.onMessage(message, rounds, open);
    yield element('message', { ...facts, message });
  } finally {
    stop();
  }
}
