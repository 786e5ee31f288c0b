/**
 * The device edge on the page: owns the one AudioContext, the microphone and the two worklets. Sound does
 * not pass through here, only ports do. Importable anywhere; usable on a page.
 */
import { abortedError, AntiphonError } from '../core/errors.ts';
import type { CaptureReport, PlaybackReport } from './edge-messages.ts';
import { EdgeSession } from './edge-session.ts';
import { Listeners } from '../core/listeners.ts';
import type { GetStream } from './microphone.ts';

/** How to make an {@link AudioEdge}. */
export interface AudioEdgeOptions {
  /** Where `worklets/capture.js` is served. */
  readonly captureWorklet: URL | string;
  /** Where `worklets/playback.js` is served. */
  readonly playbackWorklet: URL | string;
  /** Opens the microphone; `getUserMedia` unless given. The edge stops the tracks of the stream it gets. */
  readonly getStream?: GetStream;
  /** Laid over `microphoneConstraints`; give a `deviceId` here, never a `sampleRate`. */
  readonly constraints?: MediaTrackConstraints;
  /** A context to use instead of one of its own; it is not closed with the edge. */
  readonly audioContext?: AudioContext;
  /** How long the context may take to start; 5 000 ms unless given. */
  readonly startTimeoutMs?: number;
}

type ReportOf<Type extends (CaptureReport | PlaybackReport)['type']> = Omit<
  Extract<CaptureReport | PlaybackReport, { type: Type }>,
  'type'
>;

/** What an {@link AudioEdge} tells; all `at` in ms on the capture clock. */
export interface AudioEdgeEvents {
  /** How loud a side is, about 20 a second while somebody listens to this event. */
  readonly level: {
    readonly side: 'microphone' | 'speaker';
    /** Root mean square, 0…1. */
    readonly rms: number;
    /** Greatest magnitude, 0…1. */
    readonly peak: number;
    readonly at: number;
  };
  /** A word was rendered to its last sample: `text` alone, `heard` with all before it in the message. */
  readonly heard: ReportOf<'heard'>;
  /** First sample of a turn's speech. */
  readonly audible: ReportOf<'audible'>;
  /** Nothing of the turn follows. */
  readonly silent: ReportOf<'silent'>;
  /** Speech came too late inside a turn; told when it goes on. */
  readonly underrun: ReportOf<'underrun'>;
  /** Microphone frames given up, because their reader let them wait for more than four seconds. */
  readonly dropped: ReportOf<'dropped'>;
  /** The energy gate ducked the voice, or let it rise. */
  readonly gate: ReportOf<'gate'>;
  /** The microphone was unplugged or taken away; its stream is over. */
  readonly 'microphone-ended': AntiphonError;
  /** The AudioContext started, was suspended, interrupted (a phone call on iOS) or closed. */
  readonly state: AudioContextState;
}

/** The ports of the speaker; both speak the protocol of `core/port`. */
export interface SpeakerPorts {
  readonly input: MessagePort;
  readonly output: MessagePort;
}

/** An open microphone or speaker. */
export interface EdgeStream {
  /** Settles when it is over; rejects with what ended it before its time. */
  readonly done: Promise<void>;
  /** Ends it. Idempotent. When neither microphone nor speaker is open any more, the edge closes too. */
  close(): void;
}

/** What the stages of a device need of an edge: also what stands in for one where there is no sound card. */
export type AudioDevices = Pick<AudioEdge, 'open' | 'openMicrophone' | 'openSpeaker' | 'on'>;

/**
 * The audio edge. Its constructor has no side effects; `open` belongs in a click. After `close` it can be
 * opened again, with a new context and a new capture clock.
 *
 * @example
 * const edge = new AudioEdge({ captureWorklet, playbackWorklet });
 * await edge.open();
 * const { port1, port2 } = new MessageChannel();
 * const microphone = await edge.openMicrophone(port1); // 512-sample frames at 16 kHz arrive at port2
 */
