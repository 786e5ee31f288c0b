/** The tools of one turn: what they may do, and how much. */
import type { ToolCall, Usage } from '../core/element.ts';
import type { AntiphonError } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import { abortable } from './abort.ts';
import { after } from './after.ts';
import type { Approvals } from './approval.ts';
import { CallRecord } from './call-record.ts';
import { Seats } from './seats.ts';
import { execute, failureOf, withoutResult, type ToolOutcome } from './tool-execution.ts';
import {
  limitError,
  offeredTools,
  permissionFor,
  type ToolEvent,
  type ToolPolicy,
} from './tool-policy.ts';
import type { Tool, ToolDefinition } from './tools.ts';

/** What a turn's tools need. */
export interface ToolTurnOptions {
  /** What the model may use this turn; of two with one name the last wins. */
  readonly tools: readonly Tool[];
  readonly turn: number;
  /** Identifies the conversation in a state store. */
  readonly conversation: string;
  /** Aborts when the turn is interrupted. */
  readonly signal: AbortSignal;
  /** Is told what happens; must not throw. */
  readonly emit?: (event: ToolEvent) => void;
  /** Gets the outcome of a call that was `running` when the turn was interrupted, whenever that is. */
  readonly onLate?: (outcome: ToolOutcome) => void;
}

/** What a run shares among its turns. */
export interface SharedByTurns {
  readonly policy: ToolPolicy;
  readonly clock: Clock;
  readonly approvals: Approvals;
  /** Aborts with the run. */
  readonly closed: AbortSignal;
}

/** Runs the calls of a turn, round by round. Made by `ToolRunner.turn`; close it when the turn is over. */
export class ToolTurn {
  readonly #options: ToolTurnOptions;
  readonly #shared: SharedByTurns;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #record = new CallRecord();
  readonly #deadline = new AbortController();
  readonly #seats: Seats;
  readonly #cancelDeadline: () => void;
  #asking: Promise<unknown> = Promise.resolve();
  #rounds = 0;
  #cost = 0;
  #stopped = false;
  #failure: AntiphonError | undefined;

