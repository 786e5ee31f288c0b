/**
 * Who has the floor: the messages of the direct ports between *ears* (worker), *playback* (worklet) and
 * *scribe* (worker). They exist so that the assistant falls silent without the page's help.
 */

/** Ears → playback. */
export type FloorCommand =
  /** Lower the voice (−12 dB) within one quantum. */
  | { readonly type: 'duck' }
  /** Undo `duck`, the worklet's own energy gate included. */
  | { readonly type: 'lift' }
  /** Fade out (10 ms) and hold the position. */
  | { readonly type: 'pause' }
  /** Continue from the very sample where `pause` stopped. */
  | { readonly type: 'resume' }
  /** Void everything of turns ≤ `turn` that was not rendered, now and when it arrives later. */
  | { readonly type: 'flush'; readonly turn: number };

/** Playback → ears (and page): what the person can hear. */
export type FloorReport =
  /** First sample of a turn's speech rendered. `at`: ms on the capture clock. */
  | { readonly type: 'audible'; readonly turn: number; readonly at: number }
  /** Nothing of this turn will be rendered any more. `finished`: it was heard to the end. */
  | {
      readonly type: 'silent';
      readonly turn: number;
      readonly at: number;
      readonly finished: boolean;
    }
  /**
   * A flush took effect: nothing of turns ≤ `turn` is rendered from now on. `spoken` is the turn whose speech was
   * rendered last (0: none yet) and how many samples of it were, at the rate of the audio context.
   */
  | {
      readonly type: 'flushed';
      readonly turn: number;
      readonly at: number;
      readonly spoken: { readonly turn: number; readonly samples: number };
    }
  /** The worklet's own energy gate lowered the voice: ears confirm it (`pause`) or `lift` it within 200 ms of audio. */
  | { readonly type: 'ducked'; readonly at: number };

/** Scribe → ears: words of the user while the policy is deciding. */
export type FloorWords = {
  readonly type: 'words';
  readonly turn: number;
  readonly text: string;
  readonly final: boolean;
  /** The words are all that was said before this instant, ms on the capture clock; `Infinity`: no more come before the final ones. */
  readonly until?: number;
};

/** Page → ears: a turn number was used by typed text or `say()`; spoken turns continue above it. */
export type FloorTurn = { readonly type: 'turn'; readonly turn: number };

/** Everything that may arrive at a floor port. */
export type FloorMessage = FloorCommand | FloorReport | FloorWords | FloorTurn;
