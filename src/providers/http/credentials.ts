/** Who asks: the token and the headers of a request, as they are at the moment it is made. */
import { AntiphonError } from '../../core/errors.ts';
import { sleep, wallClock } from '../../core/time.ts';
import { abortable } from '../abort.ts';
import { inBrowser, refuseKeyInAddress, refuseLongLivedKey } from './api-key.ts';
import { querySecrets } from './key-shapes.ts';
import { redactedCause } from './redact.ts';

/** How an engine shows who it is. */
export interface Credentials {
  /** A function is asked before every attempt, so that it can mint short-lived tokens. */
  readonly token?: string | (() => string | Promise<string>);
  /** Sent along with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Allows a long-lived key in a page; anybody who can open the page can then copy it. False unless given. */
  readonly dangerouslyAllowBrowserKey?: boolean;
}

/** Puts a token where a vendor looks for it. */
export type Authorize = (token: string) => Readonly<Record<string, string>>;

/** `Authorization: Bearer …`. */
export const bearer: Authorize = (token) => ({ authorization: `Bearer ${token}` });

/** Throws `provider-auth` when the options hold a long-lived key and the code runs in a page. */
export function checkToken(credentials: Credentials, address: string): void {
  const { token, dangerouslyAllowBrowserKey = false } = credentials;
  refuseKeyInAddress(address, dangerouslyAllowBrowserKey);
  if (typeof token === 'string')
    refuseLongLivedKey(token, dangerouslyAllowBrowserKey, inBrowser(), address);
}

/**
 * The headers that carry secrets, with the token as it is now, for a request of `address`; a `token` function has
 * `timeoutMs` to give one.
 *
 * @throws `provider-auth` when the token can't be had or is a key that lives long in a page; `provider-timeout`,
 * `aborted`
 */
export async function secretHeaders(
  credentials: Credentials,
  authorize: Authorize,
  address: string,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Record<string, string>> {
  const token = await currentToken(credentials, signal, timeoutMs);
  const headers = { ...credentials.headers, ...(token === '' ? {} : authorize(token)) };
  const { dangerouslyAllowBrowserKey = false } = credentials;
  refuseKeyInAddress(address, dangerouslyAllowBrowserKey);
  for (const value of Object.values(headers))
    refuseLongLivedKey(value, dangerouslyAllowBrowserKey, inBrowser(), address);
  return headers;
}

/** What must not show in an error: the values of the headers, without a word like `Bearer`, and those in the address. */
export function secretsOf(headers: Readonly<Record<string, string>>, address: string): string[] {
  // Engines trim a value before they complain of it.
  const values = Object.values(headers).map((value) =>
    value.replace(/^(?:Bearer|Token|Basic)\s+/i, '').trim(),
  );
  return [...values, ...querySecrets(address)];
}

/**
 * The token as it is now; empty for none. A function has `timeoutMs` to give one.
 *
 * @throws `provider-auth` when the function fails; `provider-timeout`; `aborted`
 */
export async function currentToken(
  { token }: Credentials,
  signal: AbortSignal,
  timeoutMs = 60_000,
): Promise<string> {
  if (typeof token !== 'function') return token ?? '';
  const settled = new AbortController();
  const tooLate = sleep(wallClock, timeoutMs, settled.signal).then(() => {
    throw new AntiphonError(
      'provider-timeout',
      `The \`token\` function took over ${timeoutMs} ms.`,
      {
        hint: 'Check the server that mints your tokens.',
        retryable: true,
        details: { timeoutMs },
      },
    );
  });
  try {
    return await abortable(Promise.race([minted(token), tooLate]), signal);
  } finally {
    settled.abort();
  }
}

async function minted(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (error) {
    if (AntiphonError.is(error)) throw error;
    throw new AntiphonError('provider-auth', 'The `token` function failed.', {
      hint: 'Check the server that mints your tokens.',
      retryable: true,
      cause: redactedCause(error, []),
    });
  }
}
