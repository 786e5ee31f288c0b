/** The preset most people use: a voice agent made of the public stages, devices and engines. */
import { newConversationId } from './agent/conversation-id.ts';
import { AgentObserver } from './agent/observer.ts';
import { Listeners } from './core/listeners.ts';
import type { AgentEvents, AgentState } from './agent/events.ts';
import type { VoiceAgentOptions } from './agent/options.ts';
import { Spare } from './agent/fallback.ts';
import { localRecipe, type MakeRecipe } from './agent/recipe.ts';
import { AgentSession, notRunning } from './agent/session.ts';
import { Speech, SpeechRegister } from './agent/speech.ts';
import { unansweredTurn } from './agent/unanswered.ts';
import { answeredTurn, saidTurn, typedTurn } from './agent/written-turns.ts';
import type { Message, ToolCall } from './core/element.ts';
import { type AntiphonError, toAntiphonError } from './core/errors.ts';
import type { Graph } from './core/pipeline/graph.ts';
import type { Provider } from './providers/provider.ts';
import type { ConversationInfo, StateStore } from './state/state-store.ts';

/** So many deaths of workers in a row are forgiven. */
const maxCrashes = 3;

/**
 * A conversation by voice: microphone → ears → scribe → model → voice → speaker, with interruption and
 * memory. Made by `createVoiceAgent`; nothing happens before `load` or `start`.
 */
export class VoiceAgent {
  readonly #options: VoiceAgentOptions;
  readonly #recipe: MakeRecipe;
  readonly #emitter = new Listeners<AgentEvents>();
  readonly #observer: AgentObserver;
  readonly #store: StateStore;
  readonly #speeches = new SpeechRegister();
  #provider: Provider;
  #conversation: string;
  #session: AgentSession | undefined;
  readonly #spare: Spare = new Spare(() => this.#makeSession(true));
  /** The local pipeline has taken over from a realtime model, until the next stop. */
  #isLocal = false;
  #release: () => void = () => {};
  #starting: Promise<void> | undefined;
  #microphone = true;
  /** How often it was stopped: a start that was overtaken by a stop does not go on. */
  #stops = 0;
  /** Workers that died since the last finished turn. */
  #crashes = 0;

