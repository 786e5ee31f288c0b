/** A provider that plays a script, for tests of what drives one. */
import { abortedError } from '../../../src/providers/abort.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';

/** A step of a script: a part to stream, an error to throw, or a wait for cancellation. */
export type Step = ProviderPart | Error | 'hang';

export const say = (text: string): Step => ({ type: 'text-delta', text });
export const call = (name: string, args: unknown = {}, id: string = name): Step => ({
  type: 'tool-call',
  call: { id, name, arguments: args },
});
export const stop: Step = { type: 'finish', reason: 'stop' };
export const callsDone: Step = { type: 'finish', reason: 'tool-calls' };

/** Plays one script per request, the last one from then on; `onHang` is told when it waits. */
export function scripted(
  scripts: readonly (readonly Step[])[],
  onHang: () => void = () => undefined,
): Provider & { readonly requests: ProviderRequest[]; readonly closed: number[] } {
  const requests: ProviderRequest[] = [];
  const closed: number[] = [];
  return {
    id: 'scripted',
    requests,
    closed,
    async *stream(request, { signal }) {
      const number = requests.push(request);
      try {
        for (const step of scripts[Math.min(number, scripts.length) - 1] ?? []) {
          if (signal.aborted) throw abortedError();
          if (step instanceof Error) throw step;
          if (step === 'hang') {
            onHang();
            await new Promise((_, reject) => {
              signal.addEventListener('abort', () => reject(abortedError()));
            });
          } else yield step;
        }
      } finally {
        closed.push(number);
      }
    },
  };
}
