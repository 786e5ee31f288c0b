/** One turn with a model that may call tools: ask, run what it calls, ask again, until it answers. */
import { abortedError } from '../core/errors.ts';
import {
  textMessage,
  type FinishReason,
  type Message,
  type ToolCall,
  type Usage,
} from '../core/element.ts';
import type { ErrorData } from '../core/errors.ts';
import { wallClock, type Clock } from '../core/time.ts';
import { untilAborted } from './abort.ts';
import type { Provider, ProviderPart, ProviderRequest, ToolChoice } from './provider.ts';
import { possibleChoice } from './tool-choice.ts';
import { withoutResult, type ToolOutcome } from './tool-execution.ts';
import { ToolFiller, type ToolFillerOptions } from './tool-filler.ts';
import type { ToolEvent } from './tool-policy.ts';
import { resultMessage } from './tool-result.ts';
import { addUsage } from './usage.ts';
import { ToolRunner, type ToolTurn, type ToolTurnOptions } from './tool-runner.ts';

export type { ToolOutcome } from './tool-execution.ts';

/** What one turn needs. */
export interface ToolLoopOptions extends ToolTurnOptions {
  readonly provider: Provider;
  /** The request without its tools; its messages end with what is to be answered. */
  readonly request: Omit<ProviderRequest, 'tools' | 'toolChoice'>;
  /** The run's; one of its own, without a policy, unless given. */
  readonly runner?: ToolRunner;
  /** For the first question of the turn; from then on the model is free. Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Nothing is said while tools run unless given, or a tool has words of its own. */
  readonly filler?: ToolFillerOptions;
  /** The realm's own unless given. */
  readonly clock?: Clock;
}

/**
 * What a turn streams. `filler`: words to be said now that are no part of the reply. `round`: the exchange of a tool
 * round, for the model's history; one result for each call, those in `open` not final yet.
 */
export type ToolLoopPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'tool-result'; readonly outcome: ToolOutcome }
  | { readonly type: 'filler'; readonly text: string }
  | {
      readonly type: 'round';
      readonly messages: readonly Message[];
      readonly open: readonly ToolOutcome[];
    }
  | { readonly type: 'error'; readonly error: ErrorData }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage?: Usage };

const isOpen = ({ status }: ToolOutcome): boolean => status === 'pending' || status === 'running';

/** One call of the model: passes its parts on and collects its text and calls. */
class Round {
  text = '';
  readonly calls: ToolCall[] = [];
  finish: Extract<ProviderPart, { type: 'finish' }> | undefined;

  async *stream(
    provider: Provider,
    request: ProviderRequest,
    signal: AbortSignal,
    joint: string,
  ): AsyncGenerator<ToolLoopPart> {
    const known = new Set(request.messages.flatMap(({ toolCalls = [] }) => toolCalls.map(idOf)));
    for await (const part of untilAborted(provider.stream(request, { signal }), signal)) {
      if (part.type === 'finish') {
        this.finish = part;
      } else if (part.type === 'tool-call') {
        const call = distinct(part.call, known);
        this.calls.push(call);
        yield { type: 'tool-call', call };
      } else if (part.type === 'text-delta') {
        // Text of two rounds is one reply: keep the words of the seam apart.
        const text = this.text === '' && !/^\s/.test(part.text) ? joint + part.text : part.text;
        this.text += text;
        yield { type: 'text-delta', text };
      } else yield part;
    }
  }

  /** The exchange for the history. */
  exchange(outcomes: readonly ToolOutcome[]): ToolLoopPart {
    const asked = textMessage('assistant', this.text, {
      toolCalls: this.calls,
      finishReason: 'tool-calls',
    });
    const results = outcomes.map(({ call, text }) => resultMessage(call, text));
    return { type: 'round', messages: [asked, ...results], open: outcomes.filter(isOpen) };
  }
}

const idOf = ({ id }: ToolCall): string => id;

