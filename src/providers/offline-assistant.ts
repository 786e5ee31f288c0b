/** A small rule-based assistant that needs no network, no key and no model, and does not pretend to be one. */
import { abortedError } from '../core/errors.ts';
import { messageText, type Message, type ToolCall } from '../core/element.ts';
import { recordOf } from './chat/json.ts';
import { answerFor, type ToolAnswer } from './offline/answer.ts';
import { plan, type Past, type Plan } from './offline/plan.ts';
import { Timers, type RunningTimer, type TimerRing } from './offline/timers.ts';
import { offlineTools, type ValueStore } from './offline/tools.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';
import { unframeResult } from './tool-result.ts';
import type { Tool } from './tools.ts';

/** What {@link offlineAssistant} may be told. */
export interface OfflineAssistantOptions {
  /** Unix time in ms; `Date.now` unless given. */
  readonly now?: () => number;
  /** BCP 47 tag that decides between a 12-hour and a 24-hour clock; answers are English. Default `en-US`. */
  readonly locale?: string;
  /** IANA time zone; the device's own unless given. */
  readonly timeZone?: string;
  /** Where the user's name is kept; in memory unless given. `{ get: (key) => store.getValue(id, key), … }` keeps it in a StateStore. */
  readonly values?: ValueStore;
}

/** The assistant: a {@link Provider} with tools of its own. */
export interface OfflineAssistant extends Provider {
  readonly tools: readonly Tool[];
  /** Calls `listener` when a timer rings, until the returned function is called; say its `announcement`. */
  onTimer(listener: (ring: TimerRing) => void): () => void;
  /** Timers still running, the next to ring first. */
  readonly timers: readonly RunningTimer[];
  /** Stops all timers. */
  close(): void;
}

function memoryValues(): ValueStore {
  const values = new Map<string, unknown>();
  return { get: (key) => values.get(key), set: (key, value) => void values.set(key, value) };
}

/** The calls of the last exchange with their results, when the conversation ends with results. */
function openAnswers(messages: readonly Message[]): ToolAnswer[] {
  const begin = messages.findLastIndex(({ role }) => role !== 'tool');
  const calls = new Map<string, ToolCall>(
    messages[begin]?.toolCalls?.map((call) => [call.id, call]),
  );
  return messages.slice(begin + 1).flatMap((message) => {
    const call = calls.get(message.toolCallId ?? '');
    return call
      ? [
          {
            tool: call.name,
            arguments: recordOf(call.arguments),
            result: unframeResult(messageText(message)),
          },
        ]
      : [];
  });
}

/** The value of the last calculation in the conversation. */
function lastResult(messages: readonly Message[]): number | undefined {
  const calls = new Set(
    messages.flatMap(({ toolCalls = [] }) =>
      toolCalls.filter(({ name }) => name === 'calculator').map(({ id }) => id),
    ),
  );
  const message = messages.findLast(({ toolCallId = '' }) => calls.has(toolCallId));
  const value = /^\{"value":([-\d.e+]+)\}$/.exec(
    message ? unframeResult(messageText(message)) : '',
  )?.[1];
  return value === undefined ? undefined : Number(value);
}

function pastOf(messages: readonly Message[]): Past {
  const texts = (role: Message['role']): string[] =>
    messages
      .filter((message) => message.role === role)
      .map((message) => message.generated ?? messageText(message))
      .filter((text) => text !== '');
  const result = lastResult(messages);
  return {
    asked: texts('user'),
    replied: texts('assistant'),
    ...(result === undefined ? {} : { lastResult: result }),
  };
}

/** Words with their white space, so that a reply streams as a model's does. */
function* deltas(text: string): Generator<ProviderPart> {
  for (const word of text.match(/\s*\S+/g) ?? []) yield { type: 'text-delta', text: word };
}

function step(request: ProviderRequest, hour12: boolean): Plan {
  const { messages, tools } = request;
  const userAt = messages.findLastIndex(({ role }) => role === 'user');
  const user = messages[userAt];
  const question = user ? messageText(user) : '';
  const answers = openAnswers(messages);
  if (answers.length > 0)
    return { say: answers.map((answer) => answerFor(answer, question, hour12)).join(' ') };
  const next = plan(question, pastOf(messages.slice(0, Math.max(0, userAt))));
  if ('tool' in next && !tools.some(({ name }) => name === next.tool))
    return {
      say: `I would need my ${next.tool.replaceAll('_', ' ')} for that, but I may not use it here.`,
    };
  return next;
}

/**
 * Makes the assistant: time, date, sums, timers, your name, counting, jokes, and plain words about what it
 * cannot do. It forgives spelling: most of what it hears comes from a speech recogniser.
 *
 * @example
 * const assistant = offlineAssistant();
 * assistant.onTimer(({ announcement }) => agent.say(announcement));
 */
export function offlineAssistant(options: OfflineAssistantOptions = {}): OfflineAssistant {
  const { now = Date.now, locale = 'en-US', timeZone, values = memoryValues() } = options;
  const timers = new Timers(now);
  const tools = offlineTools({
    now,
    timers,
    values,
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  const { hour12 = true } = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions();
  return {
    id: 'offline-assistant',
    tools,
    onTimer: (listener) => timers.onRing(listener),
    get timers() {
      return timers.list();
    },
    close: () => void timers.cancelAll(),
    async *stream(request, { signal }) {
      const next = step(request, hour12);
      if ('tool' in next) {
        yield {
          type: 'tool-call',
          call: { id: crypto.randomUUID(), name: next.tool, arguments: next.arguments },
        };
        yield { type: 'finish', reason: 'tool-calls' };
        return;
      }
      for (const part of deltas(next.say)) {
        if (signal.aborted) throw abortedError();
        yield part;
        // A model gives way between tokens; so that an interrupt can arrive, this one does too.
        await Promise.resolve();
      }
      yield { type: 'finish', reason: 'stop' };
    },
  };
}
