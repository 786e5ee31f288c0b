/** From the microphone to words: §14.6, §14.7 and the first half of §14.8. */
import { expect } from 'vitest';
import { element, messageText, type StreamElement } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { TurnTaking } from '../../src/speech/turn/turn-taking.ts';
import { sileroVoiceActivityDetector } from '../../src/speech/vad/silero.ts';
import type { VoiceActivityDetector } from '../../src/speech/vad/voice-activity.ts';
import { passthrough } from '../../src/stages/flow/compose.ts';
import type { AudioTurnOptions } from '../../src/stages/streaming/audio-turn-options.ts';
import { AudioTurnStage } from '../../src/stages/streaming/audio-turn-stage.ts';
import { STTStage } from '../../src/stages/streaming/stt-stage.ts';
import { VADAccumulatorStage } from '../../src/stages/streaming/vad-accumulator-stage.ts';
import {
  elements,
  gate,
  only,
  scriptedRecognizer,
  scriptedVad,
  tone,
} from '../../src/testing/index.ts';
import { Conversation, answering, silence, speech } from '../unit/turn/conversation.ts';
import { nextTask } from '../../src/speech/tts/next-task.ts';
import { live, once } from './play.ts';
import { differs, same, type Area, type Row } from './row.ts';

type Piece = readonly [ms: number, probability: number];

const ears = (options: Partial<AudioTurnOptions> = {}): AudioTurnStage =>
  new AudioTurnStage({ vad: scriptedVad(), ...options });

/** What the ears make of a script of probabilities. */
const heard = (pieces: readonly Piece[], options?: Partial<AudioTurnOptions>) =>
  once([ears(options)], elements().probabilities(...pieces));

/** Kinds in order, runs of `audio` as one. */
const kinds = (outputs: readonly StreamElement[]): string[] =>
  outputs
    .map(({ kind }) => kind)
    .filter((kind, index, all) => kind !== 'audio' || all[index - 1] !== 'audio');

const question: readonly Piece[] = [
  [1024, 0.01],
  [1024, 0.95],
  [1536, 0.01],
];
const msOf = ({ samples, sampleRate }: { samples: Float32Array; sampleRate: number }): number =>
  (samples.length * 1000) / sampleRate;

