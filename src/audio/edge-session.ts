/**
 * One opened audio edge: a context, two worklet nodes, perhaps a microphone. Internal to `AudioEdge`.
 * Everything it takes it gives back in `close`, which is safe at any moment. Page only.
 */
import { abortedError, AntiphonError, deserializeError, serializeError } from '../core/errors.ts';
import type { AudioEdgeEvents, AudioEdgeOptions, EdgeStream, SpeakerPorts } from './audio-edge.ts';
import { loadWorklet, makeContext, startContext } from './audio-context.ts';
import {
  captureProcessor,
  playbackProcessor,
  type CaptureCommand,
  type CaptureReport,
  type PlaybackCommand,
  type PlaybackReport,
  type ProcessorOptions,
} from './edge-messages.ts';
import type { Listeners } from '../core/listeners.ts';
import { microphoneEnded, microphoneError, openStream } from './microphone.ts';

const startTimeoutMs = 5_000;

interface Handle extends EdgeStream {
  readonly id: number;
  end(error?: unknown): void;
}

/** Made synchronously inside the click; `ready` tells when it can be used. */
export class EdgeSession {
  readonly context: AudioContext;
  /** Resolves when both processors run; rejects when they can't, the session being closed then. */
  readonly ready: Promise<void>;
  readonly #options: AudioEdgeOptions;
  readonly #listeners: Listeners<AudioEdgeEvents>;
  readonly #handles = new Set<Handle>();
  #capture: AudioWorkletNode | undefined;
  #playback: AudioWorkletNode | undefined;
  #microphone: Handle | undefined;
  #speaker: Handle | undefined;
  #tracks: readonly MediaStreamTrack[] = [];
  #muted = false;
  #originMs = Number.NaN;
  #opened = 0;
  #interrupt: (error: AntiphonError) => void = () => {};
  readonly #interrupted: Promise<never>;
  #released: Promise<void> | undefined;
  #closed = false;

