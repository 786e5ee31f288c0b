/** One stretch from load to stop: the devices, the workers and the run of a voice agent. */
import { captureWorkletUrl, playbackWorkletUrl } from '../assets.ts';
import { AudioEdge } from '../audio/audio-edge.ts';
import type { ClipStream } from '../audio/clip-stream.ts';
import type { FloorMessage } from '../audio/floor.ts';
import { browserMicrophone, type GetStream } from '../audio/microphone.ts';
import { within } from '../core/abortable.ts';
import { channel } from '../core/channel/channel.ts';
import type { Message, StreamElement, ToolCall } from '../core/element.ts';
import { deferred, type Deferred } from '../core/deferred.ts';
import { AntiphonError, deserializeError, type ErrorData } from '../core/errors.ts';
import { PipelineBuilder } from '../core/pipeline/builder.ts';
import type { Graph } from '../core/pipeline/graph.ts';
import type { PipelineRun } from '../core/pipeline/run.ts';
import type { StageEvent } from '../core/stage/stage.ts';
import type { ConversationParts } from './conversation.ts';
import type { VoiceAgentOptions } from './options.ts';
import type { FloorPorts } from './parts.ts';
import type { MakeRecipe, SessionRecipe } from './recipe.ts';

/** Who watches a session. */
export interface SessionObserver extends Omit<ConversationParts, 'options'> {
  /** Looks at what leaves the pipeline: everything the person has heard or will not hear. */
  readonly onOutput: (element: StreamElement) => void;
  /** A stage told something. */
  readonly onEvent: (event: StageEvent) => void;
  /** The session is over by itself, for this reason. */
  readonly onFailure: (error: unknown) => void;
  /** The connection of a realtime model is gone, perhaps for good. */
  readonly onShaky: () => void;
  /** No connection can be had any more; everything that was said has been told. */
  readonly onLost: (error: AntiphonError) => void;
}

/** Typed elements that may wait for the pipeline. */
const typedCapacity = 64;

/** How long a stop waits for the reply it cuts, in ms; a few message hops suffice, but a busy machine takes its time. */
const cutPatienceMs = 2000;

/** The error of who wants something of an agent that is not running. */
export function notRunning(what: string): AntiphonError {
  return new AntiphonError('shutdown', `The agent is not running, so it can't ${what}.`, {
    hint: 'Await start() first.',
  });
}

/** Devices, workers and one run. Not reusable: stop it and make another. */
export class AgentSession {
  readonly edge: AudioEdge;
  readonly #getStream: GetStream;
  readonly #recipe: SessionRecipe;
  readonly #realtime: Deferred<void> | undefined;
  readonly #observer: SessionObserver;
  readonly #typed = channel<StreamElement>({ capacity: typedCapacity, overflow: 'wait' });
  readonly #abort = new AbortController();
  #clips: ClipStream | undefined;
  #floor: FloorPorts | undefined;
  #control: MessagePort | undefined;
  #loading: Promise<void> | undefined;
  #isListening = false;
  #run: PipelineRun | undefined;
  #over: Promise<void> | undefined;
  /** Why the realtime model was given up. */
  #lost: AntiphonError | undefined;
  /** Turn of the reply that is being cut, and who waits for its end. */
  #cutting: { readonly turn: number; readonly done: () => void } | undefined;

