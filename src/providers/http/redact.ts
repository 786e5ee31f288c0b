/** Keeps secrets out of everything a person or a log may see. */
import { credentialPattern } from './key-shapes.ts';

const mask = '[redacted]';

/** Replaces every secret in `text`, in plain and in URL-encoded form, and whatever looks like one. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    clean = clean.replaceAll(secret, mask).replaceAll(encodeURIComponent(secret), mask);
  }
  return clean.replaceAll(credentialPattern, mask);
}

/** The address without credentials and query, fit for an error message. */
export function publicUrl(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
}

/** An error with the name and the redacted message of `cause`, and nothing else of it. */
export function redactedCause(cause: unknown, secrets: readonly string[]): Error {
  const error = new Error(redact(cause instanceof Error ? cause.message : String(cause), secrets));
  error.name = cause instanceof Error ? cause.name : 'Error';
  delete error.stack;
  return error;
}
