/** The person's turn towards the Gemini Live API with its detection switched off. */
import type { JsonObject } from './json-socket.ts';
import { encodePcmBase64 } from './pcm-base64.ts';
import { geminiInputRate } from './gemini-messages.ts';

/** So much audio of a turn is held back until it can hardly be a misfire, pre-roll included, in ms. */
const holdMs = 900;

/** One chunk of audio as the API takes it. */
export function audioInput(samples: Float32Array): JsonObject {
  return {
    realtimeInput: {
      audio: { data: encodePcmBase64(samples), mimeType: `audio/pcm;rate=${geminiInputRate}` },
    },
  };
}

/**
 * The API takes nothing back: a start of activity silences the model, its end makes it answer. So a turn is told
 * only when it is sure to be one: after {@link holdMs}, when it has interrupted the reply, or at its end.
 */
export class GeminiTurn {
  readonly #send: (message: JsonObject) => void;
  /** Whether the model speaks; then only an interruption begins the turn. */
  readonly #isReplying: () => boolean;
  readonly #onTold: () => void;
  #held: Float32Array[] = [];
  #heldSamples = 0;
  #isOpen = false;
  #isTold = false;

  /** `onTold`: the model hears of a turn from now on. */
  constructor(send: (message: JsonObject) => void, isReplying: () => boolean, onTold: () => void) {
    this.#send = send;
    this.#isReplying = isReplying;
    this.#onTold = onTold;
  }

  /** The person may have begun. */
  start(): void {
    if (this.#isOpen && this.#isTold) return;
    this.#held = [];
    this.#heldSamples = 0;
    this.#isOpen = true;
    this.#isTold = false;
  }

  /** Audio of the turn. */
  append(samples: Float32Array): void {
    if (!this.#isOpen) return;
    if (this.#isTold) return this.#send(audioInput(samples));
    this.#held.push(samples.slice());
    this.#heldSamples += samples.length;
    const isLong = (this.#heldSamples * 1000) / geminiInputRate >= holdMs;
    if (isLong && !this.#isReplying()) this.tell();
  }

  /** It is a turn: the model hears of it now. */
  tell(): void {
    if (!this.#isOpen || this.#isTold) return;
    this.#isTold = true;
    this.#onTold();
    this.#send({ realtimeInput: { activityStart: {} } });
    for (const samples of this.#held.splice(0)) this.#send(audioInput(samples));
  }

  /** The person has finished; false when there was nothing. */
  end(): boolean {
    if (!this.#isOpen) return false;
    const isEmpty = !this.#isTold && this.#heldSamples === 0;
    if (!isEmpty) {
      this.tell();
      this.#send({ realtimeInput: { activityEnd: {} } });
    }
    this.#isOpen = false;
    return !isEmpty;
  }

  /** It was no turn; true when the model heard of it already, and will answer. */
  drop(): boolean {
    const isTold = this.#isOpen && this.#isTold;
    this.#isOpen = false;
    this.#held = [];
    if (isTold) this.#send({ realtimeInput: { activityEnd: {} } });
    return isTold;
  }
}
