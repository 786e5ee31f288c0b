/** Many who load one thing: what the others do is no concern of theirs. */
import { describe, expect, it } from 'vitest';
import { deferred, type Deferred } from '../../../src/core/deferred.ts';
import { toAntiphonError } from '../../../src/core/errors.ts';
import { sharedLoad, type SharedLoad } from '../../../src/speech/shared-load.ts';
import { transformersWith } from '../../../src/speech/stt/transformers-recognizer.ts';

/** A load whose attempts are settled by hand; one ends when its signal aborts. */
function byHand(): { readonly shared: SharedLoad<string>; readonly attempts: Deferred<string>[] } {
  const attempts: Deferred<string>[] = [];
  const shared = sharedLoad((_onProgress, signal) => {
    const attempt = deferred<string>();
    attempts.push(attempt);
    signal?.addEventListener('abort', () =>
      attempt.reject(toAntiphonError(signal.reason, 'aborted')),
    );
    return attempt.promise;
  });
  return { shared, attempts };
}

describe('a shared load', () => {
  it('is one for all who ask, before and after', async () => {
    const { shared, attempts } = byHand();
    const both = Promise.all([shared.load(), shared.load()]);
    attempts[0]?.resolve('model');
    expect(await both).toEqual(['model', 'model']);
    expect(await shared.load()).toBe('model');
    expect(attempts).toHaveLength(1);
  });

  it('goes on for who joined when who began it gives up', async () => {
    const { shared, attempts } = byHand();
    const abort = new AbortController();
    const first = shared.load(undefined, abort.signal);
    const second = shared.load(undefined, new AbortController().signal);
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    expect(attempts).toHaveLength(2);
    attempts[1]?.resolve('model');
    expect(await second).toBe('model');
  });

  it('fails for all, and may be tried again', async () => {
    const { shared, attempts } = byHand();
    const both = Promise.allSettled([shared.load(), shared.load()]);
    attempts[0]?.reject(new Error('404'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(shared.pending).toBeUndefined();
    const again = shared.load();
    attempts[1]?.resolve('model');
    expect(await again).toBe('model');
  });

  it('is what engines do: a run that is stopped while a model loads does not stop the next', async () => {
    const opened = deferred<never>();
    let times = 0;
    const recognizer = transformersWith({ model: 'some/model' }, () => {
      times += 1;
      return times === 1 ? opened.promise : Promise.reject(new Error('tried again'));
    });
    const abort = new AbortController();
    const first = recognizer.load(undefined, abort.signal);
    const second = recognizer.load();
    abort.abort();
    opened.reject(new Error('stopped'));
    await expect(first).rejects.toThrow();
    await expect(second).rejects.toMatchObject({ cause: { message: 'tried again' } });
  });
});
