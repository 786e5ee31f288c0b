/** The far side of the port benchmark, in a browser's worker: the first message brings its port. */
import { servePortBench } from './port.ts';

globalThis.addEventListener(
  'message',
  (event: MessageEvent) => {
    const [port] = event.ports;
    if (port) servePortBench(port);
  },
  { once: true },
);
