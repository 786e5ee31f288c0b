/** What a beam search asks about words: which spellings lead to one, and how likely it is here. */
import type { BeamSettings } from './beam-settings.ts';

/**
 * A word list in a letter tree with an n-gram over the words. Log probabilities are natural.
 * All numbers are handles the model hands out; −1 means "none".
 */
export interface LanguageModel {
  /** The tree's root: no letter of the word yet. */
  readonly root: number;
  /** The context before the first word. */
  readonly start: number;
  /** The tree node after one more symbol of the alphabet; −1 when no word begins so. */
  follow(node: number, symbol: number): number;
  /** The word whose spelling ends at this node; −1 for none. */
  wordAt(node: number): number;
  /** Log probability, whatever came before, of the likeliest word whose spelling leads through this node. */
  ahead(node: number): number;
  /** The search settings tuned for it. */
  readonly settings: BeamSettings;
  /** Log probability of a listed word after a context. */
  score(context: number, word: number): number;
  /** The context after one more word; word −1 is one that is not in the list. */
  after(context: number, word: number): number;
  /** Log probability that nothing follows the context. */
  end(context: number): number;
}
