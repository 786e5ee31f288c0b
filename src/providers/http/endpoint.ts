/** Addresses of model servers. */
import { AntiphonError } from '../../core/errors.ts';

/** `path` (which may have a query string of its own) behind `baseURL`, whose query string is kept. */
export function endpoint(baseURL: string, path: string): string {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(baseURL) ?? [];
  const joined = `${address.replace(/\/+$/, '')}${path}`;
  if (query === '') return joined;
  return joined + (joined.includes('?') ? `&${query.slice(1)}` : query);
}

/** Throws `invalid-argument` for an address with credentials in it; `option` is its name among the options. */
export function checkBaseURL(baseURL: string, option: string = 'baseURL'): void {
  if (/\/\/[^/?#]*@/.test(baseURL))
    throw new AntiphonError('invalid-argument', `${option} carries credentials.`, {
      hint: 'Pass them as `token` or `headers`; browsers refuse addresses with credentials.',
    });
}
