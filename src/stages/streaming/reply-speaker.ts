/** Turns the text of replies into speech, in order with everything else that passes. */
import {
  element,
  messageText,
  type MessageElement,
  type StreamElement,
  type TextElement,
} from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { StageContext } from '../../core/stage/stage.ts';
import { nextTask } from '../../speech/tts/next-task.ts';
import { SentenceSplitter } from '../../speech/tts/sentence-splitter.ts';
import { speechError, synthesizeWithRetry } from './speech-error.ts';
import { SpeechPieces, type PieceFacts } from './speech-pieces.ts';
import { goesOn, isFiller, isReply, isSpokenText } from './spoken-text.ts';
import type { TTSWithInterruptionOptions } from './tts-options.ts';

/** Where a {@link ReplySpeaker} puts what it makes. */
export interface SpeechOutput {
  /** Waits for room; rejects when `signal` aborts or nobody reads any more. */
  write(item: StreamElement, signal?: AbortSignal): Promise<void>;
  /** Drops the speech of turns ≤ `turn` that still waits. */
  discard(turn: number): void;
}

/** A reply being spoken: everything of one turn until its message or the next turn. */
interface Reply {
  readonly facts: PieceFacts;
  readonly signal: AbortSignal;
  /** How the text spoken last ended; undefined before the first. */
  ending: 'sentence' | 'clause' | undefined;
  /** Increments came since the last message. */
  streamed: boolean;
  sampleRate: number;
}

/** Takes the elements of a stage's input one by one; each is dealt with when `take` has settled. */
export class ReplySpeaker {
  readonly #name: string;
  readonly #options: TTSWithInterruptionOptions;
  readonly #context: StageContext;
  readonly #output: SpeechOutput;
  readonly #splitter: SentenceSplitter;
  readonly #pieces: SpeechPieces;
  #reply: Reply | undefined;
  /** The last "say this", whose text a message may repeat for the record. */
  #said = { turn: -1, text: '' };
  /** Turn of a reply that was finished by an error before its message. */
  #cut = -1;

  constructor(
    name: string,
    options: TTSWithInterruptionOptions,
    context: StageContext,
    output: SpeechOutput,
  ) {
    this.#name = name;
    this.#options = options;
    this.#context = context;
    this.#output = output;
    this.#splitter = new SentenceSplitter(options.splitter);
    this.#pieces = new SpeechPieces(options.outputSampleRate, options.maxPieceMs ?? 200);
  }

