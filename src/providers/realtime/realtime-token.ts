/** The credential of one realtime connection: asked for anew each time, never one that lives long. */
import { AntiphonError } from '../../core/errors.ts';
import { refuseLongLivedKey } from '../http/api-key.ts';
import { currentToken } from '../http/credentials.ts';
import type { RealtimeToken } from './realtime.ts';

/**
 * The token as it is now.
 *
 * @throws AntiphonError `provider-auth` when it can't be had, is empty, or lives long; `aborted`
 */
export async function mintedToken(
  token: RealtimeToken,
  allowLongLived: boolean,
  signal: AbortSignal,
): Promise<string> {
  const minted: unknown = await currentToken({ token }, signal);
  if (typeof minted !== 'string' || minted === '')
    throw new AntiphonError('provider-auth', 'The `token` function gave no token.', {
      hint: 'Make it return the token your server minted, as a string.',
    });
  refuseLongLivedKey(minted, allowLongLived);
  return minted;
}
