/** Whole conversations by voice, whoever says what when: nothing is lost, nothing hangs, what was heard is what was played. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageText, type TimedWord } from '../../src/core/element.ts';
import { englishBackChannels, isBackChannel } from '../../src/speech/turn/back-channel.ts';
import { runOffline, type OfflineRun } from '../../src/testing/index.ts';
import { cast, plain, scenario, type Cast, type Scenario } from './conversation-scenarios.ts';
import { runs } from './runs.ts';

/** What of `some` is not in `others`, each as often as it is missing. */
function missing(some: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return some.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const claims = (words: readonly string[]): string[] =>
  words.filter((word) => !englishBackChannels.has(word));
const textOf = (words: readonly TimedWord[]): string => words.map(({ text }) => text).join(' ');

/** What was said in one breath. */
function breaths(words: readonly TimedWord[]): TimedWord[][] {
  const all: TimedWord[][] = [];
  for (const word of words) {
    const last = all.at(-1);
    if (last && word.start - (last.at(-1)?.end ?? 0) < 350) last.push(word);
    else all.push([word]);
  }
  return all;
}

/** What was heard is a beginning of what was handed to the voice, and that of what was written; it was played. */
function checkHeard(
  { messages, spoken, turns, events }: OfflineRun,
  { language }: Cast,
  voiceFails: boolean,
): void {
  const replies = messages.filter(({ role }) => role === 'assistant');
  for (const { generated, queued, heard } of replies) {
    // A sentence that can't be spoken is left out.
    if (!voiceFails) expect(generated?.startsWith(queued ?? '')).toBe(true);
    expect(queued?.startsWith(heard ?? '')).toBe(true);
  }
  const played = language.understand(spoken).map(({ text }) => text);
  const rest = replies.flatMap((message) => plain(message.heard ?? ''));
  for (const word of played) if (word === rest[0]) rest.shift();
  expect(rest).toEqual([]);
  // What nobody interrupted was heard to its end.
  const voided = Math.max(
    ...events.map((event) => (event.type === 'interrupt' ? event.detail.turn : 0)),
  );
  for (const { turn, reply, heard } of turns)
    if (turn > voided && !voiceFails) expect(heard.trim()).toBe(reply.trim());
}

/** Nothing that was said is lost or doubled, and the last of it is answered. */
function checkSaid(run: OfflineRun, { language, options, refused }: Cast, isSlow: boolean): void {
  const { messages, heard } = run;
  const spoken = language.understand(heard).filter(({ text }) => plain(text).length > 0);
  const typed = (options.user ?? []).flatMap((step) =>
    step.type === 'types' ? plain(step.text) : [],
  );
  const said = claims([...spoken.map(({ text }) => text), ...typed]);
  const asked = messages.filter(({ role }) => role === 'user');
  const understood = claims([...asked.flatMap((one) => plain(messageText(one))), ...refused]);
  expect(missing(understood, said)).toEqual([]);
  // A scribe that is busy with what was said before, or slow, does not tell a curt word from a click in time.
  const curt = breaths(spoken).flatMap((words) => {
    const voicedMs = words.reduce((sum, { start, end }) => sum + end - start, 0);
    const claimsNothing = isBackChannel(textOf(words)) || (isSlow && voicedMs < 300);
    return claimsNothing ? words.map(({ text }) => text) : [];
  });
  expect(missing(missing(said, understood), curt)).toEqual([]);
  const last = asked.at(-1);
  if (last)
    expect(messages.slice(messages.indexOf(last)).map(({ role }) => role)).toContain('assistant');
}

/** Nobody is talked over: a second after they began to claim the floor the loudspeaker is silent. */
function checkFloor({ heard, spoken }: OfflineRun, { language }: Cast): void {
  const { samples, sampleRate } = spoken;
  for (const words of breaths(language.understand(heard))) {
    const [from, to] = [words[0]?.start ?? 0, words.at(-1)?.end ?? 0];
    const text = plain(textOf(words)).join(' ');
    if (to - from < 1300 || isBackChannel(text)) continue;
    const over = samples.slice(((from + 1000) * sampleRate) / 1000, (to * sampleRate) / 1000);
    const loud = over.filter((sample) => Math.abs(sample) > 0.01).length;
    // What begins just then is paused within a few frames.
    expect((loud * 1000) / sampleRate).toBeLessThan(150);
  }
}

async function play(given: Scenario): Promise<void> {
  const actors = cast(given);
  const run = await runOffline(actors.options);
  try {
    const numbers = run.turns.map(({ turn }) => turn);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    checkHeard(run, actors, given.voiceFails > 0);
    checkSaid(run, actors, given.recognizerMs > 0 || given.interimMs > 100);
    checkFloor(run, actors);
    const failures = run.events.flatMap((event) =>
      event.type === 'error' ? event.detail.message : [],
    );
    expect(failures.filter((message) => !/down|no voice/.test(message))).toEqual([]);
  } catch (error) {
    (error as Error).message += `\n${run.log}`;
    throw error;
  }
}

describe('a conversation of any kind', () => {
  it('ends, and its books are right', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, play),
      // A conversation takes about a second, and is shrunk by hand: its log says what happened.
      { numRuns: Math.max(6, runs().numRuns / 50), endOnFailure: true },
    );
  });
});
