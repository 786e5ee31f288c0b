/** Counts what a page opens and has not given back: workers, contexts, worklet nodes, tracks, ports. */

/** How many of each are open now, and how many were made. */
export interface Count {
  readonly workers: number;
  readonly contexts: number;
  readonly nodes: number;
  readonly tracks: number;
  readonly ports: number;
}

export const nothing: Count = { workers: 0, contexts: 0, nodes: 0, tracks: 0, ports: 0 };

/** Wraps the constructors of this page until `restore`. */
export class Census {
  readonly #workers = new Set<Worker>();
  readonly #contexts = new Set<AudioContext>();
  readonly #nodes = new Set<AudioWorkletNode>();
  readonly #tracks = new Set<MediaStreamTrack>();
  /** Where each port of the page is: here, closed, or posted to a worker or worklet. */
  readonly #ports = new Map<MessagePort, 'here' | 'closed' | Worker | MessagePort>();
  readonly #peers = new Map<MessagePort, MessagePort>();
  readonly #undo: (() => void)[] = [];
  #made = { workers: 0, contexts: 0, nodes: 0, tracks: 0, ports: 0 };

  constructor() {
    this.#replace(globalThis, 'Worker', (Original) => {
      const [open, made] = [this.#workers, this.#made];
      return class extends Original {
        constructor(url: string | URL, options?: WorkerOptions) {
          super(url, options);
          open.add(this);
          made.workers += 1;
        }
        override terminate(): void {
          super.terminate();
          open.delete(this);
        }
      };
    });
    this.#replace(globalThis, 'AudioContext', (Original) => {
      const [open, made] = [this.#contexts, this.#made];
      return class extends Original {
        constructor(options?: AudioContextOptions) {
          super(options);
          open.add(this);
          made.contexts += 1;
        }
      };
    });
    this.#replace(globalThis, 'AudioWorkletNode', (Original) => {
      const [open, made] = [this.#nodes, this.#made];
      return class extends Original {
        constructor(context: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
          super(context, name, options);
          open.add(this);
          made.nodes += 1;
        }
      };
    });
    this.#replace(globalThis, 'MessageChannel', (Original) => {
      const note = (one: MessagePort, other: MessagePort): void => this.#notePorts(one, other);
      return class extends Original {
        constructor() {
          super();
          note(this.port1, this.port2);
        }
      };
    });
    this.#replace(navigator.mediaDevices, 'getUserMedia', (original) => async (constraints) => {
      const stream = await original.call(navigator.mediaDevices, constraints);
      for (const track of stream.getTracks()) this.noteTrack(track);
      return stream;
    });
    const ports = this.#ports;
    this.#replace(
      MessagePort.prototype,
      'close',
      (original) =>
        function (this: MessagePort) {
          ports.set(this, 'closed');
          original.call(this);
        },
    );
    for (const prototype of [MessagePort.prototype, Worker.prototype] as const)
      this.#replace(
        prototype,
        'postMessage',
        (original) =>
          function (this: Worker & MessagePort, message: unknown, given?: unknown) {
            const transfer = Array.isArray(given) ? given : (given as { transfer?: [] })?.transfer;
            for (const one of transfer ?? [])
              if ((one as unknown) instanceof MessagePort) ports.set(one, this);
            original.call(this, message, given as never);
          },
      );
  }

  /** What was made since the census began. */
  get made(): Count {
    return { ...this.#made };
  }

  /** What is open now. */
  get open(): Count {
    return {
      workers: this.#workers.size,
      contexts: [...this.#contexts].filter(({ state }) => state !== 'closed').length,
      nodes: [...this.#nodes].filter(({ context }) => context.state !== 'closed').length,
      tracks: [...this.#tracks].filter(({ readyState }) => readyState === 'live').length,
      ports: [...this.#ports.keys()].filter((port) => this.#isOpen(port)).length,
    };
  }

  /** Tracks that were given, newest last. */
  get tracks(): MediaStreamTrack[] {
    return [...this.#tracks];
  }

  /** Counts a track of a stream that a test made itself. */
  noteTrack(track: MediaStreamTrack): void {
    this.#tracks.add(track);
    this.#made.tracks += 1;
  }

  /** Gives the page its own constructors back. */
  restore(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #notePorts(one: MessagePort, other: MessagePort): void {
    this.#peers.set(one, other).set(other, one);
    this.#ports.set(one, 'here').set(other, 'here');
    this.#made.ports += 2;
  }

  /** A port is over when it or its other end was closed, or the thread that has the other end is gone. */
  #isOpen(port: MessagePort): boolean {
    const peer = this.#peers.get(port);
    const there = peer && this.#ports.get(peer);
    if (this.#ports.get(port) !== 'here' || there === 'closed') return false;
    if (there instanceof Worker) return this.#workers.has(there);
    const node = [...this.#nodes].find((node) => node.port === there);
    return node === undefined || node.context.state !== 'closed';
  }

  #replace<Target extends object, Name extends keyof Target>(
    target: Target,
    name: Name,
    make: (original: Target[Name]) => Target[Name],
  ): void {
    const original = target[name];
    target[name] = make(original);
    this.#undo.unshift(() => (target[name] = original));
  }
}
