/**
 * What the capture processor does, without the processor: frames to a port, the energy gate to the
 * shared floor, reports to the page. Runs in AudioWorkletGlobalScope; `process` allocates nothing of its own.
 */
import type { AudioElement } from '../core/element.ts';
import { CaptureFramer, frameRate } from './capture-framer.ts';
import type { CaptureCommand, CaptureReport } from './edge-messages.ts';
import { EnergyGate } from './energy-gate.ts';
import { LevelMeter } from './level.ts';
import { forgetFloor, sharedFloor, type SharedFloor } from './shared-floor.ts';
import { WorkletWriter } from './worklet-port.ts';

/** What an engine needs from the processor around it. */
export interface EngineOptions<Report> {
  /** See `ProcessorOptions`. */
  readonly session: string;
  /** Of the audio context, in hertz. */
  readonly sampleRate: number;
  /** Posts to the page; the object is reused afterwards. */
  readonly report: (report: Report) => void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const levelMs = 50;
const source = 'microphone';

/** One per capture node. */
export class CaptureEngine {
  readonly #options: EngineOptions<CaptureReport>;
  readonly #floor: SharedFloor;
  readonly #gate: EnergyGate;
  readonly #meter = new LevelMeter();
  readonly #levelSamples: number;
  readonly #silence = new Float32Array(4096);
  readonly #element: Mutable<AudioElement>;
  readonly #level: Mutable<Extract<CaptureReport, { type: 'level' }>>;
  #framer: CaptureFramer;
  #writer: WorkletWriter | undefined;
  #id = 0;
  #startMs = -1;
  #lifts = 0;
  #delivered = 0;
  #dropped = 0;
  #wantsLevels = false;
  #running = true;

  constructor(options: EngineOptions<CaptureReport>) {
    this.#options = options;
    this.#floor = sharedFloor(options.session, options.sampleRate);
    this.#gate = new EnergyGate(options.sampleRate);
    this.#framer = new CaptureFramer(options.sampleRate);
    this.#levelSamples = Math.round((options.sampleRate * levelMs) / 1000);
    const samples = new Float32Array(0);
    this.#element = { kind: 'audio', turn: 0, at: 0, source, samples, sampleRate: frameRate };
    this.#level = { type: 'level', rms: 0, peak: 0, at: 0 };
  }

  /** Obeys the page. */
  command(command: CaptureCommand): void {
    switch (command.type) {
      case 'open':
        this.#writer?.close();
        this.#shut();
        this.#id = command.id;
        this.#framer = new CaptureFramer(this.#options.sampleRate);
        this.#startMs = -1;
        this.#delivered = 0;
        this.#dropped = 0;
        this.#writer = new WorkletWriter(command.port, {
          credited: () => {
            this.#send();
            this.#framer.refill();
          },
          cancelled: () => this.#shut(),
        });
        break;
      case 'levels':
        this.#wantsLevels = command.on;
        break;
      case 'shut':
        this.#writer?.close(command.error);
        this.#shut();
        break;
      case 'stop':
        this.#writer?.close();
        this.#shut();
        this.#running = false;
        forgetFloor(this.#options.session);
        break;
    }
  }

  /**
   * Takes one render quantum; `input` is undefined while nothing is connected, which counts as silence
   * once the first sample was captured. Returns whether the processor should live on.
   *
   * @param length samples of the quantum
   * @param frame the context's index of its first sample
   */
  process(input: Float32Array | undefined, length: number, frame: number): boolean {
    if (!this.#writer || (!input && this.#startMs < 0)) return this.#running;
    if (this.#startMs < 0) this.#startMs = this.#floor.clock.at(frame);
    const block = input ?? this.#silence.subarray(0, length);
    this.#duck(this.#meter.add(block), length, frame);
    this.#framer.push(block);
    this.#send();
    if (this.#framer.dropped > this.#dropped) this.#reportDrops(frame);
    if (this.#meter.count >= this.#levelSamples) this.#reportLevel(frame);
    return this.#running;
  }

  #duck(power: number, length: number, frame: number): void {
    const floor = this.#floor;
    if (floor.lifts !== this.#lifts) {
      this.#lifts = floor.lifts;
      this.#gate.dismiss();
    }
    const open = this.#gate.update(power, length, floor.audible, floor.playbackLevel);
    if (open === floor.gateOpen) return;
    floor.gateOpen = open;
    this.#options.report({ type: 'gate', open, at: floor.clock.at(frame) });
  }

  #send(): void {
    while (this.#writer && this.#writer.credit > 0) {
      const { position } = this.#framer;
      const samples = this.#framer.shift();
      if (!samples) return;
      this.#element.samples = samples;
      this.#element.at = this.#startMs + (position * 1000) / frameRate;
      this.#writer.write(this.#element, samples.buffer);
      this.#delivered += 1;
    }
  }

  #reportDrops(frame: number): void {
    const frames = this.#framer.dropped - this.#dropped;
    this.#dropped = this.#framer.dropped;
    const at = this.#floor.clock.at(frame);
    this.#options.report({ type: 'dropped', frames, delivered: this.#delivered, at });
  }

  #reportLevel(frame: number): void {
    if (this.#wantsLevels) {
      this.#level.rms = this.#meter.rms;
      this.#level.peak = this.#meter.peak;
      this.#level.at = this.#floor.clock.at(frame);
      this.#options.report(this.#level);
    }
    this.#meter.reset();
  }

  #shut(): void {
    if (!this.#writer) return;
    this.#writer = undefined;
    this.#floor.gateOpen = false;
    const { dropped } = this.#framer;
    this.#options.report({ type: 'shut', id: this.#id, delivered: this.#delivered, dropped });
  }
}
