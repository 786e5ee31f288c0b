/** From text to sound: §14.8, second half, §14.10 and the playback of §12.5. */
import { expect } from 'vitest';
import { HeardLedger } from '../../src/audio/heard-ledger.ts';
import { PlaybackQueue } from '../../src/audio/playback-queue.ts';
import { element, textMessage, type StreamElement } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import { TTSStageWithInterruption } from '../../src/stages/streaming/tts-stage-with-interruption.ts';
import { TTSStage } from '../../src/stages/streaming/tts-stage.ts';
import type { TTSWithInterruptionOptions } from '../../src/stages/streaming/tts-options.ts';
import { elements, gate, only, scriptedSynthesizer } from '../../src/testing/index.ts';
import { live, once } from './play.ts';
import { differs, same, type Area, type Row } from './row.ts';

const voiceOf = (
  synthesizer: ReturnType<typeof scriptedSynthesizer>,
  options: Partial<TTSWithInterruptionOptions> = {},
): TTSStageWithInterruption => new TTSStageWithInterruption({ synthesizer, ...options });

/** The texts that were spoken, piece by piece joined. */
const spokenIn = (outputs: readonly StreamElement[], turn?: number): string =>
  only(outputs, 'speech')
    .filter((one) => turn === undefined || one.turn === turn)
    .map(({ text }) => text)
    .join('');

const trimmed = (texts: readonly string[]): string[] => texts.map((text) => text.trim());

const plainRows: readonly Row[] = [
  differs(
    'tts.error',
    '§14.8 SynthesisErrorForwardsElement',
    'A text that cannot be spoken gives an `error` element; its message passes on all the same, and what follows is spoken.',
    'In the seed the error is set on the element that carries the text.',
    async () => {
      const synthesizer = scriptedSynthesizer([
        { text: 'One.', error: new AntiphonError('model-run', 'no voice') },
        'Two.',
      ]);
      const make = elements();
      const outputs = await once(
        [new TTSStage({ synthesizer })],
        [make.assistant('One.'), make.assistant('Two.')],
      );
      expect(outputs.map(({ kind }) => kind)).toEqual(['error', 'message', 'speech', 'message']);
    },
  ),
  same(
    'tts.parts',
    '§14.8 text from parts, no text → untouched, minimum',
    'The text of a message is that of all its text parts; without text, or below the minimum, it passes in silence.',
    async () => {
      const synthesizer = scriptedSynthesizer();
      const make = elements();
      const message = make.assistant('');
      const parts = [
        { type: 'text', text: 'Hello ' },
        { type: 'image', mediaType: 'image/png', data: 'x' },
        { type: 'text', text: 'there' },
      ] as const;
      const both = { ...message, message: { ...message.message, parts } };
      const stage = new TTSStage({ synthesizer, minTextLength: 3 });
      const outputs = await once([stage], [both, make.assistant(''), make.assistant('Hm')]);
      expect(synthesizer.spoken).toEqual(['Hello there']);
      expect(outputs.map(({ kind }) => kind)).toEqual(['speech', 'message', 'message', 'message']);
    },
  ),
  same(
    'tts.assistant-only',
    '§14.8 SpeaksOnlyTheAssistant ▲, DoesNotSpeakStreamingDeltas ▲, ForwardsUnspokenMessages ▲, #1656',
    'Only the assistant is spoken, once: not the user, not a tool, not the increments of a reply whose message follows; all of these pass or are taken out in silence.',
    async () => {
      const synthesizer = scriptedSynthesizer();
      const make = elements();
      const outputs = await once(
        [new TTSStage({ synthesizer })],
        [
          make.user('My words'),
          make.message('tool', '42'),
          make.message('system', 'Be brief'),
          ...make.reply('Once only.'),
          make.text('Say this.'),
        ],
      );
      expect(synthesizer.spoken).toEqual(['Once only.', 'Say this.']);
      expect(only(outputs, 'message')).toHaveLength(4);
      expect(only(outputs, 'text')).toEqual([]);
    },
  ),
  same(
    'tts.cancel',
    '§14.8 cancellation when the consumer stops',
    'Synthesis stops when nobody reads any more.',
    async () => {
      const busy = gate();
      const synthesizer = scriptedSynthesizer([{ gate: busy }]);
      const session = live([new TTSStage({ synthesizer })]);
      session.push(elements().assistant('One.'));
      await busy.reached;
      await session.close();
      expect(synthesizer.cancelled).toBe(1);
    },
  ),
];

