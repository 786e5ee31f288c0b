/** What the two audio endpoints of an OpenAI-compatible server have in common: address, headers, refusal. */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { abortable } from '../abort.ts';
import { refuseLongLivedKey } from './api-key.ts';
import { responseError } from './http-error.ts';

/** Who asks, as the options of the engines have it. */
export interface BearerOptions {
  /** A function is asked before every request. */
  readonly token?: string | (() => string | Promise<string>);
  /** Sent along with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Allows a long-lived key in a page. */
  readonly dangerouslyAllowBrowserKey?: boolean;
}

/** `path` behind `baseURL`, whose query string stays at the end. */
export function audioEndpoint(baseURL: string, path: string): string {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(baseURL) ?? [];
  return `${address.replace(/\/+$/, '')}${path}${query}`;
}

/**
 * The headers of a request, with the token as it is now.
 *
 * @throws AntiphonError `provider-auth` when the token can't be had or is a key that lives long; `aborted`
 */
export async function bearerHeaders(
  { token, headers, dangerouslyAllowBrowserKey = false }: BearerOptions,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  let bearer = '';
  try {
    const minted = typeof token === 'function' ? token() : (token ?? '');
    bearer = await abortable(Promise.resolve(minted), signal);
  } catch (error) {
    throw toAntiphonError(error, 'provider-auth', {
      hint: 'Check the server that mints your tokens.',
      retryable: true,
    });
  }
  const all = { ...headers, ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }) };
  for (const value of Object.values(all)) refuseLongLivedKey(value, dangerouslyAllowBrowserKey);
  return all;
}

/** The error of an answer that is none; a 404 says what `missing` says. */
export function refusal(
  response: Response,
  body: string,
  where: string,
  missing: string,
): AntiphonError {
  const error = responseError(response, body, where);
  if (response.status !== 404) return error;
  return new AntiphonError(error.code, error.message, {
    hint: missing,
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}
