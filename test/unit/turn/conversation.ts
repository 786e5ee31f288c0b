/** Plays a scripted conversation to `TurnTaking` and keeps what it decided. */
import type { FloorMessage, FloorWords } from '../../../src/audio/floor.ts';
import {
  type TurnDecision,
  TurnTaking,
  type TurnTakingOptions,
} from '../../../src/speech/turn/turn-taking.ts';
import { frameMs, frames } from './scripted-speech.ts';

/** A conversation played to `TurnTaking`; keeps what it decided and when (end of the frame, ms). */
export class Conversation {
  readonly turns: TurnTaking;
  readonly log: { readonly at: number; readonly decision: TurnDecision }[] = [];
  #at = 0;

  constructor(options: TurnTakingOptions = {}) {
    // The first playback is a test of its own.
    this.turns = new TurnTaking({ firstPlaybackMs: 0, ...options });
  }

  hear(...pieces: readonly (readonly [ms: number, probability: number])[]): this {
    for (const probability of frames(...pieces)) {
      const decisions = this.turns.feed({ probability, at: this.#at, durationMs: frameMs });
      this.#at += frameMs;
      for (const decision of decisions) this.log.push({ at: this.#at, decision });
    }
    return this;
  }

  report(...messages: readonly FloorMessage[]): this {
    for (const message of messages) this.turns.report(message);
    return this;
  }

  /** What was decided: types and turns, floor commands by name; without confirmations and questions to a turn detector. */
  get decisions(): string[] {
    return this.log.flatMap(({ decision }) => {
      if (decision.type === 'floor') {
        const { command } = decision;
        return command.type === 'flush' ? `flush ${command.turn}` : command.type;
      }
      if (decision.type === 'confirm' || decision.type === 'consider') return [];
      return `${decision.type} ${decision.turn}`;
    });
  }

  /** When a decision was made, ms. */
  at(what: string): number | undefined {
    const [type, turn] = what.split(' ');
    return this.log.find(({ decision }) => {
      if (decision.type === 'floor') return decision.command.type === type;
      return decision.type === type && (turn === undefined || decision.turn === Number(turn));
    })?.at;
  }
}

/** Probabilities of frames that are surely one or the other. */
export const speech = 0.95;
export const silence = 0.01;
/** Reports. */
export const audible = (turn: number): FloorMessage => ({ type: 'audible', turn, at: 0 });
export const silent = (turn: number, finished: boolean): FloorMessage => ({
  type: 'silent',
  turn,
  at: 0,
  finished,
});
export const words = (turn: number, text: string, final = false): FloorWords => ({
  type: 'words',
  turn,
  text,
  final,
});

/** The person asked, the assistant is answering turn 1. */
export const answering = (options: TurnTakingOptions = {}): Conversation =>
  new Conversation({ wordsExpected: true, ...options })
    .hear([640, speech], [800, silence])
    .report(audible(1))
    .hear([960, silence]);