/** The call with an id that no other has: some servers count anew in every answer. */
function distinct(call: ToolCall, known: Set<string>): ToolCall {
  let { id } = call;
  for (let number = 2; known.has(id); number += 1) id = `${call.id}-${number}`;
  known.add(id);
  return id === call.id ? call : { ...call, id };
}

/** Runs the calls; what is to be said meanwhile comes between their outcomes. */
async function* work(
  turn: ToolTurn,
  calls: readonly ToolCall[],
  filler: ToolFiller,
): AsyncGenerator<ToolOutcome | string> {
  const outcomes = turn.run(calls);
  let outcome = outcomes.next();
  let words = filler.next();
  for (;;) {
    const next = await Promise.race([outcome, words]);
    if (typeof next === 'string') {
      words = filler.next();
      yield next;
    } else if (next.done === true) return;
    else {
      outcome = outcomes.next();
      yield next.value;
    }
  }
}

/**
 * Streams a whole turn. Calls of one round run in parallel; their results follow in the order of the calls, exactly
 * one for each, however the turn ends. A turn whose calls are answered later finishes with the reason `tool-calls`.
 *
 * @throws `aborted` when `signal` has aborted, `tool` when the turn used up a limit of the policy, and whatever the
 * provider throws; the exchange of the round it happened in precedes it.
 */
export async function* toolLoop(
  options: ToolLoopOptions,
): AsyncGenerator<ToolLoopPart, void, undefined> {
  const {
    provider,
    signal,
    toolChoice,
    clock = wallClock,
    runner = new ToolRunner({ clock }),
  } = options;
  const tools = toolChoice === 'none' ? [] : options.tools;
  const filler = new ToolFiller(options.filler ?? { texts: [] }, tools, clock);
  const emit = (event: ToolEvent): void => {
    filler.hear(event);
    options.emit?.(event);
  };
  const turn = runner.turn({ ...options, tools, emit });
  const messages = [...options.request.messages];
  let choice = toolChoice === 'none' ? undefined : toolChoice;
  let usage: Usage | undefined;
  let joint = '';
  try {
    for (;;) {
      const round = new Round();
      const { offered } = turn;
      const forced = possibleChoice(choice, offered);
      const request: ProviderRequest = {
        ...options.request,
        messages: [...messages],
        tools: offered,
        ...(forced ? { toolChoice: forced } : {}),
      };
      try {
        yield* round.stream(provider, request, signal, joint);
        if (signal.aborted) throw abortedError();
      } catch (error) {
        const why = signal.aborted ? 'the person interrupted' : 'the question broke off';
        const lost = round.calls.map((call) =>
          withoutResult(call, 'interrupted', `Not run: ${why}.`),
        );
        for (const outcome of lost) yield { type: 'tool-result', outcome };
        if (lost.length > 0) yield round.exchange(lost);
        throw error;
      }
      const spent = round.finish?.usage;
      usage = addUsage(usage, spent);
      if (spent) turn.spend(spent, provider.id);
      const reason = round.finish?.reason ?? 'stop';
      if (round.calls.length === 0) {
        yield { type: 'finish', reason, ...(usage === undefined ? {} : { usage }) };
        return;
      }
      const outcomes: ToolOutcome[] = [];
      for await (const next of work(turn, round.calls, filler)) {
        if (typeof next === 'string') {
          yield { type: 'filler', text: next };
          continue;
        }
        outcomes.push(next);
        if (!isOpen(next)) yield { type: 'tool-result', outcome: next };
      }
      const exchange = round.exchange(outcomes);
      yield exchange;
      if (signal.aborted) throw abortedError();
      if (turn.failure) throw turn.failure;
      const waits = outcomes.some(({ status }) => status === 'pending');
      if (waits || turn.stopped) {
        const ending = waits ? 'tool-calls' : 'stop';
        yield { type: 'finish', reason: ending, ...(usage === undefined ? {} : { usage }) };
        return;
      }
      if (exchange.type === 'round') messages.push(...exchange.messages);
      if (round.text !== '') joint = /\s$/.test(round.text) ? '' : ' ';
      choice = undefined;
    }
  } finally {
    filler.stop();
    turn.close();
  }
}
