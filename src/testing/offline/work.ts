/** Knows what is under way outside of audio time: while engines work, time stands still. */
import { AntiphonError } from '../../core/errors.ts';
import { deferred, type Deferred } from '../../core/deferred.ts';
import { nextTask } from '../../speech/tts/next-task.ts';

/** Tasks in a row in which nothing happens before everything is taken to have happened. */
const quietTasks = 3;

/** Counts work and waits for it. */
export class Work {
  readonly #patienceMs: number;
  readonly #underWay = new Map<symbol, string>();
  #activity = 0;
  #seen = -1;
  #settled: Deferred<void> | undefined;

  /** @param patienceMs how long, in real time, one piece of work may take */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Something happened that may lead to something else. */
  readonly touch = (): void => {
    this.#activity += 1;
  };

  /** `work`, which time waits for; `what` names it in the error of one that never ends. */
  async track<T>(what: string, work: () => Promise<T>): Promise<T> {
    const id = Symbol(what);
    this.#underWay.set(id, what);
    this.touch();
    try {
      return await work();
    } finally {
      this.#underWay.delete(id);
      this.touch();
      this.#settled?.resolve();
    }
  }

  /** Resolves when nothing happens any more unless time passes. Costs nothing when nothing happened. */
  readonly quiet = async (): Promise<void> => {
    for (let quiet = 0; quiet < quietTasks;) {
      if (this.#underWay.size > 0) await this.#untilSettled();
      else if (this.#activity === this.#seen && quiet === 0) return;
      const before = this.#activity;
      await nextTask();
      quiet = this.#activity === before && this.#underWay.size === 0 ? quiet + 1 : 0;
      if (quiet > 0) this.#seen = this.#activity;
    }
  };

  async #untilSettled(): Promise<void> {
    this.#settled = deferred<void>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const names = [...new Set(this.#underWay.values())].join(', ');
        reject(
          new AntiphonError(
            'execution-timeout',
            `audio time stood still for ${this.#patienceMs} ms, waiting for ${names}`,
            {
              hint: 'An engine that waits for audio time must do so by the clock given to it, and a scripted one by a gate or delayMs. If it is only slow, raise patienceMs.',
            },
          ),
        );
      }, this.#patienceMs);
    });
    try {
      await Promise.race([this.#settled.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