  constructor(options: ToolTurnOptions, shared: SharedByTurns) {
    this.#options = options;
    this.#shared = shared;
    this.#tools = new Map(options.tools.map((tool) => [tool.name, tool]));
    const { maxParallel = 10, turnTimeoutMs = 120_000 } = shared.policy;
    this.#seats = new Seats(maxParallel);
    this.#cancelDeadline = after(shared.clock, turnTimeoutMs, () => {
      this.#fail('turnTimeoutMs', `The turn took more than ${turnTimeoutMs / 1000} seconds.`);
      this.#deadline.abort();
    });
  }

  /** The tools to offer to the model now, sorted by name. */
  get offered(): readonly ToolDefinition[] {
    const left = [...this.#tools.values()].filter(({ name }) => !this.#record.excludes(name));
    return offeredTools(this.#shared.policy, left);
  }

  /** True once a tool wants the turn to end after this round. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Why the model must not be asked again in this turn; undefined while it may. */
  get failure(): AntiphonError | undefined {
    return this.#failure;
  }

  /** Counts what a call of the model cost; `provider` is its id. */
  spend(usage: Usage, provider: string): void {
    const { price, maxCost } = this.#shared.policy;
    if (!price || maxCost === undefined) return;
    this.#cost += price(usage, provider);
    // A price that is no number is no permission to go on.
    if (!(this.#cost <= maxCost))
      this.#fail('maxCost', `The turn cost ${this.#cost}, of ${maxCost} it may.`);
  }

  /**
   * Runs the calls of one round in parallel and yields exactly one outcome for each, in the order of the calls.
   * Never throws. Ends at once when the turn is interrupted. Afterwards look at `failure` and `stopped`.
   */
  async *run(calls: readonly ToolCall[]): AsyncGenerator<ToolOutcome, void, undefined> {
    const { maxRounds = 8, maxFailures = 2 } = this.#shared.policy;
    this.#rounds += 1;
    if (this.#rounds >= maxRounds)
      this.#fail('maxRounds', `The model asked for tools ${this.#rounds} times in one turn.`);
    const outcomes: ToolOutcome[] = [];
    for (const work of calls.map((call) => this.#one(call))) {
      const outcome = await work;
      outcomes.push(outcome);
      yield outcome;
    }
    for (const name of this.#record.settle(outcomes, maxFailures))
      if (this.#tools.has(name))
        this.#emit({ type: 'tool-excluded', turn: this.#options.turn, name });
  }

  /** The turn is over; only tools that were interrupted and may finish go on. Idempotent. */
  close(): void {
    this.#cancelDeadline();
  }

  /** What ends the work on a call before its time. */
  get #stops(): readonly AbortSignal[] {
    return [this.#options.signal, this.#deadline.signal, this.#shared.closed];
  }

  get #isOver(): boolean {
    return this.#stops.some((signal) => signal.aborted);
  }

  async #one(call: ToolCall): Promise<ToolOutcome> {
    const tool = this.#tools.get(call.name);
    const refused = this.#refusal(call);
    if (refused || !tool) {
      const words = `There is no tool named ${call.name}.`;
      return this.#over(refused ?? withoutResult(call, 'unknown', words));
    }
    const denied = await this.#denial(call, tool);
    if (denied) return this.#over(denied);
    try {
      await this.#until((signal) => this.#seats.take(signal));
    } catch {
      return this.#over(this.#gone(call));
    }
    try {
      return await this.#execute(call, tool);
    } finally {
      this.#seats.give();
    }
  }

  /** Why the call is not even considered. */
  #refusal(call: ToolCall): ToolOutcome | undefined {
    const { name } = call;
    if (this.#failure || this.#isOver) return this.#gone(call);
    if (this.#record.excludes(name))
      return withoutResult(
        call,
        'excluded',
        `${name} failed too often and is not available in this turn.`,
      );
    const { maxIdenticalCalls = 3 } = this.#shared.policy;
    const made = this.#record.add(call);
    if (made <= maxIdenticalCalls) return undefined;
    if (made > maxIdenticalCalls + 1)
      this.#fail('maxIdenticalCalls', `The model made the same call of ${name} again and again.`);
    const words = `Not run: you made the same call ${made - 1} times already. Use the results you have.`;
    return withoutResult(call, 'repeated', words);
  }

  /** Why the call must not run; undefined when it may. */
  async #denial(call: ToolCall, tool: Tool): Promise<ToolOutcome | undefined> {
    const permission = permissionFor(this.#shared.policy, call, tool);
    if (permission === 'allow') return undefined;
    if (permission === 'deny')
      return withoutResult(call, 'denied', `${call.name} is not allowed here.`);
    try {
      const checked = tool.check?.(call.arguments);
      if (checked) await this.#until((signal) => abortable(checked, signal));
    } catch (error) {
      return this.#isOver ? this.#gone(call) : failureOf(call, error);
    }
    // One question at a time: a person has one pair of ears.
    const decision = this.#asking.then(() => this.#decide(call, tool));
    this.#asking = decision;
    return decision;
  }

  async #decide(call: ToolCall, tool: Tool): Promise<ToolOutcome | undefined> {
    if (this.#isOver) return this.#gone(call);
    const { turn, conversation } = this.#options;
    const { approvals } = this.#shared;
    let decision = approvals.remembered(call);
    if (!decision) {
      this.#emit({ type: 'tool-approval', ...this.#about(call) });
      const { name, description, parameters } = tool;
      const request = { call, tool: { name, description, parameters }, turn, conversation };
      decision = await this.#until((stop) => approvals.ask(request, stop));
    }
    const { allowed, by, reason } = decision;
    this.#emit({ type: 'tool-decision', ...this.#about(call), allowed, by });
    if (allowed) return undefined;
    return by === 'interrupted' ? this.#gone(call) : withoutResult(call, 'denied', reason);
  }

  async #execute(call: ToolCall, tool: Tool): Promise<ToolOutcome> {
    if (this.#isOver) return this.#over(this.#gone(call));
    const { turn, conversation, signal, onLate } = this.#options;
    const { policy, clock, closed } = this.#shared;
    this.#emit({ type: 'tool-start', ...this.#about(call) });
    const startedAtMs = clock.now();
    const outcome = await execute(tool, call, {
      turn,
      conversation,
      timeoutMs: tool.timeoutMs ?? policy.toolTimeoutMs ?? 30_000,
      maxResultLength: policy.maxResultLength,
      clock,
      interrupted: signal,
      deadline: this.#deadline.signal,
      closed,
      stopTurn: () => {
        this.#stopped = true;
      },
      onLate: (late) => onLate?.(this.#over(late, clock.now() - startedAtMs)),
    });
    return outcome.status === 'running' ? outcome : this.#over(outcome, clock.now() - startedAtMs);
  }

  /** The outcome of a call that will not run, because the turn is over or out of a limit. */
  #gone(call: ToolCall): ToolOutcome {
    return this.#failure && !this.#options.signal.aborted
      ? withoutResult(call, 'over-limit', `Not run. ${this.#failure.message}`)
      : withoutResult(call, 'interrupted', 'Not run: the person interrupted.');
  }

  /** Works with a signal that aborts with the turn, its deadline and the run. */
  async #until<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const stops = this.#stops;
    if (this.#isOver) abort();
    for (const signal of stops) signal.addEventListener('abort', abort, { once: true });
    try {
      return await work(controller.signal);
    } finally {
      for (const signal of stops) signal.removeEventListener('abort', abort);
    }
  }

  #over(outcome: ToolOutcome, durationMs = 0): ToolOutcome {
    const { call, status } = outcome;
    this.#emit({ type: 'tool-end', ...this.#about(call), status, durationMs });
    return outcome;
  }

  #about(call: ToolCall): {
    readonly turn: number;
    readonly callId: string;
    readonly name: string;
  } {
    return { turn: this.#options.turn, callId: call.id, name: call.name };
  }

  #emit(event: ToolEvent): void {
    this.#options.emit?.(event);
  }

  #fail(limit: keyof ToolPolicy, message: string): void {
    this.#failure ??= limitError(limit, message);
  }
}
