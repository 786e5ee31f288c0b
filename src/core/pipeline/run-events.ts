/** What a run tells its observers. */
import { channel } from '../channel/channel.ts';
import { Listeners } from '../listeners.ts';
import type { StageEvent } from '../stage/stage.ts';

const waitingEvents = 256;

/** Listeners of one run; an observer that throws or sleeps never disturbs it. */
export class RunEvents {
  readonly #listeners = new Listeners<{ event: StageEvent }>();
  readonly #closers = new Set<() => void>();
  #over = false;

  /** Calls `listener` with every event from now on; returns what takes it off again. */
  on(listener: (event: StageEvent) => void): () => void {
    return this.#listeners.on('event', listener);
  }

  /** The events from now on, until the run is over; a reader that falls behind by 256 loses the oldest. */
  stream(): AsyncIterable<StageEvent> {
    const { writer, reader } = channel<StageEvent>({
      capacity: waitingEvents,
      overflow: 'drop-oldest',
    });
    if (this.#over) writer.close();
    const off = this.on((event) => writer.offer(event));
    const close = (): void => writer.close();
    this.#closers.add(close);
    writer.cancelled.addEventListener('abort', () => {
      off();
      this.#closers.delete(close);
    });
    return reader;
  }

  /** Tells everybody. */
  send(event: StageEvent): void {
    this.#listeners.emit('event', event);
  }

  /** Ends the streams. */
  close(): void {
    this.#over = true;
    for (const close of this.#closers) close();
    this.#closers.clear();
  }
}
