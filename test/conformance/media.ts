/** Media apart from the conversation, several speakers, stages that compete: §9.9, §10.4, §14.11, §14.12. */
import { expect } from 'vitest';
import {
  element,
  messageText,
  textMessage,
  type Message,
  type StreamElement,
} from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import { generate, transform } from '../../src/core/stage/define-stage.ts';
import type { Stage } from '../../src/core/stage/stage.ts';
import { ProviderStage } from '../../src/stages/conversation/provider-stage.ts';
import { compete } from '../../src/stages/flow/compete.ts';
import { speakerTracks } from '../../src/stages/streaming/speaker-tracks.ts';
import { STTStage } from '../../src/stages/streaming/stt-stage.ts';
import { AudioTurnStage } from '../../src/stages/streaming/audio-turn-stage.ts';
import { MediaExternalizerStage } from '../../src/stages/utility/media-externalizer-stage.ts';
import { parseMediaReference } from '../../src/state/media-reference.ts';
import type { MediaStore } from '../../src/state/media-store.ts';
import { memoryMediaStore } from '../../src/state/memory-media-store.ts';
import {
  elements,
  gate,
  only,
  scriptedProvider,
  scriptedRecognizer,
  scriptedVad,
} from '../../src/testing/index.ts';
import { text } from '../unit/core/pipeline/helpers.ts';
import { live, once } from './play.ts';
import { differs, same, type Area, type Row } from './row.ts';

const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(7);

const picture = (...data: readonly (Uint8Array<ArrayBuffer> | string)[]): Message => ({
  ...textMessage('user', ''),
  parts: data.map((each) => ({ type: 'image', mediaType: 'image/png', data: each })),
});

const said = (message: Message, turn = 1): StreamElement => element('message', { message, turn });

const externalizer = (store: MediaStore): Stage =>
  new MediaExternalizerStage({ store, maxInlineBytes: 100 });

/** What is in the place of each medium: a reference, bytes, or another URL. */
const places = (outputs: Iterable<StreamElement>): string[] =>
  [...outputs].flatMap((one) => {
    const parts = one.kind === 'message' ? one.message.parts : one.kind === 'media' ? [one] : [];
    return parts.flatMap((part) => {
      if (!('data' in part)) return [];
      if (typeof part.data !== 'string') return `${part.data.length} bytes`;
      return parseMediaReference(part.data) ? 'reference' : part.data;
    });
  });

const full = (): MediaStore => ({
  ...memoryMediaStore(),
  put: (data, ...rest) =>
    data.length > 1000
      ? Promise.reject(new AntiphonError('storage-full', 'full'))
      : memoryMediaStore().put(data, ...rest),
});

