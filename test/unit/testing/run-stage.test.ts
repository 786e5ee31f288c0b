/** One stage as a pipeline runs it, with trouble at chosen moments. */
import { describe, expect, it } from 'vitest';
import { AntiphonError, serializeError } from '../../../src/core/errors.ts';
import { element } from '../../../src/core/element.ts';
import { defineStage, transform } from '../../../src/core/stage/define-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import {
  elements,
  gate,
  reply,
  runOn,
  runStage,
  scriptedProvider,
  testContext,
} from '../../../src/testing/index.ts';

/** Shouts; a text that asks for trouble gets it. */
const shout = (): Stage<'text', 'text' | 'error'> =>
  transform({
    name: 'shout',
    consumes: ['text'],
    emits: ['text', 'error'],
    process(text, context) {
      context.emit('heard', { text: text.text });
      const trouble = new AntiphonError('unsupported', `no ${text.text}`);
      if (text.text === 'throw') throw trouble;
      if (text.text === 'error')
        return element('error', { turn: text.turn, error: serializeError(trouble) });
      return { ...text, text: text.text.toUpperCase() };
    },
  });

describe('a run of one stage', () => {
  it('tells what came out, in text too, and the events', async () => {
    const make = elements();
    const run = await runStage(shout(), [make.text('hi'), make.turnEnd()]);
    expect(run.log).toBe('0 #1 text "HI"\n0 #1 turn-end\n0 #0 end');
    expect(run.events).toMatchObject([{ type: 'heard', stage: 'shout', detail: { text: 'hi' } }]);
    expect([run.errors, run.failure, run.abandoned]).toEqual([[], undefined, false]);
  });

  it('tells an error element, after which it goes on, from a throw, after which it does not', async () => {
    const make = elements();
    const run = await runStage(
      shout(),
      ['a', 'error', 'b', 'throw', 'c'].map((text) => make.text(text)),
    );
    expect(run.errors).toMatchObject([{ code: 'unsupported', message: 'no error' }]);
    expect(run.failure).toMatchObject({ code: 'unsupported', message: 'no throw', stage: 'shout' });
    expect(run.log).toContain('"B"');
    expect(run.log).not.toContain('"C"');
  });

  it('interrupts at a chosen element, as talking over the reply does', async () => {
    const provider = scriptedProvider([
      [reply.text('One '), reply.text('two '), reply.hang],
      'Yes?',
    ]);
    const make = elements();
    const question = make.asks('count');
    const goesOn = gate();
    const run = await runStage(
      new ProviderStage({ provider }),
      (async function* () {
        yield* question;
        await goesOn.pass();
        yield* make.asks('stop');
      })(),
      {
        interrupt: {
          on: (output) => {
            const isIt = output.kind === 'text' && output.text === 'two ';
            if (isIt) goesOn.open();
            return isIt;
          },
        },
      },
    );
    expect(provider.calls[0]?.cancelled).toBe(true);
    expect(run.log).toMatch(/interrupt\n.*message assistant "One two " interrupted\n.*turn-end/);
    expect(run.log).toContain('message assistant "Yes?" stop');
    provider.verify();
  });

  it('is cancelled at a chosen element, and the stage tears down', async () => {
    let torn = false;
    const endless = defineStage({
      name: 'endless',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        try {
          for await (const text of input) for (;;) yield text;
        } finally {
          torn = true;
        }
      },
    });
    const run = await runStage(endless, [elements().text('again')], { cancel: 3 });
    expect(run.outputs).toHaveLength(3);
    expect([torn, run.failure, run.abandoned]).toEqual([true, undefined, false]);
  });

  it('ends with its signal, and shows a stage that ignores it', async () => {
    const over = new AbortController();
    const deaf = defineStage({
      name: 'deaf',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        for await (const text of input) {
          over.abort(new AntiphonError('aborted', 'enough'));
          await new Promise(() => {});
          yield text;
        }
      },
    });
    const run = await runStage(deaf, [elements().text('hi')], { signal: over.signal });
    expect(run.failure).toMatchObject({ code: 'aborted', message: 'enough' });
    expect(run.abandoned).toBe(true);
  });

  it('says so when the stage waits for ever', async () => {
    const stuck = defineStage({
      name: 'stuck',
      type: 'transform',
      consumes: ['text'],
      emits: [],
      async *process() {
        await new Promise(() => {});
        yield* [];
      },
    });
    const run = await runStage(stuck, [elements().text('hi')], { idleTimeoutMs: 40 });
    expect(run.failure).toMatchObject({ code: 'idle-timeout' });
  });

  it('disposes of the stage', async () => {
    let disposed = 0;
    const stage: Stage = { ...shout(), dispose: () => void (disposed += 1) };
    await runStage(stage, []);
    expect(disposed).toBe(1);
  });
});

describe('a context of its own', () => {
  it('aborts turns as a run does, those asked for later too', () => {
    const context = testContext({ stage: 'mine', now: () => 5 });
    const [first, second] = [context.turnSignal(1), context.turnSignal(2)];
    context.interrupt(1);
    expect([first.aborted, second.aborted, context.turnSignal(1).aborted]).toEqual([
      true,
      false,
      true,
    ]);
    context.end();
    expect([context.signal.aborted, second.aborted, context.turnSignal(9).aborted]).toEqual([
      true,
      true,
      true,
    ]);
    context.emit('done');
    expect(context.events).toEqual([{ type: 'done', stage: 'mine', at: 5 }]);
    expect(context.turn(1)).toBe(context.turn(1));
    expect(testContext({ turn: { systemPrompt: 'Be brief.' } }).turn(3).systemPrompt).toBe(
      'Be brief.',
    );
  });

  it('runs a bare stage', async () => {
    expect(await runOn(shout(), [elements().text('hi')])).toMatchObject([{ text: 'HI' }]);
    await expect(runOn(shout(), [elements().text('throw')])).rejects.toThrow('no throw');
  });
});
