/** Who takes the floor: back-channels and the verdict. */
import { describe, expect, it } from 'vitest';
import { isBackChannel } from '../../../src/speech/turn/back-channel.ts';
import {
  type InterruptionEvidence,
  judgeInterruption,
} from '../../../src/speech/turn/interruption.ts';

describe('back-channels', () => {
  it.each(['mhm', 'Mhm.', 'yeah', 'uh huh', 'oh okay', 'yeah yeah yeah', 'okay, right', '', '…'])(
    '"%s" claims nothing',
    (text) => expect(isBackChannel(text)).toBe(true),
  );

  it.each([
    'stop',
    'no',
    'wait',
    'yeah stop',
    'yeah okay stop',
    'oh wait really',
    'and then',
    "that's wrong",
    'okay what time is it',
  ])('"%s" claims the floor', (text) => expect(isBackChannel(text)).toBe(false));

  it('passes over a stray letter that a recogniser made of a cough', () => {
    expect(isBackChannel('k')).toBe(true);
    expect(isBackChannel('s mhm')).toBe(true);
  });

  it('knows the words of another language when given', () => {
    expect(isBackChannel('genau', new Set(['genau', 'ja']))).toBe(true);
    expect(isBackChannel('genau')).toBe(false);
    // "No" is a Polish "yeah".
    expect(isBackChannel('no tak', new Set(['no', 'tak']))).toBe(true);
  });
});

describe('the verdict', () => {
  const evidence = (facts: Partial<InterruptionEvidence>): InterruptionEvidence => ({
    floor: 'speaking',
    voicedMs: 200,
    silenceMs: 0,
    elapsedMs: 200,
    words: '',
    ...facts,
  });

  it.each([
    ['nothing stands against speech while the assistant listens', { floor: 'listening' }, 'commit'],
    ['a thinking assistant yields to 250 ms', { floor: 'thinking', voicedMs: 256 }, 'commit'],
    ['but not to less', { floor: 'thinking', voicedMs: 224 }, 'wait'],
    ['unless it was a word', { floor: 'thinking', voicedMs: 224, words: 'no' }, 'commit'],
    ['that is no "mhm"', { floor: 'thinking', voicedMs: 224, words: 'mhm' }, 'wait'],
    ['a speaking one waits', { voicedMs: 480 }, 'wait'],
    ['and yields to 500 ms', { voicedMs: 512 }, 'commit'],
    ['or to a word', { words: 'stop' }, 'commit'],
    ['not to "mhm" of 500 ms', { voicedMs: 512, words: 'mhm' }, 'wait'],
    ['but to 1.2 s of it', { voicedMs: 1216, words: 'yeah yeah yeah' }, 'commit'],
    ['it goes on when silence follows "mhm"', { silenceMs: 608, words: 'mhm' }, 'resume'],
    ['it waits for words that may still come', { silenceMs: 608 }, 'wait'],
    ['but not when there were none', { silenceMs: 608, understood: true }, 'resume'],
    ['but no longer than 2 s', { silenceMs: 1600, elapsedMs: 2016 }, 'resume'],
    ['and not at all when nobody transcribes', { silenceMs: 608, words: undefined }, 'resume'],
  ] as const)('%s', (_, facts, verdict) => {
    expect(judgeInterruption(evidence(facts))).toBe(verdict);
  });
});
