/**
 * What the playback processor does, without the processor: reads elements from a port, plays the speech,
 * passes the rest on when rendering reaches it, obeys the floor. Runs in AudioWorkletGlobalScope.
 */
import type { InterruptElement, SpeechElement, StreamElement } from '../core/element.ts';
import { AntiphonError, serializeError, type ErrorData } from '../core/errors.ts';
import type { EngineOptions } from './capture-engine.ts';
import type { PlaybackCommand, PlaybackReport } from './edge-messages.ts';
import type { FloorCommand, FloorReport } from './floor.ts';
import { HeardLedger } from './heard-ledger.ts';
import { LevelMeter } from './level.ts';
import { PlaybackQueue, type PlaybackEvents } from './playback-queue.ts';
import { forgetFloor, sharedFloor, type SharedFloor } from './shared-floor.ts';
import { WorkletReader, WorkletWriter } from './worklet-port.ts';

/** Elements that may wait in the speaker: bounds the audio in it, one sentence or so each. */
export const playbackWindow = 16;

const levelMs = 50;
const clockMs = 500;
/** How long the room and the output buffers go on sounding after the last sample. */
const decayMs = 300;
const playbackHalfLifeMs = 400;

/** One per playback node. */
export class PlaybackEngine implements PlaybackEvents {
  readonly #options: EngineOptions<PlaybackReport>;
  readonly #floor: SharedFloor;
  readonly #meter = new LevelMeter();
  readonly #floorPorts: MessagePort[] = [];
  readonly #outbox: StreamElement[] = [];
  #ledger = new HeardLedger();
  #queue: PlaybackQueue;
  #reader: WorkletReader | undefined;
  #writer: WorkletWriter | undefined;
  #id = 0;
  #ending = false;
  #frame = 0;
  #nowMs = 0;
  #nextClock = 0;
  #decay = 0;
  #ducked = false;
  #gated = false;
  #refused = -1;
  #interrupted = -1;
  #wantsLevels = false;
  #running = true;

  constructor(options: EngineOptions<PlaybackReport>) {
    this.#options = options;
    this.#floor = sharedFloor(options.session, options.sampleRate);
    this.#queue = new PlaybackQueue(options.sampleRate, this);
  }

