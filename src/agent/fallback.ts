/** The local session that stands in for a realtime model: loaded as soon as its connection is shaky. */
import type { AgentSession } from './session.ts';

/** Keeps at most one session ready. */
export class Spare {
  readonly #make: () => AgentSession;
  #session: AgentSession | undefined;

  constructor(make: () => AgentSession) {
    this.#make = make;
  }

  /** Loads its models in advance. Idempotent. */
  prepare(): void {
    this.#session ??= this.#make();
    // What fails now is told when it is needed.
    this.#session.load().catch(() => {});
  }

  /** The session, ready or not; it is the caller's from now on. */
  take(): AgentSession {
    const session = this.#session ?? this.#make();
    this.#session = undefined;
    return session;
  }

  /** Lets go of a session that was not needed. */
  async drop(): Promise<void> {
    await this.#session?.stop();
    this.#session = undefined;
  }
}
