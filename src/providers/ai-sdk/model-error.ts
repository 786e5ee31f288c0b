/** What AI SDK models throw → typed errors. */
import { abortedError, AntiphonError, type ErrorCode } from '../../core/errors.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import { readRefusal, refusalError, retryAfterMs } from '../http/http-error.ts';
import { redact, redactedCause } from '../http/redact.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  AI_LoadAPIKeyError: 'provider-auth',
  AI_UnsupportedFunctionalityError: 'unsupported',
  AI_InvalidPromptError: 'invalid-argument',
  AI_InvalidArgumentError: 'invalid-argument',
  AI_NoSuchModelError: 'provider-request',
};

function bodyOf(error: Readonly<Record<string, unknown>>): unknown {
  if (error['data'] !== undefined) return error['data'];
  try {
    return JSON.parse(stringOf(error['responseBody']));
  } catch {
    return {};
  }
}

/** The typed error; `where` names the model. Recognises the AI SDK's errors by name and fields, not by class. */
export function modelError(thrown: unknown, where: string, signal: AbortSignal): AntiphonError {
  if (signal.aborted) return abortedError();
  if (AntiphonError.is(thrown)) return thrown;
  const error = recordOf(thrown);
  const name = thrown instanceof Error ? thrown.name : '';
  const message = redact(stringOf(error['message']), []);
  const status = error['statusCode'];
  if (typeof status === 'number') {
    const headers = new Headers(recordOf(error['responseHeaders']) as Record<string, string>);
    const refusal = readRefusal(status, bodyOf(error), retryAfterMs(headers, Date.now()));
    const said = refusal.message === '' ? message : redact(refusal.message, []);
    return refusalError({ ...refusal, message: said }, where);
  }
  const code = codes[name];
  if (code !== undefined)
    return new AntiphonError(code, `${where}: ${message}`, {
      hint: 'Check the model and its options; the message says why.',
      cause: redactedCause(thrown, []),
    });
  // An `error` part often holds the vendor's own object, or words.
  if (!(thrown instanceof Error)) return refusalError(readRefusal(0, { error: thrown }), where);
  const unreachable =
    name === 'TypeError' || name === 'AI_APICallError' || name === 'AI_DownloadError';
  return new AntiphonError(
    unreachable ? 'provider-network' : 'provider-protocol',
    `${where}: ${message}`,
    {
      hint: unreachable
        ? 'Check the address and the network, and that the server allows this page by CORS.'
        : 'Check that the model and its server fit together.',
      retryable: unreachable,
      cause: redactedCause(thrown, []),
    },
  );
}
