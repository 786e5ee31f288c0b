import { describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../../../src/core/element.ts';
import { PipelineBuilder } from '../../../../src/core/pipeline/builder.ts';
import {
  accumulate,
  defineStage,
  sink,
  transform,
} from '../../../../src/core/stage/define-stage.ts';
import { collect, runOn, settle, testContext } from '../../../../src/testing/index.ts';
import { brief, probe, pushable, tag, text } from '../pipeline/helpers.ts';

describe('defineStage', () => {
  it('passes on what a stage does not consume, between the outputs around it', async () => {
    const double = defineStage({
      name: 'double',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        for await (const one of input) {
          yield { ...one, text: `${one.text}1` };
          yield { ...one, text: `${one.text}2` };
        }
      },
    });
    const outputs = await runOn(double, [
      text('a'),
      element('turn-end', {}),
      element('speech-start', {}),
      text('b'),
      element('turn-end', {}),
    ]);
    expect(brief(outputs)).toEqual([
      'a1',
      'a2',
      '<turn-end>',
      '<speech-start>',
      'b1',
      'b2',
      '<turn-end>',
    ]);
  });

  it('passes elements around a stage that consumes nothing for a long time', async () => {
    const waiting = defineStage({
      name: 'waiting',
      type: 'sink',
      consumes: ['message'],
      emits: [],
      async *process(input) {
        for await (const _ of input);
        yield* [];
      },
    });
    const outputs = await runOn(
      waiting,
      Array.from({ length: 1000 }, (_, at) => text(String(at))),
    );
    expect(brief(outputs)).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)));
  });

  it('loses nothing that goes around a generator which reads ahead, however slow its reader', async () => {
    const ahead = defineStage({
      name: 'ahead',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        const iterator = input[Symbol.asyncIterator]();
        for (let asked = iterator.next(); ;) {
          const { done, value } = await asked;
          if (done) return;
          asked = iterator.next();
          yield value;
        }
      },
    });
    const end = element('turn-end', {});
    const { writer, reader } = pushable();
    for (const one of [text('a'), end, end, text('b'), text('c'), end]) writer.offer(one);
    writer.close();
    const outputs: StreamElement[] = [];
    for await (const output of ahead.process(reader, testContext())) {
      outputs.push(output);
      await settle();
    }
    expect(brief(outputs).filter((one) => one !== '<turn-end>')).toEqual(['a', 'b', 'c']);
    expect(outputs).toHaveLength(6);
  });

  it('is torn down also when something to pass on comes just as its reader leaves', async () => {
    let closed = false;
    const stage = defineStage({
      name: 'open',
      type: 'sink',
      consumes: ['text'],
      emits: [],
      async *process(input) {
        try {
          for await (const _ of input);
          yield* [];
        } finally {
          closed = true;
        }
      },
    });
    const { writer, reader } = pushable();
    const outputs = stage.process(reader, testContext())[Symbol.asyncIterator]();
    const asked = expect(outputs.next()).rejects.toMatchObject({ code: 'aborted' });
    await settle();
    const left = outputs.return?.();
    writer.offer(element('turn-end', {}));
    await left;
    await asked;
    expect(closed).toBe(true);
  });

  it('lets a throw through, and ends when the generator does', async () => {
    const bad = defineStage({
      name: 'bad',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        for await (const one of input) {
          if (one.text === 'b') throw new Error('no b');
          yield one;
        }
      },
    });
    await expect(runOn(bad, [text('a'), text('b')])).rejects.toThrow('no b');
  });

  it('tears the generator down when its reader leaves', async () => {
    let closed = false;
    const stage = defineStage({
      name: 'open',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        try {
          yield* input;
        } finally {
          closed = true;
        }
      },
    });
    for await (const _ of new PipelineBuilder()
      .chain(stage)
      .build()
      .execute([text('a'), text('b')]))
      break;
    expect(closed).toBe(true);
  });
});

