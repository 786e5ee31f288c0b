/** An audio edge without a sound card: the engines of the two worklets, rendered a quantum at a time by whoever holds it. */
import type { AudioDevices, AudioEdgeEvents, EdgeStream } from '../../audio/audio-edge.ts';
import { CaptureEngine } from '../../audio/capture-engine.ts';
import type { CaptureReport, PlaybackReport } from '../../audio/edge-messages.ts';
import type { FloorCommand } from '../../audio/floor.ts';
import { PlaybackEngine } from '../../audio/playback-engine.ts';
import { deferred, type Deferred } from '../../core/deferred.ts';
import { deserializeError } from '../../core/errors.ts';
import { Listeners } from '../../core/listeners.ts';
import { samplesToMs } from '../../core/time.ts';
import { simulatedChannel } from './simulated-port.ts';

/** Samples of a render quantum, as browsers have them. */
export const quantum = 128;

let sessions = 0;

/** Capture and playback on one sample counter, which is also the clock: instant 0 is the first sample. */
export class OfflineEdge implements AudioDevices {
  /** In hertz. */
  readonly sampleRate: number;
  readonly captureOrigin = 0;
  readonly outputLatencyMs = 0;
  readonly #listeners = new Listeners<AudioEdgeEvents>();
  readonly #capture: CaptureEngine;
  readonly #playback: PlaybackEngine;
  readonly #open = new Map<number, Deferred<void>>();
  readonly #onPost: () => void;
  readonly #output = new Float32Array(quantum);
  #streams = 0;
  #frame = 0;

  /** @param onPost told of everything that is posted over the floor ports */
  constructor(sampleRate: number, onPost: () => void) {
    this.sampleRate = sampleRate;
    this.#onPost = onPost;
    sessions += 1;
    const session = `offline-${sessions}`;
    this.#capture = new CaptureEngine({
      session,
      sampleRate,
      report: (report) => this.#heed(report, 'microphone'),
    });
    this.#playback = new PlaybackEngine({
      session,
      sampleRate,
      report: (report) => this.#heed(report, 'speaker'),
    });
    this.#capture.command({ type: 'levels', on: true });
  }

  /** How much time has passed, in ms. */
  get nowMs(): number {
    return samplesToMs(this.#frame, this.sampleRate);
  }

  /** There is nothing to open. */
  async open(): Promise<void> {}

  /** Frames of what is rendered go to `output`. */
  async openMicrophone(output: MessagePort): Promise<EdgeStream> {
    const stream = this.#stream(() => this.#capture.command({ type: 'shut' }));
    this.#capture.command({ type: 'open', id: this.#streams, port: output });
    return stream;
  }

  /** Speech from `input` is rendered. */
  async openSpeaker(ports: {
    readonly input: MessagePort;
    readonly output: MessagePort;
  }): Promise<EdgeStream> {
    const stream = this.#stream(() => this.#playback.command({ type: 'shut' }));
    this.#playback.command({ type: 'open', id: this.#streams, ...ports });
    return stream;
  }

  /** A floor port of the playback engine; `onCommand` looks at what it is told. */
  floorPort(onCommand: (command: FloorCommand) => void): MessagePort {
    const { port1, port2 } = simulatedChannel(this.#onPost);
    port1.addEventListener('message', ({ data }: MessageEvent<FloorCommand>) => onCommand(data));
    this.#playback.command({ type: 'floor', port: port1 });
    return port2;
  }

  /** Adds a listener. Returns what removes it. */
  on<Name extends keyof AudioEdgeEvents>(
    name: Name,
    listener: (detail: AudioEdgeEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(name, listener);
  }

  /** Ends the stream of the microphone: its reader sees the end. */
  closeMicrophone(): void {
    this.#capture.command({ type: 'shut' });
  }

  /** One quantum: `input` is heard, what is played is returned, valid until the next call. */
  render(input: Float32Array): Float32Array {
    this.#capture.process(input, quantum, this.#frame);
    this.#playback.process(this.#output, this.#frame, this.nowMs);
    this.#frame += quantum;
    return this.#output;
  }

  /** Ends both engines. */
  close(): void {
    this.#capture.command({ type: 'stop' });
    this.#playback.command({ type: 'stop' });
  }

  #stream(shut: () => void): EdgeStream {
    this.#streams += 1;
    const id = this.#streams;
    const over = deferred<void>();
    over.promise.catch(() => {});
    this.#open.set(id, over);
    return {
      done: over.promise,
      close: () => {
        if (this.#open.has(id)) shut();
      },
    };
  }

  #heed(report: CaptureReport | PlaybackReport, side: 'microphone' | 'speaker'): void {
    switch (report.type) {
      case 'clock':
        break;
      case 'level':
        this.#listeners.emit('level', { side, rms: report.rms, peak: report.peak, at: report.at });
        break;
      case 'shut': {
        const over = this.#open.get(report.id);
        this.#open.delete(report.id);
        if ('error' in report && report.error) over?.reject(deserializeError(report.error));
        else over?.resolve();
        break;
      }
      default:
        this.#listeners.emit(report.type, report);
    }
  }
}
