import { describe, expect, it } from 'vitest';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { PromptAssemblyStage } from '../../../src/stages/conversation/prompt-assembly-stage.ts';
import { TemplateStage } from '../../../src/stages/conversation/template-stage.ts';
import {
  VariableProviderStage,
  type VariableProvider,
} from '../../../src/stages/utility/variable-provider-stage.ts';
import { storeVariables, timeVariables } from '../../../src/stages/utility/variables.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { brief, turnEnd, user } from '../conversation/helpers.ts';

const giving = (name: string, values: Record<string, unknown>): VariableProvider => ({
  name,
  provide: () => values,
});

describe('VariableProviderStage', () => {
  it('merges the turn’s, the static and the provided values, the later of two winning', async () => {
    const context = testContext();
    context.turn(1).variables = { kept: 1, a: 'turn', b: 'turn' };
    const stage = new VariableProviderStage({
      variables: { a: 'static', b: 'static', c: 'static' },
      providers: [giving('one', { b: 'one', c: 'one' }), giving('two', { c: 'two' })],
    });
    const inputs = [user('Hi'), turnEnd()];
    expect(await runOn(stage, inputs, context)).toEqual(inputs);
    expect(context.turn(1).variables).toEqual({ kept: 1, a: 'static', b: 'one', c: 'two' });
  });

  it('asks once per turn, before the message passes, and not for history', async () => {
    const context = testContext();
    let asked = 0;
    const counter: VariableProvider = {
      name: 'counter',
      provide: ({ turn }) => ({ n: ++asked, turn }),
    };
    const inputs = [
      user('Old', 1, { fromHistory: true }),
      user('A', 1),
      turnEnd(1),
      user('B', 2),
      user('B, too', 2),
      turnEnd(3),
    ];
    await runOn(new VariableProviderStage({ providers: [counter] }), inputs, context);
    expect([1, 2, 3].map((turn) => context.turn(turn).variables)).toEqual([
      { n: 1, turn: 1 },
      { n: 2, turn: 2 },
      { n: 3, turn: 3 },
    ]);
  });

  it('asks all providers at once', async () => {
    const context = testContext();
    const waiting: (() => void)[] = [];
    const meeting = (name: string): VariableProvider => ({
      name,
      // Answers only when both have been asked.
      provide: () =>
        new Promise((resolve) => {
          waiting.push(() => resolve({ [name]: true }));
          if (waiting.length === 2) for (const go of waiting) go();
        }),
    });
    const stage = new VariableProviderStage({ providers: [meeting('a'), meeting('b')] });
    await runOn(stage, [user('Hi')], context);
    expect(context.turn(1).variables).toEqual({ a: true, b: true });
  });

  it('goes on without the values of a provider that fails or is late, and names it', async () => {
    const context = testContext();
    const stage = new VariableProviderStage({
      variables: { shop: 'Kiosk' },
      providers: [
        { name: 'weather', provide: () => Promise.reject(new Error('no net')) },
        {
          name: 'thrower',
          provide() {
            throw new Error('at once');
          },
        },
        { name: 'sloth', timeoutMs: 1, provide: () => new Promise(() => undefined) },
        giving('good', { ok: true }),
      ],
    });
    const outputs = await runOn(stage, [user('Hi')], context);
    expect(brief(outputs)).toEqual([
      'error:stage',
      'error:stage',
      'error:execution-timeout',
      'user:Hi',
    ]);
    expect(outputs[0]).toMatchObject({
      error: { details: { provider: 'weather' }, stage: 'variable-provider' },
    });
    expect(context.turn(1).variables).toEqual({ shop: 'Kiosk', ok: true });
  });

  it('fails the run when a required provider fails', async () => {
    const provider: VariableProvider = {
      name: 'rights',
      required: true,
      provide: () => Promise.reject(new Error('gone')),
    };
    await expect(
      runOn(new VariableProviderStage({ providers: [provider] }), [user('Hi')]),
    ).rejects.toThrow('"rights"');
  });

  it('stops waiting, without an error, when the turn is interrupted', async () => {
    const context = testContext();
    let told: AbortSignal | undefined;
    const provider: VariableProvider = {
      name: 'slow',
      provide({ signal }) {
        told = signal;
        queueMicrotask(() => context.interrupt(1));
        return new Promise(() => undefined);
      },
    };
    const stage = new VariableProviderStage({ variables: { a: 1 }, providers: [provider] });
    expect(brief(await runOn(stage, [user('Hi')], context))).toEqual(['user:Hi']);
    expect(told?.aborted).toBe(true);
    expect(context.turn(1).variables).toEqual({ a: 1 });
  });

  it('ends with the run while it waits', async () => {
    const context = testContext();
    const provider: VariableProvider = {
      name: 'slow',
      provide() {
        queueMicrotask(() => context.end());
        return new Promise(() => undefined);
      },
    };
    await expect(
      runOn(new VariableProviderStage({ providers: [provider] }), [user('Hi')], context),
    ).rejects.toThrow();
  });

  it('fills the template of each turn in a built pipeline', async () => {
    let n = 0;
    const prompts: string[] = [];
    const pipeline = new PipelineBuilder()
      .chain(
        new PromptAssemblyStage({ prompts: { n: { system: 'Turn {{n}}' } }, task: 'n' }),
        new VariableProviderStage({ providers: [{ name: 'n', provide: () => ({ n: ++n }) }] }),
        new TemplateStage(),
        {
          name: 'read',
          type: 'transform',
          consumes: [],
          emits: [],
          async *process(input, context) {
            for await (const item of input) {
              if (item.kind === 'message') prompts.push(context.turn(item.turn).systemPrompt);
              yield item;
            }
          },
        },
      )
      .build();
    await pipeline.executeSync(user('A', 1), turnEnd(1), user('B', 2), turnEnd(2));
    expect(prompts).toEqual(['Turn 1', 'Turn 2']);
    await pipeline.shutdown();
  });
});

describe('timeVariables', () => {
  const now = (): number => Date.UTC(2026, 2, 1, 23, 30, 5);
  const request = { turn: 1, conversation: '', signal: new AbortController().signal };

  it('tells the time in UTC', async () => {
    expect(await timeVariables({ now }).provide(request)).toEqual({
      current_time: '2026-03-01T23:30:05Z',
      current_date: '2026-03-01',
      current_year: 2026,
      current_month: 'March',
      current_weekday: 'Sunday',
      current_hour: 23,
    });
  });

  it('tells the time of a zone in a language', async () => {
    const options = { now, timeZone: 'Asia/Kolkata', language: 'de' };
    expect(await timeVariables(options).provide(request)).toEqual({
      current_time: '2026-03-02T05:00:05+05:30',
      current_date: '2026-03-02',
      current_year: 2026,
      current_month: 'März',
      current_weekday: 'Montag',
      current_hour: 5,
    });
  });

  it('refuses an unknown zone at once', () => {
    expect(() => timeVariables({ timeZone: 'Moon/Base' })).toThrow(RangeError);
  });
});

describe('storeVariables', () => {
  it('reads the values of the turn’s conversation, and leaves out what is unknown', async () => {
    const store = memoryStore();
    await store.setValue('test', 'user.name', 'Ann');
    await store.setValue('other', 'user.city', 'Rome');
    const context = testContext();
    const provider = storeVariables({ store, keys: ['name', 'city'], prefix: 'user.' });
    await runOn(new VariableProviderStage({ providers: [provider] }), [user('Hi')], context);
    expect(context.turn(1).variables).toEqual({ name: 'Ann' });
  });
});
