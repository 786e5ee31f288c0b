/** A whole conversation by voice without devices, faster than real time, the same every time. */
import type { TurnSummary } from '../../agent/events.ts';
import type { Recording } from '../../audio/wav.ts';
import type { Message } from '../../core/element.ts';
import type { OfflineEvent } from './event-log.ts';
import { OfflineConversation } from './offline-conversation.ts';
import type { OfflineOptions } from './offline-options.ts';

/** What came of an offline conversation. */
export interface OfflineRun {
  /** Everything that happened, in order; `at` is audio time. */
  readonly events: readonly OfflineEvent[];
  /** The same as lines, without increments, words and measurements: to be compared with a golden one. */
  readonly log: string;
  /** The turns, with their traces in audio time. */
  readonly turns: readonly TurnSummary[];
  /** The messages in their final form, as they are stored. */
  readonly messages: readonly Message[];
  /** What the speaker played from the first instant on, at the rate of the run. */
  readonly spoken: Recording;
  /** What the microphone got, on the same axis. */
  readonly heard: Recording;
  readonly durationMs: number;
}

/**
 * Runs the agent's pipeline (or one of yours) over a recording, or with a scripted person who can wait for the
 * reply and talk over it. Capture and playback are the engines of the worklets, rendered 128 samples at a time;
 * audio time is the only clock. It stands still while an engine works, so results do not depend on how fast
 * the machine is: the same input gives the same log. The conversation ends when the person has nothing more to
 * say and both sides were silent for `settleMs`.
 *
 * Engines that are not given speak, hear and understand a language of tones ({@link toneLanguage}), in which
 * `user.says` speaks. Rejects as the pipeline fails; with `expectation` when the person waited in vain, with
 * `execution-timeout` when an engine never answers or the conversation takes longer than `limitMs` of audio.
 * The error's `details.log` has the log so far.
 *
 * @example
 * const { log, turns } = await runOffline({
 *   user: [user.says('what time is it'), user.hears(3), user.says('stop it now'), user.hearsAll()],
 *   provider: scriptedProvider(['It is a quarter past three in the afternoon.', 'Sorry.']),
 * });
 */
export async function runOffline(options: OfflineOptions): Promise<OfflineRun> {
  return new OfflineConversation(options).run();
}
