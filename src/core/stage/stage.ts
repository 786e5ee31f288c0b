/** The contract of a stage: the only thing a pipeline knows how to run. */
import type { Kind, Message, StreamElement } from '../element.ts';
import type { Clock } from '../time.ts';

/** How a stage relates input to output; shown in graphs and events, enforced by nothing but `build()`'s session check. */
export type StageType = 'transform' | 'accumulate' | 'generate' | 'sink' | 'duplex';

/** `unary`: waits for its input to close, so it may not sit in a live session. */
export type StageSession = 'safe' | 'unary';

/** The audio format an end of a stage takes or gives; absent fields mean "any". */
export interface AudioFormat {
  /** In hertz. */
  readonly sampleRate?: number;
}

/** What the stages of one turn share: written upstream, read downstream; page side only. */
export interface TurnState {
  readonly turn: number;
  /** Identifies the conversation in a state store. */
  conversation: string;
  /** Rendered per turn; empty until a prompt stage has run. */
  systemPrompt: string;
  /** Unrendered system template. */
  systemTemplate: string;
  variables: Record<string, unknown>;
  /** Messages before this turn, oldest first. */
  history: readonly Message[];
  /** Names of the tools the model may use this turn; undefined: all. */
  allowedTools: readonly string[] | undefined;
  /** Room for what custom stages want to tell each other. */
  readonly extra: Record<string, unknown>;
}

/** What a stage may tell the outside about: the run relays it to `run.events`. */
export interface StageEvent {
  readonly type: string;
  readonly stage: string;
  /** Milliseconds on the run's clock. */
  readonly at: number;
  readonly detail?: unknown;
}

/** What a stage gets from the run it takes part in. */
export interface StageContext {
  /** Aborts when the run ends for any reason. */
  readonly signal: AbortSignal;
  /** Aborts the moment an `interrupt` for `turn` or a later one reaches this stage, even while it awaits something. */
  turnSignal(turn: number): AbortSignal;
  /**
   * Sends an `interrupt` for `turn` downstream at once, even while the stage waits for room to yield
   * something, and voids what this stage still has of turns ≤ `turn` (its `turnSignal`s abort too).
   */
  interrupt(turn: number): void;
  /** The shared state of a turn, made on first use. */
  turn(turn: number): TurnState;
  readonly clock: Clock;
  /** Emits an event to the run; never throws, never waits. */
  emit(type: string, detail?: unknown): void;
}

/** What becomes of one element: nothing, one other, or several. */
export type StepResult =
  | void
  | StreamElement
  | Iterable<StreamElement>
  | AsyncIterable<StreamElement>
  | Promise<void | StreamElement | Iterable<StreamElement>>;

/**
 * A stage. `process` is an async generator in practice: state in locals, set-up before the loop,
 * tear-down in `finally`, the output closes by itself. What it does not consume it passes on in order
 * (`defineStage` does that for the author). A throw fails the run; an `error` element does not.
 */
export interface Stage<out Consumes extends Kind = Kind, out Emits extends Kind = Kind> {
  readonly name: string;
  readonly type: StageType;
  readonly session?: StageSession;
  readonly consumes: readonly Consumes[];
  readonly emits: readonly Emits[];
  /** Audio formats of the two ends, checked by `build()`. */
  readonly format?: { readonly input?: AudioFormat; readonly output?: AudioFormat };
  /** True for a stage that makes its elements itself (a microphone): it takes no input. */
  readonly source?: boolean;
  /** True for a stage that may have several inputs without a `merge` of the builder. */
  readonly merges?: boolean;
  /**
   * The routes between which it shares its content out, by marks (`core/stage/routes.ts`). `build()` asks
   * for one edge per route; content without a mark takes none of them.
   */
  readonly routes?: readonly string[];
  /** Where it runs; absent: the thread of the pipeline itself. */
  readonly thread?: string;
  /** Loads models, opens sockets; awaited before the first element. */
  prepare?(context: StageContext): Promise<void>;
  process(input: AsyncIterable<StreamElement>, context: StageContext): AsyncIterable<StreamElement>;
  /**
   * What `process` does, for a stage that treats each element by itself; it must come to the same. The
   * runner prefers it, because synchronous answers then cost no promise. `transform` sets it.
   */
  step?(element: StreamElement, context: StageContext): StepResult;
  /** Releases what `prepare` acquired: on the page when the pipeline shuts down, in a worker when the run ends. */
  dispose?(): void | Promise<void>;
}

/** The port ends of a stage that runs elsewhere. Each speaks the protocol of `core/port`. */
export interface StageEnds {
  /** What to read from; absent for a source. */
  readonly input?: MessagePort;
  /** More to read from, in fair turns with `input`; only for a stage that `joins`. */
  readonly others?: readonly MessagePort[];
  /** What to write to; always present, so that completion can be seen. */
  readonly output: MessagePort;
  /** How many elements may wait at the input; 32 unless given. */
  readonly window?: number;
}

/**
 * A stage whose work happens in another realm (a worker, a worklet): the runner hands it ports instead
 * of iterables, so that two such neighbours talk without the page. `process` remains usable and goes
 * through ports of its own.
 */
export interface RemoteStage<Consumes extends Kind = Kind, Emits extends Kind = Kind> extends Stage<
  Consumes,
  Emits
> {
  readonly thread: string;
  /** True when it takes several inputs by itself; else the page joins them for it, and they pass through the page. */
  readonly joins?: boolean;
  /**
   * Transfers the ends and resolves once the stage has prepared. `done` settles when the stage has
   * finished; it rejects with the error that ended it.
   */
  attach(ends: StageEnds, context: StageContext): Promise<{ readonly done: Promise<void> }>;
}

/** True for a stage that takes ports. */
export function isRemote(stage: Stage): stage is RemoteStage {
  return 'attach' in stage;
}
