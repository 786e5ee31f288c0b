/**
 * Stream elements: the one currency of a pipeline. Plain objects in a flat union on `kind`, safe to
 * structured-clone, so that an element means the same on the page, in a worker and in a worklet.
 * Ownership: whoever emits an element gives its buffers away and must not touch them again.
 */
import type { ErrorData } from './errors.ts';

/** Content priorities, lowest first; they matter only to a `PriorityChannel`. */
export type Priority = 'low' | 'normal' | 'high' | 'critical';

/** What every element carries, whatever its kind. */
export interface ElementBase {
  /** The turn (epoch) the element belongs to; a counter that starts at 1, 0 before the first turn. */
  readonly turn: number;
  /** Milliseconds on the capture clock: 0 is the first captured sample of the run. */
  readonly at: number;
  /** Name of the stage that made it; empty for elements given to the pipeline from outside. */
  readonly source: string;
  /** Priority of content in a `PriorityChannel`; control ignores it. */
  readonly priority?: Priority;
  /** Free-form facts; must survive structured clone. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Mono PCM, one chunk of a continuous stream. */
export interface AudioElement extends ElementBase {
  readonly kind: 'audio';
  /** Mono samples, −1…1, owned by the receiver. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
}

/** One whole user turn as audio, pre-roll included. */
export interface UtteranceElement extends ElementBase {
  readonly kind: 'utterance';
  /** Mono samples, −1…1, owned by the receiver. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
  /** Where speech began, ms on the capture clock. */
  readonly speechStart: number;
  /** Where speech ended, ms on the capture clock. */
  readonly speechEnd: number;
}

/** A word and where it was said, ms on the capture clock. */
export interface TimedWord {
  readonly text: string;
  /** Start, ms on the capture clock (relative to the first sample when returned by a bare recogniser). */
  readonly start: number;
  /** End, ms on the capture clock. */
  readonly end: number;
}

/** What the user said; interim (`final: false`) ones replace each other, the final one stands. */
export interface TranscriptElement extends ElementBase {
  readonly kind: 'transcript';
  readonly text: string;
  readonly final: boolean;
  readonly words?: readonly TimedWord[];
  /** 0…1. */
  readonly confidence?: number;
  /** BCP 47 tag. */
  readonly language?: string;
}

/** Who a message is from. */
export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** Text: an increment of a reply whose `message` follows (`delta`), or an explicit "say this". */
export interface TextElement extends ElementBase {
  readonly kind: 'text';
  readonly text: string;
  readonly delta: boolean;
  readonly role?: Role;
}

/** A piece of a message's content. */
export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'image' | 'audio' | 'video' | 'file';
      readonly mediaType: string;
      /** The bytes, or a URL to them. */
      readonly data: Uint8Array<ArrayBuffer> | string;
    };

/** A model's wish to run a tool. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Parsed JSON arguments. */
  readonly arguments: unknown;
  /**
   * What the provider that made the call wants back with it, by the provider's name: signatures of its thinking
   * and the like. Plain JSON that nobody else reads.
   */
  readonly providerData?: Readonly<Record<string, unknown>>;
}

/** Token counts as the provider reported them. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** Why a reply ended; unknown provider values pass through. */
export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'interrupted'
  | 'error'
  | (string & {});

/** One entry of a conversation. */
export interface Message {
  readonly id: string;
  readonly role: Role;
  readonly parts: readonly MessagePart[];
  readonly toolCalls?: readonly ToolCall[];
  /** For role `tool`: the call this answers. */
  readonly toolCallId?: string;
  /** Of an assistant message in a voice session: the text whose audio was rendered, a prefix of `generated` cut at a word. */
  readonly heard?: string;
  /** All the text the model produced, heard or not. */
  readonly generated?: string;
  /** The text that had been handed to the voice: heard ⊆ queued ⊆ generated. */
  readonly queued?: string;
  readonly finishReason?: FinishReason;
  readonly usage?: Usage;
  /** Unix time in ms. */
  readonly createdAt: number;
}

/** A whole message, of the user or the assistant. */
export interface MessageElement extends ElementBase {
  readonly kind: 'message';
  readonly message: Message;
}

/** The model asks for a tool. */
export interface ToolCallElement extends ElementBase {
  readonly kind: 'tool-call';
  readonly call: ToolCall;
}

/** What a tool answered. */
export interface ToolResultElement extends ElementBase {
  readonly kind: 'tool-result';
  readonly callId: string;
  readonly name: string;
  readonly result: unknown;
  readonly isError: boolean;
}

