/** Builds elements for tests: turns and times count by themselves, ids and dates are the same every time. */
import type { Recording } from '../audio/wav.ts';
import {
  element,
  type AudioElement,
  type ElementBase,
  type ElementOf,
  type Kind,
  type Message,
  type Role,
  type StreamElement,
  type WordMark,
} from '../core/element.ts';
import { AntiphonError, serializeError, type ErrorCode } from '../core/errors.ts';
import { samplesToMs } from '../core/time.ts';
import { silence } from './sounds.ts';

/** Where counting begins. */
export interface ElementsOptions {
  /** The first turn; 1 unless given. */
  readonly turn?: number;
  /** The first instant, ms on the capture clock; 0 unless given. */
  readonly at?: number;
  /** Of samples given without a rate, in hertz; 16 000 unless given. */
  readonly sampleRate?: number;
  /** Who seems to have made them; nobody unless given. */
  readonly source?: string;
}

/** Fields of an element that may be given instead of the counted ones. */
export type ElementFacts = Partial<ElementBase>;

/** Mono samples of the builder's rate, or a recording with a rate of its own; copied. */
export type Sound = Float32Array | Recording;

/** Samples of a frame as a microphone gives them: 32 ms at 16 kHz. */
const frameLength = 512;

/** Made by {@link elements}. */
export class ElementBuilder {
  /** The turn of the next element; `turnEnd` counts it up. */
  turn: number;
  /** The time of the next element, ms; audio moves it on by its length. */
  at: number;
  readonly #sampleRate: number;
  readonly #source: string;
  #messages = 0;
  #calls = 0;

  constructor(options: ElementsOptions = {}) {
    this.turn = options.turn ?? 1;
    this.at = options.at ?? 0;
    this.#sampleRate = options.sampleRate ?? 16_000;
    this.#source = options.source ?? '';
  }

