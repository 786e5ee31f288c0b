/** Sharing out, joining, measuring, looking on, limiting and fitting: §14.11. */
import { expect } from 'vitest';
import {
  element,
  messageText,
  textMessage,
  type StreamElement,
  type TextElement,
} from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import type { PipelineRun } from '../../src/core/pipeline/run.ts';
import { transform } from '../../src/core/stage/define-stage.ts';
import type { Stage } from '../../src/core/stage/stage.ts';
import { ProviderStage } from '../../src/stages/conversation/provider-stage.ts';
import { stageFrom } from '../../src/stages/flow/stage-from.ts';
import { MergeStage } from '../../src/stages/flow/merge-stage.ts';
import { MetricsStage } from '../../src/stages/flow/metrics-stage.ts';
import { pipelineStage } from '../../src/stages/flow/pipeline-stage.ts';
import { PriorityChannel } from '../../src/stages/flow/priority-channel.ts';
import { RouterStage } from '../../src/stages/flow/router-stage.ts';
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
} from '../../src/stages/flow/routing.ts';
import { TracingStage } from '../../src/stages/flow/tracing-stage.ts';
import { parseTraceparent } from '../../src/stages/flow/traceparent.ts';
import type { ContextBuilderOptions } from '../../src/stages/utility/context-options.ts';
import { ContextBuilderStage } from '../../src/stages/utility/context-builder-stage.ts';
import { DebugStage } from '../../src/stages/utility/debug-stage.ts';
import { RateLimitStage } from '../../src/stages/utility/rate-limit-stage.ts';
import { elements, fakeClock, only, scriptedProvider } from '../../src/testing/index.ts';
import { brief, passing, probe, tag, text } from '../unit/core/pipeline/helpers.ts';
import { recording } from '../unit/flow/graphs.ts';
import { chained, live, once } from './play.ts';
import { differs, same, type Area, type Row } from './row.ts';

const texts = (count: number): StreamElement[] =>
  Array.from({ length: count }, (_, index) => text(String(index)));

/** What each of the routes got. */
async function shares(
  routing: Routing,
  inputs: readonly StreamElement[],
  names: readonly string[] = ['a', 'b', 'c'],
): Promise<Record<string, string[]>> {
  const stages = names.map(recording);
  const pipeline = stages
    .reduce(
      (so, stage) => so.add(stage),
      new PipelineBuilder().add(new RouterStage({ routes: names, routing })),
    )
    .branch('router', ...names)
    .build();
  await pipeline.executeSync(...inputs);
  return Object.fromEntries(stages.map(({ name, seen }) => [name, brief(seen).slice(0, -1)]));
}

/** The same numbers every time, evenly spread. */
const spread = (): (() => number) => {
  let next = 0;
  return () => (next = (next + 0.618_033_988_75) % 1);
};

const count = (all: Record<string, string[]>): number[] =>
  Object.values(all).map(({ length }) => length);

