import { describe, expect, it } from 'vitest';
import { messageText, textMessage } from '../../../src/core/element.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { schemaProblems } from '../../../src/providers/json-schema.ts';
import {
  toolLoop,
  type ToolLoopOptions,
  type ToolLoopPart,
} from '../../../src/providers/tool-loop.ts';
import { unframeResult } from '../../../src/providers/tool-result.ts';
import { ToolRunner } from '../../../src/providers/tool-runner.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import type { StandardSchema, Tool, ToolContext } from '../../../src/providers/tools.ts';
import { reply, scriptedProvider } from '../../../src/testing/index.ts';

const context = (signal = new AbortController().signal): ToolContext => ({
  signal,
  turn: 1,
  callId: 'c',
  conversation: 'test',
  stopTurn: () => undefined,
});

describe('argument validation', () => {
  const schema = {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 2, pattern: '^[A-Z]' },
      days: { type: 'integer', minimum: 1, maximum: 7 },
      unit: { enum: ['C', 'F'] },
      tags: { type: 'array', items: { type: ['string', 'null'] }, maxItems: 2 },
      spot: { anyOf: [{ type: 'number' }, { type: 'object', required: ['lat'] }] },
      one: { oneOf: [{ type: 'number' }, { minimum: 3 }] },
    },
    required: ['city'],
    additionalProperties: false,
  };
  it.each([
    [{ city: 'Rome' }, []],
    [{ city: 'Rome', days: 7, unit: 'C', tags: ['a', null], spot: { lat: 1 } }, []],
    [{}, ['arguments.city is missing']],
    ['Rome', ['arguments must be object, not string']],
    [null, ['arguments must be object, not null']],
    [{ city: 'R' }, ['arguments.city must have a length of at least 2']],
    [{ city: 'rome' }, ['arguments.city must match ^[A-Z]']],
    [{ city: 'Rome', days: 1.5 }, ['arguments.days must be integer, not number']],
    [{ city: 'Rome', days: 8 }, ['arguments.days must be at most 7']],
    [{ city: 'Rome', unit: 'K' }, ['arguments.unit must be one of ["C","F"]']],
    [{ city: 'Rome', tags: [1] }, ['arguments.tags[0] must be string or null, not number']],
    [{ city: 'Rome', tags: ['a', 'b', 'c'] }, ['arguments.tags must have a length of at most 2']],
    [{ city: 'Rome', spot: {} }, ['arguments.spot must fit one of 2 schemas']],
    [{ city: 'Rome', one: 4 }, ['arguments.one must fit exactly one of 2 schemas']],
    [{ city: 'Rome', zip: 1 }, ['arguments.zip is not known']],
  ])('%j → %j', (value, problems) => {
    expect([...schemaProblems(schema, value)]).toEqual(problems);
  });
});

describe('defineTool', () => {
  it('runs with checked arguments only, and says what is wrong with others', async () => {
    const tool = defineTool<{ n: number }>({
      name: 'double',
      description: 'Doubles.',
      parameters: { properties: { n: { type: 'number' } }, required: ['n'] },
      execute: ({ n }) => n * 2,
    });
    expect(tool.parameters['type']).toBe('object');
    expect(await tool.execute({ n: 4 }, context())).toBe(8);
    await expect(tool.execute({ n: '4' }, context())).rejects.toMatchObject({
      code: 'tool',
      message: 'Wrong arguments for double: arguments.n must be number, not string.',
    });
  });

  it('takes a standard schema, its output and its complaints', async () => {
    const schema: StandardSchema<{ n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => {
          const n = Number((value as { n?: unknown }).n);
          return Number.isNaN(n)
            ? { issues: [{ message: 'no number', path: ['n'] }] }
            : { value: { n } };
        },
        jsonSchema: { input: () => ({ type: 'object', properties: { n: {} } }) },
      },
    };
    const tool = defineTool({
      name: 'double',
      description: '',
      parameters: schema,
      execute: ({ n }) => n * 2,
    });
    expect(tool.parameters).toEqual({ type: 'object', properties: { n: {} } });
    expect(await tool.execute({ n: '4' }, context())).toBe(8);
    await expect(tool.execute({ n: 'x' }, context())).rejects.toMatchObject({
      message: 'Wrong arguments for double: n: no number.',
    });
  });

  it('refuses names vendors refuse, and schemas nobody could show a model', () => {
    const bad = (): Tool =>
      defineTool({ name: 'no spaces', description: '', parameters: {}, execute: () => 1 });
    expect(bad).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    const bare: StandardSchema = {
      '~standard': { version: 1, vendor: 'bare', validate: (value) => ({ value }) },
    };
    expect(() =>
      defineTool({ name: 'x', description: '', parameters: bare, execute: () => 1 }),
    ).toThrow(/JSON Schema/);
    expect(
      defineTool({ name: 'x', description: '', parameters: bare, jsonSchema: {}, execute: () => 1 })
        .parameters,
    ).toEqual({ type: 'object' });
  });
});