const mediaRows: readonly Row[] = [
  same(
    'media.stored',
    '§9.9, §14.11 MediaExternalizer',
    'What is larger than the bound goes to the store and leaves a reference; what is not stays inside.',
    async () => {
      const store = memoryMediaStore();
      const outputs = await once([externalizer(store)], [said(picture(bytes(101), bytes(100)))]);
      expect(places(outputs)).toEqual(['reference', '100 bytes']);
      expect(await store.list()).toMatchObject([{ byteLength: 101 }]);
    },
  ),
  same(
    'media.skipped',
    '§9.9',
    'What is a reference already, or an ordinary URL, is left alone; so messages may pass twice.',
    async () => {
      const stages = [externalizer(memoryMediaStore())];
      const outputs = await once(stages, [said(picture(bytes(500), 'https://a.b/c.png'))]);
      expect(places(outputs)).toEqual(['reference', 'https://a.b/c.png']);
      expect(await once(stages, outputs)).toEqual(outputs);
    },
  ),
  same(
    'media.short-lived',
    '§9.9 file paths are always stored',
    'What would mean nothing once the page is closed, a `blob:` URL, is stored whatever its size.',
    async () => {
      const url = URL.createObjectURL(new Blob([bytes(3)]));
      expect(places(await once([externalizer(memoryMediaStore())], [said(picture(url))]))).toEqual([
        'reference',
      ]);
    },
  ),
  differs(
    'media.failure',
    '§9.9',
    'What can’t be stored stays inside its message, behind an `error` element; the other media of the message are stored.',
    'In the seed the first failure leaves the rest of the message untried.',
    async () => {
      const outputs = await once(
        [externalizer(full())],
        [said(picture(bytes(2000), bytes(500))), element('turn-end', { turn: 1 })],
      );
      expect(outputs.map(({ kind }) => kind)).toEqual(['error', 'message', 'turn-end']);
      expect(places(outputs)).toEqual(['2000 bytes', 'reference']);
    },
  ),
  differs(
    'media.copied',
    '§9.9 [C]',
    'A message is copied, never changed: another branch still has its bytes.',
    'The seed changes the message that other branches share.',
    async () => {
      const message = picture(bytes(500));
      await once([externalizer(memoryMediaStore())], [said(message)]);
      expect(message.parts[0]).toMatchObject({ data: bytes(500) });
    },
  ),
  differs(
    'media.live',
    '§9.9',
    'Live `media` elements go out as well as parts of messages.',
    'The seed looks at messages only.',
    async () => {
      const frame = element('media', { mediaType: 'image/jpeg', data: bytes(500), turn: 1 });
      expect(places(await once([externalizer(memoryMediaStore())], [frame]))).toEqual([
        'reference',
      ]);
    },
  ),
  differs(
    'media.model',
    '§2.2 ensureLoaded',
    'The model gets the bytes of every reference it is shown, of this run and of stored history; what is gone is said in words.',
    'In the seed each stage that needs media has to load it.',
    async () => {
      const store = memoryMediaStore();
      const gone = `ni:///sha-256;${'x'.repeat(43)}?ct=image/png`;
      const provider = scriptedProvider(['I see.']);
      await once(
        [externalizer(store), new ProviderStage({ provider })],
        [said(picture(bytes(500), gone)), element('turn-end', { turn: 1 })],
      );
      const shown = provider.requests[0]?.messages[0]?.parts;
      expect(shown).toMatchObject([
        { data: bytes(500) },
        { type: 'text', text: '[image: no longer available]' },
      ]);
    },
  ),
  differs(
    'media.flows',
    '§9.9',
    'While media is stored, microphone audio and the signs of speech go on; a turn’s end stays behind its message.',
    'The seed’s stage stores in line.',
    async () => {
      const stored = gate();
      const good = memoryMediaStore();
      const slow: MediaStore = {
        ...good,
        put: async (...args) => {
          await stored.pass();
          return good.put(...args);
        },
      };
      const session = live([externalizer(slow)]);
      const make = elements({ turn: 2 });
      session.push(
        said(picture(bytes(500))),
        element('turn-end', { turn: 1 }),
        make.speechStart(),
        make.audio(new Float32Array(512)),
      );
      await session.untilKind('audio');
      expect(session.outputs.map(({ kind }) => kind)).toEqual(['speech-start', 'audio']);
      stored.open();
      const rest = (await session.end()).slice(2).map(({ kind }) => kind);
      expect(rest).toEqual(['message', 'turn-end', 'end']);
    },
  ),
  same(
    'media.interrupt',
    '§14.11 MediaExternalizer cancellation',
    'An interrupt of its turn lets a message go at once, with the media inside.',
    async () => {
      const never = gate();
      const store = { ...memoryMediaStore(), put: () => never.pass().then(() => '') };
      const session = live([externalizer(store)]);
      session.push(said(picture(bytes(500))));
      await never.reached;
      session.run.interrupt(1);
      await session.untilKind('message');
      expect(places(session.outputs)).toEqual(['500 bytes']);
      await session.close();
    },
  ),
];

/** A track that says these things, as a source. */
const script = (...steps: readonly StreamElement[]): Stage =>
  generate({
    name: 'script',
    emits: ['message', 'turn-end'],
    async *generate() {
      yield* steps as never[];
    },
  });

const turn = (words: string, number = 1): StreamElement[] => [
  said(textMessage('user', words), number),
  element('turn-end', { turn: number }),
];

const texts = (outputs: Iterable<StreamElement>): string[] =>
  only(outputs, 'message').map(({ message }) => messageText(message));

const spoken = (source: string): StreamElement[] =>
  elements()
    .probabilities([320, 0.01], [640, 0.95], [1280, 0.01])
    .map((one) => ({ ...one, source }));

const ears = (words: string): { readonly stages: readonly Stage[] } => ({
  stages: [
    new AudioTurnStage({ vad: scriptedVad() }),
    new STTStage({ recognizer: scriptedRecognizer([words], { interims: 'none' }) }),
  ],
});

