/** Answers to calls that come from outside, some of them before the turn they belong to is over. */
import { element, type StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import { outcomeOf, type ToolOutcome } from '../../providers/tool-execution.ts';
import type { ToolEvent } from '../../providers/tool-policy.ts';
import type { OpenCall, RunMemory } from './run-memory.ts';

/** An answer as it was given. */
export interface GivenAnswer {
  readonly result: unknown;
  readonly isError: boolean;
}

/** What became of an answer. */
export interface Settled {
  /** Told to who follows the conversation: the result, and its message for the record. */
  readonly elements: readonly StreamElement[];
  /** True when no other call that was made with it waits any more: the turn can go on. */
  readonly complete: boolean;
}

/** The error of an answer nobody waits for. */
export function notPending(callId: string): AntiphonError {
  return new AntiphonError('tool', `No call "${callId}" waits for an answer.`, {
    hint: 'Answer each call once, while the conversation runs; `pendingTools` lists those that wait.',
    details: { callId },
  });
}

/** The calls of a run that have no final result yet. */
export class OpenAnswers {
  readonly #memory: RunMemory;
  readonly #source: string;
  readonly #maxLength: number | undefined;
  /** Calls of the turn under way that may turn out to be answered later. */
  readonly #running = new Set<string>();
  readonly #early = new Map<string, GivenAnswer>();
  readonly #finished = new Map<string, ToolOutcome>();

  /** `maxLength`: of a result, in UTF-16 units, as in a tool policy. */
  constructor(memory: RunMemory, source: string, maxLength: number | undefined) {
    this.#memory = memory;
    this.#source = source;
    this.#maxLength = maxLength;
  }

  /** Follows the tools of the turn under way. */
  hear(event: ToolEvent): void {
    if (event.type === 'tool-start') this.#running.add(event.callId);
    if (event.type !== 'tool-end' || event.status === 'pending') return;
    this.#running.delete(event.callId);
    this.#early.delete(event.callId);
  }

  /**
   * Takes an answer from outside. `undefined`: no such call waits. `early`: its turn is not over yet, {@link OpenAnswers.ended}
   * gives what becomes of it.
   */
  give(callId: string, answer: GivenAnswer, at: number): Settled | 'early' | undefined {
    const open = this.#memory.pending.find(({ outcome }) => outcome.call.id === callId);
    if (open) return this.#settle(open, answer, at);
    if (!this.#running.has(callId) || this.#early.has(callId)) return undefined;
    this.#early.set(callId, answer);
    return 'early';
  }

  /** A turn is over and remembered, with these calls open: settles what was answered early. */
  ended(open: readonly OpenCall[], at: number): Settled[] {
    const early = new Map(this.#early);
    const finished = new Map(this.#finished);
    this.#running.clear();
    this.#early.clear();
    this.#finished.clear();
    return open.flatMap((call) => {
      const { id } = call.outcome.call;
      const outcome = finished.get(id);
      if (outcome) this.#memory.settle(id, outcome.text);
      const answer = early.get(id);
      return answer ? [this.#settle(call, answer, at)] : [];
    });
  }

  /** A tool that went on after the person interrupted has finished. */
  finished(outcome: ToolOutcome, turn: number, at: number): StreamElement {
    // It may be faster than the end of its turn.
    if (!this.#memory.settle(outcome.call.id, outcome.text))
      this.#finished.set(outcome.call.id, outcome);
    return this.#resultElement(outcome, turn, at);
  }

  #settle(
    { outcome: { call }, turn }: OpenCall,
    { result, isError }: GivenAnswer,
    at: number,
  ): Settled {
    const outcome = outcomeOf(call, isError ? 'failed' : 'done', result ?? null, this.#maxLength);
    const settled = this.#memory.settle(call.id, outcome.text);
    const facts = { turn, at, source: this.#source };
    return {
      elements: [
        this.#resultElement(outcome, turn, at),
        ...(settled ? [element('message', { ...facts, message: settled.message })] : []),
      ],
      complete: !this.#memory.waits(call.id),
    };
  }

  #resultElement({ call, result, isError }: ToolOutcome, turn: number, at: number): StreamElement {
    const facts = { turn, at, source: this.#source };
    return element('tool-result', { ...facts, callId: call.id, name: call.name, result, isError });
  }
}