describe('the shapes', () => {
  it('transform takes nothing, one, several, promised or streamed outputs, and signs them', async () => {
    const answers = {
      none: () => undefined,
      one: () => text('1'),
      several: () => [text('1'), text('2')],
      promised: () => Promise.resolve([text('1')]),
      streamed: async function* () {
        yield text('1');
        yield text('2');
      },
    };
    const stage = transform({
      name: 'answer',
      consumes: ['text'],
      emits: ['text'],
      process: (one) => answers[one.text as keyof typeof answers](),
    });
    const outputs = await runOn(
      stage,
      Object.keys(answers).map((key) => text(key)),
    );
    expect(brief(outputs)).toEqual(['1', '1', '2', '1', '1', '2']);
    expect(new Set(outputs.map((one) => one.source))).toEqual(new Set(['answer']));
  });

  it('transform that streams its outputs waits for those who take them', async () => {
    let made = 0;
    const many = transform({
      name: 'many',
      consumes: ['text'],
      emits: ['text'],
      async *process(one) {
        for (; made < 1000; made += 1) yield one;
      },
    });
    const run = new PipelineBuilder({ channelBufferSize: 2 })
      .chain(many)
      .build()
      .execute([text('x')]);
    const outputs = run[Symbol.asyncIterator]();
    await outputs.next();
    await settle();
    expect(made).toBeLessThan(10);
    await run.close();
  });

  it('accumulate flushes before the element that ends a group, and what is left at the end', async () => {
    const join = accumulate({
      name: 'join',
      consumes: ['text'],
      emits: ['text'],
      until: ['turn-end'],
      flush: (parts) => text(parts.map((part) => part.text).join('+')),
    });
    expect(join.session).toBe('safe');
    const outputs = await runOn(join, [
      text('a'),
      element('speech-start', {}),
      text('b'),
      element('turn-end', {}),
      element('turn-end', {}),
      text('c'),
    ]);
    expect(brief(outputs)).toEqual(['<speech-start>', 'a+b', '<turn-end>', '<turn-end>', 'c']);
  });

  it('accumulate drops what an interrupt voids of what it holds', async () => {
    const join = accumulate({
      name: 'join',
      consumes: ['text', 'transcript'],
      emits: ['text'],
      until: ['turn-end'],
      flush: (parts) => text(parts.map((part) => part.text).join('+'), 3),
    });
    const heard = element('transcript', { text: 'heard', final: true, turn: 1 });
    const { outputs } = await new PipelineBuilder()
      .chain(join)
      .build()
      .executeSync(
        text('void', 1),
        heard,
        text('new', 2),
        element('interrupt', { turn: 1 }),
        element('turn-end', { turn: 2 }),
      );
    expect(brief(outputs)).toEqual(['<interrupt>', 'heard+new', '<turn-end>', '<end>']);
  });

  it('accumulate without an "until" says that it waits for the end', async () => {
    const all = accumulate({
      name: 'all',
      consumes: ['text'],
      emits: ['text'],
      flush: (parts) => text(String(parts.length)),
    });
    expect(all.session).toBe('unary');
    const run = new PipelineBuilder()
      .chain(all)
      .build()
      .execute([text('a'), text('b')]);
    expect(brief(await collect(run))).toEqual(['2', '<end>']);
  });

  it('sink keeps what it consumes and passes on the rest', async () => {
    const taken: string[] = [];
    const stage = sink({
      name: 'sink',
      consumes: ['text'],
      take: async (one) => {
        await Promise.resolve();
        taken.push(one.text);
      },
    });
    expect(brief(await runOn(stage, [text('a'), element('turn-end', {}), text('b')]))).toEqual([
      '<turn-end>',
    ]);
    expect(taken).toEqual(['a', 'b']);
  });
});

