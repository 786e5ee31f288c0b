/** One run of `AudioTurnStage`: frames in, decisions carried out as elements, floor commands and events. */
import type { FloorCommand, FloorMessage } from '../../audio/floor.ts';
import { type AudioElement, type StreamElement, element } from '../../core/element.ts';
import { AntiphonError, serializeError } from '../../core/errors.ts';
import type { StageContext } from '../../core/stage/stage.ts';
import { type AudioFrame, Framer } from '../../speech/turn/framer.ts';
import { LagMeter, LevelMeter } from '../../speech/turn/meters.ts';
import { TurnRecorder } from '../../speech/turn/turn-recorder.ts';
import { type TurnDecision, TurnTaking } from '../../speech/turn/turn-taking.ts';
import type { AudioTurnOptions } from './audio-turn-options.ts';

/** Where a session puts what it emits, in order; an `interrupt` goes to the front. */
export type EmitElement = (output: StreamElement) => void;

/** State of one run. `hear` and `finish` are called one at a time. */
export class TurnSession {
  readonly #name: string;
  readonly #options: AudioTurnOptions;
  readonly #context: StageContext;
  readonly #emit: EmitElement;
  readonly #turns: TurnTaking;
  readonly #framer: Framer;
  readonly #recorder: TurnRecorder;
  readonly #level: LevelMeter | undefined;
  readonly #lag: LagMeter;
  readonly #ports: readonly MessagePort[];
  #refusedRate: number | undefined;

  constructor(name: string, options: AudioTurnOptions, context: StageContext, emit: EmitElement) {
    const { vad, preRollMs = 500, tailMs = 200 } = options;
    this.#name = name;
    this.#options = options;
    this.#context = context;
    this.#emit = emit;
    const wordsExpected = options.wordsExpected ?? options.words !== undefined;
    this.#turns = new TurnTaking({ ...options, wordsExpected });
    this.#framer = new Framer(vad.frameSize, vad.sampleRate);
    this.#recorder = new TurnRecorder({ sampleRate: vad.sampleRate, preRollMs, tailMs });
    if (options.levels === true)
      this.#level = new LevelMeter((reading) => context.emit('level', reading));
    this.#lag = new LagMeter((reading) => context.emit('vad-late', reading));
    this.#ports = [options.floor, options.words, options.control].filter(
      (port) => port !== undefined,
    );
    for (const port of this.#ports)
      port.onmessage = (event: MessageEvent<FloorMessage>) => this.#turns.report(event.data);
    vad.reset();
  }

  /** Takes the next chunk, of any length; one of another rate becomes an `error` element, once. */
  async hear(audio: AudioElement): Promise<void> {
    const { sampleRate } = this.#options.vad;
    if (audio.sampleRate !== sampleRate) this.#refuse(audio);
    else for (const frame of this.#framer.push(audio.samples, audio.at)) await this.#frame(frame);
  }

  /** The input is over: the open turn ends. */
  async finish(): Promise<void> {
    const rest = this.#framer.flush();
    if (rest) await this.#frame(rest);
    for (const decision of this.#turns.finish()) this.#carryOut(decision);
  }

  /** Closes the ports. */
  close(): void {
    for (const port of this.#ports) {
      port.onmessage = null;
      port.close();
    }
  }

  async #frame(frame: AudioFrame): Promise<void> {
    const { vad } = this.#options;
    const { samples, at } = frame;
    for (let index = 0; index < samples.length; index += 1)
      if (!Number.isFinite(samples[index])) samples[index] = 0;
    const probability = await vad.process(samples);
    this.#level?.take(samples, probability);
    this.#recorder.push(samples, at);
    const open = this.#turns.open;
    // The recorder and the VAD have copies: the samples themselves go on.
    if (open !== undefined) this.#audio(open, samples, at);
    const durationMs = (vad.frameSize * 1000) / vad.sampleRate;
    this.#lag.take(at + durationMs, this.#context.clock.now());
    for (const decision of this.#turns.feed({ probability, at, durationMs }))
      this.#carryOut(decision);
  }

  #carryOut(decision: TurnDecision): void {
    if (decision.type === 'floor') {
      this.#options.floor?.postMessage(decision.command satisfies FloorCommand);
      return;
    }
    const { turn } = decision;
    const source = this.#name;
    switch (decision.type) {
      case 'start': {
        const { speechStart, at } = decision;
        this.#emit(element('speech-start', { turn, at: speechStart, source }));
        const recording = this.#recorder.begin(speechStart);
        this.#audio(turn, recording.samples, recording.at);
        const noticedAfterMs = at - speechStart;
        const { lagMs } = this.#lag;
        this.#context.emit('speech-start', { turn, speechStart, noticedAfterMs, lagMs });
        return;
      }
      case 'confirm':
        this.#context.emit('speech-confirmed', { turn, at: decision.at });
        return;
      case 'consider':
        this.#consider(turn, decision.pause);
        return;
      case 'interrupt':
        this.#context.interrupt(turn);
        this.#emit(element('interrupt', { turn, at: decision.at, source }));
        return;
      case 'misfire':
        this.#recorder.drop();
        this.#emit(element('speech-end', { turn, at: decision.at, source, misfire: true }));
        return;
      case 'end':
        this.#end(decision);
    }
  }

  #end({ turn, at, speechStart, speechEnd }: Extract<TurnDecision, { type: 'end' }>): void {
    const source = this.#name;
    const recording = this.#recorder.end(speechEnd);
    const { sampleRate } = this.#options.vad;
    this.#emit(element('speech-end', { turn, at: speechEnd, source, misfire: false }));
    this.#emit(
      element('utterance', { turn, source, sampleRate, speechStart, speechEnd, ...recording }),
    );
    this.#emit(element('turn-end', { turn, at, source }));
  }

  #audio(turn: number, samples: Float32Array<ArrayBuffer>, at: number): void {
    const { sampleRate } = this.#options.vad;
    this.#emit(element('audio', { turn, at, source: this.#name, samples, sampleRate }));
  }

  #consider(turn: number, pause: number): void {
    const { turnDetector, vad } = this.#options;
    if (!turnDetector) return;
    const { samples } = this.#recorder.soFar();
    const evidence = { turn, samples, sampleRate: vad.sampleRate, text: this.#turns.words };
    turnDetector.predict(evidence, this.#context.signal).then(
      (completion) => this.#turns.answer(turn, pause, completion),
      (error: unknown) => this.#context.emit('turn-detector-failed', serializeError(error)),
    );
  }

  #refuse({ sampleRate, turn, at }: AudioElement): void {
    if (this.#refusedRate === sampleRate) return;
    this.#refusedRate = sampleRate;
    const expected = this.#options.vad.sampleRate;
    const error = new AntiphonError('audio-format', `audio at ${sampleRate} Hz, not ${expected}`, {
      stage: this.#name,
      hint: `Resample to ${expected} Hz before this stage; until then it hears nothing.`,
      details: { sampleRate, expected },
    });
    const data = serializeError(error);
    this.#emit(element('error', { turn, at, source: this.#name, error: data }));
  }
}
