/** One offline conversation: puts the parts together and lets audio time pass. */
import type { AgentEvents, TurnSummary } from '../../agent/events.ts';
import { AgentObserver } from '../../agent/observer.ts';
import { answeredTurn, saidTurn, typedTurn } from '../../agent/written-turns.ts';
import type { FloorMessage } from '../../audio/floor.ts';
import { channel } from '../../core/channel/channel.ts';
import type { Message, StreamElement } from '../../core/element.ts';
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { Listeners } from '../../core/listeners.ts';
import type { PipelineRun } from '../../core/pipeline/run.ts';
import { fakeClock, type FakeClock } from '../fake-clock.ts';
import { toneLanguage, type ToneLanguage } from '../tone-language.ts';
import { EventLog, type OfflineEvents } from './event-log.ts';
import { OfflineEdge, quantum } from './offline-edge.ts';
import type { OfflineOptions } from './offline-options.ts';
import { offlinePipeline, type OfflinePipeline } from './offline-pipeline.ts';
import type { OfflineRun } from './run-offline.ts';
import { simulatedChannel, type PortPair } from './simulated-port.ts';
import { SoundTrack } from './sound-track.ts';
import { user, UserScript, type Scene } from './user-script.ts';
import { Work } from './work.ts';

/** Events of the devices and of the agent that are taken down as they come. */
const deviceEvents = ['heard', 'audible', 'silent', 'underrun', 'dropped', 'gate'] as const;
const agentEvents = [
  'state',
  'transcript',
  'reply',
  'interrupt',
  'message',
  'tool',
  'filler',
  'turn',
  'stage',
  'error',
] as const;

/** Used once. */
export class OfflineConversation {
  readonly #options: OfflineOptions;
  readonly #clock: FakeClock;
  readonly #work: Work;
  readonly #edge: OfflineEdge;
  readonly #language: ToneLanguage;
  readonly #emitter = new Listeners<AgentEvents>();
  readonly #observer: AgentObserver;
  readonly #log: EventLog;
  readonly #control: PortPair;
  readonly #typed = channel<StreamElement>({ capacity: 64 });
  readonly #person: UserScript;
  readonly #made: OfflinePipeline;
  readonly #turns: TurnSummary[] = [];
  readonly #messages: Message[] = [];
  #speaking: number | undefined;
  #heard = '';
  #over = false;
  readonly #openTurns = new Set<number>();