const routingRows: readonly Row[] = [
  same(
    'router.rule',
    '§14.11 Router, §14.2 RouterDeterministicSplit',
    'An element goes to no route, one or several as its rule says; each route sees exactly its own, in order, and nothing leaks.',
    async () => {
      const rule: Routing = byRule((one) => {
        const at = one.kind === 'text' ? Number(one.text) : 0;
        return at % 3 === 0 ? [] : at % 3 === 1 ? 'a' : ['a', 'b'];
      });
      expect(await shares(rule, texts(6))).toEqual({
        a: ['1', '2', '4', '5'],
        b: ['2', '5'],
        c: [],
      });
    },
  ),
  differs(
    'router.control',
    '§9.1',
    'Control reaches every route and the end closes every one, whatever the rule says.',
    'In the seed a rule that forgets control loses interrupts, and the strategy routers never close their outputs: such a pipeline hangs.',
    async () => {
      for (const routing of [byRule(() => undefined), roundRobin(), hashed(), toAll()]) {
        const all = await shares(routing, [
          element('speech-start', { turn: 1 }),
          element('interrupt', { turn: 1 }),
          element('turn-end', { turn: 2 }),
        ]);
        for (const seen of Object.values(all))
          expect(seen.toSorted()).toEqual(['<interrupt>', '<speech-start>', '<turn-end>']);
      }
    },
  ),
  differs(
    'router.unknown-route',
    '§9.1 unknown name → logged',
    'A route without an edge is refused by `build()`; one that a rule makes up is skipped, told as an event, and the others are served.',
    'In the seed a misspelt destination is found in a log, while its elements are lost.',
    async () => {
      const half = new PipelineBuilder()
        .add(new RouterStage({ routes: ['a', 'b'], routing: roundRobin() }))
        .add(recording('a'))
        .branch('router', 'a');
      expect(() => half.build()).toThrow(/route "b" of "router" leads nowhere/);
      const a = recording('a');
      const pipeline = new PipelineBuilder()
        .add(new RouterStage({ routes: ['a'], routing: byRule(() => ['nowhere', 'a']) }))
        .add(a)
        .branch('router', 'a')
        .build();
      const told: string[] = [];
      const run: PipelineRun = pipeline.execute(texts(2));
      run.on(({ type }) => told.push(type));
      await run.drain();
      expect(brief(a.seen)).toEqual(['0', '1', '<end>']);
      expect(told.filter((type) => type === 'route-unknown')).toHaveLength(1);
    },
  ),
  same(
    'router.strategies',
    '§9.2, §14.11',
    'By content (first match, the rest dropped and told, or to `otherwise`), round robin, weighted, hashed, random, broadcast: shares as in the seed, in a built pipeline.',
    async () => {
      const audio = element('audio', { samples: new Float32Array(1), sampleRate: 8000 });
      const cases = [
        { when: ofKind('audio'), to: 'a' },
        { when: ofKind('audio', 'text'), to: 'b' },
      ];
      expect(await shares(byContent(cases), [audio, text('x')])).toEqual({
        a: ['<audio>'],
        b: ['x'],
        c: [],
      });
      const other = element('transcript', { text: 'heard', final: true });
      expect(count(await shares(byContent(cases, 'c'), [other]))).toEqual([0, 0, 1]);
      const dropping = live([
        new RouterStage({ routes: ['out'], routing: byContent([]) }),
        tag('out'),
      ]);
      dropping.push(other, other);
      expect(brief(await dropping.end())).toEqual(['<end>']);
      expect(dropping.events).toContainEqual(
        expect.objectContaining({
          type: 'element-unrouted',
          detail: { kind: 'transcript', count: 1 },
        }),
      );
      expect(count(await shares(roundRobin(), texts(6)))).toEqual([2, 2, 2]);
      const [a, b] = count(await shares(weighted({ a: 0.9, b: 0.1 }, spread()), texts(1000)));
      expect(a).toBeGreaterThan(880);
      expect(b).toBeGreaterThan(80);
      for (const share of count(await shares(atRandom(spread()), texts(1000), ['a', 'b'])))
        expect(share).toBeGreaterThan(450);
      expect(count(await shares(toAll(), texts(3)))).toEqual([3, 3, 3]);
      const byTurn = [1, 2, 3, 1, 2, 3].map((turn) => text(`turn ${turn}`, turn));
      for (const seen of Object.values(await shares(hashed(), byTurn)))
        for (const one of new Set(seen))
          expect(seen.filter((other) => other === one)).toHaveLength(2);
    },
  ),
  differs(
    'router.slow-route',
    '§9.1 sequential sends',
    'A slow route makes the router wait only when the next element is for it.',
    'In the seed one slow destination blocks all.',
    async () => {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow = probe('slow', async function* (input) {
        for await (const one of input) {
          await held;
          yield one;
        }
      });
      const session = live(
        new PipelineBuilder({ session: 'live' })
          .add(
            new RouterStage({
              routes: ['slow', 'quick'],
              routing: byRule((one) =>
                one.kind === 'text' && one.text === 's' ? 'slow' : 'quick',
              ),
            }),
          )
          .add(slow.stage)
          .add(tag('quick'))
          .branch('router', 'slow', 'quick')
          .build(),
      );
      session.push(text('s'), ...texts(100));
      await session.untilKind('text', 100);
      release();
      expect(only(await session.end(), 'text')).toHaveLength(101);
    },
  ),
  same(
    'router.concurrent',
    '§9.2 concurrency, §12.8 not re-entrant',
    'Routers of one pipeline run any number of times at a time; a thousand elements are neither lost nor doubled.',
    async () => {
      const names = ['a', 'b', 'c'];
      const pipeline = names
        .reduce(
          (so, name) => so.add(passing(name).stage),
          new PipelineBuilder({ channelBufferSize: 2 })
            .add(new RouterStage({ routes: names, routing: roundRobin() }))
            .add(new MergeStage()),
        )
        .branch('router', ...names)
        .merge('merge', ...names)
        .build();
      const all = await Promise.all(
        [0, 1, 2].map((run) =>
          pipeline.executeSync(...Array.from({ length: 300 }, (_, at) => text(`${run}:${at}`))),
        ),
      );
      for (const [run, { outputs }] of all.entries()) {
        const seen = brief(outputs).filter((one) => one !== '<end>');
        expect(new Set(seen)).toEqual(
          new Set(Array.from({ length: 300 }, (_, at) => `${run}:${at}`)),
        );
        expect(seen).toHaveLength(300);
      }
    },
  ),
  same(
    'merge.fan-out-in',
    '§14.2 RouterFanOutThenFanIn ▲',
    'What is routed out and merged again arrives complete, and each element says which branch it took.',
    async () => {
      const names = ['a', 'b'];
      const pipeline = names
        .reduce(
          (so, name) => so.add(recording(name)),
          new PipelineBuilder()
            .add(new RouterStage({ routes: names, routing: roundRobin() }))
            .add(new MergeStage()),
        )
        .branch('router', ...names)
        .merge('merge', ...names)
        .build();
      const { outputs } = await pipeline.executeSync(...texts(6));
      const seen = only(outputs, 'text').map((one) => `${one.source}${one.text}`);
      expect(seen.toSorted()).toEqual(['a0', 'a2', 'a4', 'b1', 'b3', 'b5']);
    },
  ),
  differs(
    'merge.end',
    '§9.3, §12.9 multi-track',
    'One branch’s end ends no other: `end` leaves once, after the last.',
    'In the seed the first track’s end of stream ends the model, and the other’s last turn is lost.',
    async () => {
      const until = (name: string, last: number): Stage =>
        transform({
          name,
          consumes: ['text'],
          emits: ['text'],
          process: (one) => (Number(one.text) <= last ? { ...one, source: name } : undefined),
        });
      const brief_ = probe('brief', async function* (input) {
        for await (const one of input) {
          yield { ...one, source: 'brief' };
          return;
        }
      });
      const pipeline = new PipelineBuilder({ session: 'live' })
        .add(passing('in').stage)
        .add(brief_.stage)
        .add(until('long', 9))
        .add(new MergeStage())
        .branch('in', 'brief', 'long')
        .merge('merge', 'brief', 'long')
        .build();
      const session = live(pipeline);
      session.push(text('0'));
      await session.untilKind('text', 2);
      session.push(text('1'), text('2'));
      const outputs = await session.end();
      expect(outputs.filter(({ kind }) => kind === 'end')).toHaveLength(1);
      expect(only(outputs, 'text').filter(({ source }) => source === 'long')).toHaveLength(3);
    },
  ),
  same(
    'priority.order',
    '§14.11 PriorityChannel',
    'Low, normal, high, critical sent are received critical, high, normal, low; closed and empty says so; the length counts.',
    async () => {
      const queue = new PriorityChannel();
      for (const priority of ['low', 'normal', 'high', 'critical'] as const)
        await queue.send({ ...text(priority), priority });
      expect(queue.length).toBe(4);
      queue.close();
      const seen: (string | undefined)[] = [];
      for await (const one of queue) seen.push(one.priority);
      expect(seen).toEqual(['critical', 'high', 'normal', 'low']);
      expect(await queue.receive()).toBeUndefined();
      await expect(queue.send(text('late'))).rejects.toMatchObject({ code: 'channel-closed' });
    },
  ),
  differs(
    'priority.fair',
    '§9.6',
    'No level starves, an abort wakes who waits, and control keeps its place among the content.',
    'In the seed low may starve, an abort wakes nobody, and an unknown priority panics.',
    async () => {
      const queue = new PriorityChannel({ capacity: 100, patience: 3 });
      queue.offer({ ...text('low'), priority: 'low' });
      for (let at = 0; at < 20; at += 1) queue.offer({ ...text('critical'), priority: 'critical' });
      const order = Array.from({ length: 10 }, () => queue.poll()?.priority);
      expect(order).toContain('low');
      const empty = new PriorityChannel();
      const controller = new AbortController();
      const waiting = empty.receive({ signal: controller.signal });
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      empty.offer({ ...text('odd'), priority: 'urgent' as never });
      empty.offer(element('turn-end', { turn: 1 }));
      empty.offer({ ...text('next'), priority: 'critical' });
      const kept = [empty.poll(), empty.poll(), empty.poll()];
      expect(brief(kept as StreamElement[])).toEqual(['odd', '<turn-end>', 'next']);
    },
  ),
];

