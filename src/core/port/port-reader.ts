/** The reading end of a channel over a MessagePort; works in a page, a worker and Node. */
import { Queue, type ChannelReader } from '../channel/queue.ts';
import type { StreamElement } from '../element.ts';
import { AntiphonError, deserializeError } from '../errors.ts';
import { isElement, type ReaderMessage, type WriterMessage } from './protocol.ts';

/** Bounds of a port. */
export interface PortReaderOptions {
  /** The most elements in flight and waiting together; 32 unless given. */
  readonly window?: number;
}

/**
 * Reads elements from `port` and grants credit as they are taken (half a window at a time).
 * The port is this reader's alone from now on and closed when the stream is over, either way.
 */
export function portReader(
  port: MessagePort,
  options: PortReaderOptions = {},
): ChannelReader<StreamElement> {
  const window = options.window ?? 32;
  const batch = Math.max(1, window >> 1);
  let owed = 0;
  const post = (message: ReaderMessage): void => port.postMessage(message);

  const queue = new Queue<StreamElement>(window, {
    taken(count) {
      owed += count;
      if (owed < batch) return;
      post({ type: 'credit', count: owed });
      owed = 0;
    },
    cancelled(reason) {
      post({ type: 'cancel', reason: reason instanceof Error ? reason.message : 'cancelled' });
      release();
    },
  });

  const receive = (event: MessageEvent<WriterMessage>): void => {
    const message = event.data;
    if (isElement(message)) {
      if (!queue.push(message)) abandon('the writer sent more than it had credit for');
      return;
    }
    switch (message.type) {
      case 'interrupt':
        queue.overtake(message.value);
        break;
      case 'close':
        release();
        queue.end();
        break;
      case 'error':
        release();
        queue.fail(deserializeError(message.error));
        break;
    }
  };
  const unreadable = (): void => abandon('an element could not be read on this side of the port');
  const abandon = (why: string): void => {
    post({ type: 'cancel', reason: why });
    release();
    queue.fail(new AntiphonError('channel-overflow', why));
  };
  const release = (): void => {
    port.removeEventListener('message', receive);
    port.removeEventListener('messageerror', unreadable);
    port.close();
  };

  port.addEventListener('message', receive);
  port.addEventListener('messageerror', unreadable);
  port.start();
  post({ type: 'credit', count: window });
  return queue;
}