  /** Speaks or passes on one element. Rejects only when nobody reads any more. */
  async take(item: StreamElement): Promise<void> {
    if (item.kind === 'text' && isSpokenText(item)) {
      await this.#takeText(item);
      return;
    }
    if (item.kind === 'message' && isReply(item)) await this.#takeMessage(item);
    // A tool may take its time: what was written before it is said meanwhile, whole sentence or not.
    if (item.kind === 'tool-call' && item.turn === this.#reply?.facts.turn)
      await this.#say(this.#reply, this.#splitter.flush());
    // Trouble within a reply means that its message may never come; if it does, its text was spoken.
    const troubled = item.kind === 'error' && item.turn === this.#reply?.facts.turn;
    if (troubled && this.#reply?.streamed === true) this.#cut = item.turn;
    // A message whose calls are answered later left its reply open; nothing more comes in its turn.
    const isOver = item.kind === 'turn-end' && item.turn === this.#reply?.facts.turn;
    if (troubled || isOver || item.kind === 'end') await this.#finish();
    await this.#output.write(item);
  }

  /** No more input: speaks what is left. */
  async end(): Promise<void> {
    await this.#finish();
  }

  async #takeText(item: TextElement): Promise<void> {
    const reply = await this.#open(item);
    if (item.delta) {
      reply.streamed = true;
      await this.#say(reply, this.#splitter.push(item.text));
      return;
    }
    await this.#say(reply, this.#splitter.flush());
    if (isFiller(item)) {
      await this.#sayOne(reply, item.text, true);
      return;
    }
    await this.#say(reply, [...this.#splitter.push(item.text), ...this.#splitter.flush()]);
    this.#said = { turn: item.turn, text: item.text };
    if (!reply.streamed) await this.#finish();
  }

  async #takeMessage(item: MessageElement): Promise<void> {
    const cut = item.turn === this.#cut;
    this.#cut = -1;
    if (cut && this.#reply?.facts.turn !== item.turn) return;
    const text = messageText(item.message);
    const said = item.turn === this.#said.turn && text === this.#said.text;
    if (said && this.#reply?.streamed !== true) return;
    const reply = await this.#open(item);
    if (!reply.streamed) await this.#say(reply, this.#splitter.push(text));
    await this.#say(reply, this.#splitter.flush());
    reply.streamed = false;
    if (!goesOn(item)) await this.#finish();
  }

  /** The reply an element belongs to; the one of another turn is finished first. */
  async #open(item: TextElement | MessageElement): Promise<Reply> {
    if (this.#reply?.facts.turn === item.turn) return this.#reply;
    await this.#finish();
    const { turn, at } = item;
    const signal = this.#context.turnSignal(turn);
    if (!signal.aborted)
      signal.addEventListener('abort', () => this.#output.discard(turn), { once: true });
    this.#reply = {
      facts: { turn, at, source: this.#name },
      signal,
      ending: undefined,
      streamed: false,
      sampleRate: this.#options.outputSampleRate ?? 16_000,
    };
    return this.#reply;
  }

  /** Speaks what the splitter still holds and closes the reply with a last, empty piece. */
  async #finish(): Promise<void> {
    const reply = this.#reply;
    if (reply === undefined) return;
    await this.#say(reply, this.#splitter.flush());
    this.#splitter.reset();
    this.#reply = undefined;
    const { facts, sampleRate } = reply;
    const samples = new Float32Array(0);
    await this.#write(
      reply,
      element('speech', { ...facts, samples, sampleRate, text: '', marks: [], last: true }),
    );
  }

  async #say(reply: Reply, texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.#sayOne(reply, text);
  }

  async #sayOne(reply: Reply, text: string, filler = false): Promise<void> {
    const { facts, signal } = reply;
    if (signal.aborted || text.trim().length < (this.#options.minTextLength ?? 1)) return;
    const { turn } = facts;
    if (reply.ending === undefined) this.#context.emit('first-sentence', { turn });
    // Interrupts are messages: they can only be seen between two tasks.
    await nextTask();
    if (signal.aborted) return;
    try {
      const { synthesizer, retry } = this.#options;
      const { clock } = this.#context;
      const speech = await synthesizeWithRetry(synthesizer, text, { signal, clock }, retry);
      if (signal.aborted) return;
      const pieces = this.#pieces.cut(speech, facts, this.#pauseMs(reply));
      if (speech.samples.length > 0) {
        if (reply.ending === undefined) this.#context.emit('first-audio', { turn });
        reply.ending = /[,;:—–\p{L}\p{N}]["')]*\s*$/u.test(text) ? 'clause' : 'sentence';
      }
      reply.sampleRate = this.#options.outputSampleRate ?? speech.sampleRate;
      // Who counts what was heard of the reply must not find words in it that it does not have.
      for (const piece of pieces)
        await this.#write(reply, filler ? { ...piece, text: '', marks: [] } : piece);
    } catch (error) {
      if (signal.aborted) return;
      if (AntiphonError.is(error, 'channel-closed')) throw error;
      await this.#output.write(speechError(error, text, facts));
    }
  }

  #pauseMs({ ending }: Reply): number {
    if (ending === undefined) return 0;
    const pauseMs = this.#options.sentencePauseMs ?? 180;
    return ending === 'sentence' ? pauseMs : pauseMs / 3;
  }

  /** Writes speech; that of an interrupted turn is dropped, never an error. */
  async #write({ signal }: Reply, item: StreamElement): Promise<void> {
    if (signal.aborted) return;
    try {
      await this.#output.write(item, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
