/** Time that passes when a test says so, and the gates of scripted engines. */
import { describe, expect, it } from 'vitest';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { sleep } from '../../../src/core/time.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { STTStage } from '../../../src/stages/streaming/stt-stage.ts';
import { TTSStage } from '../../../src/stages/streaming/tts-stage.ts';
import { RateLimitStage } from '../../../src/stages/utility/rate-limit-stage.ts';
import { VariableProviderStage } from '../../../src/stages/utility/variable-provider-stage.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import {
  collect,
  describeElements,
  elements,
  fakeClock,
  gate,
  runStage,
  scriptedRecognizer,
  scriptedSynthesizer,
  settle,
  tone,
} from '../../../src/testing/index.ts';

const never = new AbortController().signal;

describe('a fake clock', () => {
  it('wakes sleepers in order, at their time, with what they then do', async () => {
    const clock = fakeClock(1000);
    const log: string[] = [];
    const rest = async (name: string, ...naps: readonly number[]): Promise<void> => {
      for (const ms of naps) {
        await sleep(clock, ms, never);
        log.push(`${name} ${clock.now()}`);
      }
    };
    const all = [rest('a', 30, 30), rest('b', 10, 10, 10), rest('c', 100)];
    await clock.advance(60);
    expect(log).toEqual(['b 1010', 'b 1020', 'a 1030', 'b 1030', 'a 1060']);
    expect([clock.now(), clock.sleeping]).toEqual([1060, 1]);
    expect(await clock.advanceToNext()).toBe(true);
    expect(log.at(-1)).toBe('c 1100');
    expect(await clock.advanceToNext()).toBe(false);
    await Promise.all(all);
  });

  it('gives up a sleep whose signal aborts', async () => {
    const clock = fakeClock();
    const over = new AbortController();
    const sleeping = clock.sleep(10, over.signal);
    over.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'aborted' });
    await expect(clock.sleep(10, over.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.sleeping).toBe(0);
  });
});

describe('what waits in a stage', () => {
  const busy = new AntiphonError('provider-overloaded', 'busy', { retryable: true });

  it('for room of a rate limit, waits by the clock of the run', async () => {
    const clock = fakeClock();
    const make = elements();
    const limit = new RateLimitStage({ perSecond: 1, burst: 1 });
    const running = runStage(limit, [make.user('a'), make.user('b')], { clock });
    await clock.advance(999);
    expect(clock.sleeping).toBeGreaterThan(0);
    let over = false;
    void running.then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    await clock.advance(1);
    expect((await running).outputs).toHaveLength(3);
  });

  it('for variables that do not come, gives up by the clock', async () => {
    const clock = fakeClock();
    const slow = { name: 'slow', provide: () => new Promise<never>(() => {}) };
    const stage = new VariableProviderStage({ providers: [slow], timeoutMs: 400 });
    const running = runStage(stage, elements().asks('hi'), { clock });
    await clock.advance(400);
    expect((await running).errors).toMatchObject([{ code: 'execution-timeout' }]);
    expect(clock.sleeping).toBe(0);
  });

  it('for a store that never answers, gives up by the clock', async () => {
    const clock = fakeClock();
    const store = { ...memoryStore(), load: () => new Promise<never>(() => {}) };
    const stage = new StateStoreLoadStage({ store, conversation: 'c', timeoutMs: 3000 });
    const running = runStage(stage, elements().asks('hi'), { clock });
    await clock.advance(3000);
    expect((await running).errors).toMatchObject([{ code: 'storage-blocked' }]);
  });

  it('for another attempt of an engine, waits by the clock', async () => {
    const clock = fakeClock();
    const voice = scriptedSynthesizer([{ error: busy }, { error: busy }, 'Hello.']);
    const speaking = runStage(
      new TTSStage({ synthesizer: voice }),
      [elements().assistant('Hello.')],
      { clock },
    );
    await clock.advance(750);
    expect((await speaking).errors).toEqual([]);
    voice.verify();
    const recognizer = scriptedRecognizer([busy, 'hello']);
    const hearing = runStage(new STTStage({ recognizer }), [elements().utterance(tone(200))], {
      clock,
    });
    await clock.advance(250);
    expect((await hearing).log).toContain('"hello"');
  });

  it('and a pipeline in which nothing moves, are ended by the clock', async () => {
    const clock = fakeClock();
    const idle = new PipelineBuilder({ clock, idleTimeoutMs: 30_000 })
      .chain(new RateLimitStage({ perSecond: 1 }))
      .build()
      .execute(
        (async function* () {
          yield elements().user('hi');
          await new Promise(() => {});
        })(),
      );
    const reading = expect(collect(idle)).rejects.toMatchObject({ code: 'idle-timeout' });
    await clock.advance(60_000);
    await reading;
  });
});

describe('a gate', () => {
  it('holds until it is open, then lets everybody through', async () => {
    const closed = gate();
    let through = 0;
    const passing = [1, 2].map(() => closed.pass().then(() => (through += 1)));
    await closed.reached;
    expect([closed.waiting, through]).toEqual([2, 0]);
    closed.open();
    await Promise.all([...passing, closed.pass()]);
    expect([closed.waiting, through]).toEqual([0, 2]);
  });

  it('is left by whoever is cancelled', async () => {
    const closed = gate();
    const over = new AbortController();
    const passing = closed.pass(over.signal);
    over.abort();
    await expect(passing).rejects.toMatchObject({ code: 'aborted' });
    expect(closed.waiting).toBe(0);
    expect(describeElements([])).toBe('');
  });
});
