/** Keeps a store that never answers (a blocked database does that) from holding up a conversation. */
import { AntiphonError } from '../../core/errors.ts';
import { sleep, type Clock } from '../../core/time.ts';

/** Settles like `work`, or rejects with `storage-blocked` after `timeoutMs` by `clock`. */
export function withDeadline<T>(
  work: Promise<T>,
  { timeoutMs, clock }: { readonly timeoutMs: number; readonly clock: Clock },
  doing: string,
): Promise<T> {
  const settled = new AbortController();
  const late = sleep(clock, timeoutMs, settled.signal).then(() => {
    throw new AntiphonError(
      'storage-blocked',
      `Could not ${doing}: the store gave no answer in ${timeoutMs} ms.`,
      {
        hint: 'Close other tabs of this page, or use memoryStore().',
        retryable: true,
        details: { doing, timeoutMs },
      },
    );
  });
  return Promise.race([work, late]).finally(() => settled.abort());
}
