/** Results of calls that come when their round is over: of tools that finished although interrupted, and from outside. */
import { element, type StreamElement, type ToolCall } from '../../../core/element.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import type { RealtimeToolResult } from '../../../providers/realtime/realtime.ts';
import type { ToolOutcome } from '../../../providers/tool-execution.ts';
import type { DuplexLane } from './lane.ts';
import type { DuplexLink } from './link.ts';
import type { DuplexTurns } from './turns.ts';

/** What {@link DuplexAnswers} needs of the run. */
export interface DuplexAnswersOptions {
  readonly name: string;
  readonly context: StageContext;
  readonly link: DuplexLink;
  readonly turns: DuplexTurns;
  readonly emit: (element: StreamElement) => void;
  /** Whether the person speaks: what they say will be answered with the results. */
  readonly isSpeaking: () => boolean;
}

interface OpenRound {
  readonly lane: DuplexLane;
  readonly waiting: Map<string, ToolOutcome>;
}

/** The result of an outcome as it is sent. */
export function resultOf({ call, text, isError }: ToolOutcome): RealtimeToolResult {
  return { callId: call.id, name: call.name, text, isError };
}

/** Calls that are open, and answers nobody has been sent yet. */
export class DuplexAnswers {
  readonly #run: DuplexAnswersOptions;
  readonly #rounds = new Set<OpenRound>();
  /** Came before their round was over. */
  readonly #early = new Map<string, ToolOutcome>();
  #ready: RealtimeToolResult[] = [];
  /** The model is to go on with them. */
  #isDue = false;

  constructor(run: DuplexAnswersOptions) {
    this.#run = run;
  }

  /** A round is over with these calls open. Returns those of them that have their result by now. */
  open(lane: DuplexLane, outcomes: readonly ToolOutcome[]): ToolOutcome[] {
    const known: ToolOutcome[] = [];
    const waiting = new Map<string, ToolOutcome>();
    for (const outcome of outcomes) {
      const { id } = outcome.call;
      const early = this.#early.get(id);
      if (early) known.push(early);
      else waiting.set(id, outcome);
      this.#early.delete(id);
    }
    if (waiting.size > 0) this.#rounds.add({ lane, waiting });
    return known;
  }

  /** The calls of a turn that wait for an answer from outside. */
  pending(lane: DuplexLane): ToolCall[] {
    return [...this.#rounds]
      .filter((round) => round.lane === lane)
      .flatMap(({ waiting }) => [...waiting.values()])
      .flatMap(({ status, call }) => (status === 'pending' ? call : []));
  }

  /** A result has come. */
  take(outcome: ToolOutcome): void {
    const { id } = outcome.call;
    const round = [...this.#rounds].find(({ waiting }) => waiting.has(id));
    const open = round?.waiting.get(id);
    if (!round || !open) {
      this.#early.set(id, outcome);
      return;
    }
    round.waiting.delete(id);
    if (round.waiting.size === 0) this.#rounds.delete(round);
    const { name, turns, emit, link } = this.#run;
    const { turn } = round.lane;
    const facts = { turn, at: turns.at, source: name };
    const { result, isError, call } = outcome;
    emit(element('tool-result', { ...facts, callId: id, name: call.name, result, isError }));
    const message = turns.settle(round.lane, outcome);
    if (open.status === 'running') {
      link.session?.sendToolResults([resultOf(outcome)], false);
      return;
    }
    emit(element('message', { ...facts, message }));
    this.#ready.push(resultOf(outcome));
    this.#isDue ||= this.pending(round.lane).length === 0;
    this.tell();
  }

  /** Tells that the model can go on, unless the person speaks. */
  tell(): void {
    if (this.#isDue && !this.#run.isSpeaking()) this.#run.context.emit('tools-answered', {});
  }

  /** Sends what is known to the session, before the person's turn is answered. */
  send(): void {
    if (this.#ready.length > 0) this.#run.link.session?.sendToolResults(this.#take(), false);
  }

  /** What the model is to go on with; undefined where nothing is due. */
  due(): RealtimeToolResult[] | undefined {
    return this.#isDue ? this.#take() : undefined;
  }

  #take(): RealtimeToolResult[] {
    const ready = this.#ready;
    this.#ready = [];
    this.#isDue = false;
    return ready;
  }
}
