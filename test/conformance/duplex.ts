/** A speech-to-speech model in the conversation: §14.9. */
import { expect } from 'vitest';
import { messageText, textMessage, type StreamElement } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import type {
  RealtimeEvent,
  RealtimeProvider,
  RealtimeSetup,
} from '../../src/providers/realtime/realtime.ts';
import { MetricsStage } from '../../src/stages/flow/metrics-stage.ts';
import { TracingStage } from '../../src/stages/flow/tracing-stage.ts';
import { DuplexProviderStage } from '../../src/stages/streaming/duplex-provider-stage.ts';
import { elements, only, settle, tone, type ElementBuilder } from '../../src/testing/index.ts';
import { live, type Session } from './play.ts';
import { differs, same, type Area } from './row.ts';

const rate = 16_000;

/** A model that does what the test says, by hand, and what it was told. */
function model(facts: Partial<RealtimeProvider> = {}) {
  const setups: RealtimeSetup[] = [];
  const calls: string[] = [];
  /** The first sample of every chunk. */
  const chunks: number[] = [];
  let samples = 0;
  let tell: (event: RealtimeEvent) => void = () => {};
  let replies = 0;
  const provider: RealtimeProvider = {
    id: 'by-hand',
    inputSampleRate: rate,
    outputSampleRate: rate,
    turnDetection: 'local',
    finalTranscripts: true,
    reconnect: { attempts: 1 },
    connect(setup, { onEvent }) {
      setups.push(setup);
      tell = onEvent;
      const note = (call: string) => (): void => void calls.push(call);
      return Promise.resolve({
        expiresAtMs: undefined,
        startTurn: note('start'),
        appendAudio: (chunk) => {
          samples += chunk.length;
          chunks.push(chunk[0] ?? 0);
        },
        endTurn: (utterance) => void calls.push(`end ${utterance}`),
        dropTurn: note('drop'),
        sendText: (text) => void calls.push(`text ${text}`),
        respond: note('respond'),
        say: (text) => void calls.push(`say ${text}`),
        sendToolResults: (results) => void calls.push(`results ${results.length}`),
        cancelReply: note('cancel'),
        truncate: note('truncate'),
        close: note('close'),
      });
    },
    ...facts,
  };
  return {
    provider,
    setups,
    calls,
    chunks,
    get samples() {
      return samples;
    },
    tell: (event: RealtimeEvent) => tell(event),
    /** Begins a reply with a word of sound. */
    begin(text: string): string {
      const reply = `reply ${(replies += 1)}`;
      tell({ type: 'reply-started', reply });
      const { samples: sound } = tone(100, { sampleRate: rate });
      tell({ type: 'audio', reply, item: reply, samples: Float32Array.from(sound) });
      tell({ type: 'text-delta', reply, item: reply, text });
      return reply;
    },
    finish(reply: string): void {
      tell({ type: 'audio-done', reply });
      tell({
        type: 'reply-done',
        reply,
        reason: 'stop',
        usage: { inputTokens: 5, outputTokens: 7 },
      });
    },
  };
}

/** A spoken turn as ears give it; the model's name for it. */
async function speak(session: Session, make: ElementBuilder, ms = 320): Promise<string> {
  const { turn } = make;
  session.push(make.speechStart(), ...make.frames(tone(ms)), make.speechEnd(), make.turnEnd());
  await settle();
  return String(turn);
}

const lines = (outputs: readonly StreamElement[]): string[] =>
  only(outputs, 'message').map(({ message }) => `${message.role}: ${messageText(message)}`);

const utteranceOf = (calls: readonly string[]): string =>
  calls.findLast((call) => call.startsWith('end '))?.slice(4) ?? '';

/** Asks by voice and has it answered. */
async function exchange(
  by: ReturnType<typeof model>,
  session: Session,
  make: ElementBuilder,
  asks: string,
  answers: string,
): Promise<void> {
  const turn = make.turn;
  await speak(session, make);
  by.tell({ type: 'user-transcript', utterance: utteranceOf(by.calls), text: asks });
  by.finish(by.begin(answers));
  await session.until((all) => all.some((one) => one.kind === 'turn-end' && one.turn === turn));
}

