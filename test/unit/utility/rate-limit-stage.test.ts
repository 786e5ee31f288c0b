import { array, assert, integer, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { RateLimitStage } from '../../../src/stages/utility/rate-limit-stage.ts';
import { TokenBucket } from '../../../src/stages/utility/token-bucket.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { brief, turnEnd, user } from '../conversation/helpers.ts';

/** A clock that only sleeping moves. */
function fakeTime(): {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly slept: number[];
  move(ms: number): void;
} {
  let time = 0;
  const slept: number[] = [];
  return {
    now: () => time,
    slept,
    move: (ms) => {
      time += ms;
    },
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      time += ms;
    },
  };
}

const text = (words: string): StreamElement =>
  element('text', { text: words, delta: false, turn: 1 });

describe('RateLimitStage', () => {
  it('lets a burst pass and then waits for each token, in order', async () => {
    const time = fakeTime();
    const stage = new RateLimitStage({ perSecond: 2, burst: 2, clock: time });
    const inputs = [user('A'), user('B'), user('C'), turnEnd(), user('D')];
    expect(await runOn(stage, inputs)).toEqual(inputs);
    expect(time.slept).toEqual([500, 500]);
  });

  it('drops what finds no token and tells', async () => {
    const time = fakeTime();
    const context = testContext();
    const stage = new RateLimitStage({ perSecond: 1, mode: 'drop', clock: time });
    expect(brief(await runOn(stage, [user('A'), user('B'), turnEnd()], context))).toEqual([
      'user:A',
      'turn-end',
    ]);
    expect(context.events).toMatchObject([
      {
        type: 'rate-limited',
        detail: { turn: 1, kind: 'message', mode: 'drop', retryAfterMs: 1000 },
      },
    ]);
  });

  it('puts an error in the place of what finds no token', async () => {
    const time = fakeTime();
    const stage = new RateLimitStage({ perSecond: 1, mode: 'error', clock: time });
    const outputs = await runOn(stage, [user('A'), user('B'), turnEnd()]);
    expect(brief(outputs)).toEqual(['user:A', 'error:stage', 'turn-end']);
    expect(outputs[1]).toMatchObject({
      turn: 1,
      source: 'rate-limit',
      error: { retryable: true, details: { kind: 'message', retryAfterMs: 1000 } },
    });
  });

  it('counts neither control nor errors nor history nor other kinds', async () => {
    const time = fakeTime();
    const stage = new RateLimitStage({
      perSecond: 1,
      mode: 'drop',
      clock: time,
      kinds: ['message', 'turn-end', 'end', 'interrupt', 'error'],
    });
    const inputs = [
      user('A'),
      user('Old', 1, { fromHistory: true }),
      text('say'),
      turnEnd(),
      element('interrupt', { turn: 1 }),
      element('end', {}),
    ];
    expect(await runOn(stage, inputs)).toEqual(inputs);
  });

  it('takes what an element costs, at most a whole bucket', async () => {
    const time = fakeTime();
    const stage = new RateLimitStage({
      perSecond: 10,
      burst: 10,
      kinds: ['text'],
      cost: (item) => (item.kind === 'text' ? item.text.length : 0),
      clock: time,
    });
    const inputs = [text('1234567890'), text('12345'), text('x'.repeat(99))];
    expect(await runOn(stage, inputs)).toEqual(inputs);
    expect(time.slept).toEqual([500, 1000]);
  });

  it('gives up a text whose turn is interrupted while it waits, but never a message', async () => {
    const time = fakeTime();
    const context = testContext();
    const stage = new RateLimitStage({
      perSecond: 1,
      kinds: ['message', 'text'],
      clock: {
        now: time.now,
        sleep: async (ms, signal) => {
          context.interrupt(1);
          await time.sleep(ms, signal);
        },
      },
    });
    const inputs = [user('A'), text('void'), user('B'), turnEnd()];
    expect(brief(await runOn(stage, inputs, context))).toEqual(['user:A', 'user:B', 'turn-end']);
  });

  it('stops waiting when the run ends', async () => {
    const context = testContext();
    const stage = new RateLimitStage({ perSecond: 1e-6, burst: 1, clock: { now: () => 0 } });
    const source = (async function* () {
      yield user('A');
      queueMicrotask(() => context.end());
      yield user('B');
    })();
    await expect(runOn(stage, source, context)).rejects.toMatchObject({ code: 'aborted' });
  });

  it.each([
    { perSecond: 0 },
    { perSecond: 1, burst: 0 },
    { perSecond: Number.NaN },
    { perSecond: 1, mode: 'refuse' as never },
  ])('refuses %o', (options) => {
    expect(() => new RateLimitStage(options)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it.each([-1, Number.NaN])(
    'fails the run on a cost of %d, which would give tokens away',
    (cost) => {
      const stage = new RateLimitStage({ perSecond: 1, cost: () => cost });
      return expect(runOn(stage, [user('A')])).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  it('starts every run of a pipeline with a full bucket', async () => {
    const time = fakeTime();
    const pipeline = new PipelineBuilder()
      .chain(new RateLimitStage({ perSecond: 1, mode: 'drop', clock: time }))
      .build();
    for (let run = 0; run < 2; run++) {
      const { messages } = await pipeline.executeSync(user('A'), user('B'));
      expect(messages).toHaveLength(1);
    }
    await pipeline.shutdown();
  });
});

describe('TokenBucket', () => {
  it('never gives more than the burst and what came back since', () => {
    assert(
      property(
        integer({ min: 1, max: 50 }),
        integer({ min: 1, max: 20 }),
        array(tuple(integer({ min: 0, max: 500 }), integer({ min: 0, max: 30 })), {
          maxLength: 60,
        }),
        (perSecond, burst, steps) => {
          let time = 0;
          let taken = 0;
          const bucket = new TokenBucket(perSecond, burst, { now: () => time });
          for (const [ms, tokens] of steps) {
            time += ms;
            const retryAfterMs = bucket.take(tokens);
            if (retryAfterMs === 0) taken += Math.min(tokens, burst);
            expect(taken).toBeLessThanOrEqual(burst + (time * perSecond) / 1000 + 1e-6);
            if (retryAfterMs > 0) {
              time += retryAfterMs;
              expect(bucket.take(tokens)).toBe(0);
              taken += Math.min(tokens, burst);
            }
          }
        },
      ),
    );
  });
});