  /** One chunk of audio; time moves on by its length. */
  audio(sound: Sound, facts?: ElementFacts): AudioElement {
    const { samples, sampleRate } = this.#recording(sound);
    const made = element('audio', { ...this.#facts(facts), samples, sampleRate });
    this.at = made.at + samplesToMs(samples.length, sampleRate);
    return made;
  }

  /** A sound in chunks of `length` samples (512 unless given), the last of which may be shorter. */
  frames(sound: Sound, length: number = frameLength, facts?: ElementFacts): AudioElement[] {
    const { samples, sampleRate } = this.#recording(sound);
    const frames: AudioElement[] = [];
    for (let from = 0; from < samples.length; from += length)
      frames.push(this.audio({ samples: samples.slice(from, from + length), sampleRate }, facts));
    return frames;
  }

  /**
   * Frames of 512 samples whose every sample is the speech probability of the frame, which a `scriptedVad()`
   * without a script reads there. Pieces are `[ms, probability]`, rounded to whole frames.
   */
  probabilities(
    ...pieces: readonly (readonly [ms: number, probability: number])[]
  ): AudioElement[] {
    const frameMs = samplesToMs(frameLength, this.#sampleRate);
    return pieces.flatMap(([ms, probability]) =>
      this.frames(new Float32Array(Math.round(ms / frameMs) * frameLength).fill(probability)),
    );
  }

  /** A whole spoken turn; speech fills it unless `speechStart` and `speechEnd` say otherwise. Time moves on to its end. */
  utterance(
    sound: Sound,
    facts: ElementFacts & { readonly speechStart?: number; readonly speechEnd?: number } = {},
  ): ElementOf<'utterance'> {
    const { samples, sampleRate } = this.#recording(sound);
    const base = this.#facts(facts);
    const end = base.at + samplesToMs(samples.length, sampleRate);
    this.at = end;
    const speech = { speechStart: base.at, speechEnd: end };
    return element('utterance', { ...speech, ...base, samples, sampleRate });
  }

  /** What the person said; final unless `final` is false. */
  transcript(
    text: string,
    facts: ElementFacts & Partial<Omit<ElementOf<'transcript'>, 'kind' | 'text'>> = {},
  ): ElementOf<'transcript'> {
    return element('transcript', { final: true, ...this.#facts(facts), text });
  }

  /** A message: `id` counts (`user-1`, `assistant-2`), `createdAt` is the element's time. */
  message(
    role: Role,
    text: string,
    message: Partial<Message> = {},
    facts?: ElementFacts,
  ): ElementOf<'message'> {
    const base = this.#facts(facts);
    this.#messages += 1;
    return element('message', {
      ...base,
      message: {
        id: `${role}-${this.#messages}`,
        role,
        parts: [{ type: 'text', text }],
        createdAt: base.at,
        ...message,
      },
    });
  }

  /** A message of the user. */
  user(text: string, facts?: ElementFacts): ElementOf<'message'> {
    return this.message('user', text, {}, facts);
  }

  /** A finished message of the assistant. */
  assistant(
    text: string,
    message: Partial<Message> = {},
    facts?: ElementFacts,
  ): ElementOf<'message'> {
    const finished = { generated: text, finishReason: 'stop', ...message };
    return this.message('assistant', text, finished, facts);
  }

  /** A user's message and the `turn-end` behind it: what makes a model answer. */
  asks(text: string, facts?: ElementFacts): [ElementOf<'message'>, ElementOf<'turn-end'>] {
    return [this.user(text, facts), this.turnEnd(facts)];
  }

  /** Text to be said. */
  text(text: string, facts?: ElementFacts): ElementOf<'text'> {
    return element('text', { ...this.#facts(facts), text, delta: false });
  }

  /** An increment of the assistant's reply. */
  delta(text: string, facts?: ElementFacts): ElementOf<'text'> {
    return element('text', { ...this.#facts(facts), text, delta: true, role: 'assistant' });
  }

  /** A reply as it streams: an increment per word, then the message. */
  reply(text: string, facts?: ElementFacts): StreamElement[] {
    const words = text.match(/\s*\S+\s*/g) ?? [];
    return [...words.map((word) => this.delta(word, facts)), this.assistant(text, {}, facts)];
  }

  /** A call of a tool; ids count (`call-1`). */
  toolCall(name: string, args: unknown = {}, facts?: ElementFacts): ElementOf<'tool-call'> {
    this.#calls += 1;
    const call = { id: `call-${this.#calls}`, name, arguments: args };
    return element('tool-call', { ...this.#facts(facts), call });
  }

  /** What came of a call, the latest unless `facts` name another. */
  toolResult(
    name: string,
    result: unknown,
    facts: ElementFacts & { readonly callId?: string; readonly isError?: boolean } = {},
  ): ElementOf<'tool-result'> {
    const made = { callId: `call-${this.#calls}`, isError: false, ...this.#facts(facts) };
    return element('tool-result', { ...made, name, result });
  }

  /** Synthesised speech: silence of 100 ms unless a sound is given. */
  speech(
    text: string,
    facts: ElementFacts & {
      readonly sound?: Sound;
      readonly marks?: readonly WordMark[];
      readonly last?: boolean;
    } = {},
  ): ElementOf<'speech'> {
    const { sound, ...rest } = facts;
    const { samples, sampleRate } = this.#recording(sound ?? silence(100, this.#sampleRate));
    return element('speech', { last: false, ...this.#facts(rest), samples, sampleRate, text });
  }

  /** An image, video or file. */
  media(
    mediaType: string,
    data: Uint8Array<ArrayBuffer> | string,
    facts?: ElementFacts,
  ): ElementOf<'media'> {
    return element('media', { ...this.#facts(facts), mediaType, data });
  }

  /** An `error` element. */
  error(code: ErrorCode, message: string, facts?: ElementFacts): ElementOf<'error'> {
    const { stack: _stack, ...error } = serializeError(new AntiphonError(code, message));
    return element('error', { ...this.#facts(facts), error });
  }

  /** The person begins to speak. */
  speechStart(facts?: ElementFacts): ElementOf<'speech-start'> {
    return this.#control('speech-start', facts);
  }

  /** The person stops; no misfire unless said. */
  speechEnd(facts: ElementFacts & { readonly misfire?: boolean } = {}): ElementOf<'speech-end'> {
    return element('speech-end', { misfire: false, ...this.#facts(facts) });
  }

  /** The user's turn is over; what follows belongs to the next, unless `facts` named another turn. */
  turnEnd(facts?: ElementFacts): ElementOf<'turn-end'> {
    const made = this.#control('turn-end', facts);
    this.turn = Math.max(this.turn, made.turn + 1);
    return made;
  }

  /** Voids `turn` and all before it: the turn before the present one unless given. */
  interrupt(turn: number = this.turn - 1, facts?: ElementFacts): ElementOf<'interrupt'> {
    return this.#control('interrupt', { ...facts, turn });
  }

  /** Nothing follows. */
  end(facts?: ElementFacts): ElementOf<'end'> {
    return this.#control('end', facts);
  }

  #control<K extends 'speech-start' | 'turn-end' | 'interrupt' | 'end'>(
    kind: K,
    facts?: ElementFacts,
  ): ElementOf<K> {
    return { kind, ...this.#facts(facts) } as ElementOf<K>;
  }

  #facts<Given extends ElementFacts>(
    given: Given = {} as Given,
  ): Given & { readonly turn: number; readonly at: number; readonly source: string } {
    return { turn: this.turn, at: this.at, source: this.#source, ...given };
  }

  #recording(sound: Sound): Recording {
    if (sound instanceof Float32Array)
      return { samples: new Float32Array(sound), sampleRate: this.#sampleRate };
    return { samples: sound.samples.slice(), sampleRate: sound.sampleRate };
  }
}

/**
 * A builder of elements that counts turns and times.
 *
 * @example
 * const make = elements();
 * const outputs = await runOn(stage, [...make.frames(tone(640)), make.transcript('hello'), ...make.asks('hello')]);
 */
export function elements(options: ElementsOptions = {}): ElementBuilder {
  return new ElementBuilder(options);
}

/** The elements of one kind. */
export function only<K extends Kind>(elements: Iterable<StreamElement>, kind: K): ElementOf<K>[] {
  return [...elements].filter((each): each is ElementOf<K> => each.kind === kind);
}
