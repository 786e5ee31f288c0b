/** Tool calls put together from fragments, in every way servers cut them. */
import type { ToolCall } from '../../core/element.ts';
import { parseArguments } from '../reply-reader.ts';
import { arrayOf, recordOf, stringOf } from './json.ts';

interface PartialCall {
  index: number | undefined;
  id: string;
  name: string;
  text: string;
}

/**
 * Collects `delta.tool_calls`. Copes with a whole call in one delta, with fragments of one character,
 * with a missing `index` or `id`, with a name after the arguments and with calls interleaved.
 */
export class CallAssembler {
  readonly #calls: PartialCall[] = [];

  /** True once a call has begun. */
  get begun(): boolean {
    return this.#calls.length > 0;
  }

  /** Takes the `tool_calls` of one delta. */
  add(fragments: unknown): void {
    for (const fragment of arrayOf(fragments)) {
      const { index, id, function: body } = recordOf(fragment);
      const call = this.#find(typeof index === 'number' ? index : undefined, stringOf(id));
      const { name, arguments: args } = recordOf(body);
      call.id ||= stringOf(id);
      if (call.name !== stringOf(name)) call.name += stringOf(name);
      call.text +=
        typeof args === 'object' && args !== null ? JSON.stringify(args) : stringOf(args);
    }
  }

  /** The finished calls; arguments that are not JSON stay the string they are, so that validation can say so. */
  finish(): ToolCall[] {
    return this.#calls
      .filter((call) => call.name !== '')
      .map(({ id, name, text }) => ({
        id: id === '' ? `call_${crypto.randomUUID()}` : id,
        name,
        arguments: parseArguments(text),
      }));
  }

  #find(index: number | undefined, id: string): PartialCall {
    const last = this.#calls.at(-1);
    let call: PartialCall | undefined;
    if (index !== undefined) call = this.#calls.find((other) => other.index === index);
    else if (id !== '') call = this.#calls.find((other) => other.id === id);
    else call = last;
    if (call && index === undefined && id !== '' && call.id !== id) call = undefined;
    if (!call) {
      call = { index, id, name: '', text: '' };
      this.#calls.push(call);
    }
    return call;
  }
}
