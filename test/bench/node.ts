/** The benchmarks in Node, with a worker thread as the other thread; also the audio code that `run.mjs` needs. */
import { Worker } from 'node:worker_threads';
import { benchPort } from './port.ts';
import type { Rate } from './channel.ts';

export { benchChannel } from './channel.ts';
export { benchLatency } from './latency.ts';
export { decodeWav, encodeWav } from '../../src/audio/wav.ts';
export { resample } from '../../src/audio/resample.ts';

/** One round of the port benchmark for every call; close the thread in the end. */
export function openPortBench(): {
  readonly bench: (count: number) => Promise<Rate[]>;
  readonly close: () => Promise<unknown>;
} {
  const worker = new Worker(new URL('./node-worker.js', import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2 as never]);
  return {
    bench: (count) => benchPort(port1, count, 1),
    close: () => {
      port1.close();
      return worker.terminate();
    },
  };
}
