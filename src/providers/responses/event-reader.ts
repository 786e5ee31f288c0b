/** The events of the Responses API → provider parts. */
import type { FinishReason, Usage } from '../../core/element.ts';
import { arrayOf, recordOf, stringOf } from '../chat/json.ts';
import { readRefusal, refusalError } from '../http/http-error.ts';
import type { ProviderPart } from '../provider.ts';
import {
  countOf,
  endedEarly,
  parseArguments,
  parseEvent,
  type ReplyReader,
} from '../reply-reader.ts';

type Fields = Readonly<Record<string, unknown>>;

interface OpenCall {
  item: Fields;
  text: string;
}

/** Follows one stream to `response.completed` or `.incomplete`; copes with servers that leave out ids, counts and `done` events. */
export class ResponseReader implements ReplyReader {
  readonly #where: string;
  /** Calls that have begun, in their order. */
  readonly #open: OpenCall[] = [];
  /** Reasoning items that wait for the call they led to. */
  #reasoning: Fields[] = [];
  /** Reasoning went by that only the vendor has: calls can't be sent back under ids that refer to it. */
  #isUnsealed = false;
  #usage: Usage | undefined;
  #reason: FinishReason | undefined;
  #begun = false;
  #called = false;
  #refused = false;

  /** `where` is the public address, for errors. */
  constructor(where: string) {
    this.#where = where;
  }

  get ended(): boolean {
    return this.#reason !== undefined;
  }

  read(data: string, event?: string): ProviderPart[] {
    if (data.trim() === '[DONE]') return [];
    const fields = parseEvent(data, this.#where);
    const type = stringOf(fields['type']) || event || '';
    if (fields['object'] === 'response') return this.#whole(fields);
    if (type === 'error' || Boolean(fields['error']))
      throw refusalError(readRefusal(0, fields), this.#where);
    const delta = stringOf(fields['delta']);
    if (type === 'response.output_text.delta') return this.#say('text-delta', delta);
    if (type === 'response.refusal.delta') {
      this.#refused = true;
      return this.#say('text-delta', delta);
    }
    if (/^response\.reasoning(?:_summary)?_text\.delta$/.test(type))
      return this.#say('reasoning-delta', delta);
    if (type === 'response.function_call_arguments.delta') this.#find(fields).text += delta;
    if (type === 'response.function_call_arguments.done')
      this.#find(fields).text = stringOf(fields['arguments']);
    const item = recordOf(fields['item']);
    if (type === 'response.output_item.added' && item['type'] === 'function_call') {
      this.#begun = true;
      const { output_index: index } = fields;
      this.#open.push({
        item: { output_index: index, ...item },
        text: stringOf(item['arguments']),
      });
    }
    if (type === 'response.output_item.done') return this.#itemDone(fields, item);
    if (/^response\.(?:completed|incomplete|failed)$/.test(type))
      return this.#end(recordOf(fields['response']));
    return [];
  }

  finish(): ProviderPart[] {
    if (this.#reason === undefined) throw endedEarly(this.#where, this.#begun);
    const stopped = this.#called && this.#reason === 'stop' ? 'tool-calls' : this.#reason;
    return [
      {
        type: 'finish',
        reason: this.#refused && stopped === 'stop' ? 'content-filter' : stopped,
        ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      },
    ];
  }

  #say(type: 'text-delta' | 'reasoning-delta', text: string): ProviderPart[] {
    this.#begun = true;
    return text === '' ? [] : [{ type, text }];
  }

  /** The open call an event is about, by the id of its item, its place in the output, or as the last one. */
  #find(fields: Fields): OpenCall {
    const { item_id: id, output_index: index } = fields;
    let call =
      this.#open.find(({ item }) => id !== undefined && item['id'] === id) ??
      this.#open.find(({ item }) => index !== undefined && item['output_index'] === index);
    call ??= id === undefined && index === undefined ? this.#open.at(-1) : undefined;
    if (!call) this.#open.push((call = { item: { id, output_index: index }, text: '' }));
    return call;
  }

  #itemDone(fields: Fields, item: Fields): ProviderPart[] {
    if (item['type'] === 'reasoning') {
      const { encrypted_content: sealed, content } = item;
      if (stringOf(sealed) !== '' || arrayOf(content).length > 0) this.#reasoning.push(item);
      else this.#isUnsealed = true;
    }
    if (item['type'] !== 'function_call') return [];
    const call = this.#find({ output_index: fields['output_index'], item_id: item['id'] });
    call.item = { ...call.item, ...item };
    call.text = stringOf(item['arguments']) || call.text;
    return this.#close(call);
  }

  #close(call: OpenCall): ProviderPart[] {
    this.#open.splice(this.#open.indexOf(call), 1);
    const name = stringOf(call.item['name']);
    if (name === '') return [];
    this.#begun = this.#called = true;
    const id = stringOf(call.item['id']);
    const before = this.#reasoning.splice(0);
    return [
      {
        type: 'tool-call',
        call: {
          id: stringOf(call.item['call_id']) || id || `call_${crypto.randomUUID()}`,
          name,
          arguments: parseArguments(call.text),
          providerData: {
            openai: {
              ...(id === '' || this.#isUnsealed ? {} : { id }),
              ...(before.length === 0 ? {} : { before }),
            },
          },
        },
      },
    ];
  }

  #end(response: Fields): ProviderPart[] {
    if (response['status'] === 'failed' || response['error'])
      throw refusalError(readRefusal(0, { error: response['error'] ?? {} }), this.#where);
    const usage = recordOf(response['usage']);
    const inputTokens = countOf(usage['input_tokens']);
    const outputTokens = countOf(usage['output_tokens']);
    if (inputTokens !== undefined || outputTokens !== undefined)
      this.#usage = {
        ...(inputTokens === undefined ? {} : { inputTokens }),
        ...(outputTokens === undefined ? {} : { outputTokens }),
      };
    const detail = stringOf(recordOf(response['incomplete_details'])['reason']);
    this.#reason =
      { max_output_tokens: 'length', content_filter: 'content-filter', '': 'stop' }[detail] ??
      detail;
    return this.#open.slice().flatMap((call) => this.#close(call));
  }

  /** A whole response, of a server that does not stream. */
  #whole(response: Fields): ProviderPart[] {
    const parts = arrayOf(response['output']).flatMap((value): ProviderPart[] => {
      const item = recordOf(value);
      if (item['type'] !== 'message') return this.#itemDone({}, item);
      return arrayOf(item['content']).flatMap((content) => {
        const { text, refusal } = recordOf(content);
        this.#refused ||= refusal !== undefined;
        return this.#say('text-delta', stringOf(text) + stringOf(refusal));
      });
    });
    return [...parts, ...this.#end(response)];
  }
}
