/** One turn of a realtime conversation, from the first word of the person to the last of the answer. */
import {
  textMessage,
  type FinishReason,
  type Message,
  type ToolCall,
  type TurnEndElement,
  type Usage,
} from '../../../core/element.ts';
import type { OpenCall } from '../../conversation/run-memory.ts';
import type { DuplexSpeech } from './speech.ts';

/** How a turn began: the person spoke, typed, or the page had something said. */
export type DuplexTurnKind = 'spoken' | 'typed' | 'said';

/** State of a turn; its owner changes it. */
export class DuplexLane {
  readonly turn: number;
  readonly at: number;
  readonly kind: DuplexTurnKind;
  readonly speech: DuplexSpeech;
  /** What the person said or typed, or what is to be said. */
  userText: string;
  /** The person's message, once it was told. */
  userMessage: Message | undefined;
  /** All the model has said. */
  generated = '';
  /** A reply was asked for and has not begun. */
  isAwaiting = false;
  /** The response that runs. */
  response: string | undefined;
  /** Nothing more is generated. */
  isOver = false;
  reason: FinishReason = 'stop';
  usage: Usage | undefined;
  /** What of the reply was heard, once that is known of one that was cut. */
  heard: string | undefined;
  /** Its message has been told. */
  message: Message | undefined;
  /** The reply broke off once and was asked for again. */
  wasRetried = false;
  /** Rounds of calls that are being run. */
  calling = 0;
  /** Exchanges with tools, for the history of another session, and the calls in them without a final result. */
  readonly rounds: Message[] = [];
  readonly open: OpenCall[] = [];
  /** Text of the reply that belongs to those rounds. */
  roundsText = 0;
  /** Aborts when the reply is cut. */
  readonly cut: AbortController = new AbortController();
  turnEnd: TurnEndElement | undefined;
  /** When its first piece of speech was handed out, by the clock of the run. */
  spokeAtMs: number | undefined;
  /** The item that was written to last. */
  #item = '';
  #wake: () => void = () => {};
  #changed: Promise<void>;

  constructor(
    turn: number,
    at: number,
    kind: DuplexTurnKind,
    speech: DuplexSpeech,
    userText: string = '',
  ) {
    this.turn = turn;
    this.at = at;
    this.kind = kind;
    this.speech = speech;
    this.userText = userText;
    this.#changed = this.#next();
  }

  /** Whether its reply is being made or waited for. */
  get isBusy(): boolean {
    return this.message === undefined;
  }

  /** Resolves at the next `changed()`. */
  get change(): Promise<void> {
    return this.#changed;
  }

  /** Something came. */
  changed(): void {
    const wake = this.#wake;
    this.#changed = this.#next();
    wake();
  }

  /** Adds a fragment of an item of the reply; items are kept apart. Returns what to add. */
  write(text: string, item: string): string {
    const seam = item !== this.#item && this.generated !== '' && !/\s$/.test(this.generated);
    this.#item = item;
    const added = seam && !/^\s/.test(text) ? ` ${text}` : text;
    this.generated += added;
    return added;
  }

  /** Makes the message of the reply; once. `pending`: calls that wait for an answer from outside. */
  finish(pending: readonly ToolCall[]): Message {
    const { generated, reason, usage } = this;
    this.message = textMessage('assistant', generated, {
      generated,
      finishReason: reason,
      ...(pending.length === 0 ? {} : { toolCalls: pending }),
      ...(usage === undefined ? {} : { usage }),
    });
    return this.message;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