describe('interrupting a run', () => {
  it('reaches a stage in the middle of an await, drops the rest of the turn and arrives first', async () => {
    let heard: AbortSignal | undefined;
    let begun = (): void => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const speaker = transform({
      name: 'speaker',
      consumes: ['text'],
      emits: ['text'],
      async process(one, context) {
        if (one.turn > 1) return one;
        heard = context.turnSignal(1);
        begun();
        await new Promise((resolve) => heard?.addEventListener('abort', resolve));
        return { ...one, text: 'too late' };
      },
    });
    const input = pushable();
    const run = new PipelineBuilder()
      .chain(tag('a'), speaker, tag('b'))
      .build()
      .execute(input.reader);
    for (const one of ['1', '2', '3']) await input.writer.write(text(one, 1));
    await started;
    run.interrupt(1);
    expect(heard?.aborted).toBe(true);
    await input.writer.write(text('next', 2));
    input.writer.close();
    expect(brief(await collect(run))).toEqual(['<interrupt>', 'nextab', '<end>']);
  });

  it('by an element of the input overtakes what waits in every channel', async () => {
    const input = pushable();
    const run = new PipelineBuilder({ channelBufferSize: 1 })
      .chain(tag('a'), tag('b'))
      .build()
      .execute(input.reader);
    for (let at = 0; at < 8; at += 1) void input.writer.write(text(String(at), 1));
    await run.ready;
    input.writer.overtake(element('interrupt', { turn: 1 }));
    void input.writer.write(text('x', 2));
    input.writer.close();
    const outputs = brief(await collect(run));
    expect(outputs).toContain('<interrupt>');
    expect(outputs.slice(outputs.indexOf('<interrupt>'))).toEqual(['<interrupt>', 'xab', '<end>']);
  });

  it('arrives once, though a stage yields on the one it read and two branches bring it', async () => {
    const echo = probe('echo', async function* (input) {
      for await (const one of input) {
        yield one;
        if (one.kind === 'interrupt') yield { ...one };
      }
    });
    const pipeline = new PipelineBuilder()
      .chain(tag('in'), echo.stage, tag('out'))
      .add(tag('other'))
      .branch('in', 'other')
      .merge('out', 'other')
      .build();
    const outputs = await collect(
      pipeline.execute([element('interrupt', { turn: 1 }), text('x', 2)]),
    );
    expect(outputs.filter((one) => one.kind === 'interrupt')).toHaveLength(1);
  });

  it('by a stage itself gets out even while that stage waits for room', async () => {
    let blocked = (): void => {};
    const full = new Promise<void>((resolve) => {
      blocked = resolve;
    });
    let say = (): void => {};
    const duplex = probe(
      'duplex',
      async function* (_, context) {
        say = () => context.interrupt(1);
        for (let at = 0; at < 4; at += 1) {
          if (at === 1) blocked();
          yield text(String(at), 1);
        }
        yield text('new', 2);
      },
      { source: true },
    );
    const run = new PipelineBuilder({ channelBufferSize: 1 }).chain(duplex.stage).build().execute();
    await full;
    say();
    expect(brief(await collect(run))).toEqual(['<interrupt>', 'new', '<end>']);
  });

  it('keeps the state of turn 0, in which a page says things, in the longest conversation', async () => {
    const states: object[] = [];
    const stage = probe('turns', async function* (input, context) {
      for await (const one of input) {
        if (one.turn === 0 && one.kind === 'text') states.push(context.turn(0));
        else context.turn(one.turn);
        yield one;
      }
    });
    const turns = Array.from({ length: 100 }, (_, at) => at + 1);
    const inputs = turns.flatMap((turn) => [text('said', turn), text('shown', 0)]);
    await collect(new PipelineBuilder().chain(stage.stage).build().execute(inputs));
    expect(states).toHaveLength(100);
    expect(new Set(states).size).toBe(1);
  });

  it('forgets old turns: signals and states of a long conversation stay bounded', async () => {
    const seen = new Set<object>();
    const stage = probe('turns', async function* (input, context) {
      for await (const one of input) {
        context.turnSignal(one.turn);
        seen.add(context.turn(one.turn));
        yield one;
      }
      // The first turn has been forgotten, so its state is a new one.
      expect(seen.has(context.turn(1))).toBe(false);
      expect(seen.has(context.turn(500))).toBe(true);
    });
    const inputs: StreamElement[] = Array.from({ length: 500 }, (_, turn) => text('x', turn + 1));
    await new PipelineBuilder()
      .chain(stage.stage)
      .build()
      .executeSync(...inputs);
  });
});