const liveRows: readonly Row[] = [
  same(
    'voice.speaks',
    '§14.8 SynthesizesText, OutputFormat, MultipleTexts',
    'Each reply is spoken at the rate asked for, and ends with a piece that says `last`.',
    async () => {
      const make = elements();
      const outputs = await once(
        [voiceOf(scriptedSynthesizer(), { outputSampleRate: 24_000 })],
        ['One.', 'Two.', 'Three.'].flatMap((text) => [make.assistant(text), make.turnEnd()]),
      );
      const pieces = only(outputs, 'speech');
      expect(new Set(pieces.map(({ sampleRate }) => sampleRate))).toEqual(new Set([24_000]));
      expect(pieces.filter(({ last }) => last).map(({ turn }) => turn)).toEqual([1, 2, 3]);
      expect(spokenIn(outputs)).toBe('One.Two.Three.');
    },
  ),
  differs(
    'voice.sentences',
    '§8.3 granularity, §12.7',
    'A reply is spoken sentence by sentence while it is being written, in pieces of at most 200 ms.',
    'The seed waits for the whole reply, then for the whole synthesis.',
    async () => {
      const synthesizer = scriptedSynthesizer();
      const session = live([voiceOf(synthesizer)]);
      const make = elements();
      for (const word of ['It ', 'is ', 'noon. ', 'And ']) session.push(make.delta(word));
      await session.untilKind('speech');
      expect(trimmed(synthesizer.spoken)).toEqual(['It is noon.']);
      session.push(make.delta('sunny.'), make.assistant('It is noon. And sunny.'), make.turnEnd());
      const outputs = await session.end();
      expect(spokenIn(outputs)).toBe('It is noon. And sunny.');
      for (const { samples, sampleRate } of only(outputs, 'speech'))
        expect(samples.length / sampleRate).toBeLessThanOrEqual(0.2 + 0.181);
    },
  ),
  differs(
    'voice.message-passes',
    '§8.3, §12.1 (d)',
    'The assistant’s message is passed on behind its speech, so that it can be stored.',
    'In the seed the speech replaces it, and the save stage stores only what the user said.',
    async () => {
      const outputs = await once([voiceOf(scriptedSynthesizer())], elements().reply('All well.'));
      expect(outputs.at(-1)).toMatchObject({ kind: 'message', message: { role: 'assistant' } });
      expect(outputs[0]?.kind).toBe('speech');
    },
  ),
  same(
    'voice.interrupt',
    '§14.8 DropsInFlightOnInterrupt ▲, SynthesizesAfterInterrupt ▲, StaleFlag… ▲, InterruptElementClearsHandler ▲, #1485',
    'An interrupt drops what is being synthesised and all that waits, and passes once; the next turn is spoken, whatever was interrupted before.',
    async () => {
      const busy = gate();
      const synthesizer = scriptedSynthesizer([{ text: /One/, gate: busy }, /Two/, /Three/]);
      const session = live([voiceOf(synthesizer)]);
      const make = elements();
      session.push(make.delta('One and more. '), make.delta('Never said. '));
      await busy.reached;
      session.push(element('interrupt', { turn: 1 }));
      await session.untilKind('interrupt');
      session.push(make.assistant('One and more.', { finishReason: 'interrupted' }));
      session.push(...make.reply('Two.').map((one) => ({ ...one, turn: 2 })));
      session.push(element('interrupt', { turn: 1 }));
      session.push(...make.reply('Three.').map((one) => ({ ...one, turn: 3 })));
      const outputs = await session.end();
      expect(spokenIn(outputs, 1)).toBe('');
      expect(only(outputs, 'interrupt')).toHaveLength(1);
      expect([spokenIn(outputs, 2), spokenIn(outputs, 3)]).toEqual(['Two.', 'Three.']);
      expect(only(outputs, 'message')).toHaveLength(3);
      expect(synthesizer.cancelled).toBe(1);
    },
  ),
  differs(
    'voice.interrupt-while-sending',
    '§8.3 race',
    'An interrupt that comes while finished speech waits for room drops that speech; it never ends the session.',
    'In the seed the send reports cancellation and the whole stage fails.',
    async () => {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow = {
        name: 'slow',
        type: 'transform' as const,
        consumes: [],
        emits: [],
        async *process(input: AsyncIterable<StreamElement>) {
          for await (const one of input) {
            yield one;
            if (one.kind === 'speech' && one.turn === 1) await held;
          }
        },
      };
      const session = live([voiceOf(scriptedSynthesizer(), { lookAhead: 2 }), slow], {
        config: { channelBufferSize: 1 },
      });
      const make = elements();
      session.push(make.text('One two three four five six seven eight nine ten. '));
      await session.untilKind('speech');
      session.push(element('interrupt', { turn: 1 }));
      await session.untilKind('interrupt');
      release();
      session.push(make.text('Next.', { turn: 2 }));
      const outputs = await session.end();
      expect(spokenIn(outputs, 1).length).toBeLessThan(20);
      expect(spokenIn(outputs, 2)).toBe('Next.');
    },
  ),
  same(
    'voice.passes-others',
    '§14.8 non-text passes, SkipsEmptyText, nil text safe',
    'What is not spoken passes in order; texts that are empty or too short are not spoken.',
    async () => {
      const synthesizer = scriptedSynthesizer();
      const make = elements();
      const transcript = make.transcript('mhm');
      const outputs = await once(
        [voiceOf(synthesizer, { minTextLength: 5 })],
        [transcript, make.text('Hi'), make.assistant(''), make.user('words'), make.turnEnd()],
      );
      expect(synthesizer.spoken).toEqual([]);
      expect(outputs.filter(({ kind }) => kind !== 'speech').map(({ kind }) => kind)).toEqual([
        'transcript',
        'message',
        'message',
        'turn-end',
      ]);
    },
  ),
  differs(
    'voice.error',
    '§14.8 SynthesisError, ReadError skipped',
    'A sentence that cannot be spoken is one `error` element with its text; the rest of the reply is spoken.',
    'In the seed a failing read drops the whole reply without a word.',
    async () => {
      const synthesizer = scriptedSynthesizer([
        /First/,
        { text: /Second/, error: new AntiphonError('model-run', 'broken') },
        /Third/,
      ]);
      const outputs = await once(
        [voiceOf(synthesizer)],
        elements().reply('First one. Second one. Third one.'),
      );
      expect(only(outputs, 'error').map(({ error }) => error.details?.['text'])).toEqual([
        expect.stringContaining('Second') as string,
      ]);
      expect(spokenIn(outputs)).toMatch(/^First one\. .*Third one\.$/s);
    },
  ),
  same(
    'voice.retry',
    '§14.8 retry 429/503 ▲, no retry on 401 ▲, §12.10',
    'Trouble that may pass is tried again, 3 attempts in all also without a word about it in the options; other trouble is not.',
    async () => {
      const passing = (): AntiphonError =>
        new AntiphonError('provider-rate-limit', 'later', { retryable: true });
      const retry = { delayMs: 1, maxDelayMs: 1 };
      const patient = scriptedSynthesizer([{ error: passing() }, { error: passing() }, /Hello/]);
      expect(spokenIn(await once([voiceOf(patient, { retry })], elements().reply('Hello.')))).toBe(
        'Hello.',
      );
      const refused = scriptedSynthesizer([{ error: new AntiphonError('provider-auth', 'no') }]);
      await once([voiceOf(refused, { retry })], elements().reply('Hello.'));
      expect([patient.spoken.length, refused.spoken.length]).toEqual([3, 1]);
    },
  ),
  same(
    'voice.spoken-text',
    '§14.8 StampsSpokenText, #1657',
    'Speech carries the text it says exactly as it stood in the reply, with a mark per word, so that captions and ear agree.',
    async () => {
      const outputs = await once([voiceOf(scriptedSynthesizer())], elements().reply('It is noon.'));
      for (const { text, marks = [] } of only(outputs, 'speech'))
        expect(marks.map((mark) => mark.text).join('')).toBe(text);
      expect(spokenIn(outputs)).toBe('It is noon.');
    },
  ),
  same(
    'voice.bounded',
    '§13 (burst)',
    'A long reply waits in the voice for a slow reader, and all of it arrives.',
    async () => {
      const sentences = Array.from({ length: 40 }, (_, index) => `Sentence number ${index} here. `);
      const synthesizer = scriptedSynthesizer();
      const session = live([voiceOf(synthesizer, { lookAhead: 4 })], {
        config: { channelBufferSize: 2 },
      });
      session.push(...elements().reply(sentences.join('').trim()));
      const outputs = await session.end();
      expect(spokenIn(outputs)).toBe(sentences.join('').trim());
    },
  ),
];

