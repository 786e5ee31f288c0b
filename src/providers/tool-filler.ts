/** Words said while a slow tool keeps the person waiting. */
import type { Clock } from '../core/time.ts';
import { after } from './after.ts';
import type { ToolEvent } from './tool-policy.ts';
import type { Tool } from './tools.ts';

/** When what is said. */
export interface ToolFillerOptions {
  /**
   * The first is said when tools have been running for `delayMs`, the next when they are still running as long again;
   * each at most once a turn. A tool's own `filler` goes before them.
   */
  readonly texts: readonly string[];
  /** In ms. Default 1200. */
  readonly delayMs?: number;
}

/** Follows the tools of one turn by their events. */
export class ToolFiller {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #texts: string[];
  readonly #own: ReadonlyMap<string, string | false>;
  /** Names of the tools that run, by call. */
  readonly #running = new Map<string, string>();
  readonly #said = new Set<string>();
  readonly #ready: string[] = [];
  #cancel: (() => void) | undefined;
  #waiter: ((text: string) => void) | undefined;

  constructor({ texts, delayMs = 1200 }: ToolFillerOptions, tools: readonly Tool[], clock: Clock) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#texts = [...texts];
    this.#own = new Map(
      tools.flatMap(({ name, filler }) => (filler === undefined ? [] : [[name, filler]])),
    );
  }

  /** Takes an event of the turn. Time in which somebody is asked does not count. */
  hear(event: ToolEvent): void {
    if (event.type === 'tool-start') {
      if (this.#own.get(event.name) === false) return;
      this.#running.set(event.callId, event.name);
      this.#cancel ??= after(this.#clock, this.#delayMs, () => this.#due());
    } else if (event.type === 'tool-end') {
      this.#running.delete(event.callId);
      if (this.#running.size === 0) this.stop();
    }
  }

  /** Resolves with the next words that are due; never, if there are none. */
  next(): Promise<string> {
    const text = this.#ready.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  /** Nothing more is due until another tool runs. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#ready.length = 0;
  }

  #due(): void {
    this.#cancel = after(this.#clock, this.#delayMs, () => this.#due());
    const own = [...this.#running.values()]
      .map((name) => this.#own.get(name))
      .find((text) => typeof text === 'string' && !this.#said.has(text));
    const text = typeof own === 'string' ? own : this.#texts.shift();
    if (text === undefined || text === '') return;
    this.#said.add(text);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter) waiter(text);
    else this.#ready.push(text);
  }
}