const trackRows: readonly Row[] = [
  same(
    'tracks.routed',
    '§10.4, §14.12 multi-track',
    'Audio goes to the track its source names; that of nobody is dropped, and told.',
    async () => {
      const session = live([speakerTracks({ ann: ears('from ann'), ben: ears('from ben') })]);
      session.push(...spoken('ann'), ...spoken('ben'), ...spoken('cid'));
      const outputs = await session.end();
      expect(texts(outputs)).toEqual(['ann: from ann', 'ben: from ben']);
      expect(session.events.filter(({ type }) => type === 'track-unknown')).toMatchObject([
        { detail: { source: 'cid' } },
      ]);
    },
  ),
  same(
    'tracks.labelled',
    '§10.4 “LABEL: text”',
    'A message says who spoke, to the model in its text and to stages in `meta.speaker`.',
    async () => {
      const outputs = await once(
        [speakerTracks({ ann: { stages: [script(...turn('Hello'))], speaker: 'Ann' } })],
        [],
      );
      expect(only(outputs, 'message')).toMatchObject([
        { meta: { speaker: 'ann' }, source: 'ann/script' },
      ]);
      expect(texts(outputs)).toEqual(['Ann: Hello']);
    },
  ),
  same(
    'tracks.answered',
    '§14.12 agent fires per turn',
    'The agent answers each turn of any track, in the session and not at its end.',
    async () => {
      const provider = scriptedProvider(['One.', 'Two.'], { repeat: true });
      const session = live([
        speakerTracks({ ann: ears('hi'), ben: ears('ho') }),
        new ProviderStage({ provider }),
      ]);
      session.push(...spoken('ann'));
      await session.until((all) => texts(all).includes('One.'));
      session.push(...spoken('ben'));
      await session.until((all) => texts(all).includes('Two.'));
      expect(texts(await session.end())).toEqual(['ann: hi', 'One.', 'ben: ho', 'Two.']);
    },
  ),
  differs(
    'tracks.control',
    '§10.4 control is broadcast to every track',
    'What is no audio, control too, passes by the tracks, once.',
    'Broadcast control comes out as often as there are tracks, and each would end the turn.',
    async () => {
      const tracks = speakerTracks({ ann: ears('x'), ben: ears('y') });
      const outputs = await once([tracks], turn('typed', 3));
      expect(outputs.map(({ kind }) => kind)).toEqual(['message', 'turn-end']);
    },
  ),
  differs(
    'tracks.end',
    '§12.9 multi-track',
    'The end of one track, or its failure, does not end the others.',
    'In the seed the first track’s end of stream ends the model, and the other’s last turn is lost.',
    async () => {
      const broken = generate({
        name: 'broken',
        emits: ['message'],
        async *generate() {
          yield said(textMessage('user', 'last words')) as never;
          throw new AntiphonError('microphone-ended', 'unplugged');
        },
      });
      const outputs = await once(
        [
          speakerTracks({
            broken: { stages: [broken] },
            short: { stages: [script(...turn('short'))] },
            long: { stages: [script(...turn('one'), ...turn('two', 2), ...turn('three', 3))] },
          }),
        ],
        [],
      );
      expect(texts(outputs)).toEqual(
        expect.arrayContaining(['short: short', 'long: one', 'long: two', 'long: three']),
      );
      expect(only(outputs, 'error')).toMatchObject([{ error: { code: 'microphone-ended' } }]);
    },
  ),
  differs(
    'tracks.turns',
    '§10.4',
    'Turns of all tracks share one counter; each number is used once, and turns end in rising order.',
    'In the seed elements of tracks have no turns.',
    async () => {
      const outputs = await once(
        [
          speakerTracks({
            a: { stages: [script(...turn('1'), ...turn('2', 2))] },
            b: { stages: [script(...turn('1'), ...turn('2', 2))] },
          }),
        ],
        [],
      );
      expect(only(outputs, 'turn-end').map((one) => one.turn)).toEqual([1, 2, 3, 4]);
    },
  ),
  same('tracks.refused', '§14.12 multi-track', 'No tracks at all are refused.', () => {
    expect(() => speakerTracks({})).toThrow(/no tracks/);
  }),
];

const competingRows: readonly Row[] = [
  differs(
    'compete.asked',
    '§4 competitive fan-out, issue: composition',
    'Elements are shared out among equal stages when that is asked for (`compete`): whoever is free takes the next, and the outputs keep the order.',
    'In the seed every branch competes without being asked, and order is lost.',
    async () => {
      const busy = gate();
      const taken: Record<string, number> = {};
      const worker = (name: string): Stage =>
        transform({
          name,
          consumes: ['text'],
          emits: ['text'],
          async process(one) {
            taken[name] = (taken[name] ?? 0) + 1;
            if (one.text === '0') await busy.pass();
            if (one.text === '5') busy.open();
            return one;
          },
        });
      const outputs = await once(
        [compete('pool', [worker('slow'), worker('quick')])],
        Array.from({ length: 6 }, (_, index) => text(`${index}`)),
      );
      expect(only(outputs, 'text').map((one) => one.text)).toEqual(['0', '1', '2', '3', '4', '5']);
      expect(taken).toEqual({ slow: 1, quick: 5 });
    },
  ),
];

/** Media, tracks, competition. */
export const mediaAreas: readonly Area[] = [
  { title: 'Media', rows: mediaRows },
  { title: 'Several speakers', rows: trackRows },
  { title: 'Competing stages', rows: competingRows },
];
