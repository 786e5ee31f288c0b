import { afterEach, describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import {
  element,
  messageText,
  textMessage,
  type StreamElement,
} from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { PipelineRun } from '../../../src/core/pipeline/run.ts';
import { inWorker } from '../../../src/core/stage/remote-stage.ts';
import { transform } from '../../../src/core/stage/define-stage.ts';
import type { StageEvent } from '../../../src/core/stage/stage.ts';
import { indexedDBStore } from '../../../src/state/indexeddb-store.ts';
import { elements } from '../../../src/testing/elements.ts';

const terminated: Worker[] = [];
const created: Worker[] = [];

/** A getter of the worker file's workers, noting what becomes of them. */
const workers = (): (() => Worker) => () => {
  const worker = new Worker(new URL('./stages.worker.ts', import.meta.url), { type: 'module' });
  created.push(worker);
  const terminate = worker.terminate.bind(worker);
  worker.terminate = () => {
    terminated.push(worker);
    terminate();
  };
  return worker;
};

const text = (value: string, turn = 1): StreamElement =>
  element('text', { text: value, delta: false, turn });

const brief = (elements: readonly StreamElement[]): string[] =>
  elements.map((one) => (one.kind === 'text' ? one.text : `<${one.kind}>`));

async function collect(source: AsyncIterable<StreamElement>): Promise<StreamElement[]> {
  const elements: StreamElement[] = [];
  for await (const one of source) elements.push(one);
  // The last element comes before the tear-down, which is what `done` tells of.
  if ('done' in source) await source.done;
  return elements;
}

const event = (run: PipelineRun, type: string): Promise<StageEvent> =>
  new Promise((resolve) => run.on((one) => one.type === type && resolve(one)));

const local = transform({
  name: 'local',
  consumes: ['text'],
  emits: ['text'],
  process: (one) => ({ ...one, text: `${one.text}L` }),
});

afterEach(() => {
  expect(terminated).toHaveLength(created.length);
  created.length = 0;
  terminated.length = 0;
});

describe('inWorker', () => {
  it('runs a stage in a worker between stages of the page, and terminates the worker', async () => {
    const stage = inWorker(workers(), 'tag', { suffix: 'W' });
    const run = new PipelineBuilder()
      .chain(stage, local)
      .build()
      .execute([text('1'), text('2')]);
    const loading = event(run, 'loading');
    expect(brief(await collect(run))).toEqual(['1WL', '2WL', '<end>']);
    expect(await loading).toMatchObject({ stage: 'tag', detail: { loaded: 1, total: 2 } });
    await run.done;
  });

  it('joins two workers by a port of their own, and delivers everything of a source before it ends', async () => {
    const source = inWorker(workers(), 'count', { count: 500 }, { source: true, emits: ['audio'] });
    const stage = inWorker(workers(), 'tag', { suffix: '' });
    const outputs = await collect(new PipelineBuilder().chain(source, stage).build().execute());
    expect(outputs.map((one) => one.at).slice(0, -1)).toEqual(
      Array.from({ length: 500 }, (_, at) => at + 1),
    );
    expect(outputs.at(-1)).toMatchObject({ kind: 'end' });
  });

  it('keeps two workers talking on time while the page is frozen', async () => {
    const source = inWorker(workers(), 'ticks', { count: 20, everyMs: 20 }, { source: true });
    const run = new PipelineBuilder()
      .chain(source, inWorker(workers(), 'arrivals'))
      .build()
      .execute();
    await run.ready;
    const from = performance.timeOrigin + performance.now();
    while (performance.timeOrigin + performance.now() < from + 1500);
    const until = performance.timeOrigin + performance.now();
    const [summary] = await collect(run);
    if (summary?.kind !== 'text') throw new Error('no summary');
    const all = JSON.parse(summary.text) as { sentAtMs: number; arrivedAtMs: number }[];
    const during = all.filter((one) => one.sentAtMs > from && one.sentAtMs < until);
    expect(all).toHaveLength(20);
    expect(during.length).toBeGreaterThan(0);
    // Sent and read while the page could do nothing.
    expect(during.filter((one) => one.arrivedAtMs < until)).toHaveLength(during.length);
  });

  it('lets several stages share the worker of one getter, and several edges meet at one', async () => {
    const create = workers();
    const run = new PipelineBuilder()
      .chain(
        inWorker(create, 'tag', { suffix: '1' }, { name: 'one' }),
        inWorker(create, 'tag', { suffix: '2' }, { name: 'two' }),
        inWorker(create, 'tag', { suffix: '3' }, { name: 'three' }),
      )
      .branch('one', 'three')
      .merge('three')
      .build()
      .execute([text('x')]);
    expect(brief(await collect(run)).toSorted()).toEqual(['<end>', 'x123', 'x13']);
    await run.done;
    expect(created).toHaveLength(1);
  });

  it('transfers ports from anywhere in the options, made anew for each run', async () => {
    const outside: MessagePort[] = [];
    const stage = inWorker(workers(), 'listener', () => {
      const { port1, port2 } = new MessageChannel();
      outside.push(port1);
      return { nested: { port: port2 } };
    });
    const pipeline = new PipelineBuilder().chain(stage).build();
    for (const word of ['a', 'b']) {
      const run = pipeline.execute(
        (async function* () {
          const heard = new Promise((resolve) => {
            outside.at(-1)!.onmessage = resolve;
          });
          outside.at(-1)!.postMessage(word);
          await heard;
          yield text('x');
        })(),
      );
      expect(brief(await collect(run))).toEqual([`x:${word}`, '<end>']);
      await run.done;
    }
    for (const port of outside) port.close();
  });

  it('interrupts a stage in the middle of an await in its worker', async () => {
    const input = channel<StreamElement>({ capacity: 4 });
    const run = new PipelineBuilder()
      .chain(inWorker(workers(), 'patient'), local)
      .build()
      .execute(input.reader);
    run.on(({ type }) => {
      if (type !== 'waiting') return;
      run.interrupt(1);
      input.writer.offer(text('second', 2));
      input.writer.close();
    });
    input.writer.offer(text('first', 1));
    const interrupted = event(run, 'interrupted');
    expect(brief(await collect(run))).toEqual(['<interrupt>', 'secondL', '<end>']);
    await interrupted;
    await run.done;
  });

  it('keeps a worker alive between runs on request, and closes it', async () => {
    const create = workers();
    const stage = inWorker(create, 'serial', undefined, { keepAlive: true });
    const pipeline = new PipelineBuilder().chain(stage).build();
    for (const number of ['1', '2']) {
      const run = pipeline.execute([text('x')]);
      expect(brief(await collect(run))).toEqual([number, '<end>']);
      await run.done;
    }
    expect(created).toHaveLength(1);
    expect(terminated).toHaveLength(0);
    stage.close();
  });

  it('takes stages that share their turns as one, which remember what the page stored', async () => {
    const database = crypto.randomUUID();
    const conversation = 'kitchen';
    const store = indexedDBStore({ name: database });
    try {
      await store.append(conversation, [
        textMessage('user', 'Before.'),
        textMessage('assistant', 'Yes.'),
      ]);
      const stage = inWorker(workers(), 'conversation', { database, conversation });
      const run = new PipelineBuilder().chain(stage).build().execute(elements().asks('Hello.'));
      const reply = 'You work at Kiosk. I heard: Before. | Yes. | Hello.';
      expect(brief(await collect(run))).toContain(reply);
      const stored = await store.load(conversation);
      expect(stored.map((message) => messageText(message))).toEqual([
        'Before.',
        'Yes.',
        'Hello.',
        reply,
      ]);
    } finally {
      indexedDB.deleteDatabase(database);
    }
  });

  it('is a stage like any other: process alone goes through ports of its own', async () => {
    const stage = inWorker(workers(), 'tag', { suffix: 'W' });
    const control = new AbortController();
    const input = (async function* () {
      yield text('1');
      yield text('2');
    })();
    const context = {
      signal: control.signal,
      clock: { now: () => 0 },
      turnSignal: () => control.signal,
      turn: () => {
        throw new Error('page only');
      },
      interrupt: () => {},
      emit: () => {},
    };
    expect(brief(await collect(stage.process(input, context)))).toEqual(['1W', '2W']);
  });

  it('leaves nothing behind after fifty starts and stops', async () => {
    const pipeline = new PipelineBuilder()
      .chain(inWorker(workers(), 'tag', { suffix: 'W' }), local)
      .build();
    for (let start = 0; start < 50; start += 1)
      for await (const one of pipeline.execute([text('x'), text('y')]))
        if (one.kind === 'text') break;
    expect(created).toHaveLength(50);
    expect(terminated).toHaveLength(50);
  });
});

describe('a worker that fails', () => {
  it('to load rejects with worker-load and a hint', async () => {
    const missing = (): Worker => {
      const worker = new Worker('/there-is-no-such-worker.js', { type: 'module' });
      return worker;
    };
    const run = new PipelineBuilder()
      .chain(inWorker(missing, 'tag'))
      .build()
      .execute([text('x')]);
    await expect(run.drain()).rejects.toMatchObject({
      code: 'worker-load',
      stage: 'tag',
      hint: expect.stringContaining('URL'),
    });
    await expect(run.ready).rejects.toMatchObject({ code: 'worker-load' });
  });

  it('to be made rejects with worker-load', async () => {
    const forbidden = (): Worker => {
      throw new DOMException('no', 'SecurityError');
    };
    const run = new PipelineBuilder().chain(inWorker(forbidden, 'tag')).build().execute([]);
    await expect(run.drain()).rejects.toMatchObject({ code: 'worker-load' });
  });

  it('because it has no such stage says which it has', async () => {
    const run = new PipelineBuilder().chain(inWorker(workers(), 'tagg')).build().execute([]);
    await expect(run.drain()).rejects.toThrow(/hosts no stage "tagg"/);
    await expect(run.done).rejects.toMatchObject({ hint: expect.stringContaining('tag, count') });
  });

  it.each([
    ['throws', 'model-run', 'Use another.'],
    ['unprepared', 'model-load', 'Get one.'],
  ])(
    'by a stage that %s rejects with its code and hint, and its siblings end',
    async (name, code, hint) => {
      const control = new PipelineBuilder({ idleTimeoutMs: 0 })
        .chain(inWorker(workers(), 'tag', { suffix: '' }), inWorker(workers(), name))
        .build();
      const run = control.execute([text('x')]);
      await expect(run.drain()).rejects.toMatchObject({ code, hint, stage: name });
      await expect(run.done).rejects.toMatchObject({ code });
    },
  );

  it('in the middle of a run rejects with worker-crashed', async () => {
    const run = new PipelineBuilder({ idleTimeoutMs: 0 })
      .chain(inWorker(workers(), 'crashes'), inWorker(workers(), 'tag', { suffix: '' }))
      .build()
      .execute([text('x')]);
    await expect(run.drain()).rejects.toMatchObject({
      code: 'worker-crashed',
      stage: 'crashes',
      message: expect.stringContaining('out of the blue'),
    });
  });

  it('to give its thread back is terminated when the run ends', async () => {
    const run = new PipelineBuilder({ idleTimeoutMs: 0 })
      .chain(inWorker(workers(), 'spins'))
      .build()
      .execute([text('x')]);
    await event(run, 'spinning');
    await run.close();
  });
});
