/** The connection of a realtime conversation: opens, reopens and exchanges sessions. */
import {
  AntiphonError,
  deserializeError,
  serializeError,
  toAntiphonError,
} from '../../../core/errors.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import { sleep } from '../../../core/time.ts';
import { nextDelayMs } from '../../../providers/http/retry.ts';
import type {
  RealtimeEvent,
  RealtimeSession,
  RealtimeSetup,
} from '../../../providers/realtime/realtime.ts';
import type { DuplexOptions, DuplexSetup } from './options.ts';

/** What a link needs of the conversation it serves. */
export interface DuplexLinkOwner {
  /** The setup of a new session: as the options say, with all that was said since. */
  setup(): Promise<DuplexSetup>;
  /** A session is open: what it does not know is to be sent to it. */
  onOpen(session: RealtimeSession): void;
  /** An event of the session of this number. */
  onEvent(event: RealtimeEvent, session: number): void;
  /** The session is gone; another one is being opened. */
  onLost(): void;
  /** The session ends soon: a pause should be used to exchange it. */
  onExpiring(): void;
  /** None can be opened any more. Called once. */
  onGivenUp(error: AntiphonError): void;
}

/** By these a session shows that it is of use. */
const answers: ReadonlySet<RealtimeEvent['type']> = new Set<RealtimeEvent['type']>([
  'audio',
  'text-delta',
  'tool-calls',
]);

/** A session that lived so long was of use, too, in ms. */
const provenMs = 30_000;

/** How long before its end a session is left in any case, in ms. */
const lastMomentMs = 5_000;

/** One per run. */
export class DuplexLink {
  readonly #options: DuplexOptions;
  readonly #context: StageContext;
  readonly #owner: DuplexLinkOwner;
  readonly #over = new AbortController();
  #session: RealtimeSession | undefined;
  #number = 0;
  /** Sessions in a row that could not be had, or gave no answer before they were lost. */
  #failures = 0;
  #openedAtMs = 0;
  #isOpening = false;
  #handle: string | undefined;
  #isExpiring = false;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #begun = false;

  constructor(options: DuplexOptions, context: StageContext, owner: DuplexLinkOwner) {
    this.#options = options;
    this.#context = context;
    this.#owner = owner;
  }

  /** Number of the session that is open, or was last. */
  get number(): number {
    return this.#number;
  }

  /** The session; undefined while none is open. */
  get session(): RealtimeSession | undefined {
    return this.#session;
  }

  /** Whether the session ends soon, so that a pause should be used to exchange it. */
  get isExpiring(): boolean {
    return this.#isExpiring;
  }

  /** Begins to connect. Idempotent. */
  open(): void {
    if (this.#begun || this.#over.signal.aborted) return;
    this.#begun = true;
    this.#reopen();
  }

  /** Leaves the session for a new one. */
  exchange(why: string): void {
    if (!this.#session) return;
    this.#context.emit('realtime-exchange', { why });
    this.#leave();
    this.#owner.onLost();
    this.#reopen();
  }

  /** The session counts as dead. */
  lose(error: AntiphonError): void {
    if (this.#session) this.#lost(error);
  }

  /** Ends everything. Idempotent. */
  close(): void {
    this.#over.abort();
    this.#leave();
  }

  #reopen(error?: AntiphonError): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    void this.#openAnew(error);
  }

  async #openAnew(lost: AntiphonError | undefined): Promise<void> {
    try {
      await this.#connect(lost);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      this.close();
      this.#owner.onGivenUp(toAntiphonError(error, 'provider-network'));
    } finally {
      this.#isOpening = false;
    }
  }

  async #connect(lost?: AntiphonError): Promise<void> {
    const { provider, reconnect } = this.#options;
    const policy = { attempts: 5, baseDelayMs: 500, ...provider.reconnect, ...reconnect };
    const { signal } = this.#over;
    let failure = lost;
    for (;;) {
      if (failure) {
        const attempt = this.#failures;
        const delayMs = nextDelayMs(failure, attempt, policy);
        if (delayMs === undefined) throw failure;
        this.#context.emit('realtime-reconnecting', { attempt, error: serializeError(failure) });
        await sleep(this.#context.clock, delayMs, signal);
      }
      const number = this.#number + 1;
      try {
        const setup = await this.#setup();
        const session = await provider.connect(setup, {
          signal,
          onEvent: (event) => this.#heed(event, number),
        });
        if (signal.aborted) return session.close();
        this.#number = number;
        this.#take(session, setup.resume !== undefined);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        failure = toAntiphonError(error, 'provider-network');
        // A handle that has become worthless must not keep us out: the history is sent instead.
        if (this.#handle !== undefined) {
          this.#handle = undefined;
          failure = new AntiphonError(failure.code, failure.message, {
            hint: failure.hint,
            retryable: true,
          });
        }
      }
    }
  }

  async #setup(): Promise<RealtimeSetup> {
    const setup = await this.#owner.setup();
    return this.#handle === undefined ? setup : { ...setup, resume: this.#handle };
  }

