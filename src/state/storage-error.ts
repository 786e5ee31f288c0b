/** What a browser's storage trouble means. */
import { AntiphonError, type ErrorCode } from '../core/errors.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  QuotaExceededError: 'storage-full',
  SecurityError: 'storage-blocked',
  NotAllowedError: 'storage-blocked',
  // Firefox without permission, and a connection the browser closed behind our back.
  InvalidStateError: 'storage-blocked',
  // No `indexedDB` in this realm.
  ReferenceError: 'storage-blocked',
};

/** What to do about trouble with a store, by code. */
export type StorageHints = Partial<Record<ErrorCode, string>>;

const conversationHints: StorageHints = {
  'storage-blocked':
    'This page may not store anything (private window, blocked site data): the conversation lives until the page closes. Use memoryStore() to say so on purpose.',
  'storage-full': 'The browser has no room left: delete old conversations or free disk space.',
};

/**
 * The typed error of anything thrown by a browser's storage; `doing` says what was attempted, `hints` what to
 * do about it: those for conversations unless given.
 */
export function storageError(
  error: unknown,
  doing: string,
  hints: StorageHints = conversationHints,
): AntiphonError {
  if (AntiphonError.is(error)) return error;
  const name = error instanceof Error ? error.name : '';
  const code = codes[name] ?? 'storage';
  const why = error instanceof Error ? error.message : 'the transaction was aborted';
  return new AntiphonError(code, `Could not ${doing}: ${why}`, {
    hint: hints[code] ?? 'The browser could not complete it; nothing of it was stored. Try again.',
    retryable: code !== 'storage-blocked',
    details: { doing, name },
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
