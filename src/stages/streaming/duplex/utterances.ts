/** The person's side of a realtime conversation: what they said, as the server writes it down, and when it gives up. */
import { element, textMessage, type Message, type StreamElement } from '../../../core/element.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import { sleep } from '../../../core/time.ts';
import type { DuplexOptions } from './options.ts';

/** After so long without a further fragment, fragments count as the whole, in ms. */
const fragmentsSettleMs = 500;

/** What {@link DuplexUtterances} needs. */
export interface DuplexUtterancesOptions {
  readonly name: string;
  readonly options: DuplexOptions;
  readonly context: StageContext;
  readonly emit: (element: StreamElement) => void;
  /** Now, ms on the capture clock. */
  readonly at: () => number;
  /** What the person said in a turn; undefined: nothing. Once per turn. `isKnown` is false where nobody could tell. */
  readonly onMessage: (turn: number, message: Message | undefined, isKnown: boolean) => void;
  /** The words came after all: the message of that id says them now. */
  readonly onAmended: (turn: number, message: Message) => void;
}

interface Utterance {
  readonly turn: number;
  text: string;
  speaking: boolean;
  /** Its message is waited for. */
  expected: boolean;
  /** What was told as its message. */
  told: Message | undefined;
  settled: boolean;
  /** An answer waits for it. */
  hurried: boolean;
  timer: AbortController | undefined;
}

/** Utterances remembered: late transcripts are about the last ones. */
const remembered = 16;

/** Collects transcripts; each turn gets one message, at the latest when an answer has waited for it long enough. */
export class DuplexUtterances {
  readonly #run: DuplexUtterancesOptions;
  readonly #utterances = new Map<string, Utterance>();

  constructor(run: DuplexUtterancesOptions) {
    this.#run = run;
  }

  /** Whether the server hears somebody. */
  get isSpeaking(): boolean {
    return [...this.#utterances.values()].some(({ speaking }) => speaking);
  }

  /** The turn of an utterance; undefined for one nobody has begun. */
  turnOf(utterance: string): number | undefined {
    return this.#utterances.get(utterance)?.turn;
  }

  /** The server hears somebody begin. */
  begin(utterance: string, turn: number): void {
    this.#add(utterance, turn).speaking = true;
    const { name, emit, at } = this.#run;
    emit(element('speech-start', { turn, at: at(), source: name }));
  }

  /** The server hears them stop. */
  stopped(utterance: string): void {
    const known = this.#utterances.get(utterance);
    if (!known?.speaking) return;
    known.speaking = false;
    const { name, emit, at } = this.#run;
    emit(element('speech-end', { turn: known.turn, at: at(), source: name, misfire: false }));
  }

  /** The turn is over: its words are to become a message. */
  expect(utterance: string, turn: number): void {
    const known = this.#utterances.get(utterance) ?? this.#add(utterance, turn);
    known.expected = true;
  }

  /** A fragment of what was said. */
  fragment(utterance: string, text: string): void {
    const known = this.#utterances.get(utterance);
    if (!known || text === '') return;
    known.text += text;
    this.#transcript(known, false);
    if (!known.settled) {
      if (known.hurried) this.#wait(known);
    } else if (!this.#run.options.provider.finalTranscripts) this.#amend(known, known.text);
  }

  /** All that was said. */
  whole(utterance: string, text: string): void {
    const known = this.#utterances.get(utterance);
    if (!known) return;
    known.text = text;
    if (text.trim() !== '') this.#transcript(known, true);
    if (known.settled) this.#amend(known, text);
    else this.#settle(known, text.trim());
  }

  /** It can't be written down. */
  failed(utterance: string): void {
    const known = this.#utterances.get(utterance);
    if (known && !known.settled) this.#settleAsHeard(known);
  }

  /** An answer to the turn waits. */
  hurry(turn: number): void {
    for (const known of this.#utterances.values()) {
      if (known.turn !== turn || known.hurried || known.settled) continue;
      known.hurried = true;
      this.#wait(known);
    }
  }

  /** The session is gone: utterances it was hearing are over. Their turns are returned. */
  forgetSession(): readonly number[] {
    const unheard = [...this.#utterances].filter(
      ([, { speaking, expected }]) => speaking && !expected,
    );
    for (const [key] of unheard) {
      this.stopped(key);
      this.#utterances.delete(key);
    }
    return unheard.map(([, { turn }]) => turn);
  }

  /** No more words come. */
  settleAll(): void {
    for (const known of this.#utterances.values())
      if (known.expected && !known.settled) this.#settleAsHeard(known);
  }

  /** Stops every clock. */
  close(): void {
    for (const { timer } of this.#utterances.values()) timer?.abort();
  }

  #add(utterance: string, turn: number): Utterance {
    const added: Utterance = {
      turn,
      text: '',
      speaking: false,
      expected: false,
      told: undefined,
      settled: false,
      hurried: false,
      timer: undefined,
    };
    this.#utterances.set(utterance, added);
    for (const [key, { settled }] of this.#utterances)
      if (this.#utterances.size > remembered && settled) this.#utterances.delete(key);
    return added;
  }

  #wait(known: Utterance): void {
    known.timer?.abort();
    known.timer = new AbortController();
    const { context, options } = this.#run;
    const fragments = !options.provider.finalTranscripts && known.text !== '';
    const ms = fragments ? fragmentsSettleMs : (options.transcriptTimeoutMs ?? 3000);
    sleep(context.clock, ms, known.timer.signal).then(
      () => {
        if (known.settled) return;
        if (known.text.trim() === '') context.emit('transcript-late', { turn: known.turn });
        else this.#transcript(known, true);
        this.#settleAsHeard(known);
      },
      () => {},
    );
  }

  /** By what has come of it; what stands for words nobody knows, where nothing has. */
  #settleAsHeard(known: Utterance): void {
    const text = known.text.trim();
    const { untranscribed = '[not transcribed]' } = this.#run.options;
    this.#settle(known, text || untranscribed, text !== '');
  }

  #settle(known: Utterance, text: string, isKnown = true): void {
    known.settled = true;
    known.timer?.abort();
    known.told = text === '' ? undefined : textMessage('user', text);
    this.#run.onMessage(known.turn, known.told, isKnown);
  }

  #amend({ turn, told }: Utterance, text: string): void {
    if (!told || text.trim() === '') return;
    this.#run.onAmended(turn, { ...told, parts: [{ type: 'text', text: text.trim() }] });
  }

  #transcript({ turn, text }: Utterance, final: boolean): void {
    const { name, emit, at } = this.#run;
    emit(element('transcript', { turn, at: at(), source: name, text: text.trim(), final }));
  }
}
