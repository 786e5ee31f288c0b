/** Steps that must be taken, in order, all of them and no others. */
import { AntiphonError } from '../core/errors.ts';

/** What every scripted engine can be asked in the end. */
export interface Verifiable {
  /** Throws `expectation` when something was asked that the script did not expect, or something expected was never asked. */
  verify(): void;
}

/** The steps of one scripted engine. Whatever goes against it is remembered, because a stage may catch the error. */
export class Script<Step> {
  readonly #engine: string;
  readonly #steps: readonly Step[];
  readonly #describe: (step: Step) => string;
  #taken = 0;
  #failure: AntiphonError | undefined;

  /**
   * @param engine how it is called in errors: "the provider"
   * @param describe what a step expects: `to be asked "Hello"`
   */
  constructor(engine: string, steps: readonly Step[], describe: (step: Step) => string) {
    this.#engine = engine;
    this.#steps = steps;
    this.#describe = describe;
  }

  /** How many steps were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** The next step; undefined when all were taken. */
  take(): Step | undefined {
    const step = this.#steps[this.#taken];
    if (this.#taken < this.#steps.length) this.#taken += 1;
    return step;
  }

  /** The last step of all. */
  get last(): Step | undefined {
    return this.#steps.at(-1);
  }

  /** The error of a call that no step is left for. */
  tooMany(got: string): AntiphonError {
    const { length } = this.#steps;
    return this.fail(
      `${this.#engine} expected ${length === 1 ? 'one call' : `${length} calls`}, all of which came, and then was ${got}`,
    );
  }

  /** The error of a call that is not what `step` expects. */
  other(step: Step, got: string): AntiphonError {
    return this.fail(
      `${this.#engine} expected, as call ${this.#taken}, ${this.#describe(step)}, and was ${got}`,
    );
  }

  /** Remembers a failure, the first of which `verify` throws. */
  fail(message: string): AntiphonError {
    const error = new AntiphonError('expectation', message, {
      hint: 'Change the script, or find out why the stage asks for something else.',
    });
    this.#failure ??= error;
    return error;
  }

  /** Throws the first failure; else tells which steps, those for which `excused` is true apart, are left. */
  verify(unmet: (step: Step, index: number) => boolean = (_, index) => index >= this.#taken): void {
    if (this.#failure) throw this.#failure;
    const left = this.#steps.filter(unmet).map((step) => this.#describe(step));
    if (left.length === 0) return;
    throw new AntiphonError('expectation', `${this.#engine} still expected ${left.join('; ')}`, {
      hint: 'Change the script, or find out why the stage never asked.',
      details: { left: left.length },
    });
  }
}

/** True when `text` is what was expected: the same, or matched. */
export function fits(expected: string | RegExp, text: string): boolean {
  return typeof expected === 'string' ? expected === text : expected.test(text);
}

/** An expectation for an error message. */
export function shown(expected: string | RegExp): string {
  return typeof expected === 'string' ? JSON.stringify(expected) : String(expected);
}

const scripted = new WeakSet<object>();

/**
 * Marks an engine or a tool that takes no real time: it answers at once, or waits by a `FakeClock` or a gate.
 * In `runOffline`, audio time stands still while an unmarked one works, and goes on while a marked one waits.
 */
export function asScripted<Engine extends object>(engine: Engine): Engine {
  scripted.add(engine);
  return engine;
}

/** True for an engine that {@link asScripted} marked. */
export function isScripted(engine: object): boolean {
  return scripted.has(engine);
}
