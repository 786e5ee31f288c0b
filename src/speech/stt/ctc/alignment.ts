/** When each symbol of a spelling was said: the best path through the frames that collapses to it. */

/** The frames a symbol occupies, and how sure the model was of it there. */
export interface AlignedSymbol {
  /** Column of the alphabet. */
  readonly symbol: number;
  /** Its first frame. */
  readonly start: number;
  /** The frame after its last. */
  readonly end: number;
  /** Highest log posterior of the symbol within these frames. */
  readonly logPosterior: number;
}

/**
 * Aligns a spelling to log posteriors by Viterbi over the spelling with blanks between its symbols
 * (Graves et al. 2006, §4.1, with max in place of sum). Time and memory grow with frames × symbols.
 * Empty when the spelling needs more frames than there are.
 */
export function align(
  logPosteriors: Float32Array,
  columns: number,
  spelling: readonly number[],
  blank: number,
): AlignedSymbol[] {
  const frames = Math.floor(logPosteriors.length / columns);
  const states = 2 * spelling.length + 1;
  if (spelling.length === 0 || frames === 0) return [];
  const symbolOf = (state: number): number =>
    state % 2 === 0 ? blank : spelling[(state - 1) / 2]!;
  let scores = new Float64Array(states).fill(-Infinity);
  let previous = new Float64Array(states);
  // How many states back the best path came from: 0, 1 or 2.
  const steps = new Uint8Array(frames * states);
  scores[0] = logPosteriors[blank]!;
  scores[1] = logPosteriors[symbolOf(1)]!;
  for (let frame = 1; frame < frames; frame++) {
    [scores, previous] = [previous, scores];
    const reachable = Math.min(states, 2 * frame + 2);
    scores.fill(-Infinity);
    for (let state = 0; state < reachable; state++) {
      let best = previous[state]!;
      let step = 0;
      if (state > 0 && previous[state - 1]! > best) {
        best = previous[state - 1]!;
        step = 1;
      }
      const skips = state % 2 === 1 && state > 1 && symbolOf(state) !== symbolOf(state - 2);
      if (skips && previous[state - 2]! > best) {
        best = previous[state - 2]!;
        step = 2;
      }
      scores[state] = best + logPosteriors[frame * columns + symbolOf(state)]!;
      steps[frame * states + state] = step;
    }
  }
  const last = scores[states - 2]! > scores[states - 1]! ? states - 2 : states - 1;
  if (scores[last] === -Infinity) return [];
  return backtrace(logPosteriors, columns, spelling, steps, last);
}

function backtrace(
  logPosteriors: Float32Array,
  columns: number,
  spelling: readonly number[],
  steps: Uint8Array,
  last: number,
): AlignedSymbol[] {
  const states = 2 * spelling.length + 1;
  const starts = new Int32Array(spelling.length);
  const ends = new Int32Array(spelling.length);
  const peaks = new Float64Array(spelling.length).fill(-Infinity);
  let state = last;
  for (let frame = steps.length / states - 1; frame >= 0; frame--) {
    if (state % 2 === 1) {
      const index = (state - 1) / 2;
      starts[index] = frame;
      if (ends[index] === 0) ends[index] = frame + 1;
      peaks[index] = Math.max(peaks[index]!, logPosteriors[frame * columns + spelling[index]!]!);
    }
    state -= steps[frame * states + state]!;
  }
  return spelling.map((symbol, index) => ({
    symbol,
    start: starts[index]!,
    end: ends[index]!,
    logPosterior: peaks[index]!,
  }));
}