  /** Obeys the page. */
  command(command: PlaybackCommand): void {
    switch (command.type) {
      case 'open':
        this.#shut();
        this.#id = command.id;
        this.#open(command.input, command.output);
        break;
      case 'floor':
        this.#floorPorts.push(command.port);
        command.port.onmessage = ({ data }: MessageEvent<FloorCommand>): void => this.#obey(data);
        break;
      case 'levels':
        this.#wantsLevels = command.on;
        break;
      case 'shut':
        this.#shut();
        break;
      case 'stop':
        this.#shut();
        for (const port of this.#floorPorts) port.close();
        this.#floorPorts.length = 0;
        this.#running = false;
        forgetFloor(this.#options.session);
        break;
    }
  }

  /**
   * Renders one quantum. Returns whether the processor should live on.
   *
   * @param frame the context's index of its first sample
   * @param nowMs wall-clock time, Unix ms
   */
  process(output: Float32Array, frame: number, nowMs: number): boolean {
    this.#frame = frame;
    this.#nowMs = nowMs;
    const { rendered } = this.#queue;
    this.#followGate();
    this.#queue.render(output);
    this.#listen(output, this.#queue.rendered > rendered);
    this.#frame = frame + output.length;
    this.#tellTime();
    if (this.#ending && this.#queue.length + this.#outbox.length === 0) this.#end();
    return this.#running;
  }

  /** The first sample of a turn is being rendered. */
  audible(turn: number, offset: number): void {
    const at = this.#at(offset);
    // Without a microphone the clock starts here, and the page must know it before it hears of `at`.
    this.#tellTime();
    this.#tell({ type: 'audible', turn, at });
  }

  /** Nothing of the turn follows. */
  silent(turn: number, offset: number, finished: boolean): void {
    this.#ducked = false;
    this.#tell({ type: 'silent', turn, at: this.#at(offset), finished });
  }

  /** A word was rendered to its end. */
  heard(turn: number, text: string, offset: number): void {
    const heard = this.#ledger.hear(turn, text);
    this.#options.report({ type: 'heard', turn, text, heard, at: this.#at(offset) });
  }

  /** Speech came late and goes on now. */
  underrun(turn: number, samples: number, offset: number): void {
    const gapMs = (samples * 1000) / this.#options.sampleRate;
    const total = this.#queue.underruns;
    this.#options.report({ type: 'underrun', turn, gapMs, total, at: this.#at(offset) });
  }

  /** Rendering reached an element; it leaves as soon as there is credit. */
  passed(element: StreamElement): void {
    this.#outbox.push(element.kind === 'message' ? this.#ledger.complete(element) : element);
    this.#sendOut();
  }

  /** An element is done with: its writer may send another. */
  spent(): void {
    this.#reader?.grant();
  }

  #open(input: MessagePort, output: MessagePort): void {
    this.#queue = new PlaybackQueue(this.#options.sampleRate, this);
    this.#ledger = new HeardLedger();
    this.#ending = false;
    this.#ducked = false;
    this.#refused = -1;
    this.#interrupted = -1;
    this.#writer = new WorkletWriter(output, {
      credited: () => this.#sendOut(),
      cancelled: () => this.#shut(),
    });
    this.#reader = new WorkletReader(input, playbackWindow, {
      data: (element) => this.#receive(element),
      interrupt: (element) => this.#interrupt(element),
      closed: (error) => {
        if (error) this.#shut(error);
        else {
          this.#queue.resume(); // whoever paused it may be gone
          this.#ending = true;
        }
      },
    });
  }

  #receive(element: StreamElement): void {
    if (element.kind === 'text' && element.delta) {
      this.spent();
      return;
    }
    if (element.kind === 'speech') {
      this.#ledger.queue(element.turn, element.text);
      const fits = element.samples.length === 0 || element.sampleRate === this.#options.sampleRate;
      if (!fits) {
        this.#refuse(element);
        return;
      }
    }
    this.#queue.push(element);
  }

  /** Speech of another rate would play at a wrong pitch: one error a turn, nothing played. */
  #refuse({ turn, at, sampleRate }: SpeechElement): void {
    if (this.#refused === turn) {
      this.spent();
      return;
    }
    this.#refused = turn;
    const wanted = this.#options.sampleRate;
    const error = new AntiphonError(
      'audio-format',
      `The speaker plays ${wanted} Hz and got speech of ${sampleRate} Hz.`,
      { hint: 'Resample before the speaker: give the TTS stage the rate of the audio edge.' },
    );
    this.#queue.push({ kind: 'error', turn, at, source: 'speaker', error: serializeError(error) });
  }

  #interrupt(element: InterruptElement): void {
    if (element.turn > this.#interrupted) {
      this.#interrupted = element.turn;
      this.#writer?.interrupt(element);
    }
    this.#flush(element.turn);
  }

  #obey(command: FloorCommand): void {
    switch (command.type) {
      case 'duck':
        this.#ducked = true;
        break;
      case 'lift':
        this.#ducked = false;
        this.#floor.lifts += 1;
        break;
      case 'pause':
        this.#queue.pause();
        break;
      case 'resume':
        this.#queue.resume();
        break;
      case 'flush':
        this.#flush(command.turn);
        break;
    }
  }

  /** Voids turns ≤ `turn`, once, and tells how much was heard before. */
  #flush(turn: number): void {
    if (this.#queue.isVoid(turn)) return;
    this.#queue.flush(turn);
    this.#tell({ type: 'flushed', turn, at: this.#at(0), spoken: this.#queue.spoken });
  }

  #followGate(): void {
    const { gateOpen } = this.#floor;
    if (gateOpen && !this.#gated) this.#tell({ type: 'ducked', at: this.#at(0) });
    this.#gated = gateOpen;
    this.#queue.duck(this.#ducked || gateOpen);
  }

  #listen(output: Float32Array, speaking: boolean): void {
    const ms = (output.length * 1000) / this.#options.sampleRate;
    const level = Math.sqrt(this.#meter.add(output));
    this.#decay = speaking ? decayMs : Math.max(0, this.#decay - ms);
    this.#floor.audible = this.#decay > 0;
    const fallen = this.#floor.playbackLevel * 0.5 ** (ms / playbackHalfLifeMs);
    this.#floor.playbackLevel = Math.max(level, fallen);
    if ((this.#meter.count * 1000) / this.#options.sampleRate < levelMs) return;
    if (this.#wantsLevels) {
      const { rms, peak } = this.#meter;
      this.#options.report({ type: 'level', rms, peak, at: this.#at(0) });
    }
    this.#meter.reset();
  }

  #tellTime(): void {
    const { clock } = this.#floor;
    if (!clock.started) return;
    clock.observe(this.#frame, this.#nowMs);
    if (this.#frame < this.#nextClock) return;
    this.#nextClock = this.#frame + (clockMs * this.#options.sampleRate) / 1000;
    this.#options.report({ type: 'clock', at: this.#at(0), originMs: clock.originMs });
  }

  #tell(report: FloorReport): void {
    if (report.type !== 'ducked' && report.type !== 'flushed') this.#options.report(report);
    for (const port of this.#floorPorts) port.postMessage(report);
  }

  #at(offset: number): number {
    return this.#floor.clock.at(this.#frame + offset);
  }

  #sendOut(): void {
    while (this.#writer && this.#writer.credit > 0) {
      const element = this.#outbox.shift();
      if (!element) return;
      this.#writer.write(element);
      this.spent();
    }
  }

  #end(): void {
    this.#ending = false;
    this.#writer?.close();
    this.#writer = undefined;
    this.#reader = undefined;
    this.#options.report({ type: 'shut', id: this.#id, rendered: this.#queue.rendered });
  }

  /** Voids everything and lets go of both ports; the last 10 ms fade out. */
  #shut(error?: ErrorData): void {
    const writer = this.#writer;
    const reader = this.#reader;
    if (!writer && !reader) return;
    this.#writer = undefined;
    this.#reader = undefined;
    this.#queue.flush(Infinity);
    this.#outbox.length = 0;
    this.#ending = false;
    reader?.cancel('The speaker was closed.');
    writer?.close(error);
    const { rendered } = this.#queue;
    this.#options.report({ type: 'shut', id: this.#id, rendered, ...(error ? { error } : {}) });
  }
}