  constructor(options: VoiceAgentOptions, observer: SessionObserver, make: MakeRecipe) {
    this.#observer = observer;
    this.#getStream = options.getStream ?? browserMicrophone;
    this.edge = new AudioEdge({
      captureWorklet: options.worklets?.capture ?? captureWorkletUrl(),
      playbackWorklet: options.worklets?.playback ?? playbackWorkletUrl(),
      getStream: (constraints) => (this.#clips?.getStream ?? this.#getStream)(constraints),
      ...(options.constraints === undefined ? {} : { constraints: options.constraints }),
    });
    const parts = { ...observer, options, edge: this.edge, ports: () => this.#floor };
    this.#recipe = make(parts);
    this.#realtime = this.#recipe.connects ? deferred() : undefined;
    this.#realtime?.promise.catch(() => {});
  }

  /** Why the realtime model was given up; undefined while it was not. */
  get lost(): AntiphonError | undefined {
    return this.#lost;
  }

  /** What plays clips into the microphone; only in a session that was started without a real one. */
  get clips(): ClipStream | undefined {
    return this.#clips;
  }

  /** The pipeline's stages and edges. */
  get graph(): Graph {
    return this.#recipe.pipeline.graph;
  }

  /** The pipeline as a Mermaid flowchart. */
  toMermaid(): string {
    return this.#recipe.pipeline.toMermaid();
  }

  /** Starts the workers and loads their models, with `progress` events. Idempotent. */
  load(): Promise<void> {
    // A run over nothing: the stage prepares, sees the end of its input and leaves its model in the worker.
    this.#loading ??= Promise.all(
      this.#recipe.workers.map(async (stage) => {
        const run = new PipelineBuilder()
          .chain(stage)
          .build()
          .execute([], { signal: this.#abort.signal });
        run.on(this.#onEvent);
        await run.drain();
      }),
    ).then(() => {});
    this.#loading.catch(() => {});
    return this.#loading;
  }

  /**
   * Opens the devices, the microphone or a stand-in for it, and runs the conversation, whose turns are numbered
   * from `latestTurn` on; resolves when it listens.
   */
  async start(microphone: boolean, latestTurn: number): Promise<void> {
    const { signal } = this.#abort;
    // The context starts only within the click's own task, so it goes first.
    const opened = this.edge.open({ signal });
    opened.catch(() => {});
    // Trouble with the one need not wait for the other.
    await Promise.all([this.load(), opened, microphone || this.#loadClips()]);
    signal.throwIfAborted();
    this.#floor = this.#openFloor();
    this.takeTurn(latestTurn);
    const run = this.#recipe.pipeline.execute(this.#typed.reader, { signal });
    this.#run = run;
    run.on(this.#onEvent);
    this.#over = this.#watch(run);
    await run.ready;
    // A realtime model that can't be reached is told by the rejection, too.
    await this.#realtime?.promise;
    this.#isListening = true;
    // The ports have been transferred by now.
    this.#floor = undefined;
  }

  /** Who has a microphone does not load what stands in for it. */
  async #loadClips(): Promise<void> {
    const clips = await import('../audio/clip-stream.ts');
    this.#clips = new clips.ClipStream();
  }

  /** Puts elements into the conversation as if typed. */
  async push(...elements: readonly StreamElement[]): Promise<void> {
    for (const element of elements) await this.#typed.writer.write(element);
  }

  /** Tells ears that a turn number is taken. */
  takeTurn(turn: number): void {
    this.#control?.postMessage({ type: 'turn', turn } satisfies FloorMessage);
  }

  /** The calls that wait for an answer from outside, oldest first. */
  get pendingTools(): readonly ToolCall[] {
    return this.#recipe.pendingTools();
  }

  /** Answers one of them; throws `tool` when it does not wait. */
  answerTool(callId: string, result: unknown, options: { readonly isError?: boolean }): void {
    this.#recipe.answerTool(callId, result, options);
  }

  /** Corrects what the model remembers of a reply. */
  amend(message: Message): void {
    this.#recipe.amend(message);
  }

  /** Silences the reply of `turn`, and waits until what was heard of it is on its way to the store. */
  async cut(turn: number): Promise<void> {
    if (!this.#isListening || this.#abort.signal.aborted) return;
    const cut = new Promise<void>((done) => {
      this.#cutting = { turn, done };
    });
    this.#run?.interrupt(turn);
    await within(Promise.race([cut, this.#over]), cutPatienceMs);
  }

  /** Ends everything: microphone released, worklets and workers gone. Idempotent; never rejects. */
  async stop(): Promise<void> {
    if (!this.#abort.signal.aborted)
      this.#abort.abort(new AntiphonError('aborted', 'The agent was stopped.'));
    await this.#over;
    await Promise.allSettled([
      this.#recipe.pipeline.shutdown(),
      this.edge.close(),
      this.#clips?.close(),
    ]);
    for (const stage of this.#recipe.workers) stage.close();
    this.#recipe.close();
    this.#control?.close();
  }

  async #watch(run: PipelineRun): Promise<void> {
    try {
      for await (const element of run) {
        this.#observer.onOutput(element);
        if (element.kind === 'turn-end' && element.turn === this.#cutting?.turn)
          this.#cutting.done();
      }
      await run.done;
      // Only a realtime model that was given up ends by itself; the run has told everything before.
      if (this.#isListening && this.#lost) this.#observer.onLost(this.#lost);
    } catch (error) {
      this.#realtime?.reject(error);
      // Before it listens, whoever started it is told by the rejection of `start`.
      if (this.#isListening && !this.#abort.signal.aborted) this.#observer.onFailure(error);
    }
  }

  readonly #onEvent = (event: StageEvent): void => {
    if (event.type === 'realtime-connected') this.#realtime?.resolve();
    else if (event.type === 'realtime-given-up') {
      this.#lost = deserializeError(event.detail as ErrorData);
      this.#realtime?.reject(this.#lost);
    } else if (event.type === 'realtime-lost') this.#observer.onShaky();
    if (!this.#recipe.takeEvent(event)) this.#observer.onEvent(event);
  };

  #openFloor(): FloorPorts {
    const words = this.#recipe.hasWords ? new MessageChannel() : undefined;
    const control = new MessageChannel();
    this.#control = control.port1;
    return {
      floor: this.edge.floorPort(),
      ...(words ? { wordsIn: words.port1, wordsOut: words.port2 } : {}),
      control: control.port2,
    };
  }
}
