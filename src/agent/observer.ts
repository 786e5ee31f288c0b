/** Turns what flows through a session into the agent's events, states and traces. */
import type { AudioEdge } from '../audio/audio-edge.ts';
import { messageText, type Message, type StreamElement } from '../core/element.ts';
import { deserializeError } from '../core/errors.ts';
import type { StageEvent } from '../core/stage/stage.ts';
import { wallClock, type Clock } from '../core/time.ts';
import type { ToolEvent } from '../providers/tool-policy.ts';
import { isFiller } from '../stages/streaming/spoken-text.ts';
import type { LoadProgress } from '../speech/stt/recognizer.ts';
import type { Listeners } from '../core/listeners.ts';
import type { AgentEvents, AgentState, AssistantState, UserState } from './events.ts';
import { TurnLog } from './turn-log.ts';

/** What the observer needs of the devices of a session. */
export type ObservedDevices = Pick<AudioEdge, 'on' | 'captureOrigin' | 'outputLatencyMs'>;

/** Watches one agent over all its sessions. */
export class AgentObserver {
  readonly log: TurnLog = new TurnLog();
  readonly #emitter: Listeners<AgentEvents>;
  readonly #amend: (message: Message) => void;
  readonly #awayAfterMs: number;
  readonly #clock: Clock;
  #edge: ObservedDevices | undefined;
  #state: AgentState = { assistant: 'idle', user: 'silent' };
  #probability: number | undefined;
  /** The turn whose answer is being thought of, or was last. */
  #thinkingOf = 0;
  /** The turn that is being spoken or written down. */
  #spoken: number | undefined;
  /** Since when both are quiet, ms on the capture clock. */
  #quietSince = 0;

  constructor(
    emitter: Listeners<AgentEvents>,
    amend: (message: Message) => void,
    awayAfterMs: number,
    clock: Clock = wallClock,
  ) {
    this.#emitter = emitter;
    this.#amend = amend;
    this.#awayAfterMs = awayAfterMs;
    this.#clock = clock;
  }

  /** What both sides are doing. */
  get state(): AgentState {
    return this.#state;
  }

  /** Whether a reply is being thought of or spoken. */
  get busy(): boolean {
    return this.#state.assistant === 'thinking' || this.#state.assistant === 'speaking';
  }

  /** Whether a turn is being spoken, written down or answered. */
  get occupied(): boolean {
    return this.busy || this.#spoken !== undefined;
  }