export class AudioEdge {
  readonly #options: AudioEdgeOptions;
  readonly #listeners = new Listeners<AudioEdgeEvents>();
  #session: EdgeSession | undefined;
  #muted = false;

  constructor(options: AudioEdgeOptions) {
    this.#options = options;
  }

  /** Rate of the context, which speech must have, in hertz; 0 while closed. */
  get sampleRate(): number {
    return this.#live?.context.sampleRate ?? 0;
  }

  /**
   * Wall-clock time of instant 0 of the capture clock, in ms comparable to `performance.timeOrigin +
   * performance.now()`; NaN until a sample was captured or speech rendered. An estimate, good to a render burst
   * (about 10 ms), renewed twice a second.
   */
  get captureOrigin(): number {
    return this.#live?.originMs ?? Number.NaN;
  }

  /** From rendering a sample to hearing it, as far as the browser knows, in ms. */
  get outputLatencyMs(): number {
    const context = this.#live?.context;
    if (!context) return 0;
    // WebKit and Firefox may lack one of the two.
    const { baseLatency, outputLatency } = context as Partial<AudioContext>;
    return 1000 * ((baseLatency ?? 0) + (outputLatency ?? 0));
  }

  /** Silences the microphone (its frames go on as silence); kept when opened again. */
  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.#live?.mute(muted);
  }

  /**
   * Starts the context and loads the worklets; asks for no microphone. Idempotent: calls while open or
   * opening share one outcome. Aborting `signal` while it opens closes the edge.
   *
   * @throws AntiphonError `audio-context`, `worklet-load`, `insecure-context`, `aborted`
   */
  async open({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted) throw abortedError();
    const session = this.#live ?? this.#start();
    const abort = (): void => void session.close();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await session.ready;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Asks for the microphone and sends its frames (`audio` elements) to `output` from the worklet. Opens the
   * edge first. One at a time: a microphone opened before ends. On failure `output` gets the error too.
   *
   * @throws AntiphonError `microphone-denied`, `microphone-missing`, `microphone-busy` and those of `open`
   */
  openMicrophone(output: MessagePort): Promise<EdgeStream> {
    return (this.#live ?? this.#start()).openMicrophone(output);
  }

  /**
   * Plays the `speech` that arrives at `input` and passes everything else on to `output`, each when
   * rendering reaches it. Opens the edge first. One at a time: a speaker opened before ends.
   *
   * @throws AntiphonError those of `open`
   */
  openSpeaker(ports: SpeakerPorts): Promise<EdgeStream> {
    return (this.#live ?? this.#start()).openSpeaker(ports);
  }

  /**
   * A fresh port into the playback worklet: takes `FloorCommand`s, gives `FloorReport`s. To be transferred.
   *
   * @throws AntiphonError `audio-context` while the edge is closed
   */
  floorPort(): MessagePort {
    const session = this.#live;
    if (session) return session.floorPort();
    throw new AntiphonError('audio-context', 'The audio edge is closed.', {
      hint: 'Call open() first.',
    });
  }

  /** Adds a listener. Returns what removes it. */
  on<Name extends keyof AudioEdgeEvents>(
    name: Name,
    listener: (detail: AudioEdgeEvents[Name]) => void,
  ): () => void {
    const remove = this.#listeners.on(name, listener);
    this.#updateLevels();
    return () => {
      remove();
      this.#updateLevels();
    };
  }

  /** Lets go of everything: microphone, nodes, processors, context. Safe at any moment, idempotent. */
  async close(): Promise<void> {
    await this.#session?.close();
  }

  get #live(): EdgeSession | undefined {
    return this.#session?.closed === false ? this.#session : undefined;
  }

  #start(): EdgeSession {
    const session = new EdgeSession(this.#options, this.#listeners);
    session.ready.catch(() => {}); // those who opened await it
    session.mute(this.#muted);
    this.#session = session;
    return session;
  }

  #updateLevels(): void {
    this.#live?.levels(this.#listeners.count('level') > 0);
  }
}
