/** What tests of conversation stages share. */
import { messageText, type Message, type StreamElement } from '../../../src/core/element.ts';
import { elements } from '../../../src/testing/index.ts';
import { unframeResult } from '../../../src/providers/tool-result.ts';

const make = elements();

/** A user's message element. */
export const user = (text: string, turn = 1, meta?: Record<string, unknown>): StreamElement =>
  make.user(text, { turn, at: turn * 1000, ...(meta === undefined ? {} : { meta }) });

/** An assistant's message element. */
export const assistant = (text: string, turn = 1, facts: Partial<Message> = {}): StreamElement =>
  make.message('assistant', text, facts, { turn, at: 0 });

export const turnEnd = (turn = 1): StreamElement => make.turnEnd({ turn, at: turn * 1000 });

/** Elements in short: `user:Hi`, `+Hel`, `assistant:Hello`, `error:template`, `turn-end`. */
export function brief(elements: readonly StreamElement[]): string[] {
  return elements.map((item) => {
    if (item.kind === 'message') return `${item.message.role}:${messageText(item.message)}`;
    if (item.kind === 'text') return `${item.delta ? '+' : '='}${item.text}`;
    if (item.kind === 'error') return `error:${item.error.code}`;
    if (item.kind === 'tool-call') return `call:${item.call.name}`;
    if (item.kind === 'tool-result') return `result:${item.name}`;
    return item.kind;
  });
}

/** Messages in short: `user:Hi`. */
export const shown = (messages: readonly Message[]): string[] =>
  messages.map((message) => `${message.role}:${unframeResult(messageText(message))}`);

/** An input a test feeds by hand, and that says when everything was taken. */
export function feed(): AsyncIterable<StreamElement> & {
  push(...items: StreamElement[]): void;
  end(): void;
} {
  const items: StreamElement[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  return {
    push(...more) {
      items.push(...more);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = items.shift();
        if (next) yield next;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}

/** Collects what a stage emits; `until` resolves once `count` elements have arrived. */
export function collect(source: AsyncIterable<StreamElement>): {
  readonly all: StreamElement[];
  until(count: number): Promise<StreamElement[]>;
  readonly done: Promise<void>;
} {
  const all: StreamElement[] = [];
  let check: () => void = () => undefined;
  const done = (async () => {
    for await (const item of source) {
      all.push(item);
      check();
    }
  })();
  return {
    all,
    done,
    until: (count) =>
      new Promise((resolve, reject) => {
        check = () => {
          if (all.length >= count) resolve(all);
        };
        check();
        done.then(() => reject(new Error(`ended after ${brief(all).join(' ')}`)), reject);
      }),
  };
}
