/** Time that passes when a test says so. */
import { abortedError } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import { nextTask } from '../speech/tts/next-task.ts';

/** Tasks that pass before everything that needs no time is taken to have happened. */
const settlingTasks = 4;

/**
 * Lets everything happen that needs neither time nor the outside world: promises settle, messages arrive.
 * Instead of a sleep in a test.
 */
export async function settle(): Promise<void> {
  for (let task = 0; task < settlingTasks; task += 1) await nextTask();
}

/** A clock for `StageContext.clock` and `PipelineConfig.clock`; made by {@link fakeClock}. */
export interface FakeClock extends Clock {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * Lets `ms` pass: whoever sleeps is woken at his time, in order, and what he then does without time, a
   * further sleep included, happens before time goes on.
   */
  advance(ms: number): Promise<void>;
  /**
   * Lets time pass until it is `ms`, without a task of its own when nobody wakes before.
   *
   * @param quiet how what needs no time is let happen behind each that wakes; {@link settle} unless given
   */
  passUntil(ms: number, quiet?: () => Promise<void>): Promise<void>;
  /** Lets time pass until the next sleeper wakes. Returns false, at once, when nobody sleeps. */
  advanceToNext(): Promise<boolean>;
  /** How many sleep now. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly dueMs: number;
  wake(): void;
}

/**
 * A clock that stands still. Everything in a stage that waits by its clock (rate limits, time-outs, retries,
 * `sleep`) and the idle and execution time-outs of a pipeline go by it.
 *
 * @param startMs its first reading; 0 unless given
 *
 * @example
 * const clock = fakeClock();
 * const run = new PipelineBuilder({ clock }).chain(new RateLimitStage({ perSecond: 1 })).build().execute(input);
 * await clock.advance(1000);
 */
export function fakeClock(startMs: number = 0): FakeClock {
  let now = startMs;
  const sleepers = new Set<Sleeper>();
  const earliest = (): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (!first || sleeper.dueMs < first.dueMs) first = sleeper;
    return first;
  };
  const wakeUpTo = async (ms: number, quiet: () => Promise<void> = settle): Promise<void> => {
    for (let next = earliest(); next && next.dueMs <= ms; next = earliest()) {
      now = Math.max(now, next.dueMs);
      next.wake();
      await quiet();
    }
  };
  return {
    now: () => now,
    get sleeping() {
      return sleepers.size;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const leave = (): void => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', abort);
        };
        const abort = (): void => {
          leave();
          reject(abortedError());
        };
        const sleeper: Sleeper = {
          dueMs: now + ms,
          wake: () => {
            leave();
            resolve();
          },
        };
        if (signal.aborted) {
          reject(abortedError());
          return;
        }
        sleepers.add(sleeper);
        signal.addEventListener('abort', abort, { once: true });
      }),
    async advance(ms) {
      await settle();
      const end = now + ms;
      await wakeUpTo(end);
      now = end;
    },
    async passUntil(ms, quiet) {
      await wakeUpTo(ms, quiet);
      now = Math.max(now, ms);
    },
    async advanceToNext() {
      await settle();
      const next = earliest();
      if (next) await wakeUpTo(next.dueMs);
      return next !== undefined;
    },
  };
}
