/** How long one element alone takes through eight stages: our pipeline, and what the platform offers. */
import { channel } from '../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { transform } from '../../src/core/stage/define-stage.ts';
import type { Stage } from '../../src/core/stage/stage.ts';
import type { Rate } from './channel.ts';

/** A chain one element can be sent through, again and again. */
interface Chain {
  /** Settles when `one` has come out at the far end. */
  readonly send: (one: StreamElement) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

const stages = 8;

const shaped = (index: number): Stage =>
  transform({
    name: `stage ${index}`,
    consumes: ['text'],
    emits: ['text'],
    process: (one) => one,
  });

async function openPipeline(): Promise<Chain> {
  const { writer, reader } = channel<StreamElement>({ capacity: 32 });
  const run = new PipelineBuilder({ session: 'live' })
    .chain(...Array.from({ length: stages }, (_, index) => shaped(index)))
    .build()
    .execute(reader);
  await run.ready;
  const outputs = run[Symbol.asyncIterator]();
  return {
    send: (one) => {
      writer.offer(one);
      return outputs.next();
    },
    close: () => run.close(),
  };
}

function openTransformStreams(): Chain {
  const { writable, readable } = new TransformStream<StreamElement, StreamElement>();
  let stream = readable;
  for (let index = 1; index < stages; index += 1)
    stream = stream.pipeThrough(new TransformStream<StreamElement, StreamElement>());
  const writer = writable.getWriter();
  const reader = stream.getReader();
  return {
    send: async (one) => {
      const read = reader.read();
      await writer.write(one);
      await read;
    },
    close: () => Promise.all([writer.close(), reader.read()]),
  };
}

function openGenerators(): Chain {
  const waiting: StreamElement[] = [];
  async function* feed(): AsyncGenerator<StreamElement> {
    for (let next = waiting.shift(); next; next = waiting.shift()) yield next;
  }
  async function* pass(input: AsyncIterable<StreamElement>): AsyncGenerator<StreamElement> {
    for await (const one of input) yield one;
  }
  let stream = feed();
  for (let index = 0; index < stages; index += 1) stream = pass(stream);
  return {
    send: (one) => {
      waiting.push(one);
      return stream.next();
    },
    close: () => stream.return(undefined),
  };
}

/** Journeys a second of one element at a time through eight stages; the ways take turns, one round each. */
export async function benchLatency(count: number): Promise<Rate[]> {
  const ways: [string, () => Chain | Promise<Chain>][] = [
    ['TransformStream', openTransformStreams],
    ['async generators, no buffers', openGenerators],
    ['pipeline of transform()', openPipeline],
  ];
  const rates: Rate[] = [];
  for (const [name, open] of ways) {
    const chain = await open();
    const begin = performance.now();
    for (let sent = 0; sent < count; sent += 1)
      await chain.send(element('text', { text: 'x', delta: true, at: sent }));
    rates.push({ name, perSecond: (count * 1000) / (performance.now() - begin) });
    await chain.close();
  }
  return rates;
}