const turnRows: readonly Row[] = [
  same(
    'audio-turn.passes-others',
    '§14.6 PassThroughNonAudio ▲',
    'Everything that is not audio passes at once and in order.',
    async () => {
      const make = elements();
      const inputs = [make.transcript('a'), make.turnEnd(), make.text('b')];
      expect(await once([ears()], inputs)).toEqual(inputs);
    },
  ),
  differs(
    'audio-turn.passthrough',
    '§14.6 PassthroughMetadata ▲',
    'Audio that must not be cut into turns takes an edge of its own; its samples are untouched.',
    'The seed has a flag on each element that every stage between must know.',
    async () => {
      const chunk = elements().audio(Float32Array.of(0.25, -0.5), { meta: { music: true } });
      const pipeline = new PipelineBuilder()
        .add(passthrough('in'))
        .add(ears())
        .add(passthrough('beside'))
        .branch(
          'in',
          { to: 'audio-turn', when: ({ meta }) => meta?.['music'] !== true },
          { to: 'beside', when: ({ meta }) => meta?.['music'] === true },
        )
        .build();
      const { outputs } = await pipeline.executeSync(chunk);
      expect(only(outputs, 'audio').map(({ samples }) => [...samples])).toEqual([[0.25, -0.5]]);
    },
  ),
  same(
    'audio-turn.cancel',
    '§14.6 ContextCancellation ▲',
    'An aborted run stops the hearing at once.',
    async () => {
      const controller = new AbortController();
      const session = live([ears()], { signal: controller.signal });
      session.push(...elements().probabilities([320, 0.95]));
      await session.untilKind('speech-start');
      controller.abort();
      await expect(session.run.done).rejects.toMatchObject({ code: 'aborted' });
    },
  ),
  same(
    'audio-turn.accumulates',
    '§14.6 AccumulatesAudio ▲, EmitsEndOfTurnAfterTurn ▲',
    'One utterance per turn, then its `turn-end`; always.',
    async () => {
      const outputs = await heard(question);
      expect(kinds(outputs)).toEqual([
        'speech-start',
        'audio',
        'speech-end',
        'utterance',
        'turn-end',
      ]);
    },
  ),
  same(
    'audio-turn.several',
    '§14.6 MultipleTurns ▲, SegmentsByAudioTimeNotWallClock ▲, #1616',
    'Time is audio time: two turns fed in an instant are two turns.',
    async () => {
      const outputs = await heard([
        [1024, 0.95],
        [1216, 0.01],
        [1024, 0.95],
        [1216, 0.01],
      ]);
      expect(only(outputs, 'utterance').map(({ turn }) => turn)).toEqual([1, 2]);
    },
  ),
  differs(
    'audio-turn.min-speech',
    '§14.6 MinSpeechDuration ▲, §12.6',
    'A click or a cough is a misfire: `speech-end` says so, and there is no utterance and no `turn-end`.',
    'In the seed any sound arms the turn and the minimum can reject nothing: one 10 ms click costs a transcription.',
    async () => {
      const outputs = await heard([
        [320, 0.01],
        [96, 0.95],
        [1536, 0.01],
      ]);
      expect(kinds(outputs)).toEqual(['speech-start', 'audio', 'speech-end']);
      expect(only(outputs, 'speech-end')[0]?.misfire).toBe(true);
      const frame = await heard([
        [320, 0.01],
        [32, 0.95],
        [1536, 0.01],
      ]);
      expect(frame).toEqual([]);
    },
  ),
  same(
    'audio-turn.max-turn',
    '§14.6 MaxTurnDuration ▲, BoundsRetention, RetentionBoundKeepsFractionalSeconds ▲',
    'A turn is cut at `maxTurnMs` (30 s), to a frame, fractions of a second too, and the speech goes on in the next.',
    async () => {
      const outputs = await heard(
        [
          [4000, 0.95],
          [1024, 0.01],
        ],
        { maxTurnMs: 1500, preRollMs: 0 },
      );
      const utterances = only(outputs, 'utterance');
      expect(Math.abs(msOf(utterances[0]!) - 1500)).toBeLessThanOrEqual(32);
      expect(utterances.length).toBeGreaterThanOrEqual(2);
      const total = utterances.reduce((sum, one) => sum + msOf(one), 0);
      expect(total).toBeGreaterThanOrEqual(4000);
      expect(total).toBeLessThan(4300);
    },
  ),
  same(
    'audio-turn.barge-in',
    '§14.6 EmitsInterruptOnBargeIn ▲',
    'Speech over the assistant pauses it at the first sign and interrupts it, once, when it proves to be a claim.',
    () => {
      const conversation = answering().hear([800, speech], [1536, silence]);
      expect(conversation.decisions).toEqual([
        'start 1',
        'end 1',
        'start 2',
        'pause',
        'flush 1',
        'interrupt 1',
        'end 2',
      ]);
    },
  ),
  differs(
    'audio-turn.barge-in-words',
    '§14.6 Interruption_ResetsState ▲, §12.5',
    'The words that interrupt are the next turn, from their pre-roll on.',
    'In the seed the buffer is dropped with the interrupt: the first words of the interrupting person are lost.',
    async () => {
      const floor = new MessageChannel();
      const frames = elements().probabilities(...question, [320, 0.01], [1024, 0.95], [1536, 0.01]);
      const session = live([ears({ floor: floor.port2, firstPlaybackMs: 0 })]);
      session.push(...frames.slice(0, 112));
      await session.untilKind('turn-end');
      floor.port1.postMessage({ type: 'audible', turn: 1, at: 3584 });
      const received = new Promise((resolve) => {
        floor.port1.onmessage = ({ data }: MessageEvent<{ readonly type: string }>) => {
          if (data.type === 'flush') resolve(data);
        };
      });
      await nextTask();
      await nextTask();
      session.push(...frames.slice(112));
      const outputs = await session.end();
      await received;
      floor.port1.close();
      expect(only(outputs, 'interrupt').map(({ turn }) => turn)).toEqual([1]);
      const second = only(outputs, 'utterance')[1];
      expect(second?.speechStart).toBe(3904);
      expect(second?.at).toBeLessThanOrEqual(3904 - 400);
      expect(msOf(second!)).toBeGreaterThan(1024);
    },
  ),
  differs(
    'audio-turn.back-channel',
    '§12.5',
    'A “mhm” over the assistant resumes it from the same sample; so does a sound nobody understands a word of within 2 s.',
    'The seed has no minimum duration and no tolerance: any sound ends the reply.',
    () => {
      const said = answering().hear([320, speech]);
      said.report({ type: 'words', turn: 2, text: 'mhm', final: false }).hear([1024, silence]);
      expect(said.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
      const noise = answering().hear([320, speech], [2560, silence]);
      expect(noise.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
    },
  ),
  differs(
    'audio-turn.bot-speaking',
    '§12.5 botSpeaking, §15 rule 3',
    'Whether the assistant speaks is what playback reports: sound that is still being heard can be interrupted, silence cannot.',
    'In the seed the flag is set during synthesis only, so it is mostly false while the person hears the assistant.',
    () => {
      const heard = new Conversation({ wordsExpected: true })
        .hear([640, speech], [800, silence])
        .report({ type: 'audible', turn: 1, at: 1440 })
        .hear([30_000, silence]);
      expect(heard.turns.floor).toBe('speaking');
      heard.report({ type: 'silent', turn: 1, at: 31_000, finished: true });
      expect(heard.turns.floor).toBe('listening');
      heard.hear([800, speech], [1536, silence]);
      expect(heard.decisions).not.toContain('interrupt 1');
    },
  ),
  same('audio-turn.twice', '§13 #1485', 'Two interruptions in a row both work.', () => {
    const conversation = answering()
      .hear([800, speech], [1536, silence])
      .report({ type: 'silent', turn: 1, at: 0, finished: false })
      .report({ type: 'audible', turn: 2, at: 0 })
      .hear([800, speech], [1536, silence]);
    expect(conversation.decisions.filter((one) => one.startsWith('interrupt'))).toEqual([
      'interrupt 1',
      'interrupt 2',
    ]);
  }),
  differs(
    'audio-turn.rate',
    '§14.6 ZeroSampleRate, VADHonorsConfiguredSampleRate ▲, regression (sample rate)',
    'The detector says its rate. A neighbour of another rate fails the build or gets a resampler; audio that arrives at another rate all the same is one `error` element, never misjudged.',
    'The seed assumes a configured rate and ignores that of the elements: late at 8 kHz, early at 48.',
    async () => {
      const make = elements({ sampleRate: 48_000 });
      const outputs = await once([ears()], make.frames(tone(100, { sampleRate: 48_000 })));
      expect(outputs.map(({ kind }) => kind)).toEqual(['error']);
      expect(only(outputs, 'error')[0]?.error).toMatchObject({
        code: 'audio-format',
        details: { sampleRate: 48_000, expected: 16_000 },
      });
      const slow = new AudioTurnStage({
        vad: scriptedVad(undefined, { sampleRate: 8000, frameSize: 256 }),
      });
      const eight = elements({ sampleRate: 8000 }).frames(
        { samples: new Float32Array(8000).fill(0.95), sampleRate: 8000 },
        256,
      );
      expect(only(await once([slow], eight), 'utterance')).toHaveLength(1);
    },
  ),
  same(
    'audio-turn.end',
    '§14.6 EndOfStream ▲',
    'What is being said when the stream ends is a turn, and leaves before the end; nothing but the end leaves when nothing was said.',
    async () => {
      const session = live([ears()]);
      const make = elements();
      session.push(...make.probabilities([1024, 0.95]), make.end());
      const spoken = kinds(await session.end());
      expect(spoken.slice(-3)).toEqual(['utterance', 'turn-end', 'end']);
      const quiet = live([ears()]);
      quiet.push(elements().end());
      expect(kinds(await quiet.end())).toEqual(['end']);
    },
  ),
  same(
    'audio-turn.no-remainder',
    '§14.6 DoesNotEmitSpeechlessRemainderAfterATurn ▲, #1623',
    'A second of speech and two of silence are exactly one turn.',
    async () => {
      expect(
        only(
          await heard([
            [1024, 0.95],
            [2048, 0.01],
          ]),
          'utterance',
        ),
      ).toHaveLength(1);
    },
  ),
  differs(
    'audio-turn.no-speech',
    '§14.6 StillForwardsAudioWhenVADNeverFires ▲, ForwardsUntrimmedWhenNoSpeechDetected ▲',
    'Where the detector hears no speech there is no turn.',
    'The seed sends such recordings on untrimmed because its energy detector misses soft speakers; ours is a neural one, and a recogniser makes words of silence.',
    async () => {
      expect(await heard([[2048, 0.01]])).toEqual([]);
    },
  ),
  same(
    'audio-turn.retention',
    '§14.6 BoundsRetainedSilence ▲, RetainsNewestSilenceWithinBound ▲, DoesNotSplitUtteranceAfterLongSilence ▲, #1620',
    'Long silence costs no memory and no turn: 40 s of it, then 5 s of speech, are one turn of the speech, its pre-roll and its tail.',
    async () => {
      const [only1, ...more] = only(
        await heard([
          [40_000, 0.01],
          [5024, 0.95],
          [1536, 0.01],
        ]),
        'utterance',
      );
      expect(more).toEqual([]);
      expect(msOf(only1!)).toBe(500 + 5024 + 200);
    },
  ),
  same(
    'audio-turn.trims',
    '§14.6 TrimsLeadingSilence ▲, PreservesPreRoll ▲, #1617, #1616',
    'The utterance begins 500 ms before the first speech and ends 200 ms behind the last.',
    async () => {
      const [utterance] = only(
        await heard([
          [3008, 0.01],
          [1024, 0.95],
          [1216, 0.01],
        ]),
        'utterance',
      );
      expect(utterance).toMatchObject({ speechStart: 3008, speechEnd: 4032, at: 2508 });
      expect(msOf(utterance!)).toBe(500 + 1024 + 200);
    },
  ),
  same(
    'audio-turn.no-shatter',
    '§14.6 TurnDetectorDoesNotShatterContinuousSpeech ▲, TurnDetectorMatchesNoDetector ▲, #1621',
    'Five seconds of speech are one turn, with a turn detector as without.',
    async () => {
      const speaking: readonly Piece[] = [
        [5024, 0.95],
        [1536, 0.01],
      ];
      const turnDetector = { predict: () => Promise.resolve(0.9) };
      const [without, with_] = [await heard(speaking), await heard(speaking, { turnDetector })];
      expect(only(without, 'utterance')).toHaveLength(1);
      expect(only(with_, 'utterance').map((one) => msOf(one))).toEqual(
        only(without, 'utterance').map((one) => msOf(one)),
      );
    },
  ),
  differs(
    'audio-turn.turn-detector',
    '§14.6 TurnDetectorReceivesVADState ▲, §12.6',
    'A turn detector is asked once a pause, with the audio and the words so far; a thinking pause of a second does not split the turn when it says “incomplete”, and the turn ends early when it says “complete”.',
    'The seed feeds it every chunk and its own detector runs on the wall clock; 0.9 s of thinking split a sentence.',
    () => {
      const asked: number[] = [];
      const play = (completion: number): TurnTaking => {
        const turns = new TurnTaking();
        let at = 0;
        let endedAt = 0;
        const hear = (ms: number, probability: number): void => {
          for (const end = at + ms; at < end; at += 32)
            for (const decision of turns.feed({ probability, at, durationMs: 32 })) {
              if (decision.type === 'consider') {
                asked.push(decision.pause);
                turns.answer(decision.turn, decision.pause, completion);
              }
              if (decision.type === 'end') endedAt = at;
            }
        };
        hear(1024, speech);
        hear(960, silence);
        if (completion < 0.5) expect(turns.open).toBe(1);
        else expect(endedAt).toBeLessThan(1024 + 400);
        return turns;
      };
      play(0.1);
      play(0.9);
      expect(asked).toEqual([0, 0]);
    },
  ),
  differs(
    'audio-turn.learns',
    '§12.6',
    'After a person went on behind a pause it took for an end, it waits longer; it never leaves 500…3 000 ms.',
    'The seed waits the same 800 ms for everybody, for ever.',
    () => {
      const waits = (conversation: Conversation): number => {
        const from = conversation.log.length;
        conversation.hear([1024, speech], [3520, silence]);
        const ends = conversation.log
          .slice(from)
          .flatMap(({ at, decision }) =>
            decision.type === 'end' ? [at - decision.speechEnd] : [],
          );
        return ends[0] ?? 0;
      };
      const fresh = waits(new Conversation());
      const cutOff = new Conversation().hear(
        [1024, speech],
        [1024, silence],
        [1024, speech],
        [3520, silence],
      );
      expect(fresh).toBeLessThanOrEqual(640);
      expect(waits(cutOff)).toBeGreaterThan(fresh);
      expect(waits(cutOff)).toBeLessThanOrEqual(3040);
    },
  ),
];

/** Reads files, so it is for Node alone; the other rows run in browsers too. */
const clip = new URL('../fixtures/question.wav', import.meta.url);
const fixture = () => import('../unit/turn/silero-fixture.ts');

/** The real detector over `seconds` of a sound. */
async function listened(samples: Float32Array): Promise<StreamElement[]> {
  const vad: VoiceActivityDetector = sileroVoiceActivityDetector({
    modelUrl: await (await fixture()).modelUrl('v6'),
  });
  const make = elements();
  return once([new AudioTurnStage({ vad })], make.frames(samples));
}

const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

const detectorRows: readonly Row[] = [
  same(
    'vad.quiet-speech',
    '§14.6 DefaultVADDetectsQuietSpeech ▲, §14.7 0.028 RMS ▲, #1632',
    'A soft speaker (0.028 RMS) is heard.',
    async () => {
      const samples = await (await fixture()).samplesOf(clip);
      const factor = 0.028 / rms(samples);
      const quiet = new Float32Array(samples.length + 24_000);
      quiet.set(samples.map((sample) => sample * factor));
      expect(only(await listened(quiet), 'utterance').length).toBeGreaterThanOrEqual(1);
    },
  ),
  same(
    'vad.room-noise',
    '§14.6 DefaultVADIgnoresRoomNoise ▲, §12.6 noise latch',
    'Steady noise is no speech, however long and well above 0.025 RMS, where the seed’s detector latches.',
    async () => {
      let state = 1;
      const noise = Float32Array.from({ length: 16_000 * 6 }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
        return (0.06 * ((state >>> 8) & 0xffff)) / 32_768 - 0.06;
      });
      expect(rms(noise)).toBeGreaterThan(0.025);
      expect(only(await listened(noise), 'utterance')).toEqual([]);
    },
  ),
  same(
    'vad.leaves-speech',
    '§14.7 leaves speaking ≤ 300 ms ▲',
    'After true silence the end of speech is dated to within 300 ms.',
    async () => {
      const samples = await (await fixture()).samplesOf(clip);
      const padded = new Float32Array(samples.length + 32_000);
      padded.set(samples);
      const last = only(await listened(padded), 'utterance').at(-1);
      expect(last?.speechEnd).toBeLessThanOrEqual(samples.length / 16 + 300);
    },
  ),
  same(
    'vad.reset',
    '§14.7 reset',
    'Every run starts from silence: the same stage hears the same in a second run.',
    async () => {
      const stage = ears();
      const frames = (): StreamElement[] => elements().probabilities([640, 0.95], [320, 0.01]);
      const [first, second] = [await once([stage], frames()), await once([stage], frames())];
      expect(kinds(second)).toEqual(kinds(first));
    },
  ),
  same(
    'vad.failure',
    '§7.3 errors',
    'A detector that fails fails the run, naming the stage.',
    async () => {
      const vad = scriptedVad(() => {
        throw new AntiphonError('model-run', 'no more memory');
      });
      await expect(
        once([ears({ vad })], elements().probabilities([320, 0.95])),
      ).rejects.toMatchObject({ code: 'model-run', stage: 'audio-turn' });
    },
  ),
];

const accumulator = (
  script: Parameters<typeof scriptedRecognizer>[0],
  options: object = {},
): VADAccumulatorStage =>
  new VADAccumulatorStage({
    vad: scriptedVad(),
    recognizer: scriptedRecognizer(script),
    ...options,
  });

const texts = (outputs: readonly StreamElement[]): string[] =>
  only(outputs, 'message').map(({ message }) => messageText(message));

const wordRows: readonly Row[] = [
  differs(
    'accumulator.every-turn',
    '§7.4, §14 gaps: VADAccumulator',
    'The simple ear makes a message of every turn until its input ends, in a live session too.',
    'The seed’s stops after the first turn and reads no further audio.',
    async () => {
      const session = live([accumulator(['hello', 'good bye'])]);
      const make = elements();
      session.push(...make.probabilities([640, 0.95], [800, 0.01]));
      await session.untilKind('turn-end');
      session.push(...make.probabilities([640, 0.95], [800, 0.01]));
      expect(texts(await session.end())).toEqual(['hello', 'good bye']);
    },
  ),
  differs(
    'accumulator.audio-time',
    '§7.4',
    'Silence, length and the minimum of speech are audio time: a click is nothing, a turn is cut at its maximum.',
    'In the seed silence is measured by the wall clock, and the minimum is not used at all.',
    async () => {
      const click = await once(
        [accumulator([])],
        elements().probabilities([96, 0.95], [1024, 0.01]),
      );
      expect(click).toEqual([]);
      const long = await once(
        [accumulator(['one', 'two'], { maxTurnMs: 1000 })],
        elements().probabilities([1600, 0.95], [1024, 0.01]),
      );
      expect(texts(long)).toEqual(['one', 'two']);
    },
  ),
  differs(
    'accumulator.no-words',
    '§7.4 empty transcript → stage error',
    'A turn in which nothing was understood has no message, and one that could not be transcribed an `error` element; the next turn works.',
    'In the seed either ends the stage.',
    async () => {
      const outputs = await once(
        [accumulator(['', new AntiphonError('model-run', 'broken'), 'now'])],
        elements().probabilities(
          ...[1, 2, 3].flatMap((): Piece[] => [
            [640, 0.95],
            [800, 0.01],
          ]),
        ),
      );
      expect(texts(outputs)).toEqual(['now']);
      expect(only(outputs, 'error').map(({ error }) => error.code)).toEqual(['model-run']);
      expect(only(outputs, 'turn-end')).toHaveLength(3);
    },
  ),
  same(
    'stt.transcribes',
    '§14.8 TranscribesAudio, PreservesMetadata',
    'An utterance becomes a final transcript and a user message that keeps its turn and metadata, both before the `turn-end`.',
    async () => {
      const make = elements();
      const stage = new STTStage({
        recognizer: scriptedRecognizer(['hello there']),
        language: 'en',
      });
      const outputs = await once(
        [stage],
        [make.utterance(tone(500), { meta: { track: 'left' } }), make.turnEnd()],
      );
      expect(outputs.map(({ kind }) => kind)).toEqual(['transcript', 'message', 'turn-end']);
      const [transcript] = only(outputs, 'transcript');
      expect(transcript).toMatchObject({
        text: 'hello there',
        final: true,
        turn: 1,
        language: 'en',
      });
      const [message] = only(outputs, 'message');
      expect(message).toMatchObject({
        turn: 1,
        meta: { track: 'left' },
        message: { role: 'user' },
      });
      expect(messageText(message!.message)).toBe('hello there');
    },
  ),
  differs(
    'stt.failure',
    '§14.8 TranscriptionError',
    'What cannot be transcribed becomes an `error` element in its place; the turn ends and the next works.',
    'In the seed the error rides on the audio element, which downstream stages then forward as audio.',
    async () => {
      const make = elements();
      const recognizer = scriptedRecognizer([new AntiphonError('model-run', 'broken'), 'again']);
      const outputs = await once(
        [new STTStage({ recognizer })],
        [make.utterance(tone(500)), make.turnEnd(), make.utterance(tone(500)), make.turnEnd()],
      );
      expect(outputs.map(({ kind }) => kind)).toEqual([
        'error',
        'turn-end',
        'transcript',
        'message',
        'turn-end',
      ]);
    },
  ),
  same(
    'stt.white-space',
    '§14.8 whitespace → nothing, #1617',
    'White space is no message: the model is not asked about silence.',
    async () => {
      const make = elements();
      const stage = new STTStage({ recognizer: scriptedRecognizer(['  ']) });
      const outputs = await once([stage], [make.utterance(tone(500)), make.turnEnd()]);
      expect(only(outputs, 'message')).toEqual([]);
      expect(only(outputs, 'transcript')).toMatchObject([{ text: '', final: true }]);
    },
  ),
  same(
    'stt.misfire',
    '§14.8 small audio not sent',
    'What turned out to be no speech is never transcribed.',
    async () => {
      const recognizer = scriptedRecognizer([]);
      const outputs = await once(
        [ears(), new STTStage({ recognizer, interims: false })],
        elements().probabilities([96, 0.95], [1024, 0.01]),
      );
      expect(recognizer.transcribed).toEqual([]);
      expect(kinds(outputs)).toEqual(['speech-start', 'speech-end']);
    },
  ),
  same(
    'stt.passes-others',
    '§14.8 non-audio and EndOfStream pass',
    'Everything else passes without a call.',
    async () => {
      const make = elements();
      const recognizer = scriptedRecognizer([]);
      const inputs = [make.speechStart(), make.user('typed'), make.turnEnd()];
      expect(await once([new STTStage({ recognizer })], inputs)).toEqual(inputs);
      expect(recognizer.transcribed).toEqual([]);
    },
  ),
  same(
    'stt.retry',
    '§14.8 RetryOnTransientFailure ▲, §12.10 zero retries',
    'A failure that may pass is tried again, 3 attempts in all unless given; two failures and a success are three calls and the text.',
    async () => {
      const failure = (): AntiphonError =>
        new AntiphonError('provider-overloaded', 'busy', { retryable: true });
      for (const retry of [undefined, {}]) {
        const recognizer = scriptedRecognizer([failure(), failure(), 'at last']);
        const outputs = await once(
          [
            new STTStage({
              recognizer,
              retry: { baseDelayMs: 1, maxDelayMs: 1, ...retry },
            }),
          ],
          [elements().utterance(tone(500))],
        );
        expect(recognizer.transcribed).toHaveLength(3);
        expect(texts(outputs)).toEqual(['at last']);
      }
      const hopeless = scriptedRecognizer([new AntiphonError('provider-auth', 'no')]);
      await once([new STTStage({ recognizer: hopeless })], [elements().utterance(tone(500))]);
      expect(hopeless.transcribed).toHaveLength(1);
    },
  ),
  differs(
    'stt.interims',
    '§12.7 no interim transcripts',
    'While a person speaks, interim transcripts replace each other; the final one stands.',
    'The seed transcribes whole turns only, after their end.',
    async () => {
      const recognizer = scriptedRecognizer([{ text: 'what time is it', wordMs: 200 }]);
      const make = elements();
      const session = live([ears(), new STTStage({ recognizer, interimEveryMs: 200 })]);
      const loud = make.probabilities([1600, 0.95], [1024, 0.01]);
      for (const frame of loud) {
        session.push(frame);
        await nextTask();
      }
      const transcripts = only(await session.end(), 'transcript');
      const interims = transcripts.filter(({ final }) => !final).map(({ text }) => text);
      expect(interims.length).toBeGreaterThan(0);
      // Each says all there is so far, not what is new.
      for (const text of interims) expect('what time is it'.startsWith(text)).toBe(true);
      expect(interims).toContain('what time');
      expect(transcripts.at(-1)).toMatchObject({ final: true, text: 'what time is it' });
    },
  ),
  differs(
    'stt.interrupt',
    '§7.5, §12.5 head-of-line blocking',
    'An interrupt passes a recogniser that is still busy.',
    'In the seed it waits behind the transcription.',
    async () => {
      const busy = gate();
      const recognizer = scriptedRecognizer([{ text: 'slow', gate: busy }]);
      const make = elements();
      const session = live([new STTStage({ recognizer })]);
      session.push(make.utterance(tone(500)), make.turnEnd());
      await busy.reached;
      session.push(element('interrupt', { turn: 0 }));
      await session.untilKind('interrupt');
      busy.open();
      const outputs = await session.end();
      expect(texts(outputs)).toEqual(['slow']);
    },
  ),
];

/** Ears and scribe. */
export const hearingAreas: readonly Area[] = [
  { title: 'Turns of speech', rows: turnRows },
  { title: 'Speech and silence', rows: detectorRows },
  { title: 'From speech to words', rows: wordRows },
];
