/**
 * What the browser tests of the audio edge share: an edge in a context of the test's own, a recorder on
 * the loudspeaker that is exact to the sample, and a programmable microphone in the same graph.
 */
import { AudioEdge, type AudioEdgeOptions } from '../../../src/audio/audio-edge.ts';
import { element, type SpeechElement, type StreamElement } from '../../../src/core/element.ts';
import { isElement, type PortMessage } from '../../../src/core/port/protocol.ts';

export const worklets = {
  captureWorklet: new URL('../../../worklets/capture.ts', import.meta.url),
  playbackWorklet: new URL('../../../worklets/playback.ts', import.meta.url),
};

/** Polls a condition once per message-loop turn of the audio thread's reports; no timers. */
export class Condition {
  readonly #waiting = new Set<() => void>();

  /** Something changed. */
  changed(): void {
    for (const check of this.#waiting) check();
  }

  /** Resolves when `isTrue` is, checked at every change. */
  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isTrue()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** The far end of a port: grants credit, keeps elements, sends. */
export class FarPort {
  readonly near: MessagePort;
  readonly received: PortMessage[] = [];
  readonly #far: MessagePort;

  constructor(condition: Condition, credit: number) {
    const { port1, port2 } = new MessageChannel();
    this.near = port1;
    this.#far = port2;
    port2.onmessage = ({ data }: MessageEvent<PortMessage>) => {
      this.received.push(data);
      if (isElement(data) && credit > 0) port2.postMessage({ type: 'credit', count: 1 });
      condition.changed();
    };
    if (credit > 0) port2.postMessage({ type: 'credit', count: credit });
  }

  get elements(): StreamElement[] {
    return this.received.filter(isElement);
  }

  send(value: StreamElement): void {
    const transfer = value.kind === 'speech' ? [value.samples.buffer] : [];
    this.#far.postMessage(value, transfer);
  }

  post(message: PortMessage): void {
    this.#far.postMessage(message);
  }
}

export interface Rig {
  readonly context: AudioContext;
  readonly edge: AudioEdge;
  /** Connect sources here: they reach the capture processor through a MediaStream. */
  readonly microphone: MediaStreamAudioDestinationNode;
  /** The capture node itself, for sources that must arrive exact. */
  readonly captureNode: AudioNode;
  readonly condition: Condition;
  /** What the loudspeaker got, sample by sample; index 0 is the context's frame `firstFrame`. */
  recorded(): Float32Array;
  readonly firstFrame: () => number;
  /** Resolves when `count` more samples were recorded. */
  advance(count: number): Promise<void>;
  /** Resolves when the context's frame `frame` was recorded. */
  reach(frame: number): Promise<void>;
  /** Sessions that live in the worklet scope. */
  sessions(): Promise<number>;
  close(): Promise<void>;
}

export async function openRig(
  sampleRate: number,
  options: Partial<AudioEdgeOptions> = {},
): Promise<Rig> {
  const context = new AudioContext({ sampleRate });
  await context.resume();
  await context.audioWorklet.addModule(String(new URL('./recorder.worklet.ts', import.meta.url)));
  const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 });
  const condition = new Condition();
  const blocks: Float32Array[] = [];
  let first = -1;
  let count = 0;
  let told: number | undefined;
  recorder.port.onmessage = ({ data }) => {
    if ('sessions' in data) told = data.sessions;
    else {
      if (first < 0) first = data.frame;
      count += data.samples.length;
      blocks.push(data.samples);
    }
    condition.changed();
  };
  const microphone = new MediaStreamAudioDestinationNode(context, {
    channelCount: 1,
    channelCountMode: 'explicit',
  });
  const edge = new AudioEdge({
    ...worklets,
    audioContext: context,
    getStream: () => Promise.resolve(microphone.stream.clone()),
    ...options,
  });
  const nodes: AudioNode[] = [];
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
    nodes.push(this);
    if (to[0] === context.destination) connect.call(this, recorder as never);
    return connect.apply(this, to as never) as never;
  };
  try {
    await edge.open();
  } finally {
    AudioNode.prototype.connect = connect;
  }
  const captureNode = nodes[0];
  if (!captureNode) throw new Error('The edge connected nothing.');
  return {
    context,
    edge,
    microphone,
    captureNode,
    condition,
    recorded() {
      const all = new Float32Array(count);
      let at = 0;
      for (const block of blocks) {
        all.set(block, at);
        at += block.length;
      }
      return all;
    },
    firstFrame: () => first,
    advance(more) {
      const goal = count + more;
      return condition.until(() => count >= goal);
    },
    reach: (frame) => condition.until(() => first + count > frame),
    async sessions() {
      told = undefined;
      recorder.port.postMessage('sessions?');
      await condition.until(() => told !== undefined);
      return told ?? -1;
    },
    async close() {
      await edge.close();
      await context.close();
    },
  };
}

/** A speaker of the rig: its two far ends. */
export async function openSpeaker(rig: Rig) {
  const input = new FarPort(rig.condition, 0);
  const output = new FarPort(rig.condition, 32);
  const stream = await rig.edge.openSpeaker({ input: input.near, output: output.near });
  return { input, output, stream };
}

/** Plays samples into `node`, from `delaySeconds` on; gives the context's frame of the first one. */
export function playInto(
  rig: Rig,
  node: AudioNode,
  samples: Float32Array<ArrayBuffer>,
  delaySeconds = 0.1,
): number {
  const { context } = rig;
  const buffer = context.createBuffer(1, samples.length, context.sampleRate);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(node);
  const frame = Math.ceil((context.currentTime + delaySeconds) * context.sampleRate);
  source.start(frame / context.sampleRate);
  return frame;
}

let state = 1;
/** Samples 0.1…0.9 that differ from their neighbours, so that a lost or doubled one shows. */
export function distinct(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 0.1 + (0.8 * state) / 2_147_483_647;
  });
}

export function sine(hertz: number, rate: number, seconds: number, amplitude: number) {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
}

export function speech(
  samples: Float32Array<ArrayBuffer>,
  sampleRate: number,
  facts: Partial<SpeechElement> = {},
): SpeechElement {
  return element('speech', { samples, sampleRate, text: '', last: true, turn: 1, ...facts });
}

export const indexOfSound = (samples: Float32Array): number =>
  samples.findIndex((sample) => sample !== 0);

/** Keeps the page's thread busy. */
export function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
