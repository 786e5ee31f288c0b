/** Keeps one response at a time: the API refuses a second one, and tells a cancelled one to its end. */

/** Sends and cancels responses in an order the server takes. */
export class ResponseTurns {
  readonly #send: (message: Readonly<Record<string, unknown>>) => void;
  /** Asked for, and not confirmed yet. */
  #requested = false;
  /** The response that runs. */
  #active: string | undefined;
  /** To be asked for when the running one is done, in this order. */
  #queue: Readonly<Record<string, unknown>>[] = [];
  /** The one that was asked for is to be cancelled when it comes. */
  #cancelNext = false;
  readonly #cancelled = new Set<string>();

  constructor(send: (message: Readonly<Record<string, unknown>>) => void) {
    this.#send = send;
  }

  /** Asks for a response, now or when the running one is done. */
  request(response: Readonly<Record<string, unknown>> = {}): void {
    if (this.#requested || this.#active !== undefined) this.#queue.push(response);
    else this.#create(response);
  }

  /** The running response, and one that was asked for, are not wanted. */
  cancel(): void {
    this.#queue = [];
    if (this.#active !== undefined && !this.#cancelled.has(this.#active)) {
      this.#cancelled.add(this.#active);
      this.#send({ type: 'response.cancel', response_id: this.#active });
    } else if (this.#requested) this.#cancelNext = true;
  }

  /** Whether anything of this response is still wanted. */
  wants(response: string): boolean {
    return response === this.#active && !this.#cancelled.has(response);
  }

  /** The server began a response; false when it was cancelled before. */
  created(response: string): boolean {
    this.#requested = false;
    this.#active = response;
    if (!this.#cancelNext) return true;
    this.#cancelNext = false;
    const queue = this.#queue;
    this.cancel();
    this.#queue = queue;
    return false;
  }

  /** The server ended a response. Returns whether it was known. */
  done(response: string): boolean {
    this.#cancelled.delete(response);
    if (response !== this.#active) return false;
    this.#active = undefined;
    const next = this.#queue.shift();
    if (next) this.#create(next);
    return true;
  }

  /** The server refused a response because another one runs: it comes after that. */
  refused(): void {
    if (!this.#requested) return;
    this.#requested = false;
    if (this.#cancelNext) this.#cancelNext = false;
    else this.#queue.unshift({});
  }

  #create(response: Readonly<Record<string, unknown>>): void {
    this.#requested = true;
    this.#send({
      type: 'response.create',
      ...(Object.keys(response).length === 0 ? {} : { response }),
    });
  }
}