  #take(session: RealtimeSession, resumed: boolean): void {
    const { provider, rollOverMs = 60_000 } = this.#options;
    this.#session = session;
    this.#openedAtMs = this.#context.clock.now();
    this.#isExpiring = false;
    this.#context.emit('realtime-connected', {
      provider: provider.id,
      session: this.#number,
      resumed,
    });
    const endsInMs = (session.expiresAtMs ?? Infinity) - Date.now();
    // A new session that ends at once means a clock that is wrong: the server will say when it is over.
    if (endsInMs > rollOverMs && endsInMs < Infinity) this.#expireIn(endsInMs, rollOverMs);
    this.#owner.onOpen(session);
  }

  #heed(event: RealtimeEvent, number: number): void {
    if (this.#over.signal.aborted || number < this.#number) return;
    if (answers.has(event.type)) this.#failures = 0;
    if (event.type === 'closed') this.#lost(deserializeError(event.error));
    else if (event.type === 'resumable') this.#handle = event.handle;
    else if (event.type === 'expiring') this.#expireIn(event.inMs, Infinity);
    else this.#owner.onEvent(event, number);
  }

  /** The session ends in `ms`; from `noticeMs` before that on a pause is used, and the last moment in any case. */
  #expireIn(ms: number, noticeMs: number): void {
    clearTimeout(this.#expiry);
    if (ms > noticeMs) {
      // Timers hold no more than 2³¹ ms.
      this.#expiry = setTimeout(
        () => this.#expireIn(noticeMs, Infinity),
        Math.min(ms - noticeMs, 2 ** 31 - 1),
      );
      return;
    }
    this.#isExpiring = true;
    this.#context.emit('realtime-expiring', { inMs: ms });
    this.#expiry = setTimeout(() => this.exchange('expired'), Math.max(0, ms - lastMomentMs));
    this.#owner.onExpiring();
  }

  #lost(error: AntiphonError): void {
    this.#leave();
    if (this.#context.clock.now() - this.#openedAtMs >= provenMs) this.#failures = 0;
    // It counts as an attempt: the network may need a moment.
    this.#failures += 1;
    // The server ended it; whatever it said, a new session is worth one try.
    const retryable = new AntiphonError(error.code, error.message, {
      hint: error.hint,
      retryable: error.code !== 'provider-auth' && error.code !== 'provider-rate-limit',
      ...(error.details === undefined ? {} : { details: error.details }),
    });
    this.#context.emit('realtime-lost', serializeError(error));
    this.#owner.onLost();
    this.#reopen(retryable);
  }

  #leave(): void {
    clearTimeout(this.#expiry);
    this.#isExpiring = false;
    this.#session?.close();
    this.#session = undefined;
  }
}
