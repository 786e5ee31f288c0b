/** Replies of all protocols, cut into chunks anywhere or damaged anywhere. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textMessage } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import { anthropic } from '../../src/providers/anthropic.ts';
import { gemini } from '../../src/providers/gemini.ts';
import { openAICompatible } from '../../src/providers/openai-compatible.ts';
import { openAIResponses } from '../../src/providers/openai-responses.ts';
import type { ProviderPart } from '../../src/providers/provider.ts';
import type { Vendor } from '../providers/scenario.ts';
import { vendors } from '../providers/scenario.ts';
import { framesOf } from '../providers/scenario-server.ts';
import { runs } from './runs.ts';

const make = { chat: openAICompatible, responses: openAIResponses, anthropic, gemini };

const spoken = {
  reasoning: ['Hm…'],
  text: ['Grüße, ', '世界 🌍'],
  calls: [{ id: 'c', name: 'f', arguments: { s: 'é' } }],
  usage: { input: 1, output: 2 },
  fragmentLength: 3,
};

/** What a provider makes of these chunks; errors as their code. */
async function read(
  vendor: Vendor,
  chunks: readonly Uint8Array<ArrayBuffer>[],
): Promise<(ProviderPart | string)[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const provider = make[vendor]({
    baseURL: 'http://127.0.0.1/v1',
    model: 'm',
    retry: { attempts: 1 },
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  });
  const parts: (ProviderPart | string)[] = [];
  const request = { system: '', messages: [textMessage('user', 'Hi')], tools: [] };
  try {
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      parts.push(part);
  } catch (error) {
    if (!AntiphonError.is(error)) throw error;
    parts.push(error.code);
  }
  return parts;
}

function cut(bytes: Uint8Array<ArrayBuffer>, at: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const edges = [0, ...at.toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge));
}

describe.each(vendors)('a reply of %s', (vendor) => {
  const frames = framesOf(vendor, spoken).join('');
  // Half of the line ends are CRLF, and comments stand where idle servers put them.
  const mixed = `:\r\n\r\n${frames.replaceAll(/\n\n(?=data|event)/g, '\r\n\r\n: idle\n\n')}`;
  const bytes = new TextEncoder().encode(mixed);

  it('means the same wherever it is cut in two', async () => {
    const whole = await read(vendor, [bytes]);
    expect(whole.at(-1)).toMatchObject({ type: 'finish', reason: 'tool-calls' });
    for (let at = 1; at < bytes.length; at += 1)
      expect(await read(vendor, cut(bytes, [at]))).toEqual(whole);
  });

  it('means the same however it is cut', async () => {
    const whole = await read(vendor, [bytes]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 60 }),
        async (at) => {
          expect(await read(vendor, cut(bytes, at))).toEqual(whole);
        },
      ),
      runs(),
    );
  });

  it('ends with a finish or a typed error whatever is damaged, and never says more than was said', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ at: fc.nat(bytes.length - 1), byte: fc.integer({ min: 0, max: 255 }) }),
          { minLength: 1, maxLength: 5 },
        ),
        fc.nat(bytes.length),
        async (damages, length) => {
          const damaged = bytes.slice(0, length);
          for (const { at, byte } of damages) if (at < length) damaged[at] = byte;
          const parts = await read(vendor, [damaged]);
          const last = parts.at(-1);
          if (typeof last === 'string')
            expect(last).toMatch(/^(?:provider-|context-length|content-filter)/);
          else expect(last).toMatchObject({ type: 'finish' });
          expect(parts.length).toBeLessThan(12);
        },
      ),
      runs(),
    );
  });
});
