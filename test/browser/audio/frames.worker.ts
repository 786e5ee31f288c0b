/** Test worker: reads a port of frames and tells on request what arrived and when. */
import { portReader } from '../../../src/core/port/port-reader.ts';

const frames: { at: number; arrived: number; length: number }[] = [];

self.addEventListener('message', (event: MessageEvent<MessagePort | 'report'>) => {
  if (event.data === 'report') self.postMessage(frames);
  else void read(event.data);
});

async function read(port: MessagePort): Promise<void> {
  for await (const element of portReader(port))
    if (element.kind === 'audio') {
      const arrived = performance.timeOrigin + performance.now();
      frames.push({ at: element.at, arrived, length: element.samples.length });
    }
}
