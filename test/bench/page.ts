/** The benchmarks on a page of Chromium; `run.mjs` calls them by `globalThis.bench`. */
import { benchChannel, type Rate } from './channel.ts';
import { benchLatency } from './latency.ts';
import { listenWithAntiphon, listenWithMicVAD, type Heard } from './listen.ts';
import { benchPort } from './port.ts';

declare global {
  // Global of the page, for code that runs inside `page.evaluate`.
  var bench: {
    readonly channel: (count: number) => Promise<Rate[]>;
    readonly latency: (count: number) => Promise<Rate[]>;
    readonly port: (count: number) => Promise<Rate[]>;
    /** Starts to listen; resolves when the microphone is open and the model loaded. */
    readonly antiphon: () => Promise<() => Heard>;
    readonly micVAD: () => Promise<() => Heard>;
    /** What has been heard until now. */
    heard?: () => Heard;
  };
}

let peer: MessagePort | undefined;

function openPeer(): MessagePort {
  const worker = new Worker(new URL('./port.worker.ts', import.meta.url), { type: 'module' });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(undefined, [port2]);
  return port1;
}

globalThis.bench = {
  channel: (count) => benchChannel(count, 1),
  latency: benchLatency,
  port: (count) => benchPort((peer ??= openPeer()), count, 1),
  antiphon: listenWithAntiphon,
  micVAD: listenWithMicVAD,
};
