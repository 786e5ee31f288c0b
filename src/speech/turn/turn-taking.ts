/**
 * Turn-taking: joins speech detection, end of turn and interruption into decisions. It sees only frames
 * and reports, in audio time, and decides nothing by a clock of its own; the same input gives the same
 * decisions however fast it is fed.
 */
import type { FloorCommand, FloorMessage } from '../../audio/floor.ts';
import { type EndpointPolicy, learnedSilence } from './endpointing.ts';
import { saysSomething } from './back-channel.ts';
import { FloorTracker } from './floor-tracker.ts';
import { type FloorState, type InterruptionVerdict, judgeInterruption } from './interruption.ts';
import { SpeechDetector, type SpeechFrame } from './speech-detector.ts';
import type { TurnTakingOptions } from './turn-taking-options.ts';

export type { TurnTakingOptions };

/** What to do now; times in ms on the capture clock. */
export type TurnDecision =
  /** A turn may have begun at `speechStart`; noticed at `at`. */
  | {
      readonly type: 'start';
      readonly turn: number;
      readonly speechStart: number;
      readonly at: number;
    }
  /** It is speech. */
  | { readonly type: 'confirm'; readonly turn: number; readonly at: number }
  /** A pause: ask the turn detector; answer by {@link TurnTaking.answer}. */
  | { readonly type: 'consider'; readonly turn: number; readonly pause: number }
  /** Everything of turns ≤ `turn` is void. */
  | { readonly type: 'interrupt'; readonly turn: number; readonly at: number }
  /** It was nothing, or no claim to the floor. */
  | { readonly type: 'misfire'; readonly turn: number; readonly at: number }
  /** The turn is over. */
  | {
      readonly type: 'end';
      readonly turn: number;
      readonly speechStart: number;
      readonly speechEnd: number;
      readonly at: number;
    }
  /** For the playback worklet. */
  | { readonly type: 'floor'; readonly command: FloorCommand };

interface Candidate {
  readonly turn: number;
  readonly noticed: number;
  /** What the assistant does, or did when the turn was accepted. */
  floor: FloorState;
  /** It is the person's turn: nothing stood against it, or the interruption was committed. */
  accepted: boolean;
  words: string;
  /** Up to where the words are all that was said, ms on the capture clock. */
  understoodUntil: number | undefined;
  considered: boolean;
  completion: number | undefined;
}

/** Silence after a short sound within which the scribe may still tell that it was a word, ms. */
const scribePatienceMs = 1000;

/** The state machine of one conversation. */
export class TurnTaking {
  readonly #options: TurnTakingOptions;
  readonly #speech: SpeechDetector;
  readonly #endpoint: EndpointPolicy;
  readonly #floor: FloorTracker;
  readonly #decisions: TurnDecision[] = [];
  #candidate: Candidate | undefined;
  #pauses = 0;
  #lastSpeechEnd: number | undefined;
  #now = 0;

  constructor(options: TurnTakingOptions = {}) {
    this.#options = options;
    this.#speech = new SpeechDetector(options.speech);
    this.#endpoint = options.endpoint ?? learnedSilence(options.silence);
    this.#floor = new FloorTracker(options.firstPlaybackMs ?? 3000);
  }

  /** The turn being spoken, sure or not; undefined between turns. */
  get open(): number | undefined {
    return this.#candidate?.turn;
  }

  /** The words reported of the open turn; empty when none were. */
  get words(): string {
    return this.#candidate?.words ?? '';
  }

  /** What the assistant is doing. */
  get floor(): FloorState {
    return this.#floor.state;
  }

  /** Takes the next frame; returns what to do, in this order. */
  feed(frame: SpeechFrame): readonly TurnDecision[] {
    this.#now = frame.at + frame.durationMs;
    const change = this.#speech.feed(frame, this.#floor.loudspeaker);
    this.#floor.advance(frame.durationMs);
    if (change === 'tentative') this.#start();
    else if (change === 'confirmed') this.#confirm();
    else if (change === 'continued') this.#continue();
    if (this.#candidate) this.#judge(this.#candidate, frame.probability, change === 'misfire');
    this.#liftDuck();
    return this.#decisions.splice(0);
  }

  /** Takes a report of playback, scribe or page; what follows from it comes with the next frame. */
  report(message: FloorMessage): void {
    const { paused } = this.#floor;
    this.#floor.report(message);
    const candidate = this.#candidate;
    if (!candidate) return;
    if (message.type === 'words' && message.turn === candidate.turn) {
      candidate.words = message.text;
      candidate.understoodUntil = message.until;
    }
    const { state } = this.#floor;
    // The assistant begins while the person speaks: it waits until they are done, or it was nothing.
    if (message.type === 'audible' && state === 'speaking') this.#pause();
    if (candidate.accepted) return;
    candidate.floor = state;
    if (state !== 'listening') return;
    // It was heard to its end before the pause reached it, or will not come: there is nothing to interrupt.
    candidate.accepted = true;
    if (paused) this.#goOn();
  }

  /** The turn detector's answer to a `consider`; too late is no answer. */
  answer(turn: number, pause: number, completion: number): void {
    const candidate = this.#candidate;
    if (candidate?.turn === turn && candidate.considered && this.#pauses === pause)
      candidate.completion = completion;
  }

  /** No more audio: what is sure ends now, what is not was nothing. */
  finish(): readonly TurnDecision[] {
    const candidate = this.#candidate;
    if (candidate) {
      this.#heed(candidate);
      if (this.#speech.state === 'confirmed') {
        if (!candidate.accepted) this.#commit(candidate);
        this.#end(candidate);
      } else this.#misfire();
    }
    return this.#decisions.splice(0);
  }

  #start(): void {
    const floor = this.#floor.state;
    const turn = this.#floor.nextTurn();
    this.#candidate = {
      turn,
      floor,
      noticed: this.#now,
      accepted: floor === 'listening',
      words: '',
      understoodUntil: undefined,
      considered: false,
      completion: undefined,
    };
    this.#decide({ type: 'start', turn, speechStart: this.#speech.onset, at: this.#now });
    if (floor === 'speaking') this.#pause();
  }

