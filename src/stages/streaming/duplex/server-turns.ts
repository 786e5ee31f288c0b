/** Turns that the server decides about (`server` detection): what it hears, in our numbers. */
import { element, type StreamElement } from '../../../core/element.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import type { DuplexHeard } from './heard.ts';
import type { DuplexLane } from './lane.ts';
import type { DuplexLog } from './log.ts';
import type { DuplexTurns } from './turns.ts';
import type { DuplexUtterances } from './utterances.ts';

/** What {@link DuplexServerTurns} needs of the run. */
export interface DuplexServerTurnsOptions {
  readonly name: string;
  readonly context: StageContext;
  readonly turns: DuplexTurns;
  readonly utterances: DuplexUtterances;
  readonly heard: DuplexHeard;
  readonly log: DuplexLog;
  readonly emit: (element: StreamElement) => void;
  /** Everything of turns ≤ `turn` is cut; the server knows. */
  readonly interrupt: (turn: number) => void;
  /** A reply to the turn is to come. */
  readonly expect: (lane: DuplexLane) => void;
}

/** Numbers them. */
export class DuplexServerTurns {
  readonly #run: DuplexServerTurnsOptions;

  constructor(run: DuplexServerTurnsOptions) {
    this.#run = run;
  }

  /** The server hears the person: a turn begins, and what is being said is cut. */
  hears(utterance: string): void {
    const { turns, utterances, heard, context, emit, interrupt } = this.#run;
    if (utterances.turnOf(utterance) !== undefined) return;
    const before = turns.latest;
    if (turns.busy.length > 0 || heard.isAudible) {
      context.interrupt(before);
      emit(element('interrupt', this.#facts(before)));
      interrupt(before);
    }
    utterances.begin(utterance, turns.next());
  }

  /** The server has heard enough, and is about to answer. */
  commits(utterance: string): void {
    const { turns, utterances, log, context, expect } = this.#run;
    this.hears(utterance);
    const turn = utterances.turnOf(utterance) ?? turns.latest;
    utterances.stopped(utterance);
    const lane = turns.open(turn, turns.at, 'spoken');
    lane.turnEnd = element('turn-end', this.#facts(turn));
    log.settle(0);
    utterances.expect(utterance, turn);
    context.emit('turn-committed', { turn, at: turns.at });
    expect(lane);
  }

  #facts(turn: number): { turn: number; at: number; source: string } {
    return { turn, at: this.#run.turns.at, source: this.#run.name };
  }
}
