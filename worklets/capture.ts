/** The capture processor: microphone in, 16 kHz frames out on a port. Becomes one self-contained file. */
import { CaptureEngine } from '../src/audio/capture-engine.ts';
import {
  captureProcessor,
  type CaptureCommand,
  type ProcessorOptions,
} from '../src/audio/edge-messages.ts';

class CaptureProcessor extends AudioWorkletProcessor implements AudioWorkletProcessorImpl {
  readonly #engine: CaptureEngine;

  constructor(options: { readonly processorOptions: ProcessorOptions }) {
    super();
    const { session } = options.processorOptions;
    const report = (message: unknown): void => this.port.postMessage(message);
    const engine = new CaptureEngine({ session, sampleRate, report });
    this.port.onmessage = ({ data }: MessageEvent<CaptureCommand>): void => engine.command(data);
    this.#engine = engine;
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const length = outputs[0]?.[0]?.length ?? 128;
    return this.#engine.process(inputs[0]?.[0], length, currentFrame);
  }
}

registerProcessor(captureProcessor, CaptureProcessor);
