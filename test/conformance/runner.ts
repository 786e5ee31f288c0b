/** Running a pipeline: §14.2, second half, and the weaknesses of §5.3 and §12.8. */
import { expect, vi } from 'vitest';
import { element, textMessage, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { generate, transform } from '../../src/core/stage/define-stage.ts';
import { filter, map } from '../../src/stages/flow/compose.ts';
import {
  brief,
  counting,
  forever,
  passing,
  probe,
  pushable,
  tag,
  text,
} from '../unit/core/pipeline/helpers.ts';
import { chained, live, once } from './play.ts';
import { differs, same, type Area } from './row.ts';
import { collect } from '../../src/testing/index.ts';

const broken = (name: string): ReturnType<typeof tag> =>
  transform({
    name,
    consumes: ['text'],
    emits: ['text'],
    process: () => {
      throw new TypeError('broken');
    },
  });
const said = (role: 'user' | 'assistant', words: string, facts = {}): StreamElement =>
  element('message', { message: textMessage(role, words, facts) });
const texts = (count: number): StreamElement[] =>
  Array.from({ length: count }, (_, index) => text(String(index)));

/** What the runner promises. */
export const runnerArea: Area = {
  title: 'Running a pipeline',
  rows: [
    same(
      'execute-sync.collects',
      '§14.2 ExecuteSync',
      '`executeSync` gives every message, and the last of the assistant as response, its tool calls and the summed usage included.',
      async () => {
        const toolCalls = [{ id: '1', name: 'clock', arguments: {} }];
        const result = await chained([tag('a')]).executeSync(
          said('user', 'Hi'),
          said('assistant', 'one', { usage: { inputTokens: 5, outputTokens: 7 } }),
          said('assistant', 'two', { toolCalls, usage: { inputTokens: 1, outputTokens: 1 } }),
        );
        expect(result.messages).toHaveLength(3);
        expect(result.response?.toolCalls).toEqual(toolCalls);
        expect(result.text).toBe('two');
        expect(result.usage).toEqual({ inputTokens: 6, outputTokens: 8 });
      },
    ),
    same(
      'execute-sync.empty',
      '§14.2 ExecuteSync',
      'No input gives an empty result, no error.',
      async () => {
        const result = await chained([tag('a')]).executeSync();
        expect(result).toMatchObject({ messages: [], text: '' });
        expect(result.response).toBeUndefined();
        expect(result.error).toBeUndefined();
      },
    ),
    same(
      'execute-sync.error-element',
      '§14.2 ExecuteSync',
      'An `error` element is told in the result, next to everything else.',
      async () => {
        const error = { code: 'tool', message: 'm', hint: 'h', retryable: false } as const;
        const result = await chained([tag('a')]).executeSync(
          element('error', { error }),
          said('assistant', 'still here'),
        );
        expect(result.error).toEqual(error);
        expect(result.text).toBe('still here');
      },
    ),
    differs(
      'run.lost-errors',
      '§5.3, §12.8',
      'A stage that throws rejects the reader, `done` and `executeSync`, with one and the same error, also behind the last output.',
      'In the seed a stage’s error reaches nobody unless the stage also emits it: a failed load made `executeSync` succeed with nothing.',
      async () => {
        await expect(chained([tag('a'), broken('b')]).executeSync(text('x'))).rejects.toMatchObject(
          {
            code: 'stage',
            stage: 'b',
          },
        );
        const late = probe('late', async function* (input) {
          yield* input;
          throw new Error('after the last');
        });
        const enough = probe('enough', async function* (input) {
          for await (const one of input) {
            yield one;
            return;
          }
        });
        for (const stages of [[late.stage], [late.stage, enough.stage]]) {
          const run = chained(stages).execute([text('x')]);
          const read = await collect(run).catch((error: unknown) => error);
          const done = await run.done.catch((error: unknown) => error);
          if (done !== undefined) expect(read).toBe(done);
        }
        await expect(chained([late.stage]).executeSync(text('x'))).rejects.toThrow(
          /after the last/,
        );
        // Of two that fail in the same breath one is told, to the reader and to all others.
        for (let ticks = 0; ticks < 24; ticks += 1) {
          let go = (): void => {};
          const started = new Promise<void>((resolve) => {
            go = resolve;
          });
          const failing = (name: string, delay: number) =>
            probe(name, async function* (input) {
              for await (const one of input) {
                yield one;
                if (name === 'leaf') go();
                await started;
                for (let left = delay; left > 0; left -= 1) await Promise.resolve();
                throw new Error(name);
              }
            });
          const run = chained([failing('root', ticks).stage, failing('leaf', 12).stage]).execute([
            text('x'),
            text('y'),
          ]);
          const read = await collect(run).catch((error: unknown) => error);
          expect(read).toBe(await run.done.catch((error: unknown) => error));
        }
      },
    ),
    same(
      'run.stage-error',
      '§14.2 StageError',
      'The error of a stage says its name and type and keeps the cause.',
      async () => {
        const error: unknown = await chained([broken('b')])
          .executeSync(text('x'))
          .catch((error: unknown) => error);
        expect(error).toMatchObject({
          message: 'stage "b" (transform) failed: broken',
          stage: 'b',
          cause: expect.any(TypeError) as TypeError,
        });
      },
    ),
    differs(
      'run.siblings',
      '§5.3, §12.8',
      'The first failure cancels every sibling, upstream, downstream and on other branches, and waits for their tear-down.',
      'In the seed upstream stages block in a full channel until a time-out, for ever without one.',
      async () => {
        const source = counting('source');
        const after = passing('after');
        let told = false;
        // It neither reads nor writes: nothing but its signal can tell it.
        const beside = probe('beside', async function* (_input, { signal }) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          told = true;
          yield* [];
        });
        const run = new PipelineBuilder({ idleTimeoutMs: 0, channelBufferSize: 1 })
          .chain(source.stage, broken('b'), after.stage)
          .add(beside.stage)
          .branch('source', 'beside')
          .build()
          .execute();
        const events: string[] = [];
        run.on(({ type }) => events.push(type));
        await expect(run.drain()).rejects.toMatchObject({ stage: 'b' });
        expect(events).not.toContain('stage-abandoned');
        expect([source, beside, after].map((one) => one.isClosed())).toEqual([true, true, true]);
        expect(told).toBe(true);
      },
    ),
    differs(
      'run.exceptions',
      '§5.3 no panic isolation',
      'Whatever a stage throws, wherever (made, prepared, at once, in the middle, in an abort listener’s wake), fails its own run only.',
      'In the seed a panic in a custom stage kills the process.',
      async () => {
        const healthy = live([tag('a')]);
        healthy.push(text('1'));
        await healthy.untilKind('text');
        const throws = (): never => {
          throw new Error('boom');
        };
        for (const facts of [
          { process: throws },
          { prepare: throws },
          { step: throws },
          { prepare: () => Promise.reject(new Error('boom')) },
        ])
          await expect(
            chained([{ ...passing('bad').stage, ...facts }]).executeSync(text('x')),
          ).rejects.toThrow(/boom/);
        healthy.push(text('2'));
        expect(brief(await healthy.end())).toEqual(['1a', '2a', '<end>']);
      },
    ),
    differs(
      'run.abandoned',
      '§5.3, §12.8',
      'A consumer that leaves the loop ends the run and releases every stage, the input included.',
      'In the seed it leaks every goroutine.',
      async () => {
        let returned = false;
        const input = (async function* () {
          try {
            for (;;) yield text('x');
          } finally {
            returned = true;
          }
        })();
        const stage = passing('middle');
        const run = chained([stage.stage], { idleTimeoutMs: 0 }).execute(input);
        for await (const _ of run) break;
        expect([returned, stage.isClosed()]).toEqual([true, true]);
        await run.done;
      },
    ),
    same(
      'run.concurrent',
      '§14.2 PipelineConcurrentExecute ▲',
      'Executions of one pipeline at a time see exactly their own elements, with routers and branches too.',
      async () => {
        const pipeline = new PipelineBuilder({ channelBufferSize: 1 })
          .chain(tag('a'), tag('b'))
          .add(tag('c'))
          .branch('a', 'c')
          .build();
        const all = await Promise.all(
          Array.from({ length: 12 }, (_, run) =>
            pipeline.executeSync(...['x', 'y'].map((one) => text(`${run}${one}`))),
          ),
        );
        for (const [run, { outputs }] of all.entries())
          expect(brief(outputs).toSorted()).toEqual(
            ['<end>', `${run}xab`, `${run}xac`, `${run}yab`, `${run}yac`].toSorted(),
          );
      },
    ),
    same(
      'run.leaves',
      '§14.2 CollectOutput_ConcurrentLeafStages ▲',
      'A leaf that comes up with nothing for long holds up no other leaf.',
      async () => {
        let release = (): void => {};
        const slow = probe('slow', async function* (input) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          yield* input;
        });
        const session = live(
          new PipelineBuilder({ session: 'live' })
            .chain(tag('a'), tag('fast'))
            .add(slow.stage)
            .branch('a', 'slow')
            .build(),
        );
        session.push(...texts(5));
        await session.untilKind('text', 5);
        expect(session.outputs.every(({ source }) => source !== 'slow')).toBe(true);
        release();
        expect(brief(await session.end())).toHaveLength(11);
      },
    ),
    differs(
      'run.branch',
      '§4 competitive fan-out, §12.8',
      '`branch` gives every element to every branch.',
      'In the seed branches compete for one channel and each element goes to one of them at random; what its documentation promised is a split.',
      async () => {
        const pipeline = new PipelineBuilder()
          .chain(tag('a'))
          .add(tag('b'))
          .add(tag('c'))
          .branch('a', 'b', 'c')
          .build();
        const { outputs } = await pipeline.executeSync(...texts(3));
        expect(brief(outputs).toSorted()).toEqual(
          ['0ab', '0ac', '1ab', '1ac', '2ab', '2ac', '<end>'].toSorted(),
        );
      },
    ),
    same(
      'run.fan-in',
      '§14.2 FanInMergesTwoSources',
      'Two sources merged into one stage arrive complete, each in order, and each element tells where it came from.',
      async () => {
        const source = (name: string, count: number) =>
          generate({
            name,
            emits: ['text'],
            async *generate() {
              for (let at = 0; at < count; at += 1) yield text(`${name}${at}`);
            },
          });
        const pipeline = new PipelineBuilder()
          .add(source('a', 3))
          .add(source('b', 2))
          .add(passing('out').stage)
          .merge('out', 'a', 'b')
          .build();
        const { outputs } = await pipeline.executeSync();
        for (const [name, expected] of [
          ['a', ['a0', 'a1', 'a2']],
          ['b', ['b0', 'b1']],
        ] as const)
          expect(brief(outputs.filter(({ source }) => source === name))).toEqual(expected);
      },
    ),
    same(
      'run.filter-map',
      '§14.2 helper stages',
      '`filter` and `map` change content in its place; a throw in them fails the run.',
      async () => {
        const stages = [
          filter('short', (one) => one.kind !== 'text' || one.text.length < 3),
          map('loud', 'text', (one) => ({ ...one, text: `${one.text}!` })),
        ];
        expect(
          brief(
            await once(
              stages,
              ['a', 'long', 'b'].map((one) => text(one)),
            ),
          ),
        ).toEqual(['a!', 'b!']);
        const bad = map('bad', 'text', () => Promise.reject(new Error('no')));
        await expect(once([bad], [text('x')])).rejects.toThrow(/bad.*no/);
      },
    ),
    differs(
      'run.filter-control',
      '§3 Filter sees control',
      '`filter` never drops control, and does not ask about it.',
      'In the seed a predicate can swallow the end of the stream.',
      async () => {
        const nothing = filter('nothing', () => false);
        const outputs = await once([nothing], [text('x'), element('turn-end', { turn: 1 })]);
        expect(brief(outputs)).toEqual(['<turn-end>']);
      },
    ),
    same(
      'run.idle',
      '§14.2 idle ▲',
      'A run in which nothing moves for `idleTimeoutMs` fails with `idle-timeout`; 30 s unless given, 0 is never, and the execution time-out holds beside it.',
      async () => {
        vi.useFakeTimers();
        const outcome = async (config: object, ms: number): Promise<unknown> => {
          const run = chained([tag('a')], config).execute(pushable().reader);
          const reading = collect(run).then(
            () => 'over',
            (error: { readonly code: string }) => error.code,
          );
          await vi.advanceTimersByTimeAsync(ms);
          const so = await Promise.race([reading, Promise.resolve('open')]);
          await run.close();
          return so;
        };
        expect(await outcome({ idleTimeoutMs: 100 }, 200)).toBe('idle-timeout');
        expect(await outcome({}, 29_000)).toBe('open');
        expect(await outcome({}, 40_000)).toBe('idle-timeout');
        expect(await outcome({ idleTimeoutMs: 0 }, 3_600_000)).toBe('open');
        const both = { idleTimeoutMs: 1000, executionTimeoutMs: 100 };
        expect(await outcome(both, 2000)).toBe('execution-timeout');
        expect(await outcome({ idleTimeoutMs: 100, executionTimeoutMs: 1000 }, 2000)).toBe(
          'idle-timeout',
        );
      },
    ),
    differs(
      'run.idle-audio',
      '§12.3, regression (idle)',
      'Anything that moves counts as activity, audio and control too, and a live session has no idle time-out unless one is set.',
      'In the seed only model calls reset the timer, so a session in which somebody listens for 30 s is lost.',
      async () => {
        vi.useFakeTimers();
        const input = pushable();
        // Somebody listens and says nothing: only what goes in moves.
        const ears = probe('ears', async function* (input) {
          let heard = 0;
          for await (const _ of input) heard += 1;
          yield text(String(heard));
        });
        const run = chained([ears.stage], { idleTimeoutMs: 1000 }).execute(input.reader);
        const reading = collect(run);
        const quiet = element('audio', { samples: new Float32Array(16), sampleRate: 16_000 });
        for (let step = 0; step < 10; step += 1) {
          await vi.advanceTimersByTimeAsync(700);
          input.writer.offer(step % 2 === 0 ? quiet : element('speech-start', {}));
        }
        input.writer.close();
        expect(brief(await reading)).toEqual(['11', '<end>']);
        const open = live([tag('a')]);
        await vi.advanceTimersByTimeAsync(3_600_000);
        open.push(text('x'));
        expect(brief(await open.end())).toEqual(['xa', '<end>']);
      },
    ),
    same(
      'run.long-turn',
      '§13 #782',
      'A turn of any length lives as long as something moves in it, tools included: no time limit of ours cuts it.',
      async () => {
        vi.useFakeTimers();
        const slow = probe('slow', async function* (input, context) {
          for await (const one of input) {
            for (let step = 0; one.kind === 'text' && step < 5; step += 1) {
              await new Promise((resolve) => setTimeout(resolve, 25_000));
              context.emit('still-working', step);
            }
            yield one;
          }
        });
        const reading = collect(chained([slow.stage]).execute([text('x')]));
        await vi.advanceTimersByTimeAsync(125_000);
        expect(brief(await reading)).toEqual(['x', '<end>']);
      },
    ),
    same(
      'run.unread',
      '§13 #1638, #1658',
      'A run whose outputs nobody reads waits, within its bounds, and closes at once when told to, in a live session too.',
      async () => {
        const input = pushable(4096);
        const session = chained([tag('a'), tag('b')], { session: 'live', channelBufferSize: 2 });
        const run = session.execute(input.reader);
        await run.ready;
        for (let at = 0; at < 1000; at += 1) input.writer.offer(text(String(at)));
        for (let tick = 0; tick < 100; tick += 1) await Promise.resolve();
        expect(input.reader.depth).toBeGreaterThan(980);
        await run.close();
        expect(input.writer.offer(text('late'))).toBe(false);
      },
    ),
    same(
      'shutdown.twice',
      '§14.2 Shutdown',
      '`shutdown` may be called twice; afterwards nothing runs any more and `execute` is refused.',
      async () => {
        const dispose = vi.fn();
        const pipeline = chained([{ ...tag('a'), dispose }]);
        await pipeline.executeSync(text('x'));
        await Promise.all([pipeline.shutdown(), pipeline.shutdown()]);
        await pipeline.shutdown();
        expect(dispose).toHaveBeenCalledTimes(1);
        expect(() => pipeline.execute()).toThrow(expect.objectContaining({ code: 'shutdown' }));
      },
    ),
    differs(
      'shutdown.cancels',
      '§5.5, §12.8',
      '`shutdown` cancels what runs and waits for the tear-down.',
      'In the seed it only waits, although its documentation says otherwise.',
      async () => {
        const source = counting('source');
        const pipeline = chained([source.stage], { idleTimeoutMs: 0 });
        const run = pipeline.execute();
        const reading = collect(run).catch((error: unknown) => error);
        await run.ready;
        await pipeline.shutdown();
        expect(source.isClosed()).toBe(true);
        expect(await reading).toMatchObject({ code: 'shutdown' });
      },
    ),
    same(
      'shutdown.timeout',
      '§5.5 ErrShutdownTimeout',
      'A stage that does not come to an end makes `shutdown` fail with `shutdown-timeout`, not wait for ever.',
      async () => {
        vi.useFakeTimers();
        const stuck = probe('stuck', async function* () {
          await forever();
          yield text('never');
        });
        const pipeline = chained([stuck.stage], { shutdownTimeoutMs: 500 });
        const run = pipeline.execute([]);
        run.done.catch(() => {});
        await run.ready;
        const over = expect(pipeline.shutdown()).rejects.toMatchObject({
          code: 'shutdown-timeout',
        });
        await vi.advanceTimersByTimeAsync(500);
        await over;
      },
    ),
    same(
      'run.telemetry',
      '§14.2 audio telemetry ▲, #853',
      'Frames cause no events: a minute of audio sends as many as one frame does.',
      async () => {
        const eventsOf = async (frames: number): Promise<number> => {
          const session = live([tag('a'), tag('b')]);
          for (let at = 0; at < frames; at += 1)
            session.push(
              element('audio', { samples: new Float32Array(16), sampleRate: 16_000, at }),
            );
          await session.end();
          return session.events.length;
        };
        expect(await eventsOf(1875)).toBe(await eventsOf(1));
      },
    ),
    same(
      'run.events',
      '§11',
      'A run tells that it started, that each stage prepared and completed, and how it ended.',
      async () => {
        const good = live([tag('a')]);
        await good.end();
        expect(good.events.map(({ type, stage }) => `${type} ${stage}`.trim())).toEqual(
          expect.arrayContaining([
            'run-started',
            'stage-prepared a',
            'stage-completed a',
            'run-completed',
          ]),
        );
        const bad = live([broken('b')]);
        bad.push(text('x'));
        await bad.end().catch(() => {});
        await bad.run.done.catch(() => {});
        expect(bad.events).toContainEqual(
          expect.objectContaining({ type: 'stage-failed', stage: 'b' }),
        );
        expect(bad.events.at(-1)).toMatchObject({ type: 'run-failed', detail: { stage: 'b' } });
      },
    ),
    differs(
      'interrupt.twice',
      '§8.2 weak spot (a), §12.5',
      'Two interrupts close together lose nothing: each voids its turns at once, even while a stage awaits something, and both come out once.',
      'In the seed one signal is shared, so that the second is un-cancelled while the first is dealt with.',
      async () => {
        const aborted: number[] = [];
        let begun = (): void => {};
        const started = new Promise<void>((resolve) => {
          begun = resolve;
        });
        const busy = transform({
          name: 'busy',
          consumes: ['text'],
          emits: ['text'],
          async process(one, context) {
            const signal = context.turnSignal(one.turn);
            if (one.turn > 2) return one;
            begun();
            if (!signal.aborted)
              await new Promise((resolve) => signal.addEventListener('abort', resolve));
            aborted.push(one.turn);
            return one;
          },
        });
        const session = live([busy, tag('!')]);
        session.push(text('a', 1), element('transcript', { text: 't', final: true, turn: 2 }));
        await started;
        session.run.interrupt(1);
        session.run.interrupt(2);
        session.push(text('b', 2), text('c', 3));
        expect(brief(await session.end())).toEqual([
          '<interrupt>',
          '<interrupt>',
          '<transcript>',
          'c!',
          '<end>',
        ]);
        expect(aborted).toEqual([1]);
      },
    ),
    differs(
      'interrupt.stale',
      '§8.3, #1485',
      'An interrupt that comes late, for a turn long over, changes nothing of a newer turn.',
      'In the seed interruption is a sticky flag: after one barge-in the next reply is mute and a second barge-in impossible.',
      async () => {
        const session = live([tag('a')]);
        session.push(element('interrupt', { turn: 2 }), text('new', 3));
        await session.untilKind('text');
        session.push(element('interrupt', { turn: 1 }), element('interrupt', { turn: 2 }));
        session.push(text('newer', 3));
        expect(brief(await session.end())).toEqual(['<interrupt>', 'newa', 'newera', '<end>']);
      },
    ),
    differs(
      'interrupt.overtakes',
      '§12.5, regression (paced barge-in)',
      'An interrupt overtakes everything that waits in every queue and arrives first; what it voids never arrives.',
      'In the seed it waits in line: measured 317 ms behind paced audio.',
      async () => {
        let release = (): void => {};
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        const slow = probe('slow', async function* (input) {
          for await (const one of input) {
            yield one;
            await held;
          }
        });
        const session = live([tag('a'), slow.stage], { config: { channelBufferSize: 2 } });
        session.push(...Array.from({ length: 20 }, (_, at) => text(String(at), 1)));
        await session.untilKind('text');
        session.run.interrupt(1);
        await session.untilKind('interrupt');
        release();
        session.push(text('next', 2));
        expect(brief(await session.end())).toEqual(['0a', '<interrupt>', 'nexta', '<end>']);
      },
    ),
    same(
      'run.backpressure',
      '§1',
      'Queues are bounded: a source is not asked for more than its readers take.',
      async () => {
        const source = counting('source');
        const run = chained([source.stage, tag('a'), tag('b')], {
          channelBufferSize: 2,
        }).execute();
        const reader = run[Symbol.asyncIterator]();
        await reader.next();
        for (let tick = 0; tick < 200; tick += 1) await Promise.resolve();
        expect(source.made()).toBeLessThan(12);
        await run.close();
      },
    ),
  ],
};
