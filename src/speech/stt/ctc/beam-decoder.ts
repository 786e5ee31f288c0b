/**
 * CTC prefix beam search (Graves & Jaitly 2014; Hannun et al. 2014, algorithm 1): sums over all alignments of
 * a spelling, keeps the best few, and lets a language model say which words they may become.
 */
import type { CtcDecoder } from '../ctc-decoder.ts';
import type { CtcAlphabet } from './alphabet.ts';
import { type BeamSettings, beamDefaults } from './beam-settings.ts';
import type { LanguageModel } from './language-model.ts';
import { logAdd } from './log-softmax.ts';
import { PrefixTree } from './prefix-tree.ts';
import { TopList } from './top-list.ts';

/** Settings of a search and the words it knows. */
export interface BeamOptions extends BeamSettings {
  /** Words and their order; without it the search knows only the sounds. Its own settings stand in for the defaults. */
  readonly languageModel?: LanguageModel;
}

/** Spellings this far below the best are given up. */
const scoreRange = 25;
/** From this posterior of the blank on nothing else is tried: log 0.999. */
const surelyBlank = Math.log(0.999);

/** Makes a prefix beam search. */
export function beamDecoder(alphabet: CtcAlphabet, options: BeamOptions = {}): CtcDecoder {
  return new BeamDecoder(alphabet, options);
}

interface Beam {
  readonly nodes: Int32Array<ArrayBuffer>;
  /** Log probability of the alignments that end in a blank, and of those that don't. */
  readonly blank: Float64Array<ArrayBuffer>;
  readonly label: Float64Array<ArrayBuffer>;
  size: number;
}

class BeamDecoder implements CtcDecoder {
  readonly #alphabet: CtcAlphabet;
  readonly #model: LanguageModel | undefined;
  readonly #settings: Required<BeamSettings>;
  readonly #tree = new PrefixTree();
  readonly #beam: Beam;
  readonly #candidates: Beam;
  readonly #mark: Beam & { treeSize: number };
  /** The symbols tried in the current frame, likeliest first. */
  readonly #tried: TopList;
  /** The best candidates, best first. */
  readonly #kept: TopList;
  #frame = 0;

  constructor(alphabet: CtcAlphabet, options: BeamOptions) {
    const { languageModel, ...given } = options;
    this.#settings = { ...beamDefaults, ...languageModel?.settings, ...given };
    const width = this.#settings.beamWidth;
    this.#alphabet = alphabet;
    this.#model = languageModel;
    this.#beam = makeBeam(width);
    this.#candidates = makeBeam(width * alphabet.symbols.length);
    this.#mark = { ...makeBeam(width), treeSize: 1 };
    this.#tried = new TopList(Math.min(this.#settings.symbolsPerFrame, alphabet.symbols.length));
    this.#kept = new TopList(width);
    this.reset();
  }

  reset(): void {
    const tree = this.#tree;
    tree.truncate(1);
    tree.seen[0] = -1;
    tree.letterNode[0] = this.#model?.root ?? -1;
    tree.context[0] = this.#model?.start ?? -1;
    this.#frame = 0;
    this.#beam.size = 1;
    this.#beam.nodes[0] = 0;
    this.#beam.blank[0] = 0;
    this.#beam.label[0] = -Infinity;
    this.mark();
  }

  mark(): void {
    copyBeam(this.#beam, this.#mark);
    this.#mark.treeSize = this.#tree.size;
  }

  rewind(): void {
    copyBeam(this.#mark, this.#beam);
    this.#tree.truncate(this.#mark.treeSize);
  }

  push(logPosteriors: Float32Array): void {
    const columns = this.#alphabet.symbols.length;
    for (let row = 0; row + columns <= logPosteriors.length; row += columns)
      this.#pushFrame(logPosteriors, row, columns);
  }

  best(): number[] {
    let best = 0;
    let highest = -Infinity;
    for (let entry = 0; entry < this.#beam.size; entry++) {
      const node = this.#beam.nodes[entry]!;
      const total = logAdd(this.#beam.blank[entry]!, this.#beam.label[entry]!);
      const score = total + this.#ending(node);
      if (score > highest) {
        highest = score;
        best = node;
      }
    }
    return this.#tree.path(best);
  }

  #pushFrame(frame: Float32Array, row: number, columns: number): void {
    const { blank, space } = this.#alphabet;
    const beam = this.#beam;
    const tried = this.#tried;
    this.#choose(frame, row, columns);
    this.#frame++;
    this.#candidates.size = 0;
    for (let entry = 0; entry < beam.size; entry++) {
      const node = beam.nodes[entry]!;
      const last = this.#tree.symbol[node]!;
      const total = logAdd(beam.blank[entry]!, beam.label[entry]!);
      const slot = this.#candidate(node);
      this.#candidates.blank[slot] = total + frame[row + blank]!;
      for (let i = 0; i < tried.size; i++) {
        const symbol = tried.items[i]!;
        const value = tried.scores[i]!;
        if (symbol === last) this.#addLabel(slot, beam.label[entry]! + value);
        if (symbol === space && (last === space || last < 0)) continue;
        // A repeat needs a blank in between; without one it is the same symbol, held.
        const from = symbol === last ? beam.blank[entry]! : total;
        if (from > -Infinity)
          this.#addLabel(this.#candidate(this.#extend(node, symbol)), from + value);
      }
    }
    this.#select();
  }

  /** Picks the symbols worth trying in a frame. */
  #choose(frame: Float32Array, row: number, columns: number): void {
    const { blank, symbols } = this.#alphabet;
    this.#tried.clear();
    if (frame[row + blank]! > surelyBlank) return;
    let highest = -Infinity;
    for (let symbol = 0; symbol < columns; symbol++)
      highest = Math.max(highest, frame[row + symbol]!);
    const least = highest - this.#settings.symbolRange;
    for (let symbol = 0; symbol < columns; symbol++)
      if (symbol !== blank && symbols[symbol] !== '' && frame[row + symbol]! > least)
        this.#tried.offer(symbol, frame[row + symbol]!);
  }

  #candidate(node: number): number {
    const tree = this.#tree;
    if (tree.seen[node] === this.#frame) return tree.slot[node]!;
    const slot = this.#candidates.size++;
    tree.seen[node] = this.#frame;
    tree.slot[node] = slot;
    this.#candidates.nodes[slot] = node;
    this.#candidates.blank[slot] = -Infinity;
    this.#candidates.label[slot] = -Infinity;
    return slot;
  }

  #addLabel(slot: number, value: number): void {
    this.#candidates.label[slot] = logAdd(this.#candidates.label[slot]!, value);
  }