const watchingRows: readonly Row[] = [
  differs(
    'metrics.work',
    '§14.11 StageMetrics, §9.4',
    'A stage’s work is measured from taking an element to asking for the next, without the time until others take its output; queue, wait, errors and throughput beside it.',
    'The seed measures how long its output takes to be taken.',
    async () => {
      const clock = fakeClock();
      const work = new MetricsStage(
        transform({
          name: 'work',
          consumes: ['text'],
          emits: ['text'],
          async process(one, context) {
            await clock.sleep(50, context.signal);
            return one;
          },
        }),
      );
      const config = { clock, idleTimeoutMs: 0, channelBufferSize: 4 };
      const run = chained([work], config).execute(texts(12));
      // Nobody takes anything as fast as it is made.
      const draining = (async () => {
        for await (const _ of run) await clock.sleep(200, new AbortController().signal);
      })();
      for (let step = 0; step < 60; step += 1) await clock.advance(50);
      await draining;
      const { elementsIn, elementsOut, errors, ...measured } = work.snapshot();
      expect({ elementsIn, elementsOut, errors }).toEqual({
        elementsIn: 13,
        elementsOut: 13,
        errors: 0,
      });
      const { processingMs, queueDepth, waitMs, blockedMs, throughputPerSecond } = measured;
      expect(processingMs.max).toBeCloseTo(50, 0);
      expect(blockedMs).toBeGreaterThan(200);
      expect(queueDepth.max).toBeGreaterThan(1);
      expect(waitMs.p95).toBeGreaterThan(100);
      expect(throughputPerSecond).toBeGreaterThan(4);
      expect(throughputPerSecond).toBeLessThan(20);
      work.reset();
      expect(work.snapshot().elementsIn).toBe(0);
    },
  ),
  same(
    'metrics.transparent',
    '§14.11 MetricsStage wraps',
    'A measured stage takes its place under its own name, and passes, drops and fails as it did.',
    async () => {
      const bad = new MetricsStage(
        transform({
          name: 'bad',
          consumes: ['text'],
          emits: ['text'],
          process: (one) => {
            if (one.text === '1') throw new Error('no');
            return one;
          },
        }),
      );
      await expect(once([bad], texts(2))).rejects.toMatchObject({ stage: 'bad' });
      expect(bad.snapshot().errors).toBe(1);
    },
  ),
  same(
    'tracing.ids',
    '§14.11 Tracing',
    'What a traced stage emits carries a W3C trace id of its turn; one that came in is preserved, and is the parent.',
    async () => {
      const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const stage = new TracingStage(tag('a'));
      const inputs = [text('x', 1), { ...text('y', 2), meta: { traceparent: given } }];
      const [first, second] = await once([stage], inputs);
      expect(parseTraceparent(first?.meta?.['traceparent'])).toBeDefined();
      expect(second?.meta?.['traceparent']).toBe(given);
      expect(stage.recorder.spans.map(({ turn }) => turn)).toEqual([1, 2]);
      expect(stage.recorder.spans[1]).toMatchObject({
        traceId: '0af7651916cd43dd8448eb211c80319c',
        parentSpanId: 'b7ad6b7169203331',
      });
    },
  ),
  same(
    'debug.passes',
    '§14.11 Debug',
    'Everything passes unchanged; texts are shown cut, errors and messages without a throw, samples as sizes, secrets masked.',
    async () => {
      const lines: unknown[] = [];
      const log = (line: string, facts: unknown): void => void lines.push(line, facts);
      const make = elements();
      const inputs = [
        make.user(`Bearer abcdefgh12345678 ${'x'.repeat(300)}`),
        make.error('tool', 'broken'),
        make.audio(new Float32Array(160)),
        make.turnEnd({ meta: { apiKey: 'hunter-2' } }),
      ];
      const stage = new DebugStage({
        label: 'here',
        logger: { debug: log, info: log, warn: log },
        kinds: ['message', 'error', 'audio', 'turn-end'],
      });
      expect(await once([stage], inputs)).toEqual(inputs);
      const shown = JSON.stringify(lines);
      expect(shown).toContain('[here] message');
      expect(shown).not.toContain('abcdefgh12345678');
      expect(shown).not.toContain('hunter-2');
      expect(shown).not.toContain('x'.repeat(150));
      expect(shown).toContain('"durationMs":10');
    },
  ),
  differs(
    'rate-limit.modes',
    '§9.8, §14.11 FrameRateLimit',
    'What is counted waits for a token, is dropped or becomes an `error` element; control, errors and history pass free.',
    'The seed’s example counts every element, control too, and its send ignores cancellation.',
    async () => {
      const inputs = (): StreamElement[] => {
        const make = elements();
        return [make.user('one'), make.user('two'), make.error('tool', 'x'), make.turnEnd()];
      };
      // Whatever is said to be counted.
      const free = elements();
      const past = free.message('user', 'before', {}, { meta: { fromHistory: true } });
      const exempt = [past, past, free.error('tool', 'x'), free.error('tool', 'y'), free.turnEnd()];
      const all = new RateLimitStage({
        perSecond: 1,
        burst: 1,
        mode: 'drop',
        kinds: ['message', 'error', 'turn-end', 'end'],
        clock: fakeClock(),
      });
      expect(await once([all], [...exempt, free.turnEnd()])).toHaveLength(exempt.length + 1);
      const kinds = async (mode: 'drop' | 'error'): Promise<string[]> => {
        const stage = new RateLimitStage({ perSecond: 1, burst: 1, mode, clock: fakeClock() });
        return (await once([stage], inputs())).map(({ kind }) => kind);
      };
      expect(await kinds('drop')).toEqual(['message', 'error', 'turn-end']);
      expect(await kinds('error')).toEqual(['message', 'error', 'error', 'turn-end']);
      const clock = fakeClock();
      const run = chained([new RateLimitStage({ perSecond: 1, burst: 1 })], {
        clock,
        idleTimeoutMs: 0,
      }).execute(inputs());
      const seen: string[] = [];
      const reading = (async () => {
        for await (const one of run) seen.push(one.kind);
      })();
      await clock.advance(500);
      expect(seen).toEqual(['message']);
      await clock.advance(600);
      await reading;
      expect(seen).toEqual(['message', 'message', 'error', 'turn-end', 'end']);
    },
  ),
];

