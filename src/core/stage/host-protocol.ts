/** What the page and the host in a worker say to each other about stages; elements go by ports of their own. */
import { deserializeError, type ErrorData } from '../errors.ts';
import type { StageEnds, StageEvent } from './stage.ts';

/** Everything a host needs to run a stage. */
export interface OpenRequest {
  /** Chosen by the page, unique there. */
  readonly id: number;
  /** A key of what the worker gave to `hostStages`. */
  readonly name: string;
  /** The name the stage goes by in errors and events. */
  readonly stage: string;
  readonly options: unknown;
  readonly ends: StageEnds;
  /** Where the host posts {@link HostNotice}s. */
  readonly notices: MessagePort;
}

/** Result or error as data: comlink by itself would reduce an error to its message. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly error: ErrorData };

/** The control plane of a host, called through comlink. */
export interface HostApi {
  /** Makes the stage and prepares it; answers when it is ready and has started. */
  open(request: OpenRequest): Promise<Outcome>;
  /** Answers when the stage has finished and is disposed. */
  finished(id: number): Promise<Outcome>;
  /** Ends the stage for `reason`. */
  abort(id: number, reason: ErrorData): Promise<Outcome>;
}

/** Host → page: what a stage emitted as an event; or, at most once a second, that elements are moving. */
export type HostNotice =
  | { readonly type: 'event'; readonly event: StageEvent }
  | { readonly type: 'activity' };

/** Throws the error of a failed outcome. */
export function unwrap(outcome: Outcome): void {
  if (!outcome.ok) throw deserializeError(outcome.error);
}
