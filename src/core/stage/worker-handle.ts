/** A worker shared by the stages it hosts: made by the first, terminated after the last, never waited for in vain. */
import { wrap, type Remote } from 'comlink';
import { AntiphonError } from '../errors.ts';
import { unwrap, type HostApi, type Outcome } from './host-protocol.ts';

const handles = new WeakMap<() => Worker, WorkerHandle>();

/** The handle that all stages made with the same `create` function share. */
export function workerHandle(create: () => Worker): WorkerHandle {
  const known = handles.get(create);
  if (known) return known;
  const handle = new WorkerHandle(create);
  handles.set(create, handle);
  return handle;
}

/** Counts the users of a worker and races every call against its `error` event. */
export class WorkerHandle {
  readonly #create: () => Worker;
  readonly #calls = new Set<(reason: unknown) => void>();
  #worker: Worker | undefined;
  #host: Remote<HostApi> | undefined;
  #users = 0;
  #answered = false;

  constructor(create: () => Worker) {
    this.#create = create;
  }

  /** Starts the worker if none runs. Throws `worker-load` when it cannot even be made. */
  acquire(): void {
    if (!this.#worker) {
      try {
        this.#worker = this.#create();
      } catch (error) {
        throw new AntiphonError('worker-load', 'the worker could not be made', {
          hint: 'See the cause: a wrong URL, another origin, or a content security policy without worker-src.',
          cause: error,
        });
      }
      this.#answered = false;
      this.#worker.addEventListener('error', this.#crash);
      this.#worker.addEventListener('messageerror', this.#crash);
      this.#host = wrap<HostApi>(this.#worker);
    }
    this.#users += 1;
  }

  /** One user less; the last one terminates the worker unless `keep`. */
  release(keep: boolean): void {
    this.#users = Math.max(0, this.#users - 1);
    if (this.#users === 0 && !keep) this.terminate();
  }

  /** Ends the worker at once; calls under way reject with `aborted`. */
  terminate(): void {
    this.#lose(new AntiphonError('aborted', 'the worker was terminated'));
  }

  /** Calls the host; rejects with its error, or when the worker fails before it answers. */
  async call(ask: (host: Remote<HostApi>) => Promise<Outcome>): Promise<void> {
    const host = this.#host;
    if (!host) throw new AntiphonError('worker-crashed', 'the worker is gone', { hint: crashHint });
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      this.#calls.add(reject);
      ask(host)
        .then(resolve, reject)
        .finally(() => this.#calls.delete(reject));
    });
    this.#answered = true;
    unwrap(outcome);
  }

  readonly #crash = (event: Event): void => {
    const message = 'message' in event ? String(event.message) : '';
    const said = message === '' || message === 'undefined' ? '' : `: ${message}`;
    this.#lose(
      this.#answered
        ? new AntiphonError('worker-crashed', `the worker crashed${said}`, { hint: crashHint })
        : new AntiphonError('worker-load', `the worker could not be loaded${said}`, {
            hint: 'Check that its URL answers with JavaScript, that it was made with { type: "module" }, and that its imports resolve.',
          }),
    );
  };

  #lose(reason: AntiphonError): void {
    const worker = this.#worker;
    if (!worker) return;
    worker.removeEventListener('error', this.#crash);
    worker.removeEventListener('messageerror', this.#crash);
    worker.terminate();
    this.#worker = undefined;
    this.#host = undefined;
    for (const reject of this.#calls) reject(reason);
    this.#calls.clear();
  }
}

const crashHint = 'See the message; start the run again, which makes a new worker.';