  /** Changes the state, telling everybody when it is another one. */
  enter(change: { readonly assistant?: AssistantState; readonly user?: UserState }): void {
    const next = { ...this.#state, ...change };
    if (next.assistant === this.#state.assistant && next.user === this.#state.user) return;
    this.#state = next;
    this.#emitter.emit('state', next);
  }

  /** Follows the devices of a session; the returned function lets go of them. */
  follow(edge: ObservedDevices): () => void {
    this.#edge = edge;
    this.#spoken = undefined;
    this.#quietSince = 0;
    const offs = [
      edge.on('level', ({ side, rms, at }) => {
        if (side !== 'microphone') return;
        const probability =
          this.#probability === undefined ? {} : { probability: this.#probability };
        this.#emitter.emit('level', { microphone: rms, ...probability });
        this.#lookAway(at);
      }),
      edge.on('heard', ({ turn, heard }) => this.#heard(turn, heard)),
      edge.on('audible', ({ turn, at }) => {
        if (!this.log.has(turn)) return;
        this.log.at(turn).audible = true;
        this.log.mark(turn, 'heard', this.#wall(at) + edge.outputLatencyMs);
        this.enter({ assistant: 'speaking' });
      }),
      edge.on('silent', ({ turn, at }) => {
        if (this.log.has(turn)) this.log.at(turn).audible = false;
        this.#quietSince = at;
        if (this.#state.assistant === 'speaking') this.enter({ assistant: 'listening' });
      }),
    ];
    for (const type of ['dropped', 'underrun', 'gate'] as const) {
      const stage = type === 'underrun' ? 'speaker' : 'microphone';
      offs.push(
        edge.on(type, (detail) =>
          this.#emitter.emit('stage', { type, stage, at: this.#clock.now(), detail }),
        ),
      );
    }
    return () => {
      for (const off of offs) off();
      this.#edge = undefined;
      this.#probability = undefined;
    };
  }

  /** What a session is to be given, so that it is watched. */
  get hooks(): Pick<AgentObserver, 'onUser' | 'onReply' | 'onOutput' | 'onEvent'> {
    const { onUser, onReply, onOutput, onEvent } = this;
    return { onUser, onReply, onOutput, onEvent };
  }

  /** An element between the scribe and the model. */
  readonly onUser = (element: StreamElement): void => {
    const { turn, at } = element;
    switch (element.kind) {
      case 'speech-start':
        this.#spoken = turn;
        this.log.mark(turn, 'speechStart', this.#wall(at));
        this.enter({ user: 'speaking' });
        break;
      case 'speech-end':
        this.#quietSince = at;
        if (element.misfire) this.#spoken = undefined;
        else this.log.mark(turn, 'speechEnd', this.#wall(at));
        this.enter({ user: 'silent' });
        break;
      case 'transcript':
        this.#transcript(element);
        break;
      case 'message':
        if (element.message.role === 'user') {
          this.log.at(turn).transcript = messageText(element.message);
          this.#emitter.emit('message', { message: element.message });
        }
        break;
      case 'turn-end':
        if (turn === this.#spoken) this.#spoken = undefined;
        this.log.mark(turn, 'committed', at === 0 ? this.#clock.now() : this.#wall(at));
        // A realtime model answers before it has written down what was said.
        if (
          (this.log.at(turn).transcript !== '' || element.meta?.['awaited'] === true) &&
          !this.log.at(turn).interrupted
        ) {
          this.#thinkingOf = turn;
          this.enter({ assistant: 'thinking' });
        }
        break;
      case 'interrupt':
        this.interrupted(turn);
        break;
      case 'error':
        this.#emitter.emit('error', deserializeError(element.error));
        break;
      default:
    }
  };

  /** An element between the model and the voice. */
  readonly onReply = (element: StreamElement): void => {
    const { turn } = element;
    if (element.kind === 'text' && isFiller(element)) {
      this.#emitter.emit('filler', { turn, text: element.text });
    } else if (element.kind === 'text') {
      const open = this.log.at(turn);
      open.reply += element.text;
      this.log.mark(turn, 'firstToken', this.#clock.now());
      this.#emitter.emit('reply', { turn, text: open.reply, delta: element.text, done: false });
    } else if (element.kind === 'message' && element.message.role === 'assistant') {
      const open = this.log.at(turn);
      const text = element.message.generated ?? messageText(element.message);
      const delta = text.startsWith(open.reply) ? text.slice(open.reply.length) : '';
      open.reply = text;
      this.#emitter.emit('reply', { turn, text, delta, done: true });
    } else if (element.kind === 'tool-call') {
      const { id: callId, name, arguments: given } = element.call;
      this.#emitter.emit('tool', { turn, callId, name, state: 'called', arguments: given });
    } else if (element.kind === 'tool-result') {
      const { callId, name, result, isError } = element;
      const state = isError ? 'failed' : 'done';
      this.#emitter.emit('tool', { turn, callId, name, state, result, isError });
    }
  };

  /** An element at the end of the pipeline: rendered, or void. */
  readonly onOutput = (element: StreamElement): void => {
    const { turn } = element;
    if (element.kind === 'message' && element.message.role === 'assistant') {
      const { message } = element;
      const open = this.log.at(turn);
      open.heard = message.heard ?? '';
      open.spoken = true;
      if (
        message.finishReason === 'interrupted' ||
        (message.heard ?? '').trim() !== open.reply.trim()
      )
        open.interrupted = true;
      this.#amend(message);
      this.#emitter.emit('heard', {
        turn,
        text: open.heard,
        done: true,
        interrupted: open.interrupted,
      });
      this.#emitter.emit('message', { message });
    } else if (element.kind === 'turn-end') {
      const summary = this.log.close(turn);
      // Not the latest turn of all: that may be a sound which is no turn in the end.
      if (this.#state.assistant === 'thinking' && turn >= this.#thinkingOf)
        this.enter({ assistant: 'listening' });
      if (summary) this.#emitter.emit('turn', summary);
    } else if (element.kind === 'error') {
      this.#emitter.emit('error', deserializeError(element.error));
    }
  };

  /** An event of a stage. */
  readonly onEvent = (event: StageEvent): void => {
    this.#emitter.emit('stage', event);
    const detail = (event.detail ?? {}) as Readonly<Record<string, unknown>>;
    if (event.type === 'progress') this.#emitter.emit('progress', event.detail as LoadProgress);
    else if (event.type === 'level') this.#probability = detail['probability'] as number;
    // The element of that name may have to wait on its way; the number is taken now.
    else if (event.type === 'speech-start') this.log.saw(detail['turn'] as number);
    else if (event.type === 'first-sentence' || event.type === 'first-audio') {
      const mark = event.type === 'first-sentence' ? 'firstSentence' : 'firstAudio';
      this.log.mark(detail['turn'] as number, mark, event.at);
    } else {
      const state = toolState({ ...detail, type: event.type } as ToolEvent);
      if (state) this.#emitter.emit('tool', { ...aboutCall(detail), state });
    }
  };

  /** The floor was taken: what was not heard of turns ≤ `turn` is void. */
  interrupted(turn: number): void {
    for (const open of this.log.upTo(turn))
      if (open.reply !== '' || open.audible) open.interrupted = true;
    if (this.busy) this.enter({ assistant: 'listening' });
    this.#emitter.emit('interrupt', { turn });
  }

  #transcript(element: StreamElement & { kind: 'transcript' }): void {
    const { turn, text, final, words, confidence } = element;
    if (final) this.log.mark(turn, 'transcribed', this.#clock.now());
    this.#emitter.emit('transcript', {
      turn,
      text,
      final,
      ...(words === undefined ? {} : { words }),
      ...(confidence === undefined ? {} : { confidence }),
    });
  }

  #heard(turn: number, text: string): void {
    // Words and messages come by different ports: a word may arrive after its turn is over.
    if (!this.log.has(turn) || this.log.at(turn).spoken) return;
    this.log.at(turn).heard = text;
    this.#emitter.emit('heard', { turn, text, done: false, interrupted: false });
  }

  #lookAway(at: number): void {
    const { assistant, user } = this.#state;
    if (user === 'speaking' || assistant !== 'listening') this.#quietSince = at;
    const isAway = at - this.#quietSince >= this.#awayAfterMs;
    if (user !== 'speaking') this.enter({ user: isAway ? 'away' : 'silent' });
  }

  /** Unix ms of an instant of the capture clock. */
  #wall(at: number): number {
    return (this.#edge?.captureOrigin ?? Number.NaN) + at;
  }
}

function aboutCall(
  detail: Readonly<Record<string, unknown>>,
): Pick<AgentEvents['tool'], 'turn' | 'callId' | 'name'> {
  const { turn, callId, name } = detail;
  return { turn: turn as number, callId: callId as string, name: name as string };
}

/** What an event of a tool says that no element does. */
function toolState(event: ToolEvent): AgentEvents['tool']['state'] | undefined {
  if (event.type === 'tool-approval') return 'asking';
  if (event.type === 'tool-start') return 'running';
  return event.type === 'tool-end' && event.status === 'pending' ? 'pending' : undefined;
}