  constructor(options: OfflineOptions) {
    const { recording, patienceMs = 10_000 } = options;
    if ((recording === undefined) === (options.user === undefined))
      throw new AntiphonError('invalid-argument', 'What does the person say?', {
        hint: 'Give either a recording or the steps of a user.',
      });
    this.#options = options;
    this.#clock = options.clock ?? fakeClock();
    this.#work = new Work(patienceMs);
    this.#edge = new OfflineEdge(
      options.sampleRate ?? recording?.sampleRate ?? 16_000,
      this.#work.touch,
    );
    this.#language = options.language ?? toneLanguage();
    this.#observer = new AgentObserver(
      this.#emitter,
      (message) => this.#made.provider.amend(message),
      15_000,
      this.#clock,
    );
    this.#log = new EventLog(this.#clock);
    this.#control = simulatedChannel(this.#work.touch);
    const steps = recording === undefined ? (options.user ?? []) : [user.plays(recording)];
    this.#person = new UserScript(steps, {
      sampleRate: this.#edge.sampleRate,
      say: (text, ms) => this.#language.say(text, ms),
      type: (text) => this.#push((turn) => typedTurn(turn, text, this.#observer.occupied)),
      announce: (text) => this.#push((turn) => saidTurn(turn, text)),
      answer: (callId, result) => {
        this.#made.provider.answerTool(callId, result);
        this.#work.touch();
      },
      scene: () => this.#scene(),
      onStep: (step) => this.#step(step),
    });
    this.#made = offlinePipeline({
      options,
      clock: this.#clock,
      work: this.#work,
      edge: this.#edge,
      language: this.#language,
      onUser: this.#onUser,
      onReply: this.#observer.onReply,
      onResume: () => this.#push(answeredTurn),
      control: this.#control.port2,
      onFloor: (command) => this.#log.add('floor', command),
    });
  }

  /** Plays it to its end. */
  async run(): Promise<OfflineRun> {
    const stopWatching = this.#watchEvents();
    const spoken = new SoundTrack(this.#edge.sampleRate);
    const heard = new SoundTrack(this.#edge.sampleRate);
    const { signal } = this.#options;
    const run = this.#made.pipeline.execute(
      this.#typed.reader,
      signal === undefined ? {} : { signal },
    );
    run.on(this.#observer.onEvent);
    try {
      await this.#play(run, spoken, heard);
    } catch (thrown) {
      const error = toAntiphonError(thrown);
      run.fail(error);
      throw withLog(error, this.#log.text);
    } finally {
      await run.close();
      await this.#made.pipeline.shutdown();
      this.#edge.close();
      stopWatching();
    }
    return {
      events: this.#log.events,
      log: this.#log.text,
      turns: this.#turns,
      messages: this.#messages,
      spoken: spoken.recording,
      heard: heard.recording,
      durationMs: this.#edge.nowMs,
    };
  }

  async #play(run: PipelineRun, spoken: SoundTrack, heard: SoundTrack): Promise<void> {
    const { settleMs = 1_500, limitMs = 600_000 } = this.#options;
    const reading = this.#read(run).finally(() => (this.#over = true));
    reading.catch(() => {}); // awaited below
    await run.ready;
    this.#observer.enter({ assistant: 'listening' });
    this.#work.touch();
    await this.#work.quiet();
    const block = new Float32Array(quantum);
    let closing = false;
    for (let quietMs = 0; !this.#over;) {
      this.#person.hear(block);
      heard.add(block);
      spoken.add(this.#edge.render(block));
      await this.#work.quiet();
      await this.#clock.passUntil(this.#edge.nowMs, this.#afterWaking);
      quietMs = this.#isQuiet() ? quietMs + (quantum * 1000) / this.#edge.sampleRate : 0;
      if (!closing && quietMs >= settleMs) {
        closing = true;
        this.#edge.closeMicrophone();
        this.#typed.writer.close();
        this.#work.touch();
      }
      if (this.#edge.nowMs > limitMs)
        throw new AntiphonError(
          'execution-timeout',
          `the conversation did not end within ${limitMs} ms of audio`,
          { hint: 'See the log for what is being waited for, or raise limitMs.' },
        );
    }
    await reading;
  }

  async #read(run: PipelineRun): Promise<void> {
    for await (const output of run) {
      if (output.kind === 'turn-end') this.#openTurns.delete(output.turn);
      this.#observer.onOutput(output);
    }
    await run.done;
  }

  readonly #onUser = (element: StreamElement): void => {
    if (element.kind === 'speech-start') this.#openTurns.add(element.turn);
    if (element.kind === 'speech-end' && element.misfire) this.#openTurns.delete(element.turn);
    this.#observer.onUser(element);
  };

  readonly #afterWaking = (): Promise<void> => {
    this.#work.touch();
    return this.#work.quiet();
  };

  /** Both sides are silent and nothing is being waited for. */
  #isQuiet(): boolean {
    const { assistant, user: person } = this.#observer.state;
    return (
      this.#person.done &&
      this.#clock.sleeping === 0 &&
      this.#speaking === undefined &&
      this.#openTurns.size === 0 &&
      assistant === 'listening' &&
      person !== 'speaking'
    );
  }

  #scene(): Scene {
    return {
      nowMs: this.#edge.nowMs,
      state: this.#observer.state,
      speaking: this.#speaking,
      heard: this.#heard,
      openTurns: this.#openTurns.size,
    };
  }

  #step(step: string): void {
    this.#log.add('user', { step }, this.#edge.nowMs);
  }

  /** A turn that nobody speaks. */
  #push(make: (turn: number) => readonly StreamElement[]): void {
    const made = make(this.#observer.log.latest + 1);
    const turn = this.#observer.log.next();
    this.#openTurns.add(turn);
    this.#control.port1.postMessage({ type: 'turn', turn } satisfies FloorMessage);
    for (const element of made) void this.#typed.writer.write(element);
    this.#work.touch();
  }

  /** Takes everything down; returns what stops it. */
  #watchEvents(): () => void {
    const offs: (() => void)[] = [];
    for (const type of agentEvents)
      offs.push(
        this.#emitter.on(type, (detail: OfflineEvents[typeof type]) => this.#log.add(type, detail)),
      );
    this.#emitter.on('turn', (turn) => this.#turns.push(turn));
    this.#emitter.on('message', ({ message }) => this.#messages.push(message));
    for (const type of deviceEvents)
      offs.push(this.#edge.on(type, (detail) => this.#log.add(type, detail, detail.at)));
    this.#edge.on('audible', ({ turn }) => {
      this.#speaking = turn;
      this.#heard = '';
    });
    this.#edge.on('heard', ({ heard }) => (this.#heard = heard));
    this.#edge.on('silent', () => (this.#speaking = undefined));
    offs.push(this.#observer.follow(this.#edge));
    return () => {
      for (const off of offs) off();
    };
  }
}

function withLog(error: AntiphonError, log: string): AntiphonError {
  return new AntiphonError(error.code, error.message, {
    hint: error.hint,
    retryable: error.retryable,
    ...(error.stage === undefined ? {} : { stage: error.stage }),
    details: { ...error.details, log },
    cause: error,
  });
}
