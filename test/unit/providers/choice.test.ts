import { describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import { AntiphonError, type ErrorCode } from '../../../src/core/errors.ts';
import { fallback } from '../../../src/providers/fallback.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import { race } from '../../../src/providers/race.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { gate, reply, scriptedProvider, type Gate } from '../../../src/testing/index.ts';
import type { ReplyStep, ScriptedProvider } from '../../../src/testing/index.ts';

const request: ProviderRequest = { system: '', messages: [textMessage('user', 'Hi')], tools: [] };
const failure = (code: ErrorCode, details: Record<string, unknown> = {}): AntiphonError =>
  new AntiphonError(code, `${code} happened.`, { hint: 'Do something.', details });

async function run(
  provider: Provider,
  signal: AbortSignal = new AbortController().signal,
  onPart: (part: ProviderPart) => void = () => undefined,
): Promise<{ text: string; error: AntiphonError | undefined }> {
  let text = '';
  try {
    for await (const part of provider.stream(request, { signal })) {
      if (part.type === 'text-delta') text += part.text;
      onPart(part);
    }
    return { text, error: undefined };
  } catch (error) {
    return { text, error: error as AntiphonError };
  }
}

const model = (id: string, ...steps: ReplyStep[]): ScriptedProvider =>
  scriptedProvider([steps], { id, repeat: true });
const models = (id: string, ...scripts: ReplyStep[][]): ScriptedProvider =>
  scriptedProvider(scripts, { id, repeat: true });

/** A provider that says its name once its gate is open. */
function held(id: string): { readonly provider: ScriptedProvider; readonly gate: Gate } {
  const waiting = gate();
  return { provider: model(id, reply.gate(waiting), reply.text(id)), gate: waiting };
}

const closed = (provider: ScriptedProvider): Promise<void> =>
  expect.poll(() => provider.calls.map((call) => call.closed)).toEqual([true]);

describe('fallback', () => {
  it('asks the next one when the first fails before it said anything', async () => {
    const a = model('a', failure('provider-overloaded'));
    const b = model('b', reply.text('Hello.'));
    const failures: string[] = [];
    const provider = fallback([a, b], {
      onFailure: ({ id }, { code }) => failures.push(`${id} ${code}`),
    });
    expect(await run(provider)).toEqual({ text: 'Hello.', error: undefined });
    expect(failures).toEqual(['a provider-overloaded']);
    expect(provider.id).toBe('fallback:a,b');
  });

  it.each([
    ['fallback', fallback],
    ['race', race],
  ])(
    '%s asks a model that calls no tools without those the others bring along',
    async (_, choose) => {
      const bare: ScriptedProvider & { takesTools: boolean } = Object.assign(
        model('bare', reply.text('Hello.')),
        { takesTools: false },
      );
      const own = defineTool({ name: 'clock', description: 'The time.', parameters: {} });
      const handy = Object.assign(model('handy', failure('provider-network')), { tools: [own] });
      const provider = choose([bare, handy]);
      const [clock] = provider.tools ?? [];
      const other = { name: 'door', description: 'Opens it.', parameters: {} };
      const { signal } = new AbortController();
      for (const tools of [[clock!], [clock!, other]])
        for await (const part of provider.stream({ ...request, tools }, { signal })) void part;
      expect(bare.calls.map((call) => call.request.tools.map(({ name }) => name))).toEqual([
        [],
        // What the caller gave is not kept from anybody: who can't take it says so.
        ['door'],
      ]);
    },
  );

  it('never asks another one once something was said', async () => {
    const b = model('b', reply.text('Hello.'));
    const { text, error } = await run(
      fallback([model('a', reply.text('Once '), failure('provider-network')), b]),
    );
    expect(text).toBe('Once ');
    expect(error).toMatchObject({ code: 'provider-network' });
    expect(b.requests).toHaveLength(0);
  });

  it('puts a broken one last for a while, and for as long as its server asked', async () => {
    let time = 1000;
    const a = models(
      'a',
      [failure('provider-network')],
      [failure('provider-rate-limit', { retryAfterMs: 90_000 })],
      [reply.text('A')],
    );
    const b = model('b', reply.text('B'));
    const provider = fallback([a, b], { rememberMs: 10_000, now: () => time });
    const texts: string[] = [];
    for (const elapsed of [0, 9999, 2, 50_000, 40_001]) {
      time += elapsed;
      texts.push((await run(provider)).text);
    }
    expect(texts).toEqual(['B', 'B', 'B', 'B', 'A']);
    expect(a.requests).toHaveLength(3);
  });

  it('does not hold a request against the one that could not take it', async () => {
    const a = models('a', [failure('unsupported')], [reply.text('A')]);
    const provider = fallback([a, model('b', reply.text('B'))]);
    expect((await run(provider)).text).toBe('B');
    expect((await run(provider)).text).toBe('A');
  });

  it('tries broken ones all the same when there is nobody else', async () => {
    const a = models('a', [failure('provider-network')], [reply.text('A')]);
    const b = models('b', [failure('provider-network')]);
    const provider = fallback([a, b]);
    expect((await run(provider)).error).toBeDefined();
    expect((await run(provider)).text).toBe('A');
  });

  it('names all causes when nobody answers; one alone throws its own', async () => {
    const a = model('a', failure('provider-auth', { status: 401 }));
    const b = model('b', failure('provider-timeout'));
    expect((await run(fallback([a, b]))).error).toMatchObject({
      code: 'provider-timeout',
      message: 'All 2 providers failed. a: provider-auth happened. b: provider-timeout happened.',
      details: {
        causes: [
          { provider: 'a', code: 'provider-auth', details: { status: 401 } },
          { provider: 'b', code: 'provider-timeout' },
        ],
      },
    });
    expect((await run(fallback([a]))).error?.message).toBe('provider-auth happened.');
  });

  it.each(['content-filter', 'aborted'] as const)('lets %s stand', async (code) => {
    const b = model('b', reply.text('B'));
    expect((await run(fallback([model('a', failure(code)), b]))).error).toMatchObject({ code });
    expect(b.requests).toHaveLength(0);
  });

  it('offers the tools of all, the first of a name', () => {
    const tool = (description: string): ReturnType<typeof defineTool> =>
      defineTool({ name: 'clock', description, parameters: {}, execute: () => 1 });
    const with1 = { ...model('a'), tools: [tool('one')] };
    const with2 = { ...model('b'), tools: [tool('two')] };
    expect(fallback([with1, with2]).tools?.map(({ description }) => description)).toEqual(['one']);
    expect(fallback([model('a')]).tools).toBeUndefined();
  });

  it('needs a provider', () => {
    expect(() => fallback([])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => race([])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('race', () => {
  it('gives the reply of the first to speak and closes the others at once', async () => {
    const racers = [held('a'), held('b'), held('c')];
    const result = run(race(racers.map(({ provider }) => provider)));
    racers[1]!.gate.open();
    expect(await result).toEqual({ text: 'b', error: undefined });
    for (const { provider } of racers) await closed(provider);
  });

  it('does not mind one that fails, and names all when all do', async () => {
    const slow = held('slow');
    const result = run(race([model('a', failure('provider-auth')), slow.provider]));
    slow.gate.open();
    expect((await result).text).toBe('slow');
    const { error } = await run(
      race([model('a', failure('provider-auth')), model('b', failure('provider-network'))]),
    );
    expect(error?.message).toMatch(/All 2 providers failed\. .*a: .*b: /);
  });

  it('closes all when it is cancelled before anybody spoke', async () => {
    const racers = [held('a'), held('b')];
    const controller = new AbortController();
    const result = run(race(racers.map(({ provider }) => provider)), controller.signal);
    controller.abort();
    expect((await result).error).toMatchObject({ code: 'aborted' });
    for (const { provider } of racers) await closed(provider);
  });

  it('closes the winner when it is cancelled, or nobody reads on', async () => {
    const controller = new AbortController();
    const winner = model('a', reply.text('Once'), reply.hang);
    const { text, error } = await run(race([winner, held('b').provider]), controller.signal, () =>
      controller.abort(),
    );
    expect([text, error?.code]).toEqual(['Once', 'aborted']);
    await closed(winner);
    const left = model('a', reply.text('Once'), reply.hang);
    const loser = held('c').provider;
    for await (const part of race([left, loser]).stream(request, {
      signal: new AbortController().signal,
    }))
      if (part.type === 'text-delta') break;
    for (const provider of [left, loser]) await closed(provider);
  });
});