  constructor(
    options: VoiceAgentOptions,
    store: StateStore,
    provider: Provider,
    recipe: MakeRecipe = localRecipe,
  ) {
    this.#options = options;
    this.#recipe = recipe;
    this.#store = store;
    this.#provider = provider;
    this.#conversation = options.conversation ?? newConversationId();
    this.#observer = new AgentObserver(
      this.#emitter,
      (message) => this.#session?.amend(message),
      options.awayAfterMs ?? 15_000,
    );
    this.#emitter.on('turn', () => (this.#crashes = 0));
    this.#emitter.on('heard', ({ turn, text, done }) => this.#speeches.heard(turn, text, done));
  }

  /** What both sides are doing. */
  get state(): AgentState {
    return this.#observer.state;
  }

  /** Id of the conversation. */
  get conversation(): string {
    return this.#conversation;
  }

  /** Unix ms of the first captured sample; NaN while the microphone is closed. */
  get captureOrigin(): number {
    return this.#session?.edge.captureOrigin ?? Number.NaN;
  }

  /** Stages and edges of the pipeline, as plain data. */
  get graph(): Graph {
    return (this.#session ?? this.#makeSession()).graph;
  }

  /** The pipeline as a Mermaid flowchart, one box per thread. */
  toMermaid(): string {
    return (this.#session ?? this.#makeSession()).toMermaid();
  }

  /** Adds a listener; the returned function removes it. */
  on<Name extends keyof AgentEvents>(
    name: Name,
    listener: (event: AgentEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Starts the workers and loads the models, with `progress` events; asks for nothing. Idempotent; `start`
   * does it where it was not done. Errors: `worker-load`, `model-load`.
   */
  async load(): Promise<void> {
    if (this.#starting) return this.#starting;
    const session = (this.#session ??= this.#makeSession());
    if (this.state.assistant === 'idle') this.#observer.enter({ assistant: 'loading' });
    try {
      await session.load();
    } catch (error) {
      throw await this.#fail(session, error);
    } finally {
      if (this.#session === session && !this.#starting && this.state.assistant === 'loading')
        this.#observer.enter({ assistant: 'idle' });
    }
  }

  /**
   * Opens speaker and microphone and listens; belongs in a click. Idempotent. With `microphone: false` only
   * typed text and {@link VoiceAgent.playSample} are heard. Errors: those of `load`, `microphone-…`,
   * `insecure-context`, `audio-context`, `worklet-load`; the agent is then idle again and nothing stays open.
   */
  start({ microphone = true }: { readonly microphone?: boolean } = {}): Promise<void> {
    this.#starting ??= this.#start(microphone);
    return this.#starting;
  }

  /** Releases the microphone, ends worklets and workers. Idempotent; never rejects. */
  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#starting = undefined;
    this.#stops += 1;
    this.#isLocal = false;
    this.#release();
    this.#release = () => {};
    // A session started meanwhile has speeches and turns of its own, with higher numbers.
    const { latest } = this.#observer.log;
    if (this.#observer.busy) await session?.cut(latest);
    await Promise.all([session?.stop(), this.#spare.drop()]);
    this.#speeches.end(latest);
    this.#observer.log.clear(latest);
    if (!this.#session) this.#observer.enter({ assistant: 'idle', user: 'silent' });
  }

  /** Says something typed to the assistant, behind what is being spoken, which it is answered with; an answer under way is interrupted. Throws `shutdown` while idle. */
  send(text: string): void {
    if (text.trim() === '') return;
    const session = this.#running('send');
    const { occupied } = this.#observer;
    void session.push(...typedTurn(this.#nextTurn(session), text.trim(), occupied));
  }

  /** Makes the assistant say `text`, as a reply of its own that is stored and can be interrupted. Throws `shutdown` while idle. */
  say(text: string): Speech {
    const session = this.#running('say');
    const turn = this.#nextTurn(session);
    const speech = new Speech(turn, text);
    this.#speeches.add(speech);
    void session.push(...saidTurn(turn, text));
    return speech;
  }

  /** Calls of tools that wait for {@link VoiceAgent.answerTool}, oldest first; none while idle. */
  get pendingTools(): readonly ToolCall[] {
    return this.#session?.pendingTools ?? [];
  }

  /** Answers such a call, once, by anything JSON can hold; the assistant goes on. Throws `shutdown` while idle, `tool` when it does not wait. */
  answerTool(callId: string, result: unknown, options: { readonly isError?: boolean } = {}): void {
    this.#running('answer a tool').answerTool(callId, result, options);
  }

  /**
   * Plays a clip as if it were spoken into the microphone. Starts a session without a microphone where
   * none runs, and restarts one that has a real microphone without it.
   *
   * @param samples mono, −1…1, copied
   * @param sampleRate in hertz
   */
  async playSample(samples: Float32Array, sampleRate: number): Promise<void> {
    if (this.#starting && this.#microphone) await this.stop();
    await this.start({ microphone: false });
    await this.#session?.clips?.play(samples, sampleRate);
  }

  /** Exchanges the mind; counts from the next turn on. */
  setProvider(provider: Provider): void {
    this.#provider = provider;
  }

  /** All stored conversations, newest first. */
  conversations(): Promise<readonly ConversationInfo[]> {
    return this.#store.list();
  }

  /** Stored messages of this conversation, oldest first. */
  history(): Promise<readonly Message[]> {
    return this.#store.load(this.#conversation);
  }

  /** Goes on with another conversation, stored or new (a fresh id unless given); a session that runs is restarted. */
  async open(conversation: string = newConversationId()): Promise<void> {
    if (conversation === this.#conversation) return;
    const wasRunning = this.#starting !== undefined;
    await this.stop();
    this.#conversation = conversation;
    if (wasRunning) await this.start({ microphone: this.#microphone });
  }

  /** Forgets a stored conversation. */
  deleteConversation(conversation: string): Promise<void> {
    return this.#store.delete(conversation);
  }

  async #start(microphone: boolean): Promise<void> {
    this.#microphone = microphone;
    const session = (this.#session ??= this.#makeSession());
    this.#observer.enter({ assistant: 'loading' });
    this.#release = this.#observer.follow(session.edge);
    try {
      await session.start(microphone, this.#observer.log.latest);
    } catch (error) {
      if (session.lost && this.#standsIn(session)) return this.#standIn(session, session.lost);
      throw await this.#fail(session, error);
    }
    if (this.#session === session) this.#observer.enter({ assistant: 'listening' });
  }

  #standsIn(session: AgentSession): boolean {
    return this.#session === session && this.#options.fallback !== false && !this.#isLocal;
  }

  /** The realtime model is out of reach: the local pipeline goes on, beginning with what was not answered. */
  async #standIn(gone: AgentSession, error: AntiphonError): Promise<void> {
    this.#isLocal = true;
    const session = this.#spare.take();
    this.#session = session;
    this.#release();
    this.#observer.enter({ assistant: 'loading', user: 'silent' });
    this.#emitter.emit('fallback', { error });
    await gone.stop();
    // Whoever stopped the agent meanwhile does not want this one.
    if (this.#session === session) await this.#start(this.#microphone);
    else await session.stop();
    const history = await this.history().catch(() => []);
    if (this.#session === session)
      void session.push(...unansweredTurn(history, () => this.#nextTurn(session)));
  }

  async #lost(session: AgentSession, error: AntiphonError): Promise<void> {
    if (!this.#standsIn(session)) return void (await this.#fail(session, error));
    this.#starting = this.#standIn(session, error);
    await this.#starting.catch((failure: unknown) => this.#tell(failure));
  }

  /** Cleans up after a session that could not start, or ended by itself. */
  async #fail(session: AgentSession, cause: unknown): Promise<AntiphonError> {
    const error = toAntiphonError(cause);
    if (this.#session !== session) await session.stop();
    else await this.stop();
    return error;
  }

  /** A session that listened ended by itself: told, and, when a worker died, begun anew with growing patience. */
  async #recover(session: AgentSession, cause: unknown): Promise<void> {
    const error = await this.#fail(session, cause);
    const stops = this.#stops;
    this.#emitter.emit('error', error);
    if (error.code !== 'worker-crashed' || this.#crashes >= maxCrashes) return;
    const patienceMs = 500 * 2 ** this.#crashes;
    this.#crashes += 1;
    await new Promise((resolve) => setTimeout(resolve, patienceMs));
    // Whoever started or stopped the agent meanwhile knows better.
    if (this.#stops !== stops || this.#starting) return;
    await this.start({ microphone: this.#microphone }).catch((failure: unknown) =>
      this.#tell(failure),
    );
  }

  #makeSession(isLocal: boolean = this.#isLocal): AgentSession {
    const recipe = isLocal ? localRecipe : this.#recipe;
    const hooks = {
      conversation: this.#conversation,
      store: this.#store,
      provider: () => this.#provider,
      onResume: () => this.#resume(session),
      ...this.#observer.hooks,
      onFailure: (cause: unknown) => void this.#recover(session, cause),
      onShaky: () => {
        if (this.#standsIn(session)) this.#spare.prepare();
      },
      onLost: (error: AntiphonError) => void this.#lost(session, error),
    };
    const session: AgentSession = new AgentSession(this.#options, hooks, recipe);
    return session;
  }

  /** Calls were answered: the mind goes on in a turn of its own. */
  #resume(session: AgentSession): void {
    if (this.state.assistant === 'listening') this.#observer.enter({ assistant: 'thinking' });
    void session.push(...answeredTurn(this.#nextTurn(session)));
  }

  #tell(failure: unknown): void {
    this.#emitter.emit('error', toAntiphonError(failure));
  }

  #running(what: string): AgentSession {
    if (this.#session && this.#starting) return this.#session;
    throw notRunning(what);
  }

  #nextTurn(session: AgentSession): number {
    const turn = this.#observer.log.next();
    session.takeTurn(turn);
    return turn;
  }
}
