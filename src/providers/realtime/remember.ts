/** A memory with a bound. */

/** Sets an entry as the newest; of more than `most` the oldest goes. */
export function remember<T>(
  entries: Map<string, T>,
  key: string,
  value: T,
  most: number = 64,
): void {
  entries.delete(key);
  entries.set(key, value);
  const oldest = entries.keys().next();
  if (entries.size > most && !oldest.done) entries.delete(oldest.value);
}
