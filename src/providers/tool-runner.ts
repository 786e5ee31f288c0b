/** Runs what models call, under a policy: the same for a text conversation and for a realtime session. */
import { wallClock, type Clock } from '../core/time.ts';
import { Approvals } from './approval.ts';
import type { ToolPolicy } from './tool-policy.ts';
import { ToolTurn, type SharedByTurns, type ToolTurnOptions } from './tool-turn.ts';

export { ToolTurn, type ToolTurnOptions } from './tool-turn.ts';
export type { ToolOutcome } from './tool-execution.ts';

/** What a {@link ToolRunner} needs. */
export interface ToolRunnerOptions {
  readonly policy?: ToolPolicy;
  /** The realm's own unless given. */
  readonly clock?: Clock;
}

/**
 * One per run of a conversation; remembers approvals over its turns. Nothing but the tools themselves is on the
 * caller's hands: policy, approval, argument checks, limits, timeouts, order and size are dealt with here.
 *
 * @example
 * const runner = new ToolRunner({ policy });
 * const turn = runner.turn({ tools, turn: 1, conversation: 'kitchen', signal });
 * try {
 *   offer(turn.offered);
 *   for await (const { call, text } of turn.run(calls)) answer(call.id, text);
 *   if (!turn.failure && !turn.stopped) askAgain();
 * } finally {
 *   turn.close();
 * }
 */
export class ToolRunner {
  readonly #closed = new AbortController();
  readonly #shared: SharedByTurns;

  constructor(options: ToolRunnerOptions = {}) {
    const { policy = {}, clock = wallClock } = options;
    const approvals = new Approvals(policy, clock);
    this.#shared = { policy, clock, approvals, closed: this.#closed.signal };
  }

  /** The tools of a turn; its limits begin to count now. */
  turn(options: ToolTurnOptions): ToolTurn {
    return new ToolTurn(options, this.#shared);
  }

  /** Stops every tool, those that may finish too. Idempotent. */
  close(): void {
    this.#closed.abort();
  }
}
