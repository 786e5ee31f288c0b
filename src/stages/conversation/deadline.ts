/** Keeps a store that never answers (a blocked database does that) from holding up a conversation. */
import { AntiphonError } from '../../core/errors.ts';

/** Settles like `work`, or rejects with `storage-blocked` after `timeoutMs`. */
export function withDeadline<T>(work: Promise<T>, timeoutMs: number, doing: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new AntiphonError(
          'storage-blocked',
          `Could not ${doing}: the store gave no answer in ${timeoutMs} ms.`,
          {
            hint: 'Close other tabs of this page, or use memoryStore().',
            retryable: true,
            details: { doing, timeoutMs },
          },
        ),
      );
    }, timeoutMs);
    work
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
      .catch(() => undefined);
  });
}