  constructor(options: AudioEdgeOptions, listeners: Listeners<AudioEdgeEvents>) {
    this.#options = options;
    this.#listeners = listeners;
    this.context = makeContext(options.audioContext);
    this.context.addEventListener('statechange', this.#stateChanged);
    this.#interrupted = new Promise((_, reject) => (this.#interrupt = reject));
    this.#interrupted.catch(() => {});
    this.ready = Promise.race([this.#load(), this.#interrupted]).catch(async (error: unknown) => {
      await this.close();
      throw error;
    });
  }

  /** True once closed, or being closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Unix ms (of the page's `performance`) of the first captured sample; NaN before. */
  get originMs(): number {
    return this.#originMs + (performance.timeOrigin + performance.now() - Date.now());
  }

  /** Silences the microphone without letting go of it. */
  mute(muted: boolean): void {
    this.#muted = muted;
    for (const track of this.#tracks) track.enabled = !muted;
  }

  /** Asks the processors for `level` reports, or not. */
  levels(on: boolean): void {
    this.#tellCapture({ type: 'levels', on });
    this.#tellPlayback({ type: 'levels', on });
  }

  /** A port whose other end is in the playback processor. */
  floorPort(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const send = (): void => this.#tellPlayback({ type: 'floor', port: port1 }, [port1]);
    this.ready.then(send, () => port1.close());
    return port2;
  }

  /** Asks for the microphone and sends its frames to `output`. */
  async openMicrophone(output: MessagePort): Promise<EdgeStream> {
    let stream: MediaStream | undefined;
    try {
      await this.ready;
      const opening = openStream(this.#options.getStream, this.#options.constraints ?? {});
      opening.then(
        (late) => this.#closed && stopTracks(late),
        () => {},
      );
      stream = await Promise.race([opening, this.#interrupted]);
      if (this.#closed) throw abortedError();
      return this.#connect(stream, output);
    } catch (thrown) {
      if (stream) stopTracks(stream);
      const error = microphoneError(thrown);
      output.postMessage({ type: 'error', error: serializeError(error) });
      if (this.#handles.size === 0) await this.close();
      throw error;
    }
  }

  /** Plays what comes from `input`; passes the rest on to `output`. */
  async openSpeaker({ input, output }: SpeakerPorts): Promise<EdgeStream> {
    await this.ready;
    if (this.#closed) throw abortedError();
    const previous = this.#speaker;
    const speaker = this.#handle(() => this.#tellPlayback({ type: 'shut' }));
    this.#speaker = speaker;
    previous?.end();
    this.#tellPlayback({ type: 'open', id: speaker.id, input, output }, [input, output]);
    return speaker;
  }

  /** Stops and releases everything; resolves when the context is closed. Idempotent. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#interrupt(abortedError());
      this.#released = this.#release();
    }
    return this.#released ?? Promise.resolve();
  }

  async #load(): Promise<void> {
    const { context } = this;
    const options = this.#options;
    await Promise.all([
      startContext(context, options.startTimeoutMs ?? startTimeoutMs),
      loadWorklet(context, options.captureWorklet),
      loadWorklet(context, options.playbackWorklet),
    ]);
    if (this.#closed) throw abortedError();
    const processorOptions: ProcessorOptions = { session: crypto.randomUUID() };
    this.#capture = new AudioWorkletNode(context, captureProcessor, {
      processorOptions,
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
    });
    this.#playback = new AudioWorkletNode(context, playbackProcessor, {
      processorOptions,
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
    });
    this.#capture.port.onmessage = ({ data }: MessageEvent<CaptureReport>) =>
      this.#heed(data, 'microphone');
    this.#playback.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) =>
      this.#heed(data, 'speaker');
    this.#capture.onprocessorerror = this.#failed;
    this.#playback.onprocessorerror = this.#failed;
    // Capture gives silence; the connection makes it render first, so that its gate ducks this very quantum.
    this.#capture.connect(this.#playback).connect(context.destination);
    this.levels(this.#listeners.count('level') > 0);
  }

  #connect(stream: MediaStream, output: MessagePort): EdgeStream {
    const source = this.context.createMediaStreamSource(stream);
    const tracks = stream.getAudioTracks();
    const lost = (): void => microphone.end(microphoneEnded());
    const previous = this.#microphone;
    const microphone = this.#handle((error) => {
      for (const track of tracks) track.removeEventListener('ended', lost);
      stopTracks(stream);
      source.disconnect();
      this.#tellCapture({ type: 'shut', ...(error ? { error: serializeError(error) } : {}) });
      if (AntiphonError.is(error, 'microphone-ended'))
        this.#listeners.emit('microphone-ended', error);
    });
    for (const track of tracks) track.addEventListener('ended', lost);
    if (this.#capture) source.connect(this.#capture);
    this.#microphone = microphone;
    previous?.end();
    this.#tellCapture({ type: 'open', id: microphone.id, port: output }, [output]);
    this.#tracks = tracks;
    this.mute(this.#muted);
    if (tracks.some((track) => track.readyState === 'ended')) lost();
    return microphone;
  }

  #handle(release: (error?: unknown) => void): Handle {
    let settle: (error?: unknown) => void = () => {};
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    done.catch(() => {}); // whoever wants to know awaits it
    this.#opened += 1;
    const handle: Handle = {
      id: this.#opened,
      done,
      close: () => handle.end(),
      end: (error) => {
        if (!this.#handles.delete(handle)) return;
        release(error);
        settle(error);
        if (this.#handles.size === 0) void this.close();
      },
    };
    this.#handles.add(handle);
    return handle;
  }

  #heed(report: CaptureReport | PlaybackReport, side: 'microphone' | 'speaker'): void {
    switch (report.type) {
      case 'clock':
        this.#originMs = report.originMs;
        break;
      case 'level':
        this.#listeners.emit('level', { side, rms: report.rms, peak: report.peak, at: report.at });
        break;
      case 'shut':
        for (const handle of this.#handles)
          if (handle.id === report.id)
            handle.end(
              'error' in report && report.error ? deserializeError(report.error) : undefined,
            );
        break;
      default:
        this.#listeners.emit(report.type, report);
    }
  }

  #tellCapture(command: CaptureCommand, transfer: Transferable[] = []): void {
    this.#capture?.port.postMessage(command, transfer);
  }

  #tellPlayback(command: PlaybackCommand, transfer: Transferable[] = []): void {
    this.#playback?.port.postMessage(command, transfer);
  }

  readonly #stateChanged = (): void => this.#listeners.emit('state', this.context.state);

  readonly #failed = (): void => {
    const error = new AntiphonError('audio-context', 'An audio worklet stopped with an error.', {
      hint: 'Start anew; please report it with the message in the browser console.',
    });
    for (const handle of this.#handles) handle.end(error);
    void this.close();
  };

  async #release(): Promise<void> {
    for (const handle of this.#handles) handle.end();
    this.#tellCapture({ type: 'stop' });
    this.#tellPlayback({ type: 'stop' });
    for (const node of [this.#capture, this.#playback]) node?.disconnect();
    this.context.removeEventListener('statechange', this.#stateChanged);
    if (!this.#options.audioContext && this.context.state !== 'closed') await this.context.close();
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
