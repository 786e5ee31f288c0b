/** The credential of one realtime connection: asked for anew each time, never one that lives long. */
import { AntiphonError } from '../../core/errors.ts';
import { inBrowser, refuseLongLivedKey } from '../http/api-key.ts';
import { checkToken, currentToken } from '../http/credentials.ts';
import { checkBaseURL } from '../http/endpoint.ts';
import type { RealtimeToken } from './realtime.ts';

/**
 * Checks the address of a server before anything is sent there.
 *
 * @throws AntiphonError `provider-auth` when its query holds a key that lives long and the code runs in a page;
 *   `invalid-argument` for user and password in it
 */
export function checkServer(url: string, dangerouslyAllowBrowserKey: boolean = false): void {
  checkBaseURL(url, 'url');
  checkToken({ dangerouslyAllowBrowserKey }, url);
}

/**
 * The token as it is now; `address` is where it will be sent.
 *
 * @throws AntiphonError `provider-auth` when it can't be had, is empty, or lives long; `aborted`
 */
export async function mintedToken(
  token: RealtimeToken,
  allowLongLived: boolean,
  signal: AbortSignal,
  address: string,
): Promise<string> {
  const given: unknown = await currentToken({ token }, signal);
  // Servers like to end a text with a line break, which no subprotocol may hold.
  const minted = typeof given === 'string' ? given.trim() : '';
  if (minted === '')
    throw new AntiphonError('provider-auth', 'The `token` function gave no token.', {
      hint: 'Make it return the token your server minted, as a string.',
    });
  refuseLongLivedKey(minted, allowLongLived, inBrowser(), address);
  return minted;
}
