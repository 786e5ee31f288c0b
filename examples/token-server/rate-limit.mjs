/** So many requests a minute for each client, with a bounded memory. */

/** Clients remembered; beyond it those not seen for longest are forgotten. */
const maxClients = 10_000;

/** A token bucket per client that fills up over a minute. */
export class RateLimit {
  #perMinute;
  #now;
  /** @type {Map<string, { left: number, atMs: number }>} */
  #clients = new Map();

  /**
   * @param {number} perMinute
   * @param {() => number} now ms
   */
  constructor(perMinute, now) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /**
   * Takes one request of a client. Returns 0 when it may pass, else after how many seconds the next may.
   *
   * @param {string} client
   */
  take(client) {
    const atMs = this.#now();
    const known = this.#clients.get(client) ?? { left: this.#perMinute, atMs };
    const filled = ((atMs - known.atMs) * this.#perMinute) / 60_000;
    const left = Math.min(this.#perMinute, known.left + filled);
    const passes = left >= 1;
    this.#clients.delete(client);
    this.#clients.set(client, { left: passes ? left - 1 : left, atMs });
    const oldest = this.#clients.keys().next();
    if (this.#clients.size > maxClients && !oldest.done) this.#clients.delete(oldest.value);
    return passes ? 0 : Math.ceil(((1 - left) * 60) / this.#perMinute);
  }
}
