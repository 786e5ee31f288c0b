/** Keeps a costly stage (a paid model, say) from being asked too often. */
import { element, isControl, isInterruptible } from '../../core/element.ts';
import type { Kind, StreamElement } from '../../core/element.ts';
import { AntiphonError, serializeError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { sleep, type Clock } from '../../core/time.ts';
import { checkKnown } from '../known-option.ts';
import { TokenBucket } from './token-bucket.ts';

/** Settings of {@link RateLimitStage}. */
export interface RateLimitOptions {
  /** Tokens that come back per second. More than 0. */
  readonly perSecond: number;
  /** Most tokens there can be; full at the start of a run. Default `perSecond`, at least 1. */
  readonly burst?: number;
  /** What becomes of an element without a token: it waits, is dropped, or is replaced by an `error` element. Default `wait`. */
  readonly mode?: 'wait' | 'drop' | 'error';
  /** What is counted. Default `message`; control passes always, whatever is said here. */
  readonly kinds?: readonly Kind[];
  /**
   * Tokens an element takes; one that takes more than `burst` waits for a full bucket. Default 1. A cost that is not a number
   * of 0 or more fails the run with `invalid-argument`.
   */
  readonly cost?: (item: StreamElement) => number;
  /** What time is, for counting and for waiting. Default the run's clock. */
  readonly clock?: Clock;
  /** Default `rate-limit`. */
  readonly name?: string;
}

/**
 * A token bucket. Elements of the chosen kinds take tokens; control, errors, history and other kinds
 * pass free, in order (behind one that waits, except an `interrupt`, which the runner takes past).
 *
 * Drops only in the modes `drop` and `error`, and, in `wait`, text, speech and tool calls of a turn that is
 * interrupted meanwhile; messages go on waiting. The `error` element has the code `stage`, is retryable and
 * tells `details.retryAfterMs`. Each of the three emits the event `rate-limited`
 * `{turn, kind, mode, retryAfterMs}`. The end of the run stops the waiting.
 */
export class RateLimitStage implements Stage<never, 'error'> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['error'] as const;
  readonly #options: RateLimitOptions;
  readonly #kinds: ReadonlySet<Kind>;
  readonly #burst: number;

  /** @throws `invalid-argument` when rate or burst is not a positive number, or the mode is none of the three. */
  constructor(options: RateLimitOptions) {
    const { perSecond, burst = Math.max(1, perSecond), name = 'rate-limit' } = options;
    if (!(perSecond > 0 && burst > 0))
      throw new AntiphonError(
        'invalid-argument',
        'A rate limit needs a rate and a burst above 0.',
        {
          hint: 'To let nothing through, leave the stage out that would be asked.',
          stage: name,
          details: { perSecond, burst },
        },
      );
    checkKnown(name, 'mode', options.mode ?? 'wait', ['wait', 'drop', 'error']);
    this.name = name;
    this.#options = options;
    this.#burst = burst;
    this.#kinds = new Set(options.kinds ?? ['message']);
  }

  /** Limits until the input ends; every run has a bucket of its own. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { perSecond, mode = 'wait', cost = () => 1, clock = context.clock } = this.#options;
    const bucket = new TokenBucket(perSecond, this.#burst, clock);
    for await (const item of input) {
      const tokens = this.#counts(item) ? cost(item) : 0;
      if (!(tokens >= 0)) throw this.#noCost(item, tokens);
      const retryAfterMs = bucket.take(tokens);
      if (retryAfterMs > 0) {
        context.emit('rate-limited', { turn: item.turn, kind: item.kind, mode, retryAfterMs });
        if (mode === 'error') yield this.#refusal(item, retryAfterMs);
        if (mode !== 'wait' || !(await this.#wait(bucket, tokens, item, context))) continue;
      }
      yield item;
    }
  }

  #counts(item: StreamElement): boolean {
    if (isControl(item) || item.kind === 'error') return false;
    return this.#kinds.has(item.kind) && item.meta?.['fromHistory'] !== true;
  }

  /** Waits for the tokens; false when the element was voided meanwhile. */
  async #wait(
    bucket: TokenBucket,
    tokens: number,
    item: StreamElement,
    context: StageContext,
  ): Promise<boolean> {
    const { clock = context.clock } = this.#options;
    const turn = context.turnSignal(item.turn);
    const signal = isInterruptible(item) ? AbortSignal.any([context.signal, turn]) : context.signal;
    for (;;) {
      const ms = bucket.take(tokens);
      if (ms === 0) return true;
      try {
        await sleep(clock, ms, signal);
      } catch (error) {
        if (context.signal.aborted || !signal.aborted) throw error;
        return false;
      }
    }
  }

  #noCost({ kind }: StreamElement, tokens: number): AntiphonError {
    return new AntiphonError('invalid-argument', `A ${kind} can't cost ${tokens} tokens.`, {
      hint: 'Let `cost` answer with a number of 0 or more.',
      stage: this.name,
    });
  }

  #refusal({ kind, turn, at }: StreamElement, retryAfterMs: number): StreamElement {
    const error = new AntiphonError('stage', `Too many: a ${kind} was refused.`, {
      hint: `Room for another in ${Math.ceil(retryAfterMs)} ms.`,
      retryable: true,
      stage: this.name,
      details: { kind, retryAfterMs },
    });
    return element('error', { turn, at, source: this.name, error: serializeError(error) });
  }
}
