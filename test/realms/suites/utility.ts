/** The utility family. */
import { expect, it } from 'vitest';
import { element, textMessage } from '../../../src/core/element.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { brief, text } from '../brief.ts';
import type { Realm } from '../realm.ts';
import { forgetStores, mediaStoreNamed } from '../stores.ts';

/** Registers the cases. */
export function utility(realm: Realm): void {
  const make = elements();

  it('tap looks on, and drops only what it is told to', async () => {
    const { outputs } = await realm.run('tap', { drop: ['error'] }, [
      text('a'),
      make.error('stage', 'odd'),
      make.turnEnd(),
    ]);
    expect(brief(outputs)).toEqual(['text a', 'turn-end', 'end']);
  });

  it('debug passes everything on, also when its log fails', async () => {
    const { outputs, events } = await realm.run('debug', { fails: true }, [text('a'), text('b')]);
    expect(brief(outputs)).toEqual(['text a', 'text b', 'end']);
    expect(events).toMatchObject([{ type: 'debug-failed', detail: { message: 'no log' } }]);
  });

  it('rate limit refuses what is too much, never control', async () => {
    const { outputs, errors } = await realm.run(
      'rateLimit',
      { perSecond: 0.001, burst: 2, mode: 'error' },
      [make.user('a'), make.user('b'), make.user('c'), make.turnEnd()],
    );
    expect(brief(outputs)).toEqual(['message a', 'message b', 'error stage', 'turn-end', 'end']);
    expect(errors).toMatchObject([{ retryable: true, details: { kind: 'message' } }]);
  });

  it('rate limit that waits lets an interrupted text go', async () => {
    const { outputs } = await realm.run(
      'rateLimit',
      { perSecond: 0.001, burst: 1, mode: 'wait', kinds: ['text'] },
      [text('a'), text('b'), make.user('c')],
      { interrupt: { on: 1 } },
    );
    expect(brief(outputs)).toEqual(['text a', 'interrupt', 'message c', 'end']);
  });

  it('media externalizer leaves references to what is stored', async () => {
    const store = crypto.randomUUID();
    try {
      const data = Uint8Array.from({ length: 5000 }, (_, index) => index & 255);
      const message = {
        ...textMessage('user', 'See'),
        parts: [{ type: 'image', mediaType: 'image/png', data }] as const,
      };
      const { outputs, events, errors } = await realm.run(
        'mediaExternalizer',
        { store, maxInlineBytes: 1000 },
        [
          element('message', { message, turn: 1 }),
          make.turnEnd(),
          element('media', { mediaType: 'image/png', data: data.slice(), turn: 2 }),
        ],
      );
      expect(errors).toEqual([]);
      const [part] = only(outputs, 'message')[0]?.message.parts ?? [];
      const [live] = only(outputs, 'media');
      const reference = part && 'data' in part ? part.data : '';
      expect(reference).toMatch(/^ni:\/\/\/sha-256;[\w-]{43}\?ct=image\/png$/);
      expect(live?.data).toBe(reference);
      expect(outputs.map(({ kind }) => kind)).toEqual(['message', 'turn-end', 'media', 'end']);
      expect(events.map(({ type }) => type)).toEqual(['media-stored', 'media-stored']);
      expect(await mediaStoreNamed(store).get(String(reference))).toEqual(data);
    } finally {
      forgetStores(store);
    }
  });
}