/** The realtime model. */
export const duplexArea: Area = {
  title: 'A speech-to-speech model',
  rows: [
    same(
      'duplex.nothing-to-say',
      '§14.9 input closed before first element ▲',
      'A run in which nobody says anything opens no session and is no error.',
      async () => {
        const by = model();
        await live([new DuplexProviderStage({ provider: by.provider })]).end();
        expect(by.setups).toEqual([]);
      },
    ),
    same(
      'duplex.setup',
      '§14.9 session gets the system prompt, sent once ▲, #1035',
      'The session is opened once, with the rendered prompt, the history and the tools of the turn.',
      async () => {
        const by = model();
        const history = [textMessage('user', 'Before')];
        const session = live([new DuplexProviderStage({ provider: by.provider })], {
          turn: { systemPrompt: 'You are brief.', history },
        });
        const make = elements();
        await exchange(by, session, make, 'Hi', 'Hello.');
        await exchange(by, session, make, 'And?', 'Well.');
        await session.end();
        expect(by.setups).toHaveLength(1);
        expect(by.setups[0]).toMatchObject({ system: 'You are brief.', history });
      },
    ),
    same(
      'duplex.forwards',
      '§14.9 audio and text forwarded ▲',
      'Audio of a turn goes in as it is spoken, typed text as text, a text to be said as that; everything else passes.',
      async () => {
        const by = model();
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        const make = elements();
        await exchange(by, session, make, 'Hi', 'Hello.');
        session.push(make.transcript('passes'), ...make.asks('typed'));
        await settle();
        by.finish(by.begin('Sure.'));
        await session.untilKind('turn-end', 2);
        session.push(make.text('Good bye.'));
        await settle();
        expect(by.samples).toBe(320 * 16);
        expect(by.calls).toContain('text typed');
        expect(by.calls).toContain('say Good bye.');
        expect(only(session.outputs, 'transcript').map(({ text }) => text)).toContain('passes');
        await session.close();
      },
    ),
    same(
      'duplex.user-first',
      '§14.9 user before assistant always, both provider styles, once per utterance ▲, §13 (late transcript)',
      'The person’s message comes once per utterance and before the assistant’s, whether its transcript comes early, late or in fragments.',
      async () => {
        for (const finalTranscripts of [true, false])
          for (const late of [false, true]) {
            const by = model({ finalTranscripts });
            const session = live([new DuplexProviderStage({ provider: by.provider })]);
            const make = elements();
            await speak(session, make);
            const utterance = utteranceOf(by.calls);
            const words = (): void => {
              if (finalTranscripts)
                by.tell({ type: 'user-transcript', utterance, text: 'Hi there' });
              else
                for (const text of ['Hi ', 'there'])
                  by.tell({ type: 'user-transcript-delta', utterance, text });
            };
            if (!late) words();
            const reply = by.begin('Hello.');
            if (late) words();
            by.finish(reply);
            await session.untilKind('turn-end');
            expect(lines(session.outputs)).toEqual(['user: Hi there', 'assistant: Hello.']);
            await session.close();
          }
      },
    ),
    differs(
      'duplex.turn-end',
      '§14.9 finish → message + EndOfStream ▲, §2.1',
      'A reply ends with its message (finish reason, usage) and the turn with `turn-end`; the stream stays open.',
      'In the seed the end of a reply and the end of the session are the same element, which consumers took for the end of all.',
      async () => {
        const by = model();
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        const make = elements();
        await exchange(by, session, make, 'Hi', 'Hello.');
        const reply = only(session.outputs, 'message').at(-1)?.message;
        expect(reply).toMatchObject({
          finishReason: 'stop',
          usage: { inputTokens: 5, outputTokens: 7 },
        });
        await exchange(by, session, make, 'Still there?', 'Yes.');
        expect(only(await session.end(), 'end')).toHaveLength(1);
      },
    ),
    same(
      'duplex.no-bleed',
      '§14.9 no bleed across turns, output-transcript delta not doubled ▲',
      'Text and speech of a reply belong to its turn only, and are told once.',
      async () => {
        const by = model();
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        const make = elements();
        await exchange(by, session, make, 'one', 'First.');
        await exchange(by, session, make, 'two', 'Second.');
        await session.end();
        expect(lines(session.outputs)).toEqual([
          'user: one',
          'assistant: First.',
          'user: two',
          'assistant: Second.',
        ]);
        for (const turn of [1, 2]) {
          const own = session.outputs.filter((one) => one.turn === turn);
          const speech = only(own, 'speech');
          expect(speech.map(({ text }) => text).join('')).toBe(turn === 1 ? 'First.' : 'Second.');
          expect(speech.filter(({ last }) => last)).toHaveLength(1);
        }
      },
    ),
    same(
      'duplex.interrupted',
      '§14.9 interrupted → partial marked, next reply complete ▲, §12.9',
      'An interrupt cancels the reply at the server and passes on first; the reply’s message is marked `interrupted`, its tool calls go with it, and the next reply is whole.',
      async () => {
        const by = model();
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        const make = elements();
        await speak(session, make);
        by.tell({ type: 'user-transcript', utterance: utteranceOf(by.calls), text: 'Count' });
        const reply = by.begin('One, two ');
        await session.untilKind('speech');
        session.push(make.interrupt(1));
        await session.untilKind('interrupt');
        by.tell({ type: 'reply-done', reply, reason: 'interrupted' });
        await session.untilKind('turn-end');
        expect(by.calls).toContain('cancel');
        expect(only(session.outputs, 'message').at(-1)?.message.finishReason).toBe('interrupted');
        await exchange(by, session, make, 'Go on', 'Three.');
        expect(lines(session.outputs).at(-1)).toBe('assistant: Three.');
        await session.end();
      },
    ),
    same(
      'duplex.wrapped',
      '§13 #911',
      'Nothing a session can do is lost behind a wrapper: a measured and traced stage still ends its turns.',
      async () => {
        const by = model();
        const stage = new MetricsStage(
          new TracingStage(new DuplexProviderStage({ provider: by.provider })),
        );
        const session = live([stage]);
        const make = elements();
        await exchange(by, session, make, 'Hi', 'Hello.');
        await session.end();
        expect(by.calls.filter((call) => call.startsWith('end '))).toHaveLength(1);
        expect(by.calls.at(-1)).toBe('close');
      },
    ),
    differs(
      'duplex.connect-failure',
      '§8.5 bug, §12.9, §14 gaps',
      'A session that cannot be had is told at once, with the vendor’s reason, and every open turn ends; the stage does not throw.',
      'In the seed a bad key shows up as a hang of 30 s while the microphone is open.',
      async () => {
        let refuse = (): void => {};
        const by = model({
          connect: () =>
            new Promise((_, reject) => {
              refuse = () =>
                reject(new AntiphonError('provider-auth', 'a bad key', { hint: 'Check it.' }));
            }),
        });
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        await speak(session, elements());
        refuse();
        await session.untilKind('error');
        expect(only(session.outputs, 'error')[0]?.error).toMatchObject({
          code: 'provider-auth',
          hint: 'Check it.',
        });
        await session.end();
        expect(only(session.outputs, 'turn-end')).toHaveLength(1);
      },
    ),
    same(
      'duplex.waiting-audio',
      '§14.9 pre-session buffer bounded, newest kept, non-audio never evicted; replay then live order ▲, #1622',
      'What is said while the session opens waits, bounded, and goes in first; beyond the bound the oldest audio is dropped, nothing else.',
      async () => {
        let open = (): void => {};
        const opened = new Promise<void>((resolve) => {
          open = resolve;
        });
        const by = model();
        const { connect } = by.provider;
        const provider: RealtimeProvider = {
          ...by.provider,
          connect: async (setup, options) => {
            await opened;
            return connect(setup, options);
          },
        };
        const session = live([new DuplexProviderStage({ provider, maxWaitingAudioMs: 640 })]);
        const make = elements();
        // 40 frames that say their number.
        session.push(
          make.speechStart(),
          ...Array.from({ length: 40 }, (_, n) => make.audio(new Float32Array(512).fill(n + 1))),
          make.speechEnd(),
          make.turnEnd(),
        );
        await settle();
        expect(by.samples).toBe(0);
        open();
        await settle();
        expect(by.samples).toBeLessThanOrEqual(640 * 16);
        expect(by.samples).toBeGreaterThan(560 * 16);
        expect(by.calls.map((call) => call.split(' ')[0])).toEqual(['start', 'end']);
        expect(session.events.map(({ type }) => type)).toContain('audio-dropped');
        session.push(make.speechStart(), make.audio(new Float32Array(512).fill(41)));
        await settle();
        const [waited, now] = [by.chunks.slice(0, -1), by.chunks.at(-1)];
        expect(waited).toEqual(waited.map((_, at) => 41 - waited.length + at));
        expect(now).toBe(41);
        await session.close();
      },
    ),
    differs(
      'duplex.error',
      '§14.9 error chunk → element + error ▲, §12.9',
      'Trouble with one request is an `error` element and the session goes on; only a connection that cannot be had again ends it.',
      'In the seed an error of the provider ends the stage.',
      async () => {
        const by = model();
        const session = live([new DuplexProviderStage({ provider: by.provider })]);
        const make = elements();
        await exchange(by, session, make, 'Hi', 'Hello.');
        const error = {
          code: 'provider-request',
          message: 'odd',
          hint: '',
          retryable: false,
        } as const;
        by.tell({ type: 'error', error });
        await session.untilKind('error');
        await exchange(by, session, make, 'Still there?', 'Yes.');
        await session.end();
        expect(lines(session.outputs).at(-1)).toBe('assistant: Yes.');
      },
    ),
    same(
      'duplex.closes',
      '§14.9 session end ▲, §8.5 shutdown',
      'The session is closed with the run, on every way out.',
      async () => {
        for (const way of ['end', 'close'] as const) {
          const by = model();
          const session = live([new DuplexProviderStage({ provider: by.provider })]);
          await exchange(by, session, elements(), 'Hi', 'Hello.');
          await session[way]();
          expect(by.calls.filter((call) => call === 'close')).toHaveLength(1);
        }
      },
    ),
  ],
};
