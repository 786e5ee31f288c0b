/** What a hop to another thread costs: our port, bare postMessage, a comlink call per frame. */
import { expose, transfer, wrap } from 'comlink';
import { element, type AudioElement } from '../../src/core/element.ts';
import { portReader } from '../../src/core/port/port-reader.ts';
import { portWriter } from '../../src/core/port/port-writer.ts';
import type { Rate } from './channel.ts';

type Way = 'postMessage' | 'port' | 'comlink';

interface Round {
  readonly way: Way;
  readonly count: number;
  readonly port: MessagePort;
}

const frame = (): AudioElement =>
  element('audio', { samples: new Float32Array(512), sampleRate: 16_000 });

/** The far side: give it the port whose other end `benchPort` has, in a worker. Answers when a round has arrived. */
export function servePortBench(peer: MessagePort): void {
  peer.addEventListener('message', (event: MessageEvent<Round>) => {
    const { way, count, port } = event.data;
    let seen = 0;
    let sum = 0;
    const see = (one: AudioElement): void => {
      sum += one.samples.length;
      seen += 1;
      if (seen === count) peer.postMessage(sum);
    };
    if (way === 'port') {
      void (async () => {
        for await (const one of portReader(port)) if (one.kind === 'audio') see(one);
      })();
    } else if (way === 'comlink') expose(see, port);
    else {
      port.addEventListener('message', (message: MessageEvent<AudioElement>) => see(message.data));
      port.start();
    }
  });
  peer.start();
}

async function send(way: Way, count: number, port: MessagePort): Promise<void> {
  if (way === 'port') {
    const writer = portWriter(port);
    for (let sent = 0; sent < count; sent += 1) {
      const one = frame();
      if (!writer.offer(one)) await writer.write(one);
    }
    writer.close();
  } else if (way === 'comlink') {
    const see = wrap<(one: AudioElement) => void>(port);
    for (let sent = 0; sent < count; sent += 1) {
      const one = frame();
      await see(transfer(one, [one.samples.buffer]));
    }
  } else
    for (let sent = 0; sent < count; sent += 1) {
      const one = frame();
      port.postMessage(one, [one.samples.buffer]);
    }
}

/**
 * Frames of 512 samples per second through each way, the best of `rounds`.
 *
 * @param peer a port whose other end `servePortBench` has, in another thread.
 */
export async function benchPort(
  peer: MessagePort,
  count: number = 5000,
  rounds: number = 5,
): Promise<Rate[]> {
  // The backlog that bare postMessage piles up is collected at the cost of whoever comes next: not of the port,
  // which is judged by it.
  const ways: Way[] = ['postMessage', 'comlink', 'port'];
  const best = new Map<Way, number>();
  peer.start();
  for (let round = 0; round < rounds; round += 1)
    for (const way of ways) {
      const { port1, port2 } = new MessageChannel();
      const arrived = new Promise<number>((resolve) => {
        peer.addEventListener('message', (event: MessageEvent<number>) => resolve(event.data), {
          once: true,
        });
      });
      const begin = performance.now();
      peer.postMessage({ way, count, port: port2 } satisfies Round, [port2]);
      await send(way, count, port1);
      if ((await arrived) !== count * 512) throw new Error(`${way}: samples are missing`);
      const rate = (count * 1000) / (performance.now() - begin);
      best.set(way, Math.max(best.get(way) ?? 0, rate));
      port1.close();
    }
  return ways.map((name) => ({ name, perSecond: Math.round(best.get(name) ?? 0) }));
}
