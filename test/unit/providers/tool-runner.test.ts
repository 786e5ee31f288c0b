import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ToolCall } from '../../../src/core/element.ts';
import type { ToolEvent, ToolPolicy } from '../../../src/providers/tool-policy.ts';
import { unframeResult } from '../../../src/providers/tool-result.ts';
import { ToolRunner, type ToolOutcome, type ToolTurn } from '../../../src/providers/tool-runner.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import {
  answerLater,
  type Tool,
  type ToolContext,
  type ToolOptions,
} from '../../../src/providers/tools.ts';
import { fakeClock, settle, type FakeClock } from '../../../src/testing/fake-clock.ts';

/** A tool of this name that does `execute`, 1 unless given. */
const tool = (
  name: string,
  execute: (args: Record<string, unknown>, context: ToolContext) => unknown = () => 1,
  conduct: Partial<ToolOptions<Record<string, unknown>>> = {},
): Tool => defineTool({ name, description: name, parameters: {}, execute, ...conduct });

let ids = 0;
const call = (name: string, args: unknown = {}): ToolCall => ({
  id: `c${(ids += 1)}`,
  name,
  arguments: args,
});

interface Bench {
  readonly turn: ToolTurn;
  readonly clock: FakeClock;
  readonly events: ToolEvent[];
  readonly late: ToolOutcome[];
  readonly runner: ToolRunner;
  interrupt(): void;
  /** Runs a round and gives `name status result`. */
  round(...calls: readonly ToolCall[]): Promise<string[]>;
}

const brief = ({ call: { name }, status, text }: ToolOutcome): string =>
  `${name} ${status}: ${unframeResult(text)}`;