/** What a model is shown of a past of six exchanges of ten words each, within a budget. */
async function fitted(
  options: Partial<ContextBuilderOptions> & { readonly maxTokens: number },
  systemPrompt = '',
): Promise<{ readonly shown: string[]; readonly system: string; readonly events: string[] }> {
  const history = Array.from({ length: 6 }, (_, index) => [
    textMessage('user', `question ${index}`),
    textMessage('assistant', `answer ${index}`),
  ]).flat();
  const provider = scriptedProvider(['Yes.']);
  const session = live(
    [
      new ContextBuilderStage({ reserveForOutput: 0, countTokens: () => 10, ...options }),
      new ProviderStage({ provider }),
    ],
    { turn: { history, systemPrompt } },
  );
  session.push(...elements().asks('now'));
  await session.end();
  const [request] = provider.requests;
  return {
    shown: request?.messages.map(messageText) ?? [],
    system: request?.system ?? '',
    events: session.events.map(({ type }) => type),
  };
}

const contextRows: readonly Row[] = [
  differs(
    'context.flows',
    '§9.13, §12.1 (g), #1644',
    'The budget is kept where the model is asked; nothing waits in the stage and nothing is dropped from the stream, audio and control included.',
    'The seed’s stage reads until the input closes and drops everything but messages: a voice session with a token budget never produces a turn.',
    async () => {
      const make = elements();
      const inputs = [
        make.audio(new Float32Array(16)),
        make.transcript('a'),
        make.user('b'),
        make.turnEnd(),
      ];
      expect(await once([new ContextBuilderStage({ maxTokens: 1 })], inputs)).toEqual(inputs);
    },
  ),
  same(
    'context.budget',
    '§14.11 ContextBuilder',
    'Within the budget, or without one, everything is shown; the system prompt and the reserve count against it.',
    async () => {
      expect((await fitted({ maxTokens: 0 })).shown).toHaveLength(13);
      expect((await fitted({ maxTokens: 130 })).shown).toHaveLength(13);
      const counted = { countTextTokens: () => 60 };
      expect((await fitted({ maxTokens: 130, ...counted }, 'long prompt')).shown).toHaveLength(7);
      expect((await fitted({ maxTokens: 130, reserveForOutput: 60 })).shown).toHaveLength(7);
    },
  ),
  same(
    'context.oldest',
    '§14.11 oldest keeps the newest last, truncation flag',
    'The oldest exchanges go, whole; the newest stays last; an event tells how much went.',
    async () => {
      const { shown, events } = await fitted({ maxTokens: 55 });
      expect(shown).toEqual(['question 4', 'answer 4', 'question 5', 'answer 5', 'now']);
      expect(events).toContain('context-truncated');
    },
  ),
  same(
    'context.fail',
    '§14.11 fail → error',
    'Under `fail` the reply fails with `context-length` and the numbers; the session goes on.',
    async () => {
      const { shown, events } = await fitted({ maxTokens: 55, strategy: 'fail' });
      expect(shown).toEqual([]);
      expect(events).not.toContain('context-truncated');
    },
  ),
  same(
    'context.summary',
    '§14.11 summaries',
    'What does not fit half of the budget is summarised; a summary that fails or is too long falls back to the oldest going.',
    async () => {
      const good = await fitted({
        maxTokens: 110,
        strategy: 'summarise',
        summarise: () => Promise.resolve('They talked.'),
      });
      expect(good.system).toContain('They talked.');
      expect(good.shown.at(-1)).toBe('now');
      expect(good.shown.length).toBeLessThan(13);
      for (const summarise of [
        () => Promise.reject(new Error('no')),
        () => Promise.resolve(''),
        () => Promise.resolve('word '.repeat(500)),
      ]) {
        const bad = await fitted({ maxTokens: 110, strategy: 'summarise', summarise });
        expect(bad.system).toBe('');
        expect(bad.shown).toHaveLength(11);
        expect(bad.events).toContain('context-summarise-failed');
      }
    },
  ),
  same(
    'context.relevance',
    '§14.11 relevance',
    'The newest messages stay whatever they score; of the others the best that fit, in their order, asked in one call; scores that fail fall back.',
    async () => {
      let calls = 0;
      const { shown } = await fitted({
        maxTokens: 75,
        strategy: 'relevance',
        minScore: 0.5,
        score: ({ texts }) => {
          calls += 1;
          return Promise.resolve(texts.map((one) => (one.includes('question 1') ? 1 : 0.1)));
        },
      });
      expect(calls).toBe(1);
      expect(shown).toEqual(['question 1', 'answer 1', 'question 5', 'answer 5', 'now']);
      const fallen = await fitted({
        maxTokens: 75,
        strategy: 'relevance',
        score: () => Promise.resolve([1]),
      });
      expect(fallen.shown).toHaveLength(7);
      expect(() => new ContextBuilderStage({ maxTokens: 1, strategy: 'relevance' })).toThrow(
        /relevance needs a callback/,
      );
    },
  ),
  differs(
    'context.parts',
    '§9.13 parts are ignored',
    'All parts count, those of tool calls too.',
    'In the seed a voice transcript, which lives in parts, costs nothing.',
    async () => {
      const { estimateMessageTokens } = await import('../../src/stages/utility/token-estimate.ts');
      const parts = textMessage('user', 'one two three four');
      const call = textMessage('assistant', '', {
        toolCalls: [{ id: '1', name: 'clock', arguments: { zone: 'Europe/Berlin' } }],
      });
      expect(estimateMessageTokens(parts)).toBeGreaterThan(
        estimateMessageTokens(textMessage('user', '')),
      );
      expect(estimateMessageTokens(call)).toBeGreaterThan(
        estimateMessageTokens(textMessage('assistant', '')),
      );
    },
  ),
];

