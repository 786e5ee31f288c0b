/**
 * A recording as the microphone: plays samples into a MediaStream, instead of a real microphone or mixed
 * with it. For "play a sample question" and for tests. Page only.
 */
import { AntiphonError } from '../core/errors.ts';
import type { GetStream } from './microphone.ts';

/** What a {@link ClipStream} may be given. */
export interface ClipStreamOptions {
  /** Opens a real microphone to mix in; silence between the clips unless given. */
  readonly microphone?: GetStream;
}

/**
 * A programmable microphone; pass its `getStream` to the audio edge. Its own context is made on first use,
 * which belongs in a click.
 *
 * @example
 * const clips = new ClipStream();
 * const edge = new AudioEdge({ captureWorklet, playbackWorklet, getStream: clips.getStream });
 * await clips.play(samples, 16_000); // resolves when the last sample was sent
 */
export class ClipStream {
  readonly #options: ClipStreamOptions;
  readonly #microphones = new Set<MediaStream>();
  /** What plays, and what ends it. */
  readonly #playing = new Map<AudioBufferSourceNode, () => void>();
  #context: AudioContext | undefined;
  #destination: MediaStreamAudioDestinationNode | undefined;
  #gain: GainNode | undefined;

  constructor(options: ClipStreamOptions = {}) {
    this.#options = options;
  }

  /** A fresh stream of what is played (and of the microphone, where there is one). */
  readonly getStream: GetStream = async (constraints) => {
    const { context, destination, gain } = this.#open();
    // One that is open already is heard in every stream.
    if (this.#options.microphone && ![...this.#microphones].some(({ active }) => active)) {
      const microphone = await this.#options.microphone(constraints);
      this.#microphones.add(microphone);
      context.createMediaStreamSource(microphone).connect(gain);
    }
    await context.resume();
    return destination.stream.clone();
  };

  /**
   * Plays mono samples as if spoken into the microphone; the real one is silent meanwhile unless `mix`.
   * Resolves when the last one was sent, or when `signal` aborts.
   *
   * @param samples −1…1, copied
   * @param sampleRate in hertz, 3 000…768 000
   * @throws AntiphonError `audio-format` for an empty clip
   */
  async play(
    samples: Float32Array,
    sampleRate: number,
    { mix = false, signal }: { readonly mix?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    if (samples.length === 0)
      throw new AntiphonError('audio-format', 'The clip is empty.', { hint: 'Check the file.' });
    if (signal?.aborted) return;
    const { context, destination, gain } = this.#open();
    const buffer = context.createBuffer(1, samples.length, sampleRate);
    buffer.copyToChannel(new Float32Array(samples), 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(destination);
    // A context that waits for a gesture or is closed tells of no end.
    const over = new Promise<void>((resolve) => {
      const end = (): void => resolve();
      this.#playing.set(source, end);
      source.addEventListener('ended', end, { once: true });
      signal?.addEventListener('abort', end, { once: true });
    });
    await Promise.race([context.resume(), over]);
    if (!mix) gain.gain.value = 0;
    source.start();
    await over;
    this.#playing.delete(source);
    source.disconnect();
    if (this.#playing.size === 0) gain.gain.value = 1;
  }

  /** Stops what plays, lets go of the microphone and the context. Can be used again. */
  async close(): Promise<void> {
    for (const end of this.#playing.values()) end();
    for (const microphone of this.#microphones)
      for (const track of microphone.getTracks()) track.stop();
    this.#microphones.clear();
    for (const track of this.#destination?.stream.getTracks() ?? []) track.stop();
    const context = this.#context;
    this.#context = undefined;
    this.#destination = undefined;
    this.#gain = undefined;
    await context?.close();
  }

  #open(): {
    context: AudioContext;
    destination: MediaStreamAudioDestinationNode;
    gain: GainNode;
  } {
    const context = (this.#context ??= new AudioContext());
    const destination = (this.#destination ??= new MediaStreamAudioDestinationNode(context, {
      channelCount: 1,
      channelCountMode: 'explicit',
    }));
    if (!this.#gain) {
      this.#gain = context.createGain();
      this.#gain.connect(destination);
    }
    return { context, destination, gain: this.#gain };
  }
}
