/** The credential of one realtime connection: asked for anew each time, never one that lives long. */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { abortable } from '../abort.ts';
import { refuseLongLivedKey } from '../http/api-key.ts';
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
  let minted: string;
  try {
    minted = await abortable(Promise.resolve().then(token), signal);
  } catch (error) {
    if (signal.aborted || AntiphonError.is(error)) throw error;
    throw toAntiphonError(error, 'provider-auth', {
      hint: 'Check the server that mints your tokens.',
      retryable: true,
    });
  }
  if (typeof minted !== 'string' || minted === '')
    throw new AntiphonError('provider-auth', 'The `token` function gave no token.', {
      hint: 'Make it return the token your server minted, as a string.',
    });
  refuseLongLivedKey(minted, allowLongLived);
  return minted;
}
