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
    const state = this.#states.get(turn) ?? this.#make(turn);
    // Behind all others, as the one used last.
    this.#states.delete(turn);
    this.#states.set(turn, state);
    const [oldest = turn] = this.#states.keys();
    if (this.#states.size > rememberedTurns) this.#states.delete(oldest);
    return state;
  }

  #make(turn: number): TurnState {
    const { variables, extra, ...defaults } = this.#defaults;
    return {
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
  }
}