/** A word of a speech chunk and the sample, relative to the chunk's first, where it begins. */
export interface WordMark {
  readonly text: string;
  readonly offset: number;
}

/** Synthesised speech, a piece of a reply. */
export interface SpeechElement extends ElementBase {
  readonly kind: 'speech';
  /** Mono samples, −1…1, owned by the receiver; may be empty on the last piece. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
  /** The text these samples say, exactly as it stood in the reply, white space included. */
  readonly text: string;
  /** Word → sample offset; `text` of the marks concatenated equals the element's `text`. */
  readonly marks?: readonly WordMark[];
  /** True on the last piece of the turn's reply. */
  readonly last: boolean;
}

/** An image, video or file. */
export interface MediaElement extends ElementBase {
  readonly kind: 'media';
  readonly mediaType: string;
  readonly data: Uint8Array<ArrayBuffer> | string;
}

/** Recoverable trouble with one element; never stops the stream by itself. */
export interface ErrorElement extends ElementBase {
  readonly kind: 'error';
  readonly error: ErrorData;
}

/** The person began to speak (tentative); `speech-end` follows always. */
export interface SpeechStartElement extends ElementBase {
  readonly kind: 'speech-start';
}

/** The person stopped; `misfire`: it was too short or no speech, so no utterance belongs to it. */
export interface SpeechEndElement extends ElementBase {
  readonly kind: 'speech-end';
  readonly misfire: boolean;
}

/** The user's turn is over and everything that belongs to it has been emitted. */
export interface TurnEndElement extends ElementBase {
  readonly kind: 'turn-end';
}

/** Voids everything of turns ≤ `turn` that was not heard. The only element that overtakes. */
export interface InterruptElement extends ElementBase {
  readonly kind: 'interrupt';
}

/** Nothing more follows. */
export interface EndElement extends ElementBase {
  readonly kind: 'end';
}

/** Elements that steer; never dropped. */
export type ControlElement =
  | SpeechStartElement
  | SpeechEndElement
  | TurnEndElement
  | InterruptElement
  | EndElement;

/** Elements that carry something. */
export type ContentElement =
  | AudioElement
  | UtteranceElement
  | TranscriptElement
  | TextElement
  | MessageElement
  | ToolCallElement
  | ToolResultElement
  | SpeechElement
  | MediaElement
  | ErrorElement;

/** Anything that flows through a pipeline. */
export type StreamElement = ContentElement | ControlElement;

/** The discriminator of {@link StreamElement}. */
export type Kind = StreamElement['kind'];

/** The element type of a kind. */
export type ElementOf<K extends Kind> = Extract<StreamElement, { kind: K }>;

const controlKinds: ReadonlySet<Kind> = new Set<Kind>([
  'speech-start',
  'speech-end',
  'turn-end',
  'interrupt',
  'end',
]);

/** True for elements that steer (start, end, turn end, interrupt); they are never dropped. */
export function isControl(element: StreamElement): element is ControlElement {
  return controlKinds.has(element.kind);
}

const interruptibleKinds: ReadonlySet<Kind> = new Set<Kind>(['text', 'speech', 'tool-call']);

/**
 * True for what an interrupt voids while it waits in a queue: text to be said, speech to be played,
 * tools to be run. What the user said, whole messages, errors and control always go through.
 */
export function isInterruptible(element: StreamElement): boolean {
  return interruptibleKinds.has(element.kind);
}

/** The fields of an element of kind `K` that have no default. */
export type ElementFields<K extends Kind> = Omit<ElementOf<K>, 'kind' | keyof ElementBase> &
  Partial<ElementBase>;

/**
 * Makes an element: turn 0, at 0, no source unless given. A literal with the same fields is as good.
 *
 * @example
 * const spoken = element('text', { text: 'Hello', delta: false, turn: 1 });
 */
export function element<K extends Kind>(kind: K, fields: ElementFields<K>): ElementOf<K> {
  return { kind, turn: 0, at: 0, source: '', ...fields } as unknown as ElementOf<K>;
}

/** A message made of one text part, with a fresh id and the current time. */
export function textMessage(role: Role, text: string, facts: Partial<Message> = {}): Message {
  return {
    id: crypto.randomUUID(),
    role,
    parts: [{ type: 'text', text }],
    createdAt: Date.now(),
    ...facts,
  };
}

/** The text of a message: its text parts joined; empty when it has none. */
export function messageText(message: Message): string {
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
