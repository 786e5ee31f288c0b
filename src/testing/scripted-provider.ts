/** A language model that plays a script. */
import { abortedError } from '../core/errors.ts';
import { messageText, type FinishReason, type Usage } from '../core/element.ts';
import { sleep, wallClock, type Clock } from '../core/time.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../providers/provider.ts';
import type { Tool } from '../providers/tools.ts';
import type { Gate } from './gate.ts';
import { asScripted, fits, Script, shown, type Verifiable } from './script.ts';

/** A step of a reply: a text to stream, any other part, an error to throw, or a wait. */
export type ReplyStep =
  | string
  | ProviderPart
  | Error
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'gate'; readonly gate: Gate }
  | { readonly type: 'hang' };

/** What a request must be: what the user said last, or whatever a function checks (a string tells what is wrong). */
export type RequestExpectation =
  | string
  | RegExp
  | ((request: ProviderRequest) => boolean | string | undefined);

/** One call of the model. */
export interface ScriptedExchange {
  /** Any request unless given. */
  readonly expect?: RequestExpectation;
  /** A string is streamed word by word. `finish` is added where the steps lack it. */
  readonly reply: string | readonly ReplyStep[];
}

/** Options of {@link scriptedProvider}. */
export interface ScriptedProviderOptions {
  /** `scripted` unless given. */
  readonly id?: string;
  /** Tools the provider brings along; none unless given. */
  readonly tools?: readonly Tool[];
  /** What `wait` is counted by; the realm's own unless given. */
  readonly clock?: Clock;
  /** True: the last exchange serves all further requests too. False unless given. */
  readonly repeat?: boolean;
}

/** One request and what became of its reply. */
export interface ScriptedCall {
  readonly request: ProviderRequest;
  /** The signal aborted before the reply was complete. */
  readonly cancelled: boolean;
  /** Nothing of it is running any more. */
  readonly closed: boolean;
}

/** The model and what it was asked. */
export interface ScriptedProvider extends Provider, Verifiable {
  readonly calls: readonly ScriptedCall[];
  /** The requests of `calls`. */
  readonly requests: readonly ProviderRequest[];
}

/** Makes the steps of a reply. */
export interface ReplySteps {
  text(text: string): ReplyStep;
  reasoning(text: string): ReplyStep;
  /** The model asks for a tool; the id is the tool's name unless given. */
  call(name: string, args?: unknown, id?: string): ReplyStep;
  finish(reason: FinishReason, usage?: Usage): ReplyStep;
  /** Nothing for `ms` by the clock. */
  wait(ms: number): ReplyStep;
  /** Nothing until the gate is open. */
  gate(gate: Gate): ReplyStep;
  /** Nothing more until it is cancelled. */
  readonly hang: ReplyStep;
}

/** Steps of a reply by name. */
export const reply: ReplySteps = {
  text: (text) => ({ type: 'text-delta', text }),
  reasoning: (text) => ({ type: 'reasoning-delta', text }),
  call: (name, args = {}, id = name) => ({
    type: 'tool-call',
    call: { id, name, arguments: args },
  }),
  finish: (reason, usage) => ({
    type: 'finish',
    reason,
    ...(usage === undefined ? {} : { usage }),
  }),
  wait: (ms) => ({ type: 'wait', ms }),
  gate: (gate) => ({ type: 'gate', gate }),
  hang: { type: 'hang' },
};

/**
 * A provider that answers its requests by `script`, in order. A request that is not the expected one, or one
 * too many, is an `expectation` error.
 *
 * @example
 * const provider = scriptedProvider([
 *   { expect: 'what time is it', reply: [reply.call('clock')] },
 *   'It is noon.',
 * ]);
 */
export function scriptedProvider(
  script: readonly (string | readonly ReplyStep[] | ScriptedExchange)[],
  options: ScriptedProviderOptions = {},
): ScriptedProvider {
  const { id = 'scripted', tools, clock = wallClock, repeat = false } = options;
  const steps = new Script('the provider', script.map(whole), describeExchange);
  const calls: { -readonly [Key in keyof ScriptedCall]: ScriptedCall[Key] }[] = [];
  const requests: ProviderRequest[] = [];

  async function* stream(
    request: ProviderRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ProviderPart, void, undefined> {
    const call = { request, cancelled: false, closed: false };
    calls.push(call);
    requests.push(request);
    let complete = false;
    try {
      const exchange = steps.take() ?? (repeat ? steps.last : undefined);
      if (!exchange) throw steps.tooMany(`asked ${said(request)}`);
      const objection = objectionTo(request, exchange.expect);
      if (objection !== undefined) throw steps.other(exchange, objection);
      for (const step of stepsOf(exchange)) {
        if (signal.aborted) throw abortedError();
        if (step instanceof Error) throw step;
        if (typeof step === 'string') yield { type: 'text-delta', text: step };
        else if (step.type === 'wait') await sleep(clock, step.ms, signal);
        else if (step.type === 'gate') await step.gate.pass(signal);
        else if (step.type === 'hang') await untilAborted(signal);
        else yield step;
      }
      complete = true;
    } finally {
      call.closed = true;
      call.cancelled = signal.aborted && !complete;
    }
  }
  return asScripted({
    id,
    calls,
    requests,
    ...(tools === undefined ? {} : { tools }),
    stream,
    verify: () => steps.verify(),
  });
}

function whole(given: string | readonly ReplyStep[] | ScriptedExchange): ScriptedExchange {
  if (typeof given === 'string' || Array.isArray(given)) return { reply: given };
  return given as ScriptedExchange;
}

function stepsOf({ reply: given }: ScriptedExchange): readonly ReplyStep[] {
  const steps = typeof given === 'string' ? (given.match(/\s*\S+\s*/g) ?? []) : given;
  const has = (type: ProviderPart['type']): boolean =>
    steps.some((step) => typeof step === 'object' && 'type' in step && step.type === type);
  if (has('finish')) return steps;
  return [...steps, { type: 'finish', reason: has('tool-call') ? 'tool-calls' : 'stop' }];
}

function lastUser({ messages }: ProviderRequest): string {
  const last = messages.findLast(({ role }) => role === 'user');
  return last ? messageText(last) : '';
}

function said(request: ProviderRequest): string {
  return JSON.stringify(lastUser(request));
}

/** What is wrong with a request; undefined when nothing is. */
function objectionTo(
  request: ProviderRequest,
  expected: RequestExpectation | undefined,
): string | undefined {
  if (expected === undefined) return undefined;
  if (typeof expected !== 'function')
    return fits(expected, lastUser(request)) ? undefined : `asked ${said(request)}`;
  const verdict = expected(request);
  if (verdict === true || verdict === undefined) return undefined;
  return verdict === false
    ? `asked ${said(request)}, which its check refused`
    : `asked ${said(request)}: ${verdict}`;
}

function describeExchange({ expect }: ScriptedExchange): string {
  if (expect === undefined) return 'a request';
  return typeof expect === 'function' ? 'a request it checks' : `to be asked ${shown(expect)}`;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(abortedError());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
