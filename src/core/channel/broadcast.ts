/** Fan-out: every branch gets every value, each through its own channel. */
import { closedError, type ChannelWriter } from './channel.ts';

/**
 * One writer in front of several. Every branch but the last gets what `clone` returns, so that no two
 * share a buffer. A branch that waits makes the writer wait; one with a dropping policy does not. A branch
 * whose reader cancels is left out; when all have, the whole is cancelled.
 *
 * @param accepts which values a branch takes, all unless given; may be asked more than once per value. Only
 * the branches that take a value can make its writer wait; what overtakes goes to all.
 */
export function broadcast<T>(
  branches: readonly ChannelWriter<T>[],
  clone: (value: T) => T,
  accepts?: (branch: ChannelWriter<T>, value: T) => boolean,
): ChannelWriter<T> {
  const cancel = new AbortController();
  let open = branches.filter((branch) => !branch.cancelled.aborted);
  const leave = (branch: ChannelWriter<T>): void => {
    open = open.filter((other) => other !== branch);
    if (open.length === 0) cancel.abort(branch.cancelled.reason);
  };
  for (const branch of open)
    branch.cancelled.addEventListener('abort', () => leave(branch), { once: true });

  /** The open branches that take `value`. */
  const takers = (value: T): readonly ChannelWriter<T>[] =>
    accepts ? open.filter((branch) => accepts(branch, value)) : open;
  /** `value` for each of `branches`: clones, and the original for the last. */
  const copies = (branches: readonly ChannelWriter<T>[], value: T): [ChannelWriter<T>, T][] =>
    branches.map((branch, index) => [branch, index === branches.length - 1 ? value : clone(value)]);

  return {
    cancelled: cancel.signal,
    get writable() {
      return open.length > 0 && open.every((branch) => branch.writable);
    },
    offer(value) {
      if (open.length === 0) return false;
      const branches = takers(value);
      if (!branches.every((branch) => branch.writable)) return false;
      for (const [branch, copy] of copies(branches, value))
        if (!branch.offer(copy)) branch.write(copy).catch(() => {});
      return true;
    },
    async write(value, options) {
      if (open.length === 0) throw closedError(cancel.signal.reason);
      const writes = copies(takers(value), value).map(async ([branch, copy]) => {
        try {
          await branch.write(copy, options);
        } catch (error) {
          if (!branch.cancelled.aborted) throw error;
        }
      });
      await Promise.all(writes);
    },
    overtake(value) {
      for (const [branch, copy] of copies(open, value)) branch.overtake(copy);
    },
    close() {
      for (const branch of open) branch.close();
    },
    fail(reason) {
      for (const branch of open) branch.fail(reason);
    },
  };
}
