/** The playback processor: speech in on a port, sound out. Becomes one self-contained file. */
import {
  playbackProcessor,
  type PlaybackCommand,
  type ProcessorOptions,
} from '../src/audio/edge-messages.ts';
import { PlaybackEngine } from '../src/audio/playback-engine.ts';

class PlaybackProcessor extends AudioWorkletProcessor implements AudioWorkletProcessorImpl {
  readonly #engine: PlaybackEngine;

  constructor(options: { readonly processorOptions: ProcessorOptions }) {
    super();
    const { session } = options.processorOptions;
    const report = (message: unknown): void => this.port.postMessage(message);
    const engine = new PlaybackEngine({ session, sampleRate, report });
    this.port.onmessage = ({ data }: MessageEvent<PlaybackCommand>): void => engine.command(data);
    this.#engine = engine;
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]?.[0];
    return output ? this.#engine.process(output, currentFrame, Date.now()) : true;
  }
}

registerProcessor(playbackProcessor, PlaybackProcessor);