  #confirm(): void {
    const candidate = this.#candidate;
    if (!candidate) return;
    this.#decide({ type: 'confirm', turn: candidate.turn, at: this.#now });
    const gap = this.#speech.onset - (this.#lastSpeechEnd ?? Number.NEGATIVE_INFINITY);
    // Nothing was heard since they stopped, so they had not stopped: the turn was ended too early.
    if (candidate.floor === 'thinking' && gap <= (this.#options.cutOffMs ?? 3000))
      this.#endpoint.held(gap);
  }

  #continue(): void {
    this.#pauses += 1;
    if (!this.#candidate) return;
    this.#candidate.considered = false;
    this.#candidate.completion = undefined;
    if (this.#speech.state === 'confirmed') this.#endpoint.held(this.#speech.pauseMs);
  }

  #judge(candidate: Candidate, probability: number, isShort: boolean): void {
    this.#heed(candidate);
    if (isShort && this.#speech.state === 'tentative' && !this.#mayBeWords(candidate))
      this.#misfire();
    if (!candidate.accepted || this.#speech.state !== 'confirmed') return;
    const { silenceMs, onset } = this.#speech;
    if (!candidate.considered && silenceMs >= (this.#options.considerMs ?? 200)) {
      candidate.considered = true;
      this.#decide({ type: 'consider', turn: candidate.turn, pause: this.#pauses });
    }
    const over = this.#isOver(silenceMs, candidate.completion, probability);
    if (over || this.#now - onset >= (this.#options.maxTurnMs ?? 30_000)) this.#end(candidate);
  }

  /** Decides by what is known of the words and the voice. */
  #heed(candidate: Candidate): void {
    const verdict = candidate.accepted ? 'wait' : this.#verdict(candidate);
    if (verdict === 'commit') this.#commit(candidate);
    else if (verdict === 'resume') this.#misfire();
    // However curt: who was understood has said something.
    const isSure = candidate.accepted && saysSomething(candidate.words);
    if (isSure && this.#speech.confirm()) this.#confirm();
  }

  /** Whether the scribe, which is at it, has not come to the end of so short a sound yet. */
  #mayBeWords({ understoodUntil }: Candidate): boolean {
    if (this.#options.wordsExpected !== true || understoodUntil === undefined) return false;
    const { silenceMs, speechEnd } = this.#speech;
    return understoodUntil < speechEnd && silenceMs < scribePatienceMs;
  }

  #isOver(silenceMs: number, completion: number | undefined, probability: number): boolean {
    const { doubtful = 0.1, doubtMs = 300 } = this.#options;
    const delayMs = this.#endpoint.delayMs(completion);
    return silenceMs >= (probability >= doubtful ? delayMs + doubtMs : delayMs);
  }

  #verdict(candidate: Candidate): InterruptionVerdict {
    return judgeInterruption(
      {
        floor: candidate.floor,
        voicedMs: this.#speech.voicedMs,
        silenceMs: this.#speech.silenceMs,
        elapsedMs: this.#now - candidate.noticed,
        words: this.#options.wordsExpected === true ? candidate.words : undefined,
        understood: (candidate.understoodUntil ?? 0) >= this.#speech.speechEnd,
      },
      this.#options.interruption,
    );
  }

  #commit(candidate: Candidate): void {
    candidate.accepted = true;
    const turn = candidate.turn - 1;
    this.#decide({ type: 'floor', command: { type: 'flush', turn } });
    this.#decide({ type: 'interrupt', turn, at: this.#now });
    this.#floor.void(turn);
  }

  #misfire(): void {
    const candidate = this.#candidate;
    if (!candidate) return;
    this.#candidate = undefined;
    this.#speech.end();
    this.#resume();
    this.#decide({ type: 'misfire', turn: candidate.turn, at: this.#now });
  }

  #end(candidate: Candidate): void {
    const { onset: speechStart, speechEnd } = this.#speech;
    this.#candidate = undefined;
    this.#lastSpeechEnd = speechEnd;
    this.#speech.end();
    this.#floor.awaitReply(candidate.turn);
    this.#resume();
    this.#decide({ type: 'end', turn: candidate.turn, speechStart, speechEnd, at: this.#now });
  }

  #pause(): void {
    if (this.#floor.paused) return;
    this.#floor.paused = true;
    this.#floor.settleDuck();
    this.#decide({ type: 'floor', command: { type: 'pause' } });
  }

  #resume(): void {
    if (!this.#floor.paused) return;
    this.#floor.paused = false;
    this.#floor.settleDuck();
    this.#goOn();
  }

  #goOn(): void {
    this.#decide({ type: 'floor', command: { type: 'lift' } });
    this.#decide({ type: 'floor', command: { type: 'resume' } });
  }

  /** The worklet's energy gate heard something that is no speech. */
  #liftDuck(): void {
    const { duckedAt } = this.#floor;
    if (duckedAt === undefined || this.#candidate || this.#speech.voicedMs > 0) return;
    if (this.#now - duckedAt < (this.#options.duckMs ?? 200)) return;
    this.#floor.settleDuck();
    this.#decide({ type: 'floor', command: { type: 'lift' } });
  }

  #decide(decision: TurnDecision): void {
    this.#decisions.push(decision);
  }
}