const rate = 48_000;

/** A queue and what it told. */
function playback(hear: (turn: number, text: string) => void = () => {}) {
  const told: string[] = [];
  const queue = new PlaybackQueue(rate, {
    audible: (turn) => told.push(`audible ${turn}`),
    silent: (turn, _offset, finished) => told.push(`silent ${turn}${finished ? ' finished' : ''}`),
    heard: (turn, text) => {
      told.push(`heard ${text.trim()}`);
      hear(turn, text);
    },
    underrun: (turn) => told.push(`underrun ${turn}`),
    passed: ({ kind }) => told.push(`passed ${kind}`),
    spent: () => {},
  });
  const render = (ms: number): Float32Array => {
    const block = new Float32Array((ms * rate) / 1000);
    queue.render(block);
    return block;
  };
  return { queue, told, render };
}

const piece = (text: string, ms: number, facts: object = {}): StreamElement & { kind: 'speech' } =>
  element('speech', {
    samples: new Float32Array((ms * rate) / 1000).fill(0.5),
    sampleRate: rate,
    text,
    marks: [{ text, offset: 0 }],
    last: false,
    turn: 1,
    ...facts,
  });

const playbackRows: readonly Row[] = [
  differs(
    'playback.heard',
    '§12.5 partial assistant text, §14 gaps',
    'A word counts as heard when its last sample was rendered; an interrupted reply is stored as what was heard, queued and generated.',
    'In the seed the model later remembers words nobody heard, or nothing at all.',
    () => {
      const ledger = new HeardLedger();
      const { queue, render } = playback((turn, text) => ledger.hear(turn, text));
      for (const one of [
        piece('One ', 100),
        piece('two ', 100),
        piece('three', 100, { last: true }),
      ]) {
        queue.push(one);
        ledger.queue(one.turn, one.text);
      }
      render(150);
      queue.flush(1);
      render(100);
      const generated = 'One two three four';
      const message = textMessage('assistant', generated, { generated });
      const { message: completed } = ledger.complete(element('message', { message, turn: 1 }));
      expect(completed).toMatchObject({ heard: 'One ', queued: 'One two three', generated });
    },
  ),
  same(
    'playback.flush',
    '§14.12 flushes on barge-in, regression (paced barge-in)',
    'A flush is silent within 10 ms, drops what waits and what comes late of that turn, and leaves the next turn whole.',
    () => {
      const { queue, told, render } = playback();
      queue.push(piece('One ', 1000));
      render(50);
      queue.flush(1);
      const after = render(20);
      expect(after.subarray(480).every((sample) => sample === 0)).toBe(true);
      queue.push(piece('late ', 100));
      queue.push(piece('Two', 100, { turn: 2, last: true }));
      const next = render(150);
      expect(Math.max(...next)).toBeCloseTo(0.5);
      expect(told.filter((one) => one.startsWith('heard'))).toEqual(['heard Two']);
    },
  ),
  same(
    'playback.underrun',
    '§14.7 JitterBuffer',
    'Speech that comes too late is silence, told with its length; nothing is lost or repeated.',
    () => {
      const { queue, told, render } = playback();
      queue.push(piece('One ', 50));
      const block = render(100);
      expect([...block].filter((sample) => sample > 0.49)).toHaveLength(2400);
      queue.push(piece('two', 50, { last: true }));
      render(100);
      expect(told).toContain('underrun 1');
      expect(told).toContain('silent 1 finished');
    },
  ),
  same(
    'playback.message-behind',
    '§14.12, §12.1 (d)',
    'The reply’s message leaves the speaker behind its last sample, so that the question is stored before its answer and the answer as it was heard.',
    () => {
      const { queue, told, render } = playback();
      queue.push(piece('One', 100, { last: true }));
      queue.push(element('message', { message: textMessage('assistant', 'One'), turn: 1 }));
      render(50);
      expect(told).not.toContain('passed message');
      render(100);
      expect(told).toContain('passed message');
    },
  ),
];

/** Voice and speaker. */
export const speakingAreas: readonly Area[] = [
  { title: 'Speaking whole replies', rows: plainRows },
  { title: 'Speaking in a live conversation', rows: liveRows },
  { title: 'Playback', rows: playbackRows },
];