function bench(tools: readonly Tool[], policy: ToolPolicy = {}): Bench {
  const clock = fakeClock();
  const runner = new ToolRunner({ policy, clock });
  const events: ToolEvent[] = [];
  const late: ToolOutcome[] = [];
  const interrupted = new AbortController();
  const turn = runner.turn({
    tools,
    turn: 3,
    conversation: 'kitchen',
    signal: interrupted.signal,
    emit: (event) => events.push(event),
    onLate: (outcome) => late.push(outcome),
  });
  return {
    turn,
    clock,
    events,
    late,
    runner,
    interrupt: () => interrupted.abort(),
    async round(...calls) {
      const outcomes: string[] = [];
      for await (const outcome of turn.run(calls)) outcomes.push(brief(outcome));
      return outcomes;
    },
  };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('the tools a model is offered', () => {
  it('are sorted by name and leave out what would be denied anyway', () => {
    const tools = [tool('b'), tool('c'), tool('a'), tool('d', undefined, { permission: 'deny' })];
    const { turn } = bench(tools, { permissions: { c: 'deny' } });
    expect(turn.offered.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(turn.offered[0]).toEqual({
      name: 'a',
      description: 'a',
      parameters: { type: 'object' },
    });
  });

  it('include a tool about which the policy decides call by call', () => {
    const { turn } = bench([tool('a', undefined, { permission: 'deny' })], {
      permissions: () => undefined,
    });
    expect(turn.offered.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('calls of one round', () => {
  it('run at most so many at a time, and end in the order of the calls', async () => {
    const running: string[] = [];
    const release: (() => void)[] = [];
    let most = 0;
    const slow = tool('slow', async ({ n }) => {
      running.push(String(n));
      most = Math.max(most, running.length);
      await new Promise<void>((resolve) => release.push(resolve));
      running.splice(running.indexOf(String(n)), 1);
      return n;
    });
    const { round } = bench([slow], { maxParallel: 2 });
    const outcomes = round(...[1, 2, 3, 4, 5].map((n) => call('slow', { n })));
    for (let n = 1; n <= 5; n += 1) {
      await settle();
      release.pop()?.();
    }
    expect(await outcomes).toEqual([1, 2, 3, 4, 5].map((n) => `slow done: ${n}`));
    expect(most).toBe(2);
  });

  it('do not disturb each other: one that fails, hangs or is unknown leaves the others alone', async () => {
    const tools = [
      tool('good', () => ({ a: 1 })),
      tool('bad', () => {
        throw new Error('no route, key sk-proj-abcdefghijklmnop0123456789');
      }),
      tool('odd', () => 10n),
      tool('hangs', never, { timeoutMs: 2000 }),
      tool('picky', () => 1, { parameters: { required: ['x'] } }),
    ];
    const { round, clock, events } = bench(tools);
    const outcomes = round(
      call('hangs'),
      call('bad'),
      call('good'),
      call('nothing'),
      call('picky'),
      call('odd'),
    );
    await settle();
    await clock.advance(2000);
    expect(await outcomes).toEqual([
      'hangs timed-out: Error: hangs gave no result in 2 seconds.',
      'bad failed: Error: no route, key [redacted]',
      'good done: {"a":1}',
      'nothing unknown: Error: There is no tool named nothing.',
      'picky invalid: Error: Wrong arguments for picky: arguments.x is missing.',
      expect.stringMatching(/^odd failed: Error: .*BigInt/),
    ]);
    expect(
      events.flatMap((event) =>
        event.type === 'tool-end' ? [[event.name, event.status, event.durationMs]] : [],
      ),
    ).toContainEqual(['hangs', 'timed-out', 2000]);
    expect(events.filter(({ type }) => type === 'tool-start')).toHaveLength(5);
    expect(events.filter(({ type }) => type === 'tool-end')).toHaveLength(6);
  });

  it('give the tool a signal that aborts with its time, and do not wait for a deaf one', async () => {
    const signals: AbortSignal[] = [];
    const deaf = tool('deaf', (_, { signal }) => {
      signals.push(signal);
      return never();
    });
    const { round, clock } = bench([deaf]);
    const outcomes = round(call('deaf'));
    await settle();
    await clock.advance(29_999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(await outcomes).toEqual([expect.stringContaining('timed-out')]);
    expect(signals[0]?.aborted).toBe(true);
  });

  it('may say that the turn shall end, or that their answer comes later', async () => {
    const hangUp = tool('hang_up', (_, { stopTurn }) => stopTurn());
    const form: Tool = defineTool({ name: 'form', description: '', parameters: {} });
    const { round, turn, events } = bench([hangUp, form, tool('later', () => answerLater)]);
    expect(await round(call('form'), call('later'))).toEqual([
      expect.stringMatching(/^form pending: Not answered yet/),
      expect.stringMatching(/^later pending:/),
    ]);
    expect(turn.stopped).toBe(false);
    expect(await round(call('hang_up'))).toEqual(['hang_up done: null']);
    expect(turn.stopped).toBe(true);
    expect(events.filter(({ type }) => type === 'tool-end')).toHaveLength(3);
  });
});

describe('permission', () => {
  const paint = tool('paint', ({ colour }) => `painted ${String(colour)}`, {
    permission: 'ask',
    parameters: { properties: { colour: { type: 'string' } }, required: ['colour'] },
  });

  it('is asked for once the arguments are known to be right, one call after the other', async () => {
    const asked: string[] = [];
    const answers: ((yes: boolean) => void)[] = [];
    const { round, events } = bench([paint], {
      approve: ({ call: { arguments: args }, tool: { name }, turn, conversation }) => {
        asked.push(`${name} ${JSON.stringify(args)} ${turn} ${conversation}`);
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    const outcomes = round(
      call('paint', { colour: 'red' }),
      call('paint', { colour: 5 }),
      call('paint', { colour: 'blue' }),
    );
    await settle();
    expect(asked).toEqual(['paint {"colour":"red"} 3 kitchen']);
    answers[0]?.(true);
    await settle();
    expect(asked).toHaveLength(2);
    answers[1]?.(false);
    expect(await outcomes).toEqual([
      'paint done: painted red',
      expect.stringContaining('paint invalid'),
      'paint denied: Error: The person did not allow this call.',
    ]);
    expect(events.map(({ type }) => type).filter((type) => /approval|decision/.test(type))).toEqual(
      ['tool-approval', 'tool-decision', 'tool-approval', 'tool-decision'],
    );
  });

  it.each([
    ['throws', () => Promise.reject(new Error('secret reason')), 'failed'],
    ['says something odd', () => 'yes' as unknown as boolean, 'answer'],
    ['says nothing', () => undefined as unknown as boolean, 'answer'],
    ['says allow: "true"', () => ({ allow: 'true' as unknown as boolean }), 'answer'],
  ] as const)('is refused when whoever is asked %s', async (_, approve, by) => {
    const ran = vi.fn();
    const { round, events } = bench([tool('paint', ran, { permission: 'ask' })], { approve });
    expect(await round(call('paint'))).toEqual([expect.stringMatching(/^paint denied: Error: /)]);
    expect(ran).not.toHaveBeenCalled();
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'tool-decision', by, allowed: false }),
    );
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('is refused when there is nobody to ask, and the model is told', async () => {
    const { round } = bench([paint]);
    expect(await round(call('paint', { colour: 'red' }))).toEqual([
      'paint denied: Error: Nobody is there who could allow this call.',
    ]);
  });

  it('is refused when the answer takes too long, and the question is taken away', async () => {
    let signal: AbortSignal | undefined;
    const { round, clock } = bench([paint], {
      approvalTimeoutMs: 5000,
      approve: (_, options) => {
        ({ signal } = options);
        return never();
      },
    });
    const outcomes = round(call('paint', { colour: 'red' }));
    await settle();
    await clock.advance(5000);
    expect(await outcomes).toEqual(['paint denied: Error: Nobody allowed this call in time.']);
    expect(signal?.aborted).toBe(true);
  });

  it('is refused by an interruption, and a late yes changes nothing', async () => {
    const ran = vi.fn();
    let answer: (yes: boolean) => void = () => undefined;
    const { round, interrupt } = bench([tool('paint', ran, { permission: 'ask' })], {
      approve: () => new Promise((resolve) => (answer = resolve)),
    });
    const outcomes = round(call('paint'), call('paint', { n: 2 }));
    await settle();
    interrupt();
    answer(true);
    expect(await outcomes).toEqual([
      'paint interrupted: Error: Not run: the person interrupted.',
      'paint interrupted: Error: Not run: the person interrupted.',
    ]);
    expect(ran).not.toHaveBeenCalled();
  });

  it('may be remembered, a yes as well as a no, for the tool and the run', async () => {
    const approve = vi
      .fn()
      .mockReturnValueOnce({ allow: true, remember: true })
      .mockReturnValueOnce({ allow: false, reason: 'not today', remember: true });
    const tools = [paint, tool('burn', undefined, { permission: 'ask' })];
    const { round, runner } = bench(tools, { approve });
    expect(
      await round(
        call('paint', { colour: 'red' }),
        call('burn'),
        call('paint', { colour: 'blue' }),
        call('burn', { n: 2 }),
      ),
    ).toEqual([
      'paint done: painted red',
      'burn denied: Error: The person did not allow this call: not today',
      'paint done: painted blue',
      'burn denied: Error: The person did not allow this call: not today',
    ]);
    const next = runner.turn({
      tools,
      turn: 4,
      conversation: 'kitchen',
      signal: new AbortController().signal,
    });
    for await (const outcome of next.run([call('paint', { colour: 'green' })]))
      expect(outcome.status).toBe('done');
    expect(approve).toHaveBeenCalledTimes(2);
  });

  it.each<[string, NonNullable<ToolPolicy['permissions']>]>([
    ['by name', { paint: 'deny' }],
    ['by a function', ({ name }) => (name === 'paint' ? 'deny' : 'allow')],
    [
      'by a function that throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['by a function that says something odd', () => 'sure' as 'allow'],
  ])('can be denied %s, without anybody being asked', async (_, permissions) => {
    const approve = vi.fn();
    const { round } = bench([paint], { permissions, approve });
    expect(await round(call('paint', { colour: 'red' }))).toEqual([
      'paint denied: Error: paint is not allowed here.',
    ]);
    expect(approve).not.toHaveBeenCalled();
  });

  it('of the policy goes before that of the tool, which goes before the rest', async () => {
    const approve = vi.fn(() => true);
    const tools = [paint, tool('plain'), tool('open', undefined, { permission: 'allow' })];
    const { round } = bench(tools, { permissions: { paint: 'allow' }, otherwise: 'ask', approve });
    await round(call('paint', { colour: 'red' }), call('open'), call('plain'));
    expect(approve).toHaveBeenCalledTimes(1);
    expect(approve).toHaveBeenCalledWith(
      expect.objectContaining({ call: expect.objectContaining({ name: 'plain' }) }),
      expect.anything(),
    );
  });
});

describe('limits', () => {
  it('tell a model once that it repeats itself, then end the turn', async () => {
    const { round, turn } = bench([tool('look')], { maxIdenticalCalls: 2 });
    const same = [
      { a: 1, b: [{ c: 2, d: 3 }] },
      { b: [{ d: 3, c: 2 }], a: 1 },
    ];
    expect(await round(...same.map((args) => call('look', args)))).toEqual([
      'look done: 1',
      'look done: 1',
    ]);
    expect(await round(call('look', same[1]), call('look', { a: 2 }))).toEqual([
      expect.stringMatching(/^look repeated: Error: Not run: you made the same call 2 times/),
      'look done: 1',
    ]);
    expect(turn.failure).toBeUndefined();
    await round(call('look', same[0]));
    expect(turn.failure).toMatchObject({ code: 'tool', details: { limit: 'maxIdenticalCalls' } });
  });

  it('take a tool away that failed in two rounds in a row, not one that failed and then worked', async () => {
    let works = false;
    const moody = tool('moody', () => {
      if (!works) throw new Error('moody');
    });
    const broken = tool('broken', () => {
      throw new Error('broken');
    });
    const { round, turn, events } = bench([moody, broken, tool('fine')]);
    await round(call('moody'), call('broken', { n: 1 }), call('broken', { n: 2 }));
    expect(turn.offered).toHaveLength(3);
    works = true;
    await round(call('moody', { n: 2 }), call('broken', { n: 3 }));
    expect(turn.offered.map(({ name }) => name)).toEqual(['fine', 'moody']);
    expect(events).toContainEqual({ type: 'tool-excluded', turn: 3, name: 'broken' });
    works = false;
    expect(await round(call('broken', { n: 4 }), call('moody', { n: 3 }))).toEqual([
      'broken excluded: Error: broken failed too often and is not available in this turn.',
      'moody failed: Error: moody',
    ]);
    expect(turn.offered.map(({ name }) => name)).toContain('moody');
  });

  it('do not run the calls of the last round, whose results nobody could use', async () => {
    const ran = vi.fn();
    const { round, turn } = bench([tool('more', ran)], { maxRounds: 2 });
    await round(call('more', { n: 1 }));
    expect(await round(call('more', { n: 2 }))).toEqual([
      'more over-limit: Error: Not run. The model asked for tools 2 times in one turn.',
    ]);
    expect(ran).toHaveBeenCalledTimes(1);
    expect(turn.failure?.details).toEqual({ limit: 'maxRounds' });
  });

  it('stop what runs when the turn is out of time, also what may finish or waits for a yes', async () => {
    const tools = [
      tool('slow', never, { whenInterrupted: 'finish', timeoutMs: Infinity }),
      tool('asked', undefined, { permission: 'ask' }),
    ];
    const policy = { turnTimeoutMs: 60_000, approvalTimeoutMs: Infinity, approve: never };
    const { round, turn, clock } = bench(tools, policy);
    const outcomes = round(call('slow'), call('asked'));
    await settle();
    await clock.advance(60_000);
    expect(await outcomes).toEqual([
      'slow timed-out: Error: The turn was out of time before there was a result.',
      'asked over-limit: Error: Not run. The turn took more than 60 seconds.',
    ]);
    expect(turn.failure?.details).toEqual({ limit: 'turnTimeoutMs' });
  });

  it('count what the model cost, and go by the price they are given', async () => {
    const price = vi.fn(
      ({ inputTokens = 0, outputTokens = 0 }) => inputTokens * 1 + outputTokens * 5,
    );
    const { round, turn } = bench([tool('a')], { maxCost: 100, price });
    turn.spend({ inputTokens: 50, outputTokens: 10 }, 'model-a');
    expect(turn.failure).toBeUndefined();
    turn.spend({ inputTokens: 1 }, 'model-b');
    expect(turn.failure).toMatchObject({ code: 'tool', details: { limit: 'maxCost' } });
    expect(price).toHaveBeenLastCalledWith({ inputTokens: 1 }, 'model-b');
    expect(await round(call('a'))).toEqual([
      'a over-limit: Error: Not run. The turn cost 101, of 100 it may.',
    ]);
  });

  it('take a price that is no number for too much', () => {
    const { turn } = bench([], { maxCost: 100, price: () => Number.NaN });
    turn.spend({}, 'm');
    expect(turn.failure).toBeDefined();
  });

  it('leave no clock behind when the turn is over', async () => {
    const { round, turn, clock } = bench([tool('a')]);
    await round(call('a'));
    turn.close();
    expect(clock.sleeping).toBe(0);
  });
});

describe('an interruption', () => {
  it('stops tools at once, except those that may finish: their result comes later, once', async () => {
    let finish: (value: string) => void = () => undefined;
    const signals: AbortSignal[] = [];
    const order = tool(
      'order',
      (_, { signal }) => {
        signals.push(signal);
        return new Promise((resolve) => (finish = resolve));
      },
      { whenInterrupted: 'finish' },
    );
    const search = tool('search', (_, { signal }) => {
      signals.push(signal);
      return never();
    });
    const { round, turn, interrupt, late, events } = bench([order, search]);
    const outcomes = round(call('order'), call('search'));
    await settle();
    interrupt();
    expect(await outcomes).toEqual([
      expect.stringMatching(/^order running: Still running/),
      'search interrupted: Error: The person interrupted before there was a result.',
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    turn.close();
    finish('ordered');
    await settle();
    expect(late.map(brief)).toEqual(['order done: ordered']);
    expect(events.filter(({ type }) => type === 'tool-end')).toHaveLength(2);
  });

  it('does not keep a tool that may finish from its own time limit, nor from the end of the run', async () => {
    const conduct = { whenInterrupted: 'finish', timeoutMs: 1000 } as const;
    const { round, turn, interrupt, late, clock, runner } = bench([tool('order', never, conduct)]);
    const outcomes = round(call('order', { n: 1 }), call('order', { n: 2 }));
    await settle();
    interrupt();
    await outcomes;
    turn.close();
    await clock.advance(1000);
    expect(late.map(({ status }) => status)).toEqual(['timed-out', 'timed-out']);

    const other = bench([tool('order', never, { whenInterrupted: 'finish' })]);
    const second = other.round(call('order'));
    await settle();
    other.interrupt();
    await second;
    other.runner.close();
    expect(other.late.map(({ status }) => status)).toEqual(['interrupted']);
    expect(other.clock.sleeping).toBe(1);
    other.turn.close();
    expect(other.clock.sleeping).toBe(0);
    runner.close();
  });

  it('at any moment leaves exactly one outcome per call, in order, and nothing running', async () => {
    const kinds = ['quick', 'slow', 'deaf', 'failing', 'asked', 'order', 'later', 'unknown'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (names, moment, maxParallel) => {
          let running = 0;
          const timed = async (ticks: number, signal: AbortSignal): Promise<number> => {
            running += 1;
            try {
              for (let tick = 0; tick < ticks; tick += 1) {
                if (signal.aborted) throw new Error('stopped');
                await Promise.resolve();
              }
              return ticks;
            } finally {
              running -= 1;
            }
          };
          const tools = [
            tool('quick', (_, { signal }) => timed(1, signal)),
            tool('slow', (_, { signal }) => timed(20, signal)),
            tool('deaf', never),
            tool('failing', async (_, { signal }) => {
              await timed(3, signal);
              throw new Error('failed');
            }),
            tool('asked', (_, { signal }) => timed(2, signal), { permission: 'ask' }),
            tool('order', (_, { signal }) => timed(30, signal), { whenInterrupted: 'finish' }),
            defineTool({ name: 'later', description: '', parameters: {} }),
          ];
          const { turn, interrupt, late, events } = bench(tools, {
            maxParallel,
            maxIdenticalCalls: 20,
            approve: async () => {
              for (let tick = 0; tick < 5; tick += 1) await Promise.resolve();
              return true;
            },
          });
          const calls = names.map((name) => call(name));
          const outcomes: ToolOutcome[] = [];
          const all = (async () => {
            for await (const outcome of turn.run(calls)) outcomes.push(outcome);
          })();
          for (let tick = 0; tick < moment; tick += 1) await Promise.resolve();
          interrupt();
          await all;
          await settle();
          await settle();
          turn.close();
          expect(outcomes.map(({ call: { id } }) => id)).toEqual(calls.map(({ id }) => id));
          const open = outcomes.filter(({ status }) => status === 'running');
          expect(late.map(({ call: { id } }) => id).sort()).toEqual(
            open.map(({ call: { id } }) => id).sort(),
          );
          expect(running).toBe(0);
          const ended = events.flatMap((event) =>
            event.type === 'tool-end' ? [event.callId] : [],
          );
          expect(ended.sort()).toEqual(calls.map(({ id }) => id).sort());
        },
      ),
      { numRuns: 150 },
    );
  });
});
