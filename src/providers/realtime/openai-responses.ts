/** Keeps one response at a time: the API refuses a second one, and tells a cancelled one to its end. */
import type { JsonObject } from './json-socket.ts';

interface Asked {
  readonly id: string;
  readonly response: JsonObject;
}

/** Sends and cancels responses in an order the server takes. */
export class ResponseTurns {
  readonly #send: (message: JsonObject) => void;
  /** Asked for, and not confirmed yet. */
  #asked: Asked | undefined;
  /** The last one asked for: a response that the server began by itself may have been taken for it. */
  #last: Asked | undefined;
  #count = 0;
  /** The response that runs. */
  #active: string | undefined;
  /** To be asked for when the running one is done, in this order. */
  #queue: JsonObject[] = [];
  /** The one that was asked for is to be cancelled when it comes. */
  #cancelNext = false;
  readonly #cancelled = new Set<string>();

  constructor(send: (message: JsonObject) => void) {
    this.#send = send;
  }

  /** Asks for a response, now or when the running one is done. */
  request(response: JsonObject = {}): void {
    if (this.#asked || this.#active !== undefined) this.#queue.push(response);
    else this.#create(response);
  }

  /** The running response, and one that was asked for, are not wanted. */
  cancel(): void {
    this.#queue = [];
    if (this.#active !== undefined && !this.#cancelled.has(this.#active)) {
      this.#cancelled.add(this.#active);
      this.#send({ type: 'response.cancel', response_id: this.#active });
    } else this.forgo();
  }

  /** What was asked for and does not run yet is not wanted. */
  forgo(): void {
    this.#queue = [];
    if (this.#asked) this.#cancelNext = true;
  }

  /** Whether anything of this response is still wanted. */
  wants(response: string): boolean {
    return response === this.#active && !this.#cancelled.has(response);
  }

  /** The server began a response; false when it was cancelled before. */
  created(response: string): boolean {
    this.#asked = undefined;
    this.#active = response;
    if (!this.#cancelNext) return true;
    this.#cancelNext = false;
    this.#last = undefined;
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
    this.#next();
    return true;
  }

  /** The server refused the response asked for by this event because another one runs: it comes after that. */
  refused(event: string): void {
    if (!this.#last || (event !== '' && event !== this.#last.id)) return;
    if (!(this.#asked && this.#cancelNext)) this.#queue.unshift(this.#last.response);
    this.#asked = this.#last = undefined;
    this.#cancelNext = false;
  }

  /** The server will not make the response asked for by this event. Returns whether it was wanted. */
  failed(event: string): boolean {
    if (event === '' || event !== this.#asked?.id) return false;
    const wasWanted = !this.#cancelNext;
    this.#asked = this.#last = undefined;
    this.#cancelNext = false;
    this.#next();
    return wasWanted;
  }

  #next(): void {
    const next = this.#queue.shift();
    if (next) this.#create(next);
  }

  #create(response: JsonObject): void {
    this.#count += 1;
    this.#asked = this.#last = { id: `response-${this.#count}`, response };
    this.#send({
      type: 'response.create',
      event_id: this.#asked.id,
      ...(Object.keys(response).length === 0 ? {} : { response }),
    });
  }
}
