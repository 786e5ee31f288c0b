import { describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import { AntiphonError, type ErrorCode } from '../../../src/core/errors.ts';
import { fallback } from '../../../src/providers/fallback.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import { race } from '../../../src/providers/race.ts';
import { defineTool } from '../../../src/providers/tools.ts';
import { say, scripted, stop, type Step } from './scripted.ts';

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

const named = <P extends Provider>(id: string, provider: P): P => ({ ...provider, id });
const model = (id: string, ...steps: Step[]): ReturnType<typeof scripted> =>
  named(id, scripted([steps]));

/** A provider whose steps wait until they are let through; knows how often it was ended. */
function held(id: string): Provider & { go: () => void; readonly ended: () => Promise<void> } {
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    id,
    go,
    ended: () => ended,
    async *stream(_, { signal }) {
      try {
        await Promise.race([
          gate,
          new Promise((__, reject) =>
            signal.addEventListener('abort', () => reject(failure('aborted'))),
          ),
        ]);
        yield { type: 'text-delta', text: id };
        yield { type: 'finish', reason: 'stop' };
      } finally {
        end();
      }
    },
  };
}

describe('fallback', () => {
  it('asks the next one when the first fails before it said anything', async () => {
    const a = model('a', failure('provider-overloaded'));
    const b = model('b', say('Hello.'), stop);
    const failures: string[] = [];
    const provider = fallback([a, b], {
      onFailure: ({ id }, { code }) => failures.push(`${id} ${code}`),
    });
    expect(await run(provider)).toEqual({ text: 'Hello.', error: undefined });
    expect(failures).toEqual(['a provider-overloaded']);
    expect(provider.id).toBe('fallback:a,b');
  });

  it('never asks another one once something was said', async () => {
    const b = model('b', say('Hello.'), stop);
    const { text, error } = await run(
      fallback([model('a', say('Once '), failure('provider-network')), b]),
    );
    expect(text).toBe('Once ');
    expect(error).toMatchObject({ code: 'provider-network' });
    expect(b.requests).toHaveLength(0);
  });

  it('puts a broken one last for a while, and for as long as its server asked', async () => {
    let time = 1000;
    const a = named(
      'a',
      scripted([
        [failure('provider-network')],
        [failure('provider-rate-limit', { retryAfterMs: 90_000 })],
        [say('A'), stop],
      ]),
    );
    const b = model('b', say('B'), stop);
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
    const a = named('a', scripted([[failure('unsupported')], [say('A'), stop]]));
    const provider = fallback([a, model('b', say('B'), stop)]);
    expect((await run(provider)).text).toBe('B');
    expect((await run(provider)).text).toBe('A');
  });

  it('tries broken ones all the same when there is nobody else', async () => {
    const a = named('a', scripted([[failure('provider-network')], [say('A'), stop]]));
    const b = named('b', scripted([[failure('provider-network')]]));
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
    const b = model('b', say('B'), stop);
    expect((await run(fallback([model('a', failure(code)), b]))).error).toMatchObject({ code });
    expect(b.requests).toHaveLength(0);
  });

  it('offers the tools of all, the first of a name', () => {
    const tool = (description: string): ReturnType<typeof defineTool> =>
      defineTool({ name: 'clock', description, parameters: {}, execute: () => 1 });
    const with1 = { ...model('a', stop), tools: [tool('one')] };
    const with2 = { ...model('b', stop), tools: [tool('two')] };
    expect(fallback([with1, with2]).tools?.map(({ description }) => description)).toEqual(['one']);
    expect(fallback([model('a', stop)]).tools).toBeUndefined();
  });

  it('needs a provider', () => {
    expect(() => fallback([])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => race([])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('race', () => {
  it('gives the reply of the first to speak and closes the others at once', async () => {
    const [a, b, c] = [held('a'), held('b'), held('c')];
    const provider = race([a, b, c]);
    const result = run(provider, undefined, () => undefined);
    b.go();
    expect(await result).toEqual({ text: 'b', error: undefined });
    await Promise.all([a.ended(), b.ended(), c.ended()]);
  });

  it('does not mind one that fails, and names all when all do', async () => {
    const slow = held('slow');
    const result = run(race([model('a', failure('provider-auth')), slow]));
    slow.go();
    expect((await result).text).toBe('slow');
    const { error } = await run(
      race([model('a', failure('provider-auth')), model('b', failure('provider-network'))]),
    );
    expect(error?.message).toMatch(/All 2 providers failed\. .*a: .*b: /);
  });

  it('closes all when it is cancelled before anybody spoke', async () => {
    const [a, b] = [held('a'), held('b')];
    const controller = new AbortController();
    const result = run(race([a, b]), controller.signal);
    controller.abort();
    expect((await result).error).toMatchObject({ code: 'aborted' });
    await Promise.all([a.ended(), b.ended()]);
  });

  it('closes the winner when it is cancelled, or nobody reads on', async () => {
    const endless = (onHang: () => void): ReturnType<typeof scripted> =>
      scripted([[say('Once'), 'hang']], onHang);
    const controller = new AbortController();
    const winner = endless(() => queueMicrotask(() => controller.abort()));
    const { text, error } = await run(race([winner, held('b')]), controller.signal);
    expect([text, error?.code]).toEqual(['Once', 'aborted']);
    await expect.poll(() => winner.closed).toEqual([1]);
    const other = endless(() => undefined);
    const loser = held('c');
    for await (const part of race([other, loser]).stream(request, {
      signal: new AbortController().signal,
    }))
      if (part.type === 'text-delta') break;
    await loser.ended();
    await expect.poll(() => other.closed).toEqual([1]);
  });
});
