/** Several speakers in one conversation: labels, turns, failures. */
import { describe, expect, it } from 'vitest';
import { element, messageText, type StreamElement } from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { generate, transform } from '../../../src/core/stage/define-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { speakerTracks } from '../../../src/stages/streaming/speaker-tracks.ts';
import { STTStage } from '../../../src/stages/streaming/stt-stage.ts';
import { TrackTurns } from '../../../src/stages/streaming/track-turns.ts';
import { VADAccumulatorStage } from '../../../src/stages/streaming/vad-accumulator-stage.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { gate, type Gate } from '../../../src/testing/gate.ts';
import { scriptedRecognizer } from '../../../src/testing/scripted-recognizer.ts';
import { scriptedVad } from '../../../src/testing/scripted-vad.ts';
import { silence } from '../../../src/testing/sounds.ts';
import { shown, turnEnd, user } from '../conversation/helpers.ts';
import { scriptedProvider } from '../../../src/testing/scripted-provider.ts';
import { interleaved } from './interleaved.ts';

/** A track that says what it is given, with pauses until gates open. */
const saying = (...script: readonly (StreamElement | Gate | Error)[]): Stage =>
  generate({
    name: 'script',
    emits: ['message', 'turn-end', 'speech-start', 'speech-end', 'transcript', 'interrupt'],
    async *generate(context) {
      for (const step of script)
        if (step instanceof Error) throw step;
        else if ('pass' in step) await step.pass(context.signal);
        else yield step as never;
    },
  });

const starts = (turn: number): StreamElement => element('speech-start', { turn });
const stops = (turn: number, misfire = false): StreamElement =>
  element('speech-end', { turn, misfire });
const interim = (text: string, turn: number, final = false): StreamElement =>
  element('transcript', { text, turn, final });

/** Who said what in which turn. */
const brief = (outputs: readonly StreamElement[]): string[] =>
  outputs.map((one) => {
    const speaker = one.meta?.['speaker'];
    const who = typeof speaker === 'string' ? `${one.turn} ${speaker}` : `${one.turn}`;
    if (one.kind === 'message') return `${who} "${messageText(one.message)}"`;
    return `${who} ${one.kind}`;
  });

const listen = async (tracks: Parameters<typeof speakerTracks>[0]): Promise<StreamElement[]> => {
  const pipeline = new PipelineBuilder({ session: 'live' }).chain(speakerTracks(tracks)).build();
  const outputs: StreamElement[] = [];
  for await (const one of pipeline.execute()) outputs.push(one);
  await pipeline.shutdown();
  return outputs;
};

/** Audio of a track: silence, speech and silence, as a scripted detector reads it. */
const speech = (source: string, ...pieces: [ms: number, probability: number][]): StreamElement[] =>
  elements()
    .probabilities(...pieces)
    .map((one) => ({ ...one, source }));

