/** Tool calls put together from fragments, in every way servers cut them. */
import type { ToolCall } from '../../core/element.ts';
import { parseArguments } from '../reply-reader.ts';
import { arrayOf, recordOf, stringOf } from './json.ts';

interface PartialCall {
  index: number | undefined;
  id: string;
  name: string;
  text: string;
  extra: unknown;
}

/**
 * Collects `delta.tool_calls`. Copes with a whole call in one delta, with fragments of one character,
 * with a missing `index` or `id`, with one `index` for all, with a name after the arguments and with calls interleaved.
 */
export class CallAssembler {
  readonly #calls: PartialCall[] = [];
  readonly #where: string;

  /** `where` is the public address: what its server adds to a call is for that server alone. */
  constructor(where: string) {
    this.#where = where;
  }

  /** True once a call has begun. */
  get begun(): boolean {
    return this.#calls.length > 0;
  }

  /** Takes the `tool_calls` of one delta. */
  add(fragments: unknown): void {
    for (const fragment of arrayOf(fragments)) {
      const { index, id, function: body, extra_content: extra } = recordOf(fragment);
      const { name, arguments: args } = recordOf(body);
      const place = typeof index === 'number' ? index : undefined;
      const call = this.#find(place, stringOf(id), stringOf(name));
      call.extra ??= extra;
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
      .map(({ id, name, text, extra }) => ({
        id: id === '' ? `call_${crypto.randomUUID()}` : id,
        name,
        arguments: parseArguments(text),
        ...(extra === undefined
          ? {}
          : { providerData: { chat: { where: this.#where, extra_content: extra } } }),
      }));
  }

  #find(index: number | undefined, id: string, name: string): PartialCall {
    const last = this.#calls.at(-1);
    let call: PartialCall | undefined;
    if (index !== undefined) {
      call = this.#calls.findLast((other) => other.index === index);
      // Some servers number every call 0; others make up an id for every fragment, but tell the name once.
      const isOther = call && call.name !== '' && name !== '' && id !== '' && call.id !== id;
      if (isOther) call = undefined;
    } else if (id !== '') call = this.#calls.find((other) => other.id === id);
    else call = last;
    if (call && index === undefined && id !== '' && call.id !== id) call = undefined;
    if (!call) {
      call = { index, id, name: '', text: '', extra: undefined };
      this.#calls.push(call);
    }
    return call;
  }
}
