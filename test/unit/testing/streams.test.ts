/** Building, collecting and describing streams. */
import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamElement } from '../../../src/core/element.ts';
import {
  collect,
  describeElement,
  describeElements,
  diffLogs,
  elements,
  join,
  only,
  silence,
  tone,
} from '../../../src/testing/index.ts';

describe('collect', () => {
  const counting = (): { stream: AsyncIterable<number>; closed: () => boolean } => {
    let closed = false;
    const stream = (async function* () {
      try {
        for (let value = 1; ; value += 1) yield value;
      } finally {
        closed = true;
      }
    })();
    return { stream, closed: () => closed };
  };

  it('takes everything, of plain iterables too', async () => {
    expect(await collect([1, 2, 3])).toEqual([1, 2, 3]);
    expect(await collect(new Set(['a']))).toEqual(['a']);
  });

  it('stops at a limit and at the last wanted value, and closes what it leaves', async () => {
    const limited = counting();
    expect(await collect(limited.stream, { limit: 2 })).toEqual([1, 2]);
    expect(limited.closed()).toBe(true);
    const chosen = counting();
    const until = (value: number, all: readonly number[]): boolean =>
      value === 3 && all.length === 3;
    expect(await collect(chosen.stream, { until })).toEqual([1, 2, 3]);
    expect(chosen.closed()).toBe(true);
    expect(await collect(counting().stream, { limit: 0 })).toEqual([]);
  });

  it('leaves a stream that gives nothing when it is aborted', async () => {
    const over = new AbortController();
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const collecting = collect(silent, { signal: over.signal });
    over.abort(new Error('enough'));
    await expect(collecting).rejects.toThrow('enough');
    await expect(collect([1], { signal: over.signal })).rejects.toThrow('enough');
  });

  it('fails as the stream does', async () => {
    const failing = (async function* () {
      yield 1;
      throw new Error('broken');
    })();
    await expect(collect(failing)).rejects.toThrow('broken');
  });
});

describe('elements', () => {
  it('count turns and times by themselves', () => {
    const make = elements();
    const made = [
      make.speechStart(),
      ...make.frames(tone(100)),
      make.speechEnd(),
      make.utterance(tone(100)),
      make.transcript('what time is it'),
      ...make.asks('what time is it'),
      make.interrupt(),
      ...make.reply('It is noon.'),
      make.toolCall('clock', { zone: 'UTC' }),
      make.toolResult('clock', 12),
      make.speech('It is noon.', { sound: tone(50), last: true }),
      make.media('image/png', new Uint8Array(3)),
      make.error('model-run', 'out of memory'),
      make.end(),
    ];
    expect(describeElements(made)).toBe(
      [
        '0 #1 speech-start',
        '0 #1 audio 100 ms at 16000 Hz, level 0.35 in 4',
        '100 #1 speech-end',
        '100 #1 utterance 100 ms at 16000 Hz, level 0.35, speech 100…200',
        '200 #1 transcript final "what time is it"',
        '200 #1 message user "what time is it"',
        '200 #1 turn-end',
        '200 #1 interrupt',
        '200 #2 text +"It "',
        '200 #2 text +"is "',
        '200 #2 text +"noon."',
        '200 #2 message assistant "It is noon." stop',
        '200 #2 tool-call clock {"zone":"UTC"}',
        '200 #2 tool-result clock 12',
        '200 #2 speech 50 ms at 16000 Hz, level 0.35 "It is noon." last',
        '200 #2 media image/png 3 bytes',
        '200 #2 error model-run "out of memory"',
        '200 #2 end',
      ].join('\n'),
    );
  });

  it('are the same every time, survive a structured clone, and share no buffer', () => {
    const sound = tone(64);
    const make = (): StreamElement[] => {
      const builder = elements({ turn: 3, at: 500, source: 'test' });
      return [
        ...builder.frames(sound),
        builder.user('hi'),
        builder.toolCall('a'),
        builder.error('tool', 'no'),
      ];
    };
    expect(make()).toEqual(make());
    const [first] = make();
    expect(first).toMatchObject({ turn: 3, at: 500, source: 'test' });
    const transfer = only(make(), 'audio').map(({ samples }) => samples.buffer);
    structuredClone(make(), { transfer: [] });
    structuredClone(transfer, { transfer });
    expect(sound.samples.buffer.byteLength).toBeGreaterThan(0);
  });

  it('take given facts before counted ones', () => {
    const make = elements();
    expect(make.text('a', { turn: 7, at: 9 })).toMatchObject({ turn: 7, at: 9 });
    expect(make.turnEnd({ turn: 4 })).toMatchObject({ turn: 4 });
    expect(make.user('b').turn).toBe(5);
    expect(make.utterance(tone(100), { speechStart: 40 })).toMatchObject({
      speechStart: 40,
      speechEnd: 100,
    });
    expect(make.transcript('c', { final: false }).final).toBe(false);
  });

  it('make frames of given probabilities, whole ones', () => {
    const frames = elements().probabilities([100, 0.9], [64, 0]);
    expect(frames.map(({ samples, at }) => [samples.length, at, samples[0]])).toEqual([
      [512, 0, Math.fround(0.9)],
      [512, 32, Math.fround(0.9)],
      [512, 64, Math.fround(0.9)],
      [512, 96, 0],
      [512, 128, 0],
    ]);
  });
});

