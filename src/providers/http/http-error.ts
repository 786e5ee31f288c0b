/** What a server's refusal means: the status and the error object of OpenAI, Anthropic, Gemini and their kin → a typed error. */
import { AntiphonError, type ErrorCode } from '../../core/errors.ts';

/** What is known about a refusal. `status` is 0 when it came inside a stream that began well. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** The server's own code, type and status, e.g. `context_length_exceeded` or `429 RESOURCE_EXHAUSTED`. */
  readonly code: string;
  readonly retryAfterMs?: number;
}

type Verdict = readonly [code: ErrorCode, hint: string, retryable: boolean];

const contextLength =
  /context.{0,3}(?:length|size|window|limit)|maximum context|too many tokens|prompt is too long|exceed_context|input token count.{0,40}exceeds/i;
const quota = /insufficient_quota|billing|credit balance|quota/i;
const badKey =
  /authentication_error|permission_error|invalid_api_key|api key not valid|PERMISSION_DENIED|UNAUTHENTICATED/i;

const missingModel = 'Check `baseURL`, and that the model exists there.';

function verdictOf({ status, message, code, retryAfterMs }: Refusal, missing: string): Verdict {
  const words = `${code} ${message}`;
  // A 429 about tokens is about those of a minute.
  if (contextLength.test(words) && ![401, 403, 429].includes(status))
    return [
      'context-length',
      'Keep fewer messages (`maxHistoryMessages`) or use a model with a longer context.',
      false,
    ];
  if (/content_filter|content_policy|moderation/i.test(code))
    return ['content-filter', 'The provider refused this content; say it differently.', false];
  if (status === 401) return ['provider-auth', 'Give a valid `token` for this server.', false];
  if (status === 403)
    return [
      'provider-auth',
      'The token has no access, or the server does not allow this page (Ollama: set OLLAMA_ORIGINS).',
      false,
    ];
  if (badKey.test(words) && (status === 0 || status === 400))
    return ['provider-auth', 'Give a valid `token` for this server.', false];
  if (status === 404 || /not_found/i.test(code)) return ['provider-request', missing, false];
  if (status === 408 || /timeout/i.test(code))
    return ['provider-timeout', 'The server gave up waiting; try again.', true];
  if (status === 429 || /rate_limit|RESOURCE_EXHAUSTED|insufficient_quota/i.test(code))
    return quota.test(words) && (retryAfterMs === undefined || /insufficient_quota/.test(code))
      ? ['provider-rate-limit', 'The account has no quota left; check its billing.', false]
      : ['provider-rate-limit', 'Too many requests; wait a moment.', true];
  if (status >= 500 || /overloaded|unavailable|server_error|api_error|INTERNAL/i.test(code))
    return [
      'provider-overloaded',
      'The server failed or is still loading the model; try again.',
      true,
    ];
  if (status === 0 && !/invalid_request|INVALID_ARGUMENT/i.test(code))
    return [
      'provider-protocol',
      'The server reported an error in the middle of its answer.',
      false,
    ];
  return [
    'provider-request',
    'The server did not accept the request; its message says why.',
    false,
  ];
}

/**
 * The typed error of a refusal; `where` is the public address, `missing` says what to do about a 404. `details`
 * hold status, code and `retryAfterMs`.
 */
export function refusalError(
  refusal: Refusal,
  where: string,
  missing: string = missingModel,
): AntiphonError {
  const [code, hint, retryable] = verdictOf(refusal, missing);
  const what = refusal.message === '' ? '' : `: ${refusal.message}`;
  const status = refusal.status === 0 ? 'an error' : String(refusal.status);
  return new AntiphonError(code, `${where} answered ${status}${what}`, {
    hint,
    retryable,
    details: {
      url: where,
      ...(refusal.status === 0 ? {} : { status: refusal.status }),
      ...(refusal.code === '' ? {} : { serverCode: refusal.code }),
      ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs }),
    },
  });
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

const asText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** The wait in Gemini's `details: [{retryDelay: '34s'}]`, in ms. */
function wishedDelayMs(error: unknown): number | undefined {
  const details = fieldOf(error, 'details');
  if (!Array.isArray(details)) return undefined;
  const delays = details.map((detail) => /^([\d.]+)s$/.exec(asText(fieldOf(detail, 'retryDelay'))));
  const seconds = delays.find((match) => match !== null)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/**
 * The refusal in a body `{error: {message, type, code, status}}`, `{error: '…'}`, `{message}`, a list of one of these
 * (Gemini) or plain text.
 */
export function readRefusal(status: number, given: unknown, retryAfterMs?: number): Refusal {
  const body: unknown = Array.isArray(given) ? given[0] : given;
  const error = fieldOf(body, 'error') ?? fieldOf(body, 'detail') ?? body;
  const code = asText(fieldOf(error, 'code'));
  const type = asText(fieldOf(error, 'type'));
  const message = typeof error === 'string' ? error : asText(fieldOf(error, 'message'));
  const numeric = Number(code);
  const inBand = status === 0 || status === 200;
  const delayMs = retryAfterMs ?? wishedDelayMs(error);
  return {
    status: inBand ? (numeric >= 400 && numeric < 600 ? numeric : 0) : status,
    message: message.trimStart().startsWith('<') ? '' : message.slice(0, 500),
    code: [Number.isNaN(numeric) ? code : '', type, asText(fieldOf(error, 'status'))]
      .filter((part) => part !== '')
      .join(' '),
    ...(delayMs === undefined ? {} : { retryAfterMs: delayMs }),
  };
}

/** Milliseconds to wait by the `retry-after-ms` or `retry-after` (seconds or HTTP date) header. */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const header = headers.get('retry-after');
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The typed error of a response that is not OK, given its body; `missing` says what to do about a 404. */
export function responseError(
  response: Response,
  text: string,
  where: string,
  missing?: string,
): AntiphonError {
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: a proxy's or a framework's own page; the status says enough.
  }
  const wait = retryAfterMs(response.headers, Date.now());
  return refusalError(readRefusal(response.status, body, wait), where, missing);
}