/** Runs a turn and collects what it streams. */
async function run(
  provider: Provider,
  tools: readonly Tool[],
  options: Partial<ToolLoopOptions> = {},
): Promise<ToolLoopPart[]> {
  const parts: ToolLoopPart[] = [];
  const request = { system: '', messages: [textMessage('user', 'Go')] };
  const signal = new AbortController().signal;
  for await (const part of toolLoop({
    provider,
    tools,
    request,
    signal,
    turn: 1,
    conversation: 'test',
    ...options,
  }))
    parts.push(part);
  return parts;
}

const texts = (parts: readonly ToolLoopPart[]): string =>
  parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');

describe('the tool loop', () => {
  it('feeds results back in the order of the calls, though tools run in parallel', async () => {
    let release: (value: string) => void = () => undefined;
    const slow = defineTool({
      name: 'slow',
      description: '',
      parameters: {},
      execute: () => new Promise<string>((resolve) => (release = resolve)),
    });
    const fast = defineTool({
      name: 'fast',
      description: '',
      parameters: {},
      execute: () => release('slow done'),
    });
    const provider = scriptedProvider([
      ['Let me see.', reply.call('slow'), reply.call('fast')],
      ['Done.'],
    ]);
    const parts = await run(provider, [slow, fast]);
    expect(texts(parts)).toBe('Let me see. Done.');
    expect(
      parts.flatMap((part) => (part.type === 'tool-result' ? [part.outcome.call.name] : [])),
    ).toEqual(['slow', 'fast']);
    expect(
      provider.requests[1]?.messages.map((message) => [
        message.role,
        unframeResult(messageText(message)),
      ]),
    ).toEqual([
      ['user', 'Go'],
      ['assistant', 'Let me see.'],
      ['tool', 'slow done'],
      ['tool', 'null'],
    ]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
  });

  it('turns failures, wrong arguments and unknown tools into error results the model can read', async () => {
    const broken = defineTool({
      name: 'broken',
      description: '',
      parameters: {},
      execute: () => {
        throw new Error('no route');
      },
    });
    const strict = defineTool({
      name: 'strict',
      description: '',
      parameters: { required: ['x'] },
      execute: () => 1,
    });
    const provider = scriptedProvider([
      [reply.call('broken'), reply.call('strict', 'not json{'), reply.call('missing')],
      ['Sorry.'],
    ]);
    const parts = await run(provider, [broken, strict]);
    expect(
      parts.flatMap((part) =>
        part.type === 'tool-result' ? [[part.outcome.isError, part.outcome.result]] : [],
      ),
    ).toEqual([
      [true, 'no route'],
      [true, 'Wrong arguments for strict: arguments must be object, not string.'],
      [true, 'There is no tool named missing.'],
    ]);
    expect(provider.requests[1]?.messages.slice(2).map(messageText).map(unframeResult)).toEqual([
      'Error: no route',
      expect.stringMatching(/^Error: Wrong/),
      expect.stringMatching(/^Error: There/),
    ]);
  });

  it('stops a model that never stops asking', async () => {
    const tool = defineTool({ name: 'more', description: '', parameters: {}, execute: () => 1 });
    const provider = scriptedProvider([[reply.call('more')]], { repeat: true });
    await expect(
      run(provider, [tool], {
        runner: new ToolRunner({ policy: { maxRounds: 3 } }),
      }),
    ).rejects.toMatchObject({ code: 'tool' });
    expect(provider.requests).toHaveLength(3);
  });

  it('gives up at once when the turn is interrupted, however deaf tool and provider are', async () => {
    const controller = new AbortController();
    const deaf = defineTool({
      name: 'deaf',
      description: '',
      parameters: {},
      execute: (_, { signal }) => {
        expect(signal.aborted).toBe(false);
        queueMicrotask(() => controller.abort());
        return new Promise(() => undefined);
      },
    });
    await expect(
      run(scriptedProvider([[reply.call('deaf')]]), [deaf], { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'aborted' });
    const stuck: Provider = {
      id: 'stuck',
      stream: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
      }),
    };
    const second = new AbortController();
    const waiting = run(stuck, [], { signal: second.signal });
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });

  it('adds up the usage of all rounds', async () => {
    const tool = defineTool({ name: 'more', description: '', parameters: {}, execute: () => 1 });
    const usage = { inputTokens: 10, outputTokens: 1 };
    const provider = scriptedProvider([
      [reply.call('more'), { type: 'finish', reason: 'tool-calls', usage }],
      ['x', { type: 'finish', reason: 'stop', usage }],
    ]);
    expect((await run(provider, [tool])).at(-1)).toMatchObject({
      usage: { inputTokens: 20, outputTokens: 2 },
    });
  });
});
