/** A realtime conversation in Node: elements in by hand, the real playback engine as the speaker, rendered by hand. */
import { afterEach } from 'vitest';
import type { PlaybackReport } from '../../../src/audio/edge-messages.ts';
import { PlaybackEngine } from '../../../src/audio/playback-engine.ts';
import { sharedFloor } from '../../../src/audio/shared-floor.ts';
import { channel } from '../../../src/core/channel/channel.ts';
import { deferred } from '../../../src/core/deferred.ts';
import {
  element,
  messageText,
  textMessage,
  type StreamElement,
} from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { PipelineConfig } from '../../../src/core/pipeline/config.ts';
import type { PipelineRun } from '../../../src/core/pipeline/run.ts';
import type { RemoteStage, StageEnds, StageEvent } from '../../../src/core/stage/stage.ts';
import type { RealtimeProvider } from '../../../src/providers/realtime/realtime.ts';
import type { DuplexOptions } from '../../../src/stages/streaming/duplex/options.ts';
import { DuplexProviderStage } from '../../../src/stages/streaming/duplex-provider-stage.ts';
import { settle } from '../../../src/testing/index.ts';
import { speech } from './speech.ts';

/** Of the speaker: another one than the provider's, as in a page. */
export const speakerRate = 48_000;
const quantum = 128;

let speakers = 0;

/** The playback worklet without the worklet. */
export class TestSpeaker {
  readonly reports: PlaybackReport[] = [];
  readonly played: number[] = [];
  readonly #engine: PlaybackEngine;
  readonly #shut = deferred<void>();
  #frame = 0;
  #running = false;

  constructor() {
    const session = `duplex-${(speakers += 1)}`;
    sharedFloor(session, speakerRate).clock.observe(0, 0);
    this.#engine = new PlaybackEngine({
      session,
      sampleRate: speakerRate,
      report: (report) => {
        this.reports.push(structuredClone(report));
        if (report.type === 'shut') this.#shut.resolve();
      },
    });
  }

  /** A port into it. */
  floor(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#engine.command({ type: 'floor', port: port1 });
    return port2;
  }

  get stage(): RemoteStage<'speech', 'message' | 'error'> {
    return {
      name: 'speaker',
      type: 'transform',
      session: 'safe',
      thread: 'playback worklet',
      consumes: ['speech'],
      emits: ['message', 'error'],
      attach: ({ input, output }: StageEnds) => {
        if (!input) throw new Error('nothing before the speaker');
        this.#engine.command({ type: 'open', id: 1, input, output });
        return Promise.resolve({ done: this.#shut.promise });
      },
      process: () => {
        throw new Error('not used');
      },
    };
  }

  /** Renders so many ms, letting everything arrive in between. */
  async render(ms: number): Promise<void> {
    for (let quanta = Math.round((ms * speakerRate) / 1000 / quantum); quanta > 0; quanta -= 1) {
      const block = new Float32Array(quantum);
      this.#engine.process(block, this.#frame, this.#frame / 48);
      this.#frame += quantum;
      // A minute is enough for any test, and silence before the first sound is of no interest.
      if (this.played.length > 0 || block.some((sample) => sample !== 0))
        if (this.played.length < 60 * speakerRate) this.played.push(...block);
      if (quanta % 15 === 0) await settle();
    }
    await settle();
  }

  /** Renders on and on, faster than real time. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void (async () => {
      while (this.#running) {
        await this.render(40);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
  }

  stop(): void {
    this.#running = false;
  }

  /** The processor's end. */
  close(): void {
    this.stop();
    this.#engine.command({ type: 'stop' });
  }
}

const talks: Talk[] = [];
afterEach(async () => {
  for (const talk of talks.splice(0)) await talk.close();
});

/** One conversation. */
export class Talk {
  readonly speaker: TestSpeaker = new TestSpeaker();
  readonly outputs: StreamElement[] = [];
  readonly events: StageEvent[] = [];
  readonly run: PipelineRun;
  /** Settles when the pipeline is over. */
  readonly over: Promise<unknown>;
  readonly #input = channel<StreamElement>({ capacity: 1024 });
  readonly #waiting = new Set<() => void>();

  constructor(
    provider: RealtimeProvider,
    options: Partial<DuplexOptions> = {},
    config: PipelineConfig = {},
  ) {
    const stage = new DuplexProviderStage({
      provider,
      floor: this.speaker.floor(),
      outputSampleRate: speakerRate,
      reconnect: { attempts: 4, baseDelayMs: 5 },
      setup: () => Promise.resolve({ system: 'Be brief.', history: [], tools: [] }),
      ...options,
    });
    const run = new PipelineBuilder({ ...config, session: 'live' })
      .chain(stage, this.speaker.stage)
      .build()
      .execute(this.#input.reader);
    this.run = run;
    run.on((event) => {
      this.events.push(event);
      this.#check();
    });
    this.over = (async () => {
      for await (const output of run) {
        this.outputs.push(output);
        this.#check();
      }
      await run.done;
    })().catch((error: unknown) => error);
    talks.push(this);
  }

  /** Puts elements in. */
  push(...elements: readonly StreamElement[]): void {
    for (const item of elements)
      if (item.kind === 'interrupt') this.#input.writer.overtake(item);
      else this.#input.writer.offer(item);
  }

  /** Types something. */
  type(turn: number, text: string): string {
    const message = textMessage('user', text);
    this.push(element('message', { turn, message }), element('turn-end', { turn }));
    return message.id;
  }

  /** Says something, as an `AudioTurnStage` tells it; ends the turn unless told otherwise. */
  speak(turn: number, ms = 400, ends = true): void {
    this.push(element('speech-start', { turn, at: turn * 1000 }));
    for (let at = 0; at < ms; at += 40)
      this.push(
        element('audio', {
          turn,
          at: turn * 1000 + at,
          sampleRate: 16_000,
          samples: speech(40, 16_000),
        }),
      );
    if (ends)
      this.push(
        element('speech-end', { turn, misfire: false }),
        element('turn-end', { turn, at: turn * 1000 + ms }),
      );
  }

  /** The microphone's stream without turns, as `server` detection wants it. */
  stream(ms: number): void {
    for (let at = 0; at < ms; at += 40)
      this.push(element('audio', { turn: 0, at, sampleRate: 16_000, samples: speech(40, 16_000) }));
  }

  /** Interrupts everything up to `turn`, as the ears or the page do. */
  interrupt(turn: number): void {
    this.push(element('interrupt', { turn }));
  }

  /** No more input. */
  end(): void {
    this.push(element('end', {}));
    this.#input.writer.close();
  }

  /** Waits until something holds of outputs and events. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds())
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
  }

  /** Waits until a turn is over. */
  turnOver(turn: number): Promise<void> {
    return this.until(() =>
      this.outputs.some((output) => output.kind === 'turn-end' && output.turn === turn),
    );
  }

  /** Waits for an event of the stage. */
  async event(type: string, count = 1): Promise<StageEvent> {
    const found = (): StageEvent | undefined =>
      this.events.filter((event) => event.type === type)[count - 1];
    await this.until(() => found() !== undefined);
    return found() as StageEvent;
  }

  /** Roles and texts of the messages, in order; `heard` for the assistant's. */
  get messages(): string[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'message'
        ? `${output.turn} ${output.message.role}: ${output.message.heard ?? messageText(output.message)}`
        : [],
    );
  }

  async close(): Promise<void> {
    await this.run.close();
    this.speaker.close();
  }

  #check(): void {
    for (const wake of this.#waiting) wake();
  }
}
