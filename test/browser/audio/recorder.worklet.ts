/** Test worklet: posts every quantum it hears, and tells what the sessions of a scope left behind. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare const currentFrame: number;
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.port.addEventListener('message', () => {
      const floors = (globalThis as { [key: symbol]: unknown })[Symbol.for('antiphon.floor')];
      this.port.postMessage({ sessions: floors instanceof Map ? floors.size : 0 });
    });
    this.port.start();
  }

  process([input]: Float32Array[][]): boolean {
    const samples = input?.[0]?.slice() ?? new Float32Array(128);
    this.port.postMessage({ frame: currentFrame, samples }, [samples.buffer]);
    return true;
  }
}

registerProcessor('recorder', Recorder);
