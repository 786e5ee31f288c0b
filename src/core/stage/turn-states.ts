/** The shared state of the turns of one run; bounded, because a conversation may never end. */
import type { TurnState } from './stage.ts';

/** What every turn of a run starts from. */
export type TurnDefaults = Partial<Omit<TurnState, 'turn'>>;

const rememberedTurns = 32;

/** Makes a turn's state on first use and forgets those that were not used for longest. */
export class TurnStates {
  readonly #defaults: TurnDefaults;
  readonly #states = new Map<number, TurnState>();

  constructor(defaults: TurnDefaults = {}) {
    this.#defaults = defaults;
  }

  /** The state of `turn`; the same object every time while it is remembered. */
  of(turn: number): TurnState {
    const known = this.#states.get(turn);
    if (known) {
      // Nothing is forgotten before there are so many; until then their order does not matter.
      if (this.#states.size === rememberedTurns) this.#remember(turn, known);
      return known;
    }
    const { variables, extra, ...defaults } = this.#defaults;
    const state: TurnState = {
      turn,
      conversation: '',
      systemPrompt: '',
      systemTemplate: '',
      history: [],
      allowedTools: undefined,
      ...defaults,
      variables: { ...variables },
      extra: { ...extra },
    };
    this.#remember(turn, state);
    const oldest = this.#states.keys().next();
    if (this.#states.size > rememberedTurns && !oldest.done) this.#states.delete(oldest.value);
    return state;
  }

  /** Keeps it, as the one used last. */
  #remember(turn: number, state: TurnState): void {
    this.#states.delete(turn);
    this.#states.set(turn, state);
  }
}