describe('sounds', () => {
  it('are as long and as loud as they say', () => {
    const { samples, sampleRate } = join(tone(250, { level: 0.8 }), silence(250));
    expect([samples.length, sampleRate]).toEqual([8000, 16_000]);
    expect(Math.max(...samples)).toBeCloseTo(0.8, 2);
    expect(samples.slice(4000).every((sample) => sample === 0)).toBe(true);
  });

  it('of different rates are not joined', () => {
    expect(() => join(tone(10), silence(10, 8000))).toThrow('16000 Hz and of 8000 Hz');
  });
});

describe('a description', () => {
  it('of a reply says how it ended and what was heard', () => {
    const make = elements();
    const line = (facts: object): string => describeElement(make.assistant('Good day.', facts));
    expect(line({ heard: 'Good ', finishReason: 'interrupted' })).toBe(
      '0 #1 message assistant "Good day." interrupted heard "Good "',
    );
    expect(line({ heard: 'Good day.' })).toBe('0 #1 message assistant "Good day." stop all heard');
  });

  it('keeps audio of two turns apart, and mentions neither ids nor dates', () => {
    const make = elements();
    const log = describeElements([
      make.audio(tone(32)),
      make.audio(tone(32), { turn: 2 }),
      make.message('user', 'hi', { id: 'secret', createdAt: 123_456 }),
    ]);
    expect(log.split('\n')).toHaveLength(3);
    expect(log).not.toMatch(/secret|123456/);
  });
});

describe('a difference', () => {
  it('is empty between equal logs, whatever ends them', () => {
    expect(diffLogs('a\nb\n', 'a\nb')).toBe('');
  });

  it('shows what is missing and what is new, with two lines around', () => {
    const old = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].join('\n');
    expect(diffLogs(old, old.replace('f', 'x\ny').replace('a\n', ''))).toBe(
      ['- a', '  b', '  c', '  d', '  e', '- f', '+ x', '+ y', '  g', '  h'].join('\n'),
    );
    expect(diffLogs(old, `${old}\ni`)).toBe(['…', '  g', '  h', '+ i'].join('\n'));
  });

  it('turns one log into the other', () => {
    const lines = array(constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 });
    assert(
      property(lines, lines, (old, fresh) => {
        const difference = diffLogs(old.join('\n'), fresh.join('\n')).split('\n');
        const count = (mark: string): number =>
          difference.filter((line) => line.startsWith(mark)).length;
        if (old.join() === fresh.join()) expect(difference).toEqual(['']);
        else expect(fresh.length - old.length).toBe(count('+') - count('-'));
      }),
    );
  });
});
