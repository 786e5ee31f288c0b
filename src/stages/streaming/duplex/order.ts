/** What the turns of a realtime conversation emit besides sound, in order: the person's words before the answer to them. */
import type { MessageElement, StreamElement } from '../../../core/element.ts';

/** What waits: an element, or something to do in its place. */
type Waiting = StreamElement | (() => void);

interface Lane {
  readonly turn: number;
  /** Whether the person's message has come, or will not come. */
  userKnown: boolean;
  readonly user: StreamElement[];
  readonly reply: Waiting[];
  closed: boolean;
}

/** One lane per turn; only the oldest one that is not closed is let through, its reply behind its user's part. */
export class DuplexOrder {
  readonly #emit: (element: StreamElement) => void;
  /** A reply begins to wait for the person's words. */
  readonly #onWait: (turn: number) => void;
  readonly #lanes: Lane[] = [];

  constructor(emit: (element: StreamElement) => void, onWait: (turn: number) => void) {
    this.#emit = emit;
    this.#onWait = onWait;
  }

  /** Begins a turn. `userKnown`: nothing of the person is to be waited for. */
  open(turn: number, userKnown: boolean): void {
    this.#lanes.push({ turn, userKnown, user: [], reply: [], closed: false });
    this.#lanes.sort((a, b) => a.turn - b.turn);
  }

  /** The person's part of a turn is complete: none, one or several elements. */
  user(turn: number, ...elements: readonly StreamElement[]): void {
    const lane = this.#lane(turn);
    if (!lane) return;
    lane.user.push(...elements);
    lane.userKnown = true;
    this.#advance();
  }

  /** A message of the person as it is now: in the place of what waits of it, else told again. */
  amend(item: MessageElement): void {
    const user = this.#lane(item.turn)?.user ?? [];
    const at = user.findIndex(
      (other) => other.kind === 'message' && other.message.id === item.message.id,
    );
    if (at === -1) this.#emit(item);
    else user[at] = item;
  }

  /** A part of the answer; something to do is done at once where the turn is over. */
  reply(turn: number, part: Waiting): void {
    const lane = this.#lane(turn);
    if (!lane) {
      if (typeof part === 'function') part();
      return;
    }
    lane.reply.push(part);
    if (!lane.userKnown) this.#onWait(turn);
    this.#advance();
  }

  /** Nothing of the turn follows. */
  close(turn: number): void {
    const lane = this.#lane(turn);
    if (!lane) return;
    lane.closed = true;
    this.#advance();
  }

  /** Whether the person's part of a turn is still waited for. */
  awaitsUser(turn: number): boolean {
    return this.#lane(turn)?.userKnown === false;
  }

  /** Turns that have not been let through to their end. */
  get waiting(): readonly number[] {
    return this.#lanes.map(({ turn }) => turn);
  }

  #lane(turn: number): Lane | undefined {
    return this.#lanes.find((lane) => lane.turn === turn);
  }

  #advance(): void {
    for (let lane = this.#lanes[0]; lane; lane = this.#lanes[0]) {
      if (!lane.userKnown) return;
      for (const element of lane.user.splice(0)) this.#emit(element);
      for (const part of lane.reply.splice(0))
        if (typeof part === 'function') part();
        else this.#emit(part);
      if (!lane.closed) return;
      this.#lanes.shift();
    }
  }
}
