/** The items of a realtime conversation, in order, and what a client may do to them. */
import { recordOf, stringOf } from '../../providers/chat/json.ts';
import type { Json } from './openai-realtime-checks.ts';

/** An item as the server knows it. */
export interface ServedItem {
  readonly id: string;
  readonly type: string;
  readonly role: string;
  /** What was written or transcribed; of a truncated item nothing is left. */
  text: string;
  /** Of an utterance: what was appended, 24 kHz. */
  readonly pcm?: Uint8Array;
  /** Of a reply: samples of speech sent so far, 24 kHz. */
  samples: number;
  /** Where the client cut it; undefined: it was heard to its end. */
  truncatedAtMs?: number;
  /** Of a call and its result. */
  readonly callId?: string;
}

/** The conversation of one session. */
export class OpenAIConversation {
  /** Oldest first. */
  readonly items: ServedItem[] = [];
  readonly #send: (event: Json) => void;
  #ids = 0;

  constructor(send: (event: Json) => void) {
    this.#send = send;
  }

  /** Id of the last item; null without one. */
  get last(): string | null {
    return this.items.at(-1)?.id ?? null;
  }

  /** A fresh id. */
  reserve(): string {
    this.#ids += 1;
    return `item_${this.#ids}`;
  }

  /** Adds what the person said. */
  addUserAudio(id: string, pcm: Uint8Array): ServedItem {
    const item = { id, type: 'message', role: 'user', text: '', pcm, samples: 0 };
    const content = [{ type: 'input_audio', transcript: null }];
    this.#add(item, { id, type: 'message', role: 'user', status: 'completed', content }, true);
    return item;
  }

  /** Adds an item of a reply that is being made. */
  addReply(facts: Pick<ServedItem, 'id' | 'type' | 'callId'>, shown: Json): ServedItem {
    const item: ServedItem = { ...facts, role: 'assistant', text: '', samples: 0 };
    this.#add(item, shown, false);
    return item;
  }

  /** Carries out an event about items; returns what is wrong with it. */
  obey(type: string, event: Json): string | undefined {
    if (type === 'conversation.item.create') return this.#create(recordOf(event['item']));
    const item = this.items.find(({ id }) => id === event['item_id']);
    if (!item) return `${type} of the unknown item "${String(event['item_id'])}"`;
    if (type === 'conversation.item.truncate') return this.#truncate(item, event);
    if (type === 'conversation.item.delete') this.items.splice(this.items.indexOf(item), 1);
    this.#send({ type: `${type}d`, item_id: item.id });
    return undefined;
  }

  #create(given: Json): string | undefined {
    const callId = typeof given['call_id'] === 'string' ? given['call_id'] : undefined;
    if (given['type'] === 'function_call_output') {
      const asked = this.items.some(
        (item) => item.type === 'function_call' && item.callId === callId,
      );
      if (!asked) return `a result of the unknown call "${callId}"`;
      if (this.items.some((item) => item.type === 'function_call_output' && item.callId === callId))
        return `a second result of the call "${callId}"`;
    }
    const content = Array.isArray(given['content']) ? given['content'].map(recordOf) : [];
    const id = this.reserve();
    const text =
      content.map((part) => stringOf(part['text'])).join('') || stringOf(given['output']);
    this.#add(
      {
        id,
        type: stringOf(given['type']),
        role: stringOf(given['role']),
        text,
        samples: 0,
        ...(callId === undefined ? {} : { callId }),
      },
      { ...given, id, status: 'completed' },
      true,
    );
    return undefined;
  }

  #truncate(item: ServedItem, event: Json): string | undefined {
    const { content_index: index, audio_end_ms: ms } = event;
    if (item.role !== 'assistant' || item.type !== 'message' || item.samples === 0)
      return `truncate of "${item.id}", which is no speech of the assistant`;
    if (index !== 0) return 'truncate with another content_index than 0';
    if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 0)
      return `truncate at ${String(ms)} ms, which is no whole number`;
    if (ms > item.samples / 24)
      return `truncate at ${ms} ms of an item of ${Math.floor(item.samples / 24)} ms`;
    if (item.truncatedAtMs !== undefined) return `truncate of "${item.id}" for the second time`;
    item.truncatedAtMs = ms;
    item.text = '';
    this.#send({
      type: 'conversation.item.truncated',
      item_id: item.id,
      content_index: 0,
      audio_end_ms: ms,
    });
    return undefined;
  }

  #add(item: ServedItem, shown: Json, isDone: boolean): void {
    const previous_item_id = this.last;
    this.items.push(item);
    this.#send({ type: 'conversation.item.added', previous_item_id, item: shown });
    if (isDone) this.#send({ type: 'conversation.item.done', previous_item_id, item: shown });
  }
}
