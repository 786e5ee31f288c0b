/** Asks a silent server for a sign of life, and gives up one that gives none: a page can't ping a WebSocket. */

/** One per connection. Close it with the connection. */
export class Keepalive {
  readonly #ms: number;
  readonly #watch: ReturnType<typeof setInterval>;
  #lastHeardMs = Date.now();
  #pings = 0;
  #isWaiting = false;

  /**
   * @param ms silence after which the server is asked, and again for giving it up
   * @param ask sends what is answered; told how often it has been asked
   * @param giveUp the server counts as dead
   */
  constructor(ms: number, ask: (count: number) => void, giveUp: () => void) {
    this.#ms = ms;
    this.#watch = setInterval(() => this.#check(ask, giveUp), ms);
  }

  /** The server said something. */
  heard(): void {
    this.#lastHeardMs = Date.now();
    this.#isWaiting = false;
  }

  /** Ends it. Idempotent. */
  close(): void {
    clearInterval(this.#watch);
  }

  #check(ask: (count: number) => void, giveUp: () => void): void {
    if (Date.now() - this.#lastHeardMs < this.#ms) return;
    if (this.#isWaiting) return giveUp();
    this.#isWaiting = true;
    this.#pings += 1;
    ask(this.#pings);
  }
}
