/** The router inside built pipelines, and its rules. */
import { describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { Pipeline } from '../../../src/core/pipeline/pipeline.ts';
import { RouterStage } from '../../../src/stages/flow/router-stage.ts';
import {
  atRandom,
  byContent,
  byRule,
  hashed,
  ofKind,
  roundRobin,
  toAll,
  weighted,
  type Routing,
} from '../../../src/stages/flow/routing.ts';
import { brief, cycling, recording, text, texts } from './graphs.ts';
import { collect } from '../../../src/testing/index.ts';

type Recording = ReturnType<typeof recording>;

function routed(
  routing: Routing,
  names: readonly string[] = ['a', 'b', 'c'],
): { readonly pipeline: Pipeline; readonly routes: readonly Recording[] } {
  const routes = names.map(recording);
  const router = new RouterStage({ routes: names, routing });
  const pipeline = routes
    .reduce((builder, stage) => builder.add(stage), new PipelineBuilder().add(router))
    .branch('router', ...names)
    .build();
  return { pipeline, routes };
}

async function shares(
  routing: Routing,
  input: readonly StreamElement[],
  names?: readonly string[],
): Promise<string[][]> {
  const { pipeline, routes } = routed(routing, names);
  await pipeline.executeSync(...input);
  return routes.map(({ seen }) => brief(seen));
}

describe('RouterStage', () => {
  it('sends to the routes that the rule names: one, several, or none', async () => {
    const rule = byRule((one) =>
      one.kind === 'text' ? { one: 'a', two: ['a', 'c'], none: [] }[one.text] : undefined,
    );
    expect(
      await shares(
        rule,
        ['one', 'two', 'none'].map((name) => text(name)),
      ),
    ).toEqual([['one', 'two', '<end>'], ['<end>'], ['two', '<end>']]);
  });

  it('gives every route all control, in its place, without asking the rule', async () => {
    const control = [
      element('speech-start', { turn: 1 }),
      text('x'),
      element('turn-end', { turn: 1 }),
      text('y'),
    ];
    const [a, b, c] = await shares(
      byRule((one) => (one.kind === 'text' && one.text === 'x' ? 'a' : 'b')),
      control,
    );
    expect(a).toEqual(['<speech-start>', 'x', '<turn-end>', '<end>']);
    expect(b).toEqual(['<speech-start>', '<turn-end>', 'y', '<end>']);
    expect(c).toEqual(['<speech-start>', '<turn-end>', '<end>']);
  });

  it('lets an interrupt overtake on every route, and voids what it voids', async () => {
    const { pipeline, routes } = routed(roundRobin());
    const input = channel<StreamElement>({ capacity: 8 });
    const run = pipeline.execute(input.reader);
    const outputs = collect(run);
    await run.ready;
    run.interrupt(1);
    for (const one of [text('void', 1), text('kept', 2)]) await input.writer.write(one);
    input.writer.close();
    const seen = brief(await outputs);
    expect(seen.filter((one) => one === 'kept')).toHaveLength(1);
    expect(seen).not.toContain('void');
    for (const route of routes) expect(brief(route.seen)).toContain('<interrupt>');
  });

  it('reports content without a route, and skips routes that it does not have', async () => {
    const { pipeline, routes } = routed(byRule((one) => (one.turn === 1 ? ['a', 'nowhere'] : [])));
    const run = pipeline.execute([...texts(3), ...Array.from({ length: 101 }, () => text('-', 2))]);
    const events: unknown[] = [];
    run.on(({ type, detail }) => {
      if (type.startsWith('route-') || type.startsWith('element-')) events.push([type, detail]);
    });
    await run.drain();
    expect(brief(routes[0]?.seen ?? [])).toEqual(['0', '1', '2', '<end>']);
    expect(events).toEqual([
      ['route-unknown', { route: 'nowhere' }],
      ['element-unrouted', { kind: 'text', count: 1 }],
      ['element-unrouted', { kind: 'text', count: 101 }],
    ]);
  });

  it('fails the run with what the rule throws', async () => {
    const { pipeline } = routed(
      byRule(() => {
        throw new Error('no idea');
      }),
    );
    await expect(pipeline.executeSync(text('x'))).rejects.toThrow(/router.*no idea/);
  });

  it('shares no counter between concurrent runs', async () => {
    const { pipeline } = routed(roundRobin());
    const [one, two] = await Promise.all([
      pipeline.executeSync(text('x')),
      pipeline.executeSync(text('y')),
    ]);
    expect(one.outputs.find(({ kind }) => kind === 'text')?.source).toBe('a');
    expect(two.outputs.find(({ kind }) => kind === 'text')?.source).toBe('a');
  });

  it('serves one route while another is full, until something is for the full one', async () => {
    const gate = channel<StreamElement>({ capacity: 1 });
    const slow = {
      ...recording('slow'),
      async *process(input: AsyncIterable<StreamElement>) {
        await gate.reader.next();
        yield* input;
      },
    };
    const quick = recording('quick');
    const router = new RouterStage({
      routes: ['slow', 'quick'],
      routing: byRule((one) => one.source),
    });
    const pipeline = new PipelineBuilder({ channelBufferSize: 2 })
      .add(router)
      .add(slow)
      .add(quick)
      .branch('router', 'slow', 'quick')
      .build();
    const to = (source: string): StreamElement => ({ ...text(source), source });
    const run = pipeline.execute([
      to('slow'),
      to('slow'),
      ...Array.from({ length: 50 }, () => to('quick')),
      to('slow'),
    ]);
    const outputs: string[] = [];
    for await (const one of run) {
      outputs.push(...brief([one]));
      if (outputs.length === 50) gate.writer.close();
    }
    expect(outputs).toEqual([
      ...Array.from({ length: 50 }, () => 'quick'),
      'slow',
      'slow',
      'slow',
      '<end>',
    ]);
  });

  it.each([
    ['without routes', []],
    ['with a route twice', ['a', 'a']],
  ])('refuses to be made %s', (_, routes) => {
    expect(() => new RouterStage({ routes, routing: roundRobin() })).toThrow(
      /at least one|routes are/,
    );
  });
});

describe('routing', () => {
  it('by content takes the first case that applies', async () => {
    const input = [text('x'), element('audio', { samples: new Float32Array(1), sampleRate: 8000 })];
    const cases = [
      { when: ofKind('audio'), to: 'a' },
      { when: ofKind('audio', 'text'), to: 'b' },
    ];
    expect(await shares(byContent(cases), input)).toEqual([
      ['<audio>', '<end>'],
      ['x', '<end>'],
      ['<end>'],
    ]);
    expect(await shares(byContent(cases.slice(0, 1), 'c'), input)).toEqual([
      ['<audio>', '<end>'],
      ['<end>'],
      ['x', '<end>'],
    ]);
  });

  it('round-robin gives each route its share in turn', async () => {
    expect(await shares(roundRobin(), texts(6))).toEqual([
      ['0', '3', '<end>'],
      ['1', '4', '<end>'],
      ['2', '5', '<end>'],
    ]);
  });

  it('weighted follows the weights, and never takes a route without one', async () => {
    const random = cycling(...Array.from({ length: 100 }, (_, index) => index / 100));
    const [a, b, c] = await shares(weighted({ a: 9, c: 1 }, random), texts(100));
    expect([a?.length, b?.length, c?.length]).toEqual([91, 1, 11]);
  });

  it('random is uniform over its source', async () => {
    const random = cycling(0, 0.34, 0.67, 0.999_999);
    const [a, b, c] = await shares(atRandom(random), texts(40));
    expect([a?.length, b?.length, c?.length]).toEqual([11, 11, 21]);
  });

  it('hash keeps a key, the turn unless given, on one route and uses all of them', async () => {
    const input = Array.from({ length: 90 }, (_, index) => text(index % 30, index % 30));
    const all = await shares(hashed(), input);
    for (const route of all) {
      const seen = route.slice(0, -1);
      expect(seen.length).toBeGreaterThan(0);
      for (const turn of new Set(seen)) expect(seen.filter((one) => one === turn)).toHaveLength(3);
    }
    const [a, b, c] = await shares(
      hashed(() => 'same'),
      input,
    );
    expect([a, b, c].map((route) => route?.length).toSorted((x, y) => (x ?? 0) - (y ?? 0))).toEqual(
      [1, 1, 91],
    );
  });

  it('broadcast gives everything to every route, and no two the same buffer', async () => {
    const { pipeline, routes } = routed(toAll());
    await pipeline.executeSync(
      element('audio', { samples: Float32Array.of(1, 2), sampleRate: 8000 }),
    );
    const buffers = routes.map(({ seen }) =>
      seen[0]?.kind === 'audio' ? seen[0].samples : undefined,
    );
    expect(buffers).toEqual([Float32Array.of(1, 2), Float32Array.of(1, 2), Float32Array.of(1, 2)]);
    expect(new Set(buffers).size).toBe(3);
  });

  it.each([
    ['a case for an unknown route', byContent([{ when: () => true, to: 'x' }]), /no route "x"/],
    ['an unknown default', byContent([], 'x'), /no route "x"/],
    ['a weight for an unknown route', weighted({ x: 1 }), /no route "x"/],
    ['a negative weight', weighted({ a: -1 }), /weight of route "a" is -1/],
    ['no weight at all', weighted({ a: 0 }), /no route has a weight/],
  ])('refuses %s', (_, routing, message) => {
    expect(() => new RouterStage({ routes: ['a', 'b'], routing })).toThrow(message);
  });
});

describe('edges of routes', () => {
  const router = new RouterStage({ routes: ['a', 'b'], routing: roundRobin() });
  const base = new PipelineBuilder().add(router).add(recording('a')).add(recording('b'));

  it('may lead to a stage of another name, and are drawn with their route', async () => {
    const model = recording('model');
    const pipeline = new PipelineBuilder()
      .add(router)
      .add(model)
      .add(recording('b'))
      .branch('router', { to: 'model', route: 'a' }, 'b')
      .build();
    await pipeline.executeSync(...texts(2));
    expect(brief(model.seen)).toEqual(['0', '<end>']);
    expect(pipeline.toMermaid()).toContain('-->|"a"|');
  });

  it('are asked for, one for each route and none besides', () => {
    expect(() => base.branch('router', 'a').connect('a', 'b').build()).toThrow(
      /route "b" of "router" leads nowhere/,
    );
    expect(() => base.add(recording('c')).branch('router', 'a', 'b', 'c').build()).toThrow(
      /"router" to "c" is for the route "c", which "router" does not have.*"a", "b"/,
    );
    expect(() =>
      base.branch('router', 'a', 'b').add(recording('c')).connect('a', 'c', { route: 'c' }).build(),
    ).toThrow(/"a" to "c" is for the route "c", which "a" does not have/);
  });

  it('of any stage may take a part of the content only, and all control', async () => {
    const [all, part] = [recording('all'), recording('part')];
    const pipeline = new PipelineBuilder()
      .chain(recording('first'), all)
      .add(part)
      .branch('first', { to: 'part', when: (one) => one.kind === 'text' && one.text !== '1' })
      .build();
    await pipeline.executeSync(...texts(3), element('turn-end', { turn: 1 }));
    expect(brief(all.seen)).toEqual(['0', '1', '2', '<turn-end>', '<end>']);
    expect(brief(part.seen)).toEqual(['0', '2', '<turn-end>', '<end>']);
    expect(structuredClone(pipeline.graph)).toEqual(pipeline.graph);
  });

  it('fail the run when their condition throws', async () => {
    const pipeline = new PipelineBuilder()
      .add(recording('first'))
      .add(recording('last'))
      .connect('first', 'last', {
        when: () => {
          throw new Error('bad edge');
        },
      })
      .build();
    await expect(pipeline.executeSync(text('x'))).rejects.toThrow(/first.*bad edge/);
  });
});
