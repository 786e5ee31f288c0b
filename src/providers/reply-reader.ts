/** What turns the events of one vendor's stream into provider parts, and the errors such readers share. */
import { AntiphonError } from '../core/errors.ts';
import { recordOf } from './chat/json.ts';
import type { ProviderPart } from './provider.ts';

/** Follows one reply from its first event to its finish. */
export interface ReplyReader {
  /** True once the server said that nothing more follows; what comes after is ignored. */
  readonly ended: boolean;
  /**
   * The parts of one event's data, or of a whole answer that was not streamed.
   *
   * @throws the server's own error, typed; `provider-protocol` for what makes no sense
   */
  read(data: string, event?: string): ProviderPart[];
  /**
   * The last parts, `finish` at their end.
   *
   * @throws `provider-network` when the stream stopped in the middle, `provider-protocol` when it said nothing
   */
  finish(): ProviderPart[];
}

type Fields = Readonly<Record<string, unknown>>;

/** The object in an event's data. Errors: `provider-protocol`. */
export function parseEvent(data: string, where: string): Fields {
  try {
    return recordOf(JSON.parse(data));
  } catch {
    throw brokenProtocol(where, 'sent a piece that is not JSON');
  }
}

/** The error of a server that does not speak the protocol. */
export function brokenProtocol(where: string, what: string): AntiphonError {
  return new AntiphonError('provider-protocol', `${where} ${what}.`, {
    hint: 'Check that the address is the endpoint this provider expects, and look at its log.',
    details: { url: where },
  });
}

/** The error of a stream that ended too early: cut when something had come, else no answer at all. */
export function endedEarly(where: string, begun: boolean): AntiphonError {
  if (!begun) return brokenProtocol(where, 'gave no answer');
  return new AntiphonError('provider-network', `${where} ended in the middle of its answer.`, {
    hint: 'Try again; the text so far is kept.',
    retryable: true,
    details: { url: where },
  });
}

/** Arguments of a tool call; what is not JSON stays the string it is, so that validation can say so. */
export function parseArguments(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A count that may be missing or null. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