describe('speakerTracks', () => {
  it('hears each speaker on their own track and says who spoke, in messages and meta', async () => {
    const pipeline = new PipelineBuilder({ session: 'live' })
      .chain(
        speakerTracks({
          alice: {
            stages: [
              new AudioTurnStage({ vad: scriptedVad() }),
              new STTStage({ recognizer: scriptedRecognizer(['good morning']), interims: false }),
            ],
            speaker: 'Alice',
          },
          bob: {
            stages: [
              new VADAccumulatorStage({
                vad: scriptedVad(),
                recognizer: scriptedRecognizer(['hello there'], { interims: 'none' }),
              }),
            ],
          },
        }),
      )
      .build();
    const { outputs } = await pipeline.executeSync(
      ...interleaved(
        speech('alice', [320, 0.01], [960, 0.95], [1600, 0.01]),
        speech('bob', [320, 0.01], [640, 0.95], [1280, 0.01]),
      ),
    );
    const messages = only(outputs, 'message');
    expect(messages.map(({ message }) => messageText(message)).sort()).toEqual([
      'Alice: good morning',
      'bob: hello there',
    ]);
    const alice = messages.find(({ meta }) => meta?.['speaker'] === 'alice');
    expect(alice).toMatchObject({ source: 'alice/stt', meta: { trackTurn: 1, confidence: 0.9 } });
    const [transcript] = only(outputs, 'transcript');
    expect(transcript).toMatchObject({ text: 'good morning', turn: alice?.turn });
    expect(new Set(messages.map(({ turn }) => turn)).size).toBe(2);
    expect(only(outputs, 'end')).toHaveLength(1);
    await pipeline.shutdown();
  });

  it('has an agent answer each turn of any track, and the model knows who spoke', async () => {
    const second = gate();
    const provider = scriptedProvider(['Hi Ann.', 'Hi Ben.']);
    const pipeline = new PipelineBuilder({ session: 'live' })
      .chain(
        speakerTracks({
          ann: { stages: [saying(user('I am here'), turnEnd())], speaker: 'Ann' },
          ben: { stages: [saying(second, user('Me too'), turnEnd())], speaker: 'Ben' },
        }),
        new ProviderStage({ provider }),
      )
      .build();
    const outputs: StreamElement[] = [];
    for await (const one of pipeline.execute()) {
      outputs.push(one);
      if (one.kind === 'turn-end') second.open();
    }
    expect(brief(outputs.filter(({ kind }) => kind === 'message'))).toEqual([
      '1 ann "Ann: I am here"',
      '1 "Hi Ann."',
      '2 ben "Ben: Me too"',
      '2 "Hi Ben."',
    ]);
    expect(shown(provider.requests[1]?.messages ?? [])).toEqual([
      'user:Ann: I am here',
      'assistant:Hi Ann.',
      'user:Ben: Me too',
    ]);
    await pipeline.shutdown();
  });

  it('ends turns in rising order: one that outlasts another gets a new number for its end', async () => {
    const [begun, done] = [gate(), gate()];
    const tracks = speakerTracks({
      long: {
        stages: [saying(starts(1), done, stops(1), interim('x', 1, true), user('long'), turnEnd())],
      },
      short: { stages: [saying(begun, starts(1), stops(1), user('short'), turnEnd())] },
    });
    const pipeline = new PipelineBuilder().chain(tracks).build();
    const outputs: StreamElement[] = [];
    for await (const one of pipeline.execute()) {
      outputs.push(one);
      begun.open();
      if (one.kind === 'turn-end') done.open();
    }
    expect(brief(outputs)).toEqual([
      '1 long speech-start',
      '2 short speech-start',
      '2 short speech-end',
      '2 short "short: short"',
      '2 short turn-end',
      '1 long speech-end',
      '3 long transcript',
      '3 long "long: long"',
      '3 long turn-end',
      '0 end',
    ]);
  });

  it('lets what ends a turn leave together, so that no other turn comes between', async () => {
    const outputs = await listen({
      a: { stages: [saying(starts(1), stops(1), interim('a', 1, true), user('a'), turnEnd())] },
      b: { stages: [saying(starts(1), stops(1), interim('b', 1, true), user('b'), turnEnd())] },
    });
    const ends = outputs.filter(({ kind }) => ['transcript', 'message', 'turn-end'].includes(kind));
    const speakers = ends.map(({ meta }) => meta?.['speaker']);
    expect(speakers).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
    expect(ends.map(({ turn }) => turn)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('numbers a misfire like a turn and skips it', async () => {
    const outputs = await listen({
      a: {
        stages: [
          saying(starts(1), stops(1, true), starts(2), stops(2), user('yes', 2), turnEnd(2)),
        ],
      },
    });
    expect(brief(outputs).slice(0, 5)).toEqual([
      '1 a speech-start',
      '1 a speech-end',
      '2 a speech-start',
      '2 a speech-end',
      '2 a "a: yes"',
    ]);
  });

  it('takes a speaker who talks over the answer for an interruption of all that was answered', async () => {
    const [open, over] = [gate(), gate()];
    const tracks = speakerTracks({
      ann: {
        stages: [
          saying(
            user('one'),
            turnEnd(),
            open,
            starts(2),
            element('interrupt', { turn: 1 }),
            over,
            user('two', 2),
            turnEnd(2),
          ),
        ],
      },
      ben: { stages: [saying(starts(1), over, stops(1), user('ben'), turnEnd())] },
    });
    const pipeline = new PipelineBuilder().chain(tracks).build();
    const outputs: StreamElement[] = [];
    for await (const one of pipeline.execute()) {
      outputs.push(one);
      if (
        outputs.some(({ kind }) => kind === 'turn-end') &&
        only(outputs, 'speech-start').length > 0
      )
        open.open();
      if (one.kind === 'interrupt') over.open();
    }
    const answered = only(outputs, 'turn-end')[0]?.turn ?? 0;
    expect(only(outputs, 'interrupt')).toMatchObject([
      { turn: answered, meta: { speaker: 'ann' } },
    ]);
    // Both that were open end behind it, under numbers that are not void.
    const later = only(outputs, 'turn-end').slice(1);
    expect(later).toHaveLength(2);
    for (const { turn } of later) expect(turn).toBeGreaterThan(answered);
  });

  it('goes on when a track ends, and when one fails; and tells which', async () => {
    const late = gate();
    const failing = new AntiphonError('microphone-ended', 'unplugged', { hint: 'Plug it in.' });
    const tracks = speakerTracks({
      short: { stages: [saying(user('bye'), turnEnd())] },
      broken: { stages: [saying(failing)] },
      long: { stages: [saying(late, user('still here'), turnEnd())] },
    });
    const pipeline = new PipelineBuilder({ session: 'live' }).chain(tracks).build();
    const outputs: StreamElement[] = [];
    for await (const one of pipeline.execute()) {
      outputs.push(one);
      if (outputs.length === 3) late.open();
    }
    expect(only(outputs, 'message').map(({ message }) => messageText(message))).toEqual([
      'short: bye',
      'long: still here',
    ]);
    expect(only(outputs, 'error')).toMatchObject([
      { error: { code: 'microphone-ended', stage: 'script', details: { track: 'broken' } } },
    ]);
  });

  it('fails with its last track', async () => {
    const failing = new AntiphonError('microphone-ended', 'unplugged');
    await expect(
      listen({ a: { stages: [saying(user('bye'), turnEnd())] }, b: { stages: [saying(failing)] } }),
    ).resolves.toHaveLength(4);
    await expect(listen({ b: { stages: [saying(failing)] } })).rejects.toMatchObject({
      code: 'microphone-ended',
    });
  });

  it('passes by what is typed, numbers around it, and drops audio that is nobody’s', async () => {
    const tracks = speakerTracks({
      ann: {
        stages: [
          new VADAccumulatorStage({
            vad: scriptedVad(),
            recognizer: scriptedRecognizer(['spoken'], { interims: 'none' }),
          }),
        ],
      },
    });
    const pipeline = new PipelineBuilder({ session: 'live' }).chain(tracks).build();
    const run = pipeline.execute([
      user('typed', 7),
      turnEnd(7),
      ...speech('nobody', [320, 0.95]),
      ...speech('ann', [640, 0.95], [1280, 0.01]),
    ]);
    const events: unknown[] = [];
    run.on(({ type, detail }) => type === 'track-unknown' && events.push(detail));
    const outputs: StreamElement[] = [];
    for await (const one of run) outputs.push(one);
    expect(brief(outputs)).toEqual([
      '7 "typed"',
      '7 turn-end',
      '8 ann speech-start',
      '8 ann speech-end',
      '8 ann "ann: spoken"',
      '8 ann turn-end',
      '0 end',
    ]);
    expect(events).toEqual([{ source: 'nobody' }]);
    await pipeline.shutdown();
  });

  it('gives every track what it is due, however much another has to say', async () => {
    const many = Array.from({ length: 200 }, (_, index) => interim(`${index}`, 1));
    const outputs = await listen({
      talker: { stages: [saying(...many)] },
      quiet: { stages: [saying(...many.slice(0, 20))] },
    });
    const last = outputs.findLastIndex(({ meta }) => meta?.['speaker'] === 'quiet');
    expect(last).toBeLessThan(60);
    expect(only(outputs, 'transcript')).toHaveLength(220);
  });

  it.each(['wait', 'drop-oldest'] as const)('has a slow track %s', async (overflow) => {
    const busy = gate();
    const slow = transform({
      name: 'slow',
      consumes: ['audio'],
      emits: ['transcript'],
      async process({ at }, context) {
        await busy.pass(context.signal);
        return element('transcript', { text: `${at}`, final: false, turn: 1 });
      },
    });
    const quick = transform({
      name: 'quick',
      consumes: ['audio'],
      emits: ['transcript'],
      process: ({ at }) => element('transcript', { text: `${at}`, final: false, turn: 1 }),
    });
    const tracks = speakerTracks({ a: { stages: [slow] }, b: { stages: [quick] } }, { overflow });
    const pipeline = new PipelineBuilder({ session: 'live' }).chain(tracks).build();
    const audio = (source: string): StreamElement[] =>
      elements()
        .frames(silence(320 * 32), 512)
        .map((one) => ({ ...one, source }));
    const run = pipeline.execute(interleaved(audio('a'), audio('b')));
    let dropped = 0;
    run.on(({ type }) => void (dropped += type === 'audio-dropped' ? 1 : 0));
    const said: Record<string, number> = { a: 0, b: 0 };
    for await (const one of run) {
      const label = String(one.source.split('/')[0]);
      said[label] = (said[label] ?? 0) + 1;
      if (said['b'] === (overflow === 'wait' ? 250 : 320)) busy.open();
    }
    expect(said).toMatchObject({ a: 320 - dropped, b: 320 });
    expect(dropped > 0).toBe(overflow === 'drop-oldest');
  });

  it('releases all tracks when its consumer leaves', async () => {
    const closed: string[] = [];
    const endless = (name: string): Stage =>
      generate({
        name,
        emits: ['transcript'],
        async *generate() {
          try {
            for (;;) yield element('transcript', { text: name, final: false, turn: 1 });
          } finally {
            closed.push(name);
          }
        },
      });
    const pipeline = new PipelineBuilder()
      .chain(speakerTracks({ a: { stages: [endless('a')] }, b: { stages: [endless('b')] } }))
      .build();
    const run = pipeline.execute();
    for await (const _ of run) break;
    await run.close();
    expect(closed.sort()).toEqual(['a', 'b']);
  });

  it('refuses no tracks, tracks of both sorts, and stages that do not fit', () => {
    expect(() => speakerTracks({})).toThrow(/no tracks/);
    const hearing = { stages: [new AudioTurnStage({ vad: scriptedVad() })] };
    expect(() => speakerTracks({ a: hearing, b: { stages: [saying()] } })).toThrow(/some not/);
    expect(() => speakerTracks({ a: { stages: [] } })).toThrow(/stage/);
  });
});

describe('TrackTurns', () => {
  it('never gives a number twice, whoever counts', () => {
    const turns = new TrackTurns();
    expect([turns.of('a', 1), turns.of('b', 1), turns.of('a', 1)]).toEqual([1, 2, 1]);
    turns.saw(5);
    expect(turns.of('b', 2)).toBe(6);
    expect([turns.end('b', 1), turns.end('a', 1), turns.end('b', 2)]).toEqual([2, 7, 8]);
    turns.passed(20);
    expect([turns.of('a', 2), turns.over]).toEqual([21, 20]);
    expect(turns.of('a', 0)).toBe(0);
  });
});