  #extend(node: number, symbol: number): number {
    const known = this.#tree.child(node, symbol);
    if (known >= 0) return known;
    const child = this.#tree.add(node, symbol);
    if (symbol === this.#alphabet.space) this.#finishWord(node, child);
    else this.#continueWord(node, child, symbol);
    return child;
  }

  #continueWord(node: number, child: number, symbol: number): void {
    const tree = this.#tree;
    const at = tree.letterNode[node]!;
    const next = this.#model === undefined || at < 0 ? -1 : this.#model.follow(at, symbol);
    tree.letterNode[child] = next;
    tree.context[child] = tree.context[node]!;
    tree.letters[child] = tree.letters[node]! + 1;
    tree.settled[child] = tree.settled[node]!;
    // What its word will cost is taken into account at once, as far as its letters tell, not only when it ends.
    tree.expected[child] = this.#expectedScore(child);
  }

  #finishWord(node: number, child: number): void {
    const tree = this.#tree;
    const context = tree.context[node]!;
    tree.letterNode[child] = this.#model?.root ?? -1;
    tree.letters[child] = 0;
    tree.expected[child] = 0;
    tree.settled[child] = tree.settled[node]! + this.#wordScore(node);
    tree.context[child] = this.#model?.after(context, this.#wordAt(node)) ?? -1;
  }

  /** The listed word that a prefix ends with; −1 for none. */
  #wordAt(node: number): number {
    const at = this.#tree.letterNode[node]!;
    return this.#model === undefined || at < 0 ? -1 : this.#model.wordAt(at);
  }

  /** The score of a prefix's last word, taken as finished. */
  #wordScore(node: number): number {
    if (this.#model === undefined) return 0;
    const { languageModelWeight, wordBonus } = this.#settings;
    const word = this.#wordAt(node);
    const score =
      word < 0
        ? this.#unknownScore(node)
        : languageModelWeight * this.#model.score(this.#tree.context[node]!, word);
    return score + wordBonus;
  }

  /** What the unfinished word of a prefix will score at best. */
  #expectedScore(node: number): number {
    const at = this.#tree.letterNode[node]!;
    if (this.#model === undefined || at < 0) return this.#unknownScore(node);
    const { languageModelWeight, lookAhead } = this.#settings;
    return lookAhead * languageModelWeight * this.#model.ahead(at);
  }

  #unknownScore(node: number): number {
    if (this.#model === undefined) return 0;
    const { languageModelWeight, unknownWord, unknownLetter } = this.#settings;
    return languageModelWeight * (unknownWord + unknownLetter * this.#tree.letters[node]!);
  }

  /** The language score of a prefix taken as the whole text. */
  #ending(node: number): number {
    const tree = this.#tree;
    if (this.#model === undefined || tree.symbol[node]! < 0) return 0;
    const unfinished = tree.letters[node]! > 0;
    const context = tree.context[node]!;
    const last = unfinished ? this.#model.after(context, this.#wordAt(node)) : context;
    return (
      tree.settled[node]! +
      (unfinished ? this.#wordScore(node) : 0) +
      this.#settings.languageModelWeight * this.#model.end(last)
    );
  }

  /** Makes the best candidates the beam. */
  #select(): void {
    const { nodes, blank, label, size } = this.#candidates;
    const tree = this.#tree;
    const kept = this.#kept;
    kept.clear();
    for (let slot = 0; slot < size; slot++) {
      const node = nodes[slot]!;
      const heard = logAdd(blank[slot]!, label[slot]!);
      kept.offer(slot, heard + tree.settled[node]! + tree.expected[node]!);
    }
    const least = kept.scores[0]! - scoreRange;
    this.#beam.size = 0;
    for (let i = 0; i < kept.size && kept.scores[i]! >= least; i++) {
      const slot = kept.items[i]!;
      const entry = this.#beam.size++;
      this.#beam.nodes[entry] = nodes[slot]!;
      this.#beam.blank[entry] = blank[slot]!;
      this.#beam.label[entry] = label[slot]!;
    }
  }
}

function makeBeam(capacity: number): Beam {
  return {
    nodes: new Int32Array(capacity),
    blank: new Float64Array(capacity),
    label: new Float64Array(capacity),
    size: 0,
  };
}

function copyBeam(from: Beam, to: Beam): void {
  to.nodes.set(from.nodes);
  to.blank.set(from.blank);
  to.label.set(from.label);
  to.size = from.size;
}