const compositionRows: readonly Row[] = [
  same(
    'compose.nested',
    'issue: composition',
    'A pipeline is a stage of another: interrupts, turn states, failures and the end get through.',
    async () => {
      const told: string[] = [];
      const telling = transform({
        name: 'telling',
        consumes: ['text'],
        emits: ['text'],
        process(one, context) {
          if (one.text === 'burstab') throw new Error('burst');
          context.turn(one.turn).systemPrompt = one.text;
          return one;
        },
      });
      const asking = probe('asking', async function* (input, context) {
        for await (const one of input) {
          if (one.kind === 'text') told.push(context.turn(one.turn).systemPrompt);
          yield one;
        }
      });
      const nested = () =>
        pipelineStage('inner', chained([tag('b'), telling, tag('c')], { session: 'live' }));
      const session = live([tag('a'), nested(), tag('d'), asking.stage]);
      session.push(text('1', 1));
      await session.untilKind('text');
      session.run.interrupt(1);
      session.push(text('late', 1), text('2', 2));
      expect(brief(await session.end())).toEqual(['1abcd', '<interrupt>', '2abcd', '<end>']);
      expect(told).toEqual(['1ab', '2ab']);
      await expect(once([tag('a'), nested()], [text('burst')])).rejects.toMatchObject({
        stage: 'telling',
      });
    },
  ),
  same(
    'compose.transform-stream',
    'issue: composition',
    'A `TransformStream` is a stage: what it does not take goes around it in order, and what it keeps comes at its end.',
    async () => {
      let kept: TextElement | undefined;
      const twice = stageFrom(
        { name: 'twice', consumes: ['text'], emits: ['text'] },
        () =>
          new TransformStream({
            transform(one, controller) {
              controller.enqueue(one);
              controller.enqueue({ ...one, text: `${one.text}'` });
              kept = { ...one, text: `${one.text}…` };
            },
            flush(controller) {
              if (kept) controller.enqueue(kept);
            },
          }),
      );
      const outputs = await once([twice], [text('a'), element('turn-end', { turn: 1 }), text('b')]);
      expect(brief(outputs)).toEqual(['a', "a'", '<turn-end>', 'b', "b'", 'b…']);
    },
  ),
];

/** Routers, watchers, budgets, composition. */
export const flowAreas: readonly Area[] = [
  { title: 'Sharing out and joining', rows: routingRows },
  { title: 'Looking on', rows: watchingRows },
  { title: 'What a model is shown', rows: contextRows },
  { title: 'Composition', rows: compositionRows },
];
