/** The speech detector on scripted probabilities. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Loudspeaker,
  type SpeechChange,
  SpeechDetector,
} from '../../../src/speech/turn/speech-detector.ts';
import { frameMs, frames } from './scripted-speech.ts';

/** What changed, and at the end of which ms. */
function changes(
  probabilities: readonly number[],
  loudspeaker: Loudspeaker = 'silent',
  detector = new SpeechDetector(),
): [SpeechChange, number][] {
  return probabilities.flatMap((probability, index): [SpeechChange, number][] => {
    const frame = { probability, at: index * frameMs, durationMs: frameMs };
    const change = detector.feed(frame, loudspeaker);
    if (change === 'misfire') detector.end();
    return change === undefined ? [] : [[change, (index + 1) * frameMs]];
  });
}

describe('the speech detector', () => {
  it('is tentative after 64 ms and sure after 250 ms of speech', () => {
    expect(changes(frames([320, 0], [640, 0.9]))).toEqual([
      ['tentative', 320 + 64],
      ['confirmed', 320 + 256],
    ]);
  });

  it('dates the onset and the end by the speech, not by the moment it decided', () => {
    const detector = new SpeechDetector();
    changes(frames([320, 0.1], [640, 0.9], [320, 0.1]), 'silent', detector);
    expect(detector.onset).toBe(320);
    expect(detector.speechEnd).toBe(960);
    expect(detector.silenceMs).toBe(320);
    expect(detector.voicedMs).toBe(640);
  });

  it('calls a click of 96 ms a misfire after 400 ms of silence', () => {
    expect(changes(frames([96, 0.9], [640, 0]))).toEqual([
      ['tentative', 64],
      ['misfire', 96 + 416],
    ]);
  });

  it('says nothing about a single loud frame', () => {
    expect(changes(frames([32, 1], [320, 0], [32, 1], [320, 0]))).toEqual([]);
  });

  it('holds on between the two thresholds and lets go below', () => {
    const detector = new SpeechDetector();
    changes(frames([320, 0.9], [320, 0.4]), 'silent', detector);
    expect(detector.silenceMs).toBe(0);
    changes(frames([64, 0.3], [64, 0.45]), 'silent', detector);
    expect(detector.silenceMs).toBe(128);
  });

  it('finds faint speech that wavers about the threshold', () => {
    const wavering = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 0.55 : 0.4));
    expect(changes(wavering)[0]).toEqual(['tentative', 96]);
  });

  it('dates speech by itself, not by a noise that hovered below the threshold before', () => {
    const detector = new SpeechDetector();
    changes(frames([32, 0.6], [3200, 0.4], [640, 0.9]), 'silent', detector);
    expect(detector.onset).toBe(3232);
  });

  it('can be told that a short sound was speech', () => {
    const detector = new SpeechDetector();
    expect(detector.confirm()).toBe(false);
    changes(frames([96, 0.9]), 'silent', detector);
    expect([detector.confirm(), detector.confirm()]).toEqual([true, false]);
    expect(changes(frames([640, 0]), 'silent', detector)).toEqual([]);
    expect(detector.state).toBe('confirmed');
  });

  it('reports the length of a pause that speech ended', () => {
    const detector = new SpeechDetector();
    const found = changes(frames([320, 0.9], [320, 0], [320, 0.9]), 'silent', detector);
    expect(found.map(([change]) => change)).toEqual(['tentative', 'confirmed', 'continued']);
    expect(detector.pauseMs).toBe(320);
  });

  it('asks for 0.65 and three frames while the assistant is audible, more in the first playback', () => {
    expect(changes(frames([640, 0.6]), 'audible')).toEqual([]);
    expect(changes(frames([640, 0.7]), 'audible')[0]).toEqual(['tentative', 96]);
    expect(changes(frames([640, 0.7]), 'first-playback')).toEqual([]);
    expect(changes(frames([640, 0.9]), 'first-playback')[0]).toEqual(['tentative', 96]);
  });

  it('takes what is no number for silence', () => {
    expect(changes(frames([640, Number.NaN], [640, Infinity]))).toEqual([]);
  });

  it('always comes back to silence: a second of it after anything leaves nothing open but a sure turn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300 }),
        (noise) => {
          const detector = new SpeechDetector();
          changes([...noise, ...frames([1000, 0])], 'silent', detector);
          expect(detector.state).not.toBe('tentative');
          expect(detector.silenceMs >= 960 || detector.state === 'silence').toBe(true);
        },
      ),
    );
  });
});
