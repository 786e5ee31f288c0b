/** One turn with a model that may call tools: ask, run what it calls, ask again, until it answers. */
import {
  textMessage,
  type FinishReason,
  type Message,
  type ToolCall,
  type Usage,
} from '../core/element.ts';
import { AntiphonError, toAntiphonError, type ErrorData } from '../core/errors.ts';
import { abortable, abortedError, untilAborted } from './abort.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';
import type { Tool } from './tools.ts';

/** What one turn needs. */
export interface ToolLoopOptions {
  readonly provider: Provider;
  /** The request without its tools; its messages end with what is to be answered. */
  readonly request: Omit<ProviderRequest, 'tools'>;
  /** Offered to the model, in this order. */
  readonly tools: readonly Tool[];
  /** How often the model may be asked in one turn. Default 8. */
  readonly maxRounds?: number;
  /** Aborts when the turn is interrupted. */
  readonly signal: AbortSignal;
  readonly turn: number;
  readonly conversation: string;
}

/** What happened to one call. */
export interface ToolOutcome {
  readonly call: ToolCall;
  readonly result: unknown;
  readonly isError: boolean;
}

/** What a turn streams. `round`: the finished exchange of a tool round, for the model's history. */
export type ToolLoopPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'tool-result'; readonly outcome: ToolOutcome }
  | { readonly type: 'round'; readonly messages: readonly Message[] }
  | { readonly type: 'error'; readonly error: ErrorData }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage?: Usage };

/** Runs one call; every failure but an abort becomes an error result that the model can read. */
async function runCall(call: ToolCall, options: ToolLoopOptions): Promise<ToolOutcome> {
  const { signal, turn, conversation } = options;
  const tool = options.tools.find(({ name }) => name === call.name);
  if (!tool) return { call, result: `There is no tool named ${call.name}.`, isError: true };
  try {
    const context = { signal, turn, conversation, callId: call.id };
    const result = await abortable(tool.execute(call.arguments, context), signal);
    return { call, result: result ?? null, isError: false };
  } catch (error) {
    if (signal.aborted) throw abortedError();
    return { call, result: toAntiphonError(error, 'tool').message, isError: true };
  }
}

function resultMessage({ call, result, isError }: ToolOutcome): Message {
  const text = typeof result === 'string' ? result : JSON.stringify(result);
  return textMessage('tool', isError ? `Error: ${text}` : text, { toolCallId: call.id });
}

function sum(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (!a || !b) return a ?? b;
  return {
    inputTokens: (a.inputTokens ?? 0) + (b.inputTokens ?? 0),
    outputTokens: (a.outputTokens ?? 0) + (b.outputTokens ?? 0),
  };
}

/** One call of the model: passes its parts on and collects its text and calls. */
class Round {
  text = '';
  readonly calls: ToolCall[] = [];
  finish: Extract<ProviderPart, { type: 'finish' }> | undefined;

  async *stream(
    options: ToolLoopOptions,
    messages: readonly Message[],
    joint: string,
  ): AsyncGenerator<ToolLoopPart> {
    const { provider, request, signal } = options;
    const tools = options.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      parameters,
    }));
    const parts = provider.stream({ ...request, messages, tools }, { signal });
    for await (const part of untilAborted(parts, signal)) {
      if (part.type === 'finish') {
        this.finish = part;
        continue;
      }
      if (part.type === 'tool-call') this.calls.push(part.call);
      if (part.type !== 'text-delta') {
        yield part;
        continue;
      }
      // Text of two rounds is one reply: keep the words of the seam apart.
      const text = this.text === '' && !/^\s/.test(part.text) ? joint + part.text : part.text;
      this.text += text;
      yield { type: 'text-delta', text };
    }
  }
}

/**
 * Streams a whole turn. Calls of one round run in parallel; their results follow in the order of the calls.
 *
 * @throws `aborted` as soon as `signal` aborts, `tool` when the model wants more than `maxRounds` rounds,
 * and whatever the provider throws.
 */
export async function* toolLoop(
  options: ToolLoopOptions,
): AsyncGenerator<ToolLoopPart, void, undefined> {
  const maxRounds = options.maxRounds ?? 8;
  const messages = [...options.request.messages];
  let usage: Usage | undefined;
  let joint = '';
  for (let number = 1; number <= maxRounds; number += 1) {
    const round = new Round();
    yield* round.stream(options, messages, joint);
    if (options.signal.aborted) throw abortedError();
    usage = sum(usage, round.finish?.usage);
    if (round.calls.length === 0) {
      yield {
        type: 'finish',
        reason: round.finish?.reason ?? 'stop',
        ...(usage === undefined ? {} : { usage }),
      };
      return;
    }
    if (round.text !== '') joint = /\s$/.test(round.text) ? '' : ' ';
    const outcomes: ToolOutcome[] = [];
    const running = round.calls.map((call) => runCall(call, options));
    const settled = Promise.allSettled(running);
    for (const work of running) {
      const outcome = await work.catch(async (error: unknown) => {
        await settled;
        throw error;
      });
      outcomes.push(outcome);
      yield { type: 'tool-result', outcome };
    }
    const asked = textMessage('assistant', round.text, {
      toolCalls: round.calls,
      finishReason: 'tool-calls',
    });
    const exchange = [asked, ...outcomes.map(resultMessage)];
    messages.push(...exchange);
    yield { type: 'round', messages: exchange };
  }
  throw new AntiphonError('tool', `The model asked for tools ${maxRounds} times in one turn.`, {
    hint: 'Raise `maxToolRounds`, or make the results of the tools clearer to the model.',
    details: { maxRounds },
  });
}
