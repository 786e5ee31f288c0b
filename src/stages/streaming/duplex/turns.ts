/** The turns of one run of a realtime conversation: which are under way, what was said, in what order it is told. */
import { element, type Message, type StreamElement } from '../../../core/element.ts';
import { modelHistory } from '../../conversation/model-history.ts';
import { RunMemory } from '../../conversation/run-memory.ts';
import { DuplexLane, type DuplexTurnKind } from './lane.ts';
import type { ToolOutcome } from '../../../providers/tool-execution.ts';
import { resultMessage } from '../../../providers/tool-result.ts';
import type { DuplexOptions } from './options.ts';
import { DuplexOrder } from './order.ts';
import { DuplexSpeech } from './speech.ts';

/** Turns kept after their end: reports of playback may still be about them. */
const rememberedTurns = 16;

/** What {@link DuplexTurns} needs. */
export interface DuplexTurnsOptions {
  readonly name: string;
  readonly options: DuplexOptions;
  readonly emit: (element: StreamElement) => void;
  /** An answer waits for the person's words. */
  readonly onWait: (turn: number) => void;
}

/** Keeps the lanes, numbers them, and remembers what was told. */
export class DuplexTurns {
  readonly order: DuplexOrder;
  /** The highest turn number seen. */
  latest = 0;
  /** The latest instant seen, ms on the capture clock. */
  at = 0;
  readonly #run: DuplexTurnsOptions;
  readonly #memory: RunMemory;
  readonly #lanes = new Map<number, DuplexLane>();

  constructor(run: DuplexTurnsOptions) {
    this.#run = run;
    this.#memory = new RunMemory(this.#limit);
    this.order = new DuplexOrder((item) => {
      this.#remember(item);
      run.emit(item);
    }, run.onWait);
  }

  /** Every turn that is remembered, oldest first. */
  get all(): readonly DuplexLane[] {
    return [...this.#lanes.values()].sort((a, b) => a.turn - b.turn);
  }

  /** Turns whose reply is waited for or under way, oldest first. */
  get busy(): readonly DuplexLane[] {
    return this.all.filter((lane) => lane.isBusy);
  }

  /** The turn of this number, if it has begun. */
  of(turn: number): DuplexLane | undefined {
    return this.#lanes.get(turn);
  }

  /** Notes the number and time of an element that passes. */
  see({ turn, at }: StreamElement): void {
    this.latest = Math.max(this.latest, turn);
    this.at = Math.max(this.at, at);
  }

  /** Takes the next number. */
  next(): number {
    this.latest += 1;
    return this.latest;
  }

  /** Begins a turn that is to be answered. */
  open(turn: number, at: number, kind: DuplexTurnKind, text = ''): DuplexLane {
    const { options, name } = this.#run;
    const { provider, outputSampleRate = provider.outputSampleRate } = options;
    const facts = { turn, at, source: name };
    const speech = new DuplexSpeech(facts, provider.outputSampleRate, outputSampleRate);
    const lane = new DuplexLane(turn, at, kind, speech, text);
    for (const [number, other] of this.#lanes)
      if (this.#lanes.size >= rememberedTurns && !other.isBusy) this.#lanes.delete(number);
    this.#lanes.set(turn, lane);
    this.order.open(turn, kind !== 'spoken');
    return lane;
  }

  /** Begins a turn nobody asked for: the server speaks by itself. */
  openOwn(): DuplexLane {
    const lane = this.open(this.next(), this.at, 'said');
    lane.turnEnd = element('turn-end', { turn: lane.turn, at: this.at, source: this.#run.name });
    return lane;
  }

  /** Ends a turn that nobody answers, in its place in the order; nothing was said in it that could be told. */
  endUntold(turn: number): void {
    const facts = { turn, at: this.at, source: this.#run.name };
    this.order.open(turn, true);
    this.order.reply(turn, element('turn-end', facts));
    this.order.close(turn);
  }

  /** Keeps a message of the past, or corrects one. */
  keep(message: Message): void {
    this.#memory.put(message);
  }

  /** Gives an open call its result. Returns its message. */
  settle({ rounds, open }: DuplexLane, { call, text }: ToolOutcome): Message {
    const message = this.#memory.settle(call.id, text)?.message ?? resultMessage(call, text);
    const at = rounds.findIndex(({ toolCallId }) => toolCallId === call.id);
    if (at !== -1) rounds[at] = message;
    const still = open.filter(({ outcome }) => outcome.call.id !== call.id);
    open.splice(0, open.length, ...still);
    return message;
  }

  /** What was heard of a reply that was cut. */
  hear(lane: DuplexLane, heard: string): void {
    lane.heard = heard;
    if (lane.message) this.#memory.amend({ ...lane.message, heard });
  }

  /**
   * What a new session is told of the past. What is still to be answered is no part of it, because it is sent as a
   * turn of its own, unless tools were used on it already.
   */
  history(stored: readonly Message[]): readonly Message[] {
    const asked = new Set(
      this.busy.flatMap((lane) => (lane.rounds.length > 0 ? [] : (lane.userMessage?.id ?? []))),
    );
    const past = this.#memory.after(stored).filter(({ id }) => !asked.has(id));
    return modelHistory([...past, ...this.busy.flatMap((lane) => lane.rounds)], this.#limit);
  }

  get #limit(): number {
    return this.#run.options.maxHistoryMessages ?? 100;
  }

  /** Keeps what was said in the order it is told. */
  #remember(item: StreamElement): void {
    if (item.kind !== 'message') return;
    const { heard, rounds = [], open = [] } = this.#lanes.get(item.turn) ?? {};
    const { message } = item;
    if (message.role === 'user') this.keep(message);
    else this.#memory.put({ ...message, ...(heard === undefined ? {} : { heard }) }, rounds, open);
  }
}
