/** How many elements a second pass through eight stages: our pipeline, and what the platform offers. */
import { channel } from '../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { transform } from '../../src/core/stage/define-stage.ts';
import type { Stage } from '../../src/core/stage/stage.ts';

/** A measured rate. */
export interface Rate {
  readonly name: string;
  readonly perSecond: number;
}

const stages = 8;

function* elements(count: number): Generator<StreamElement> {
  for (let at = 0; at < count; at += 1) yield element('text', { text: 'x', delta: true, at });
}

const generator = (index: number): Stage => ({
  name: `stage ${index}`,
  type: 'transform',
  consumes: [],
  emits: [],
  async *process(input) {
    for await (const one of input) yield one;
  },
});

const shaped = (index: number): Stage =>
  transform({
    name: `stage ${index}`,
    consumes: ['text'],
    emits: ['text'],
    process: (one) => one,
  });

async function throughPipeline(make: (index: number) => Stage, count: number): Promise<number> {
  const list = Array.from({ length: stages }, (_, index) => make(index));
  const run = new PipelineBuilder()
    .chain(...list)
    .build()
    .execute(elements(count));
  await run.ready;
  let seen = 0;
  for await (const one of run) if (one.kind === 'text') seen += 1;
  return seen;
}

async function throughChannels(count: number): Promise<number> {
  const channels = Array.from({ length: stages + 1 }, () =>
    channel<StreamElement>({ capacity: 32 }),
  );
  const pump = async (index: number): Promise<void> => {
    const { reader } = channels[index]!;
    const { writer } = channels[index + 1]!;
    for (;;) {
      const value = reader.poll();
      if (value === undefined) {
        const result = await reader.next();
        if (result.done) break;
        if (!writer.offer(result.value)) await writer.write(result.value);
      } else if (!writer.offer(value)) await writer.write(value);
    }
    writer.close();
  };
  const pumps = Array.from({ length: stages }, (_, index) => pump(index));
  const feed = (async () => {
    const { writer } = channels[0]!;
    for (const one of elements(count)) if (!writer.offer(one)) await writer.write(one);
    writer.close();
  })();
  let seen = 0;
  for await (const _ of channels[stages]!.reader) seen += 1;
  await Promise.all([feed, ...pumps]);
  return seen;
}

async function throughTransformStreams(count: number): Promise<number> {
  const source = elements(count);
  let stream = new ReadableStream<StreamElement>({
    pull(controller) {
      const { value, done } = source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  for (let index = 0; index < stages; index += 1)
    stream = stream.pipeThrough(new TransformStream<StreamElement, StreamElement>());
  const reader = stream.getReader();
  let seen = 0;
  while (!(await reader.read()).done) seen += 1;
  return seen;
}

async function throughGenerators(count: number): Promise<number> {
  async function* pass(input: AsyncIterable<StreamElement>): AsyncGenerator<StreamElement> {
    for await (const one of input) yield one;
  }
  let stream: AsyncIterable<StreamElement> = (async function* () {
    yield* elements(count);
  })();
  for (let index = 0; index < stages; index += 1) stream = pass(stream);
  let seen = 0;
  for await (const _ of stream) seen += 1;
  return seen;
}

/** The best of `rounds` for each, measured in turn so that load hits all alike. */
export async function benchChannel(count: number = 20_000, rounds: number = 5): Promise<Rate[]> {
  const ways: [string, number, (count: number) => Promise<number>][] = [
    ['TransformStream', count / 4, throughTransformStreams],
    ['async generators, no buffers', count, throughGenerators],
    ['pipeline of transform()', count, (n) => throughPipeline(shaped, n)],
    ['pipeline of generators', count, (n) => throughPipeline(generator, n)],
    ['bare channels, offer and poll', count, throughChannels],
  ];
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1)
    for (const [name, amount, way] of ways) {
      const begin = performance.now();
      const seen = await way(amount);
      const rate = (amount * 1000) / (performance.now() - begin);
      if (seen !== amount) throw new Error(`${name}: ${seen} of ${amount} came through`);
      best.set(name, Math.max(best.get(name) ?? 0, rate));
    }
  return ways.map(([name]) => ({ name, perSecond: Math.round(best.get(name) ?? 0) }));
}
