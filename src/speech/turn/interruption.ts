/**
 * Whether someone who makes themselves heard takes the floor. Playback is paused at the first sign; here
 * it is decided whether that stands. After the policies of LiveKit's agents (minimum duration, false
 * interruption timeout) and the rules on back-channels of two-channel turn-taking studies.
 */
import { englishBackChannels, isBackChannel, wordsOf } from './back-channel.ts';

/** What the assistant is doing: nothing, preparing a reply, or being heard. */
export type FloorState = 'listening' | 'thinking' | 'speaking';

/** Thresholds of {@link judgeInterruption}. */
export interface InterruptionOptions {
  /** Voiced time that takes the floor from a speaking assistant without any word; 500 ms unless given. */
  readonly speakingMs?: number;
  /** The same for a thinking one; 250 ms unless given. */
  readonly thinkingMs?: number;
  /** Voiced time at which even "yeah, yeah, yeah" takes it; 1 200 ms unless given. */
  readonly backChannelMs?: number;
  /** The assistant goes on when nobody could tell a word within this time; 2 000 ms unless given. */
  readonly decideWithinMs?: number;
  /** Silence after which what was said is all that is to come; 600 ms unless given. */
  readonly settledMs?: number;
  /** Words that claim nothing, lower case; {@link englishBackChannels} unless given. */
  readonly backChannels?: ReadonlySet<string>;
}

/** What is known of a possible interruption. */
export interface InterruptionEvidence {
  /** What the assistant did when the person began. */
  readonly floor: FloorState;
  /** Speech so far, pauses not counted, ms. */
  readonly voicedMs: number;
  /** Silence since the last speech, ms. */
  readonly silenceMs: number;
  /** Time since the start was noticed, ms. */
  readonly elapsedMs: number;
  /** The words understood so far; undefined when nobody is listening for words. */
  readonly words: string | undefined;
  /** Whether they are all that was said so far. */
  readonly understood?: boolean;
}

/** `commit`: the person has the floor. `resume`: the assistant goes on. `wait`: not clear yet. */
export type InterruptionVerdict = 'commit' | 'resume' | 'wait';

/** Decides; pure, called once a frame until it no longer says `wait`. */
export function judgeInterruption(
  evidence: InterruptionEvidence,
  options: InterruptionOptions = {},
): InterruptionVerdict {
  const { floor, voicedMs, silenceMs, elapsedMs, words, understood = false } = evidence;
  const { speakingMs = 500, thinkingMs = 250, backChannelMs = 1200 } = options;
  const { decideWithinMs = 2000, settledMs = 600, backChannels = englishBackChannels } = options;
  if (floor === 'listening') return 'commit';
  const said = words !== undefined && wordsOf(words).length > 0;
  if (said && !isBackChannel(words, backChannels)) return 'commit';
  if (floor === 'thinking') return voicedMs >= thinkingMs ? 'commit' : 'wait';
  if (voicedMs >= (said ? backChannelMs : speakingMs)) return 'commit';
  // Nobody will tell us a word, or the words there are claim nothing: silence settles it.
  const settled = silenceMs >= settledMs && (said || understood || words === undefined);
  return settled || elapsedMs >= decideWithinMs ? 'resume' : 'wait';
}
