/** `AudioTurnStage` on scripted speech: what it emits, in what order, through which port. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FloorCommand, FloorMessage } from '../../../src/audio/floor.ts';
import { type AudioElement, element, type StreamElement } from '../../../src/core/element.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { only, runOn, scriptedVad, testContext } from '../../../src/testing/index.ts';
import { frames, microphone } from './scripted-speech.ts';

const stage = (options: Partial<ConstructorParameters<typeof AudioTurnStage>[0]> = {}) =>
  new AudioTurnStage({ vad: scriptedVad(), ...options });

/** One turn: a second of silence, one of speech, one and a half of silence. */
const question = frames([1024, 0.01], [1024, 0.95], [1536, 0.01]);

/** Kinds in order, runs of `audio` as one. */
const kinds = (elements: readonly StreamElement[]): string[] =>
  elements
    .map(({ kind }) => kind)
    .filter((kind, index, all) => kind !== 'audio' || all[index - 1] !== 'audio');

describe('a turn', () => {
  it('leaves as start, audio, end, utterance and turn end', async () => {
    const outputs = await runOn(stage(), microphone(question));
    expect(kinds(outputs)).toEqual([
      'speech-start',
      'audio',
      'speech-end',
      'utterance',
      'turn-end',
    ]);
    expect(outputs.every(({ turn, source }) => turn === 1 && source === 'audio-turn')).toBe(true);
    expect(only(outputs, 'speech-end')[0]?.misfire).toBe(false);
  });

  it('is dated by its speech and holds 500 ms before it and 200 ms after', async () => {
    const [utterance] = only(await runOn(stage(), microphone(question)), 'utterance');
    expect(utterance).toMatchObject({
      at: 524,
      speechStart: 1024,
      speechEnd: 2048,
      sampleRate: 16_000,
    });
    expect(utterance?.samples).toHaveLength((2248 - 524) * 16);
  });

  it('streams the same samples as audio, without a gap, from pre-roll to the end of the turn', async () => {
    const outputs = await runOn(stage(), microphone(question));
    const [utterance] = only(outputs, 'utterance');
    const audio = only(outputs, 'audio');
    audio.reduce((at, chunk) => {
      expect(chunk.at).toBeCloseTo(at, 6);
      return chunk.at + chunk.samples.length / 16;
    }, utterance?.at ?? Number.NaN);
    const streamed = audio.flatMap(({ samples }) => [...samples]);
    expect(streamed.slice(0, utterance?.samples.length)).toEqual([...(utterance?.samples ?? [])]);
    expect(only(outputs, 'turn-end')[0]?.at).toBe(2048 + 608);
  });

  it('does not depend on how the microphone cuts its stream', async () => {
    const whole = microphone(question);
    const samples = whole.flatMap((chunk) => [...chunk.samples]);
    const expected = only(await runOn(stage(), whole), 'utterance');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (size) => {
        const chunks = Array.from({ length: Math.ceil(samples.length / size) }, (_, index) =>
          element('audio', {
            samples: Float32Array.from(samples.slice(index * size, (index + 1) * size)),
            sampleRate: 16_000,
            at: (index * size) / 16,
          }),
        );
        expect(only(await runOn(stage(), chunks), 'utterance')).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });

  it('of a click is a misfire without utterance and turn end', async () => {
    const outputs = await runOn(stage(), microphone(frames([512, 0], [96, 0.9], [1024, 0])));
    expect(kinds(outputs)).toEqual(['speech-start', 'audio', 'speech-end']);
    expect(only(outputs, 'speech-end')[0]?.misfire).toBe(true);
  });

  it('still open at the end of the input leaves before `end`', async () => {
    const inputs = [...microphone(frames([512, 0], [1024, 0.9])), element('end', {})];
    const outputs = await runOn(stage(), inputs);
    expect(kinds(outputs).slice(-4)).toEqual(['speech-end', 'utterance', 'turn-end', 'end']);
  });

  it('of 30 s goes on in the next without losing or repeating a sample', async () => {
    const talk = frames([512, 0], [40_000, 0.9], [1536, 0]);
    const [first, second] = only(await runOn(stage(), microphone(talk)), 'utterance');
    expect((first?.at ?? 0) + (first?.samples.length ?? 0) / 16).toBeCloseTo(second?.at ?? 0, 6);
  });
});

describe('what passes', () => {
  it('goes on in order: everything that is not audio', async () => {
    const typed = element('text', { text: 'hello', delta: false });
    const outputs = await runOn(stage(), [...microphone(question), typed, element('end', {})]);
    expect(outputs.slice(-2)).toEqual([typed, element('end', {})]);
  });

  it('audio of another rate becomes one error element, not silence for ever', async () => {
    const wrong = microphone(question).map((chunk): AudioElement => ({
      ...chunk,
      sampleRate: 48_000,
    }));
    const outputs = await runOn(stage(), [...wrong, ...microphone(question, 200)]);
    expect(only(outputs, 'error')).toHaveLength(1);
    expect(only(outputs, 'error')[0]?.error).toMatchObject({
      code: 'audio-format',
      stage: 'audio-turn',
    });
    expect(only(outputs, 'utterance')).toHaveLength(1);
  });

  it('samples that are no number leave as silence', async () => {
    const inputs = microphone(question);
    inputs[40]?.samples.fill(Number.NaN, 10, 20);
    const [utterance] = only(await runOn(stage(), inputs), 'utterance');
    expect(utterance?.samples.every((sample) => Number.isFinite(sample))).toBe(true);
  });

  it('a failing detector fails the run with its error', async () => {
    const vad = { ...scriptedVad(), process: () => Promise.reject(new Error('out of memory')) };
    await expect(runOn(stage({ vad }), microphone(question))).rejects.toThrow('out of memory');
  });
});

describe('events', () => {
  it('tell no level unless asked', async () => {
    const context = testContext();
    await runOn(stage(), microphone(question), context);
    expect(context.events.filter(({ type }) => type === 'level')).toEqual([]);
  });

  it('report level and probability about 15 times a second of audio', async () => {
    const context = testContext();
    await runOn(stage({ levels: true }), microphone(frames([9600, 0.02], [640, 0.9])), context);
    const levels = context.events.filter(({ type }) => type === 'level');
    expect(levels).toHaveLength(160);
    expect(levels.at(-1)?.detail).toEqual({
      microphone: expect.closeTo(0.9, 5),
      probability: expect.closeTo(0.9, 5),
    });
  });

  it('say how long after its onset speech was noticed', async () => {
    const context = testContext();
    await runOn(stage(), microphone(question), context);
    const noticed = context.events.find(({ type }) => type === 'speech-start');
    expect(noticed?.detail).toMatchObject({ turn: 1, speechStart: 1024, noticedAfterMs: 64 });
  });

  it('alarm once a second of audio while judgement is more than 200 ms late', async () => {
    let now = 0;
    const vad = scriptedVad();
    let frame = 0;
    const slow = {
      ...vad,
      process: (samples: Float32Array) => {
        now += (frame += 1) > 50 ? 40 : 32;
        return vad.process(samples);
      },
    };
    const context = testContext({ now: () => now });
    await runOn(stage({ vad: slow }), microphone(frames([4800, 0])), context);
    const alarms = context.events.filter(({ type }) => type === 'vad-late');
    expect(alarms.length).toBeGreaterThan(1);
    expect(alarms.length).toBeLessThan(4);
    expect((alarms[0] as { detail: { lagMs: number } }).detail.lagMs).toBeGreaterThan(200);
  });
});

describe('the floor', () => {
  /** Feeds one frame at a time; what ports deliver arrives between frames. */
  async function converse(
    script: readonly (readonly [ms: number, probability: number] | FloorMessage)[],
  ): Promise<{ outputs: StreamElement[]; commands: FloorCommand[] }> {
    const ports = {
      floor: new MessageChannel(),
      words: new MessageChannel(),
      control: new MessageChannel(),
    };
    const commands: FloorCommand[] = [];
    ports.floor.port1.onmessage = ({ data }: MessageEvent<FloorCommand>) => commands.push(data);
    const portOf = (message: FloorMessage): MessagePort =>
      message.type === 'words'
        ? ports.words.port1
        : message.type === 'turn'
          ? ports.control.port1
          : ports.floor.port1;
    // What one port gives to Node comes before what another gives later.
    const delivered = (): Promise<void> =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port2.onmessage = () => {
          port1.close();
          resolve();
        };
        port1.postMessage('');
      });
    async function* input(): AsyncGenerator<StreamElement> {
      let frame = 0;
      for (const step of script) {
        if ('type' in step) {
          portOf(step).postMessage(step);
          await delivered();
          await delivered();
        } else {
          for (const chunk of microphone(frames(step), frame)) {
            frame += 1;
            yield chunk;
          }
        }
      }
      await delivered();
      await delivered();
    }
    const hearing = stage({
      floor: ports.floor.port2,
      words: ports.words.port2,
      control: ports.control.port2,
      firstPlaybackMs: 0,
    });
    const outputs = await runOn(hearing, input());
    for (const { port1 } of Object.values(ports)) port1.close();
    return { outputs, commands };
  }

  const asked = [[640, 0.95], [800, 0], { type: 'audible', turn: 1, at: 1400 }, [320, 0]] as const;

  it('is taken by talking: pause, then flush, then an interrupt, and no word is lost', async () => {
    const { outputs, commands } = await converse([...asked, [800, 0.95], [1536, 0]]);
    expect(commands).toEqual([{ type: 'pause' }, { type: 'flush', turn: 1 }]);
    expect(only(outputs, 'interrupt').map(({ turn }) => turn)).toEqual([1]);
    const second = only(outputs, 'utterance')[1];
    expect(second).toMatchObject({ turn: 2, speechStart: 1760, speechEnd: 2560 });
    expect(second?.at).toBeLessThan(1760 - 400);
    const order = outputs.map(({ kind, turn }) => `${kind} ${turn}`);
    expect(order.indexOf('interrupt 1')).toBeLessThan(order.indexOf('utterance 2'));
  });

  it('is kept through a back-channel: pause, lift, resume, and the turn is a misfire', async () => {
    const { outputs, commands } = await converse([
      ...asked,
      [320, 0.95],
      { type: 'words', turn: 2, text: 'mhm', final: false },
      [1024, 0],
    ]);
    expect(commands).toEqual([{ type: 'pause' }, { type: 'lift' }, { type: 'resume' }]);
    expect(only(outputs, 'interrupt')).toEqual([]);
    expect(only(outputs, 'speech-end').map(({ misfire }) => misfire)).toEqual([false, true]);
    expect(only(outputs, 'utterance')).toHaveLength(1);
  });

  it('numbers spoken turns above those of the page', async () => {
    const { outputs } = await converse([{ type: 'turn', turn: 4 }, [640, 0.95], [1024, 0]]);
    expect(only(outputs, 'utterance')[0]?.turn).toBe(5);
  });
});
