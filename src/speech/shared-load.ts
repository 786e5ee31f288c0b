/** One load for all who ask for it, and who may cancel it for whom. */
import type { OnProgress } from './stt/recognizer.ts';

/** A load that is shared. */
export interface SharedLoad<T> {
  /** Loads, or joins who does; a failed load may be tried again. Who joined one that somebody else cancelled begins anew. */
  load(onProgress?: OnProgress, signal?: AbortSignal): Promise<T>;
  /** What is loading, or is loaded; undefined before the first load and after a failed one. */
  readonly pending: Promise<T> | undefined;
  /** Forgets what was loaded. */
  forget(): void;
}

/** Shares what `begin` loads. */
export function sharedLoad<T>(
  begin: (onProgress?: OnProgress, signal?: AbortSignal) => Promise<T>,
): SharedLoad<T> {
  let current:
    | { readonly result: Promise<T>; readonly signal: AbortSignal | undefined }
    | undefined;
  return {
    async load(onProgress, signal) {
      for (;;) {
        const attempt = (current ??= { result: begin(onProgress, signal), signal });
        try {
          return await attempt.result;
        } catch (error) {
          if (current === attempt) current = undefined;
          if (attempt.signal?.aborted !== true || signal?.aborted === true) throw error;
        }
      }
    },
    get pending() {
      return current?.result;
    },
    forget() {
      current = undefined;
    },
  };
}
