/** What happened in an offline conversation, in order: as data, and as lines that are the same every time. */
import type { AgentEvents, TurnSummary } from '../../agent/events.ts';
import type { AudioEdgeEvents } from '../../audio/audio-edge.ts';
import type { FloorCommand } from '../../audio/floor.ts';
import type { Clock } from '../../core/time.ts';
import { describeMessage } from '../describe.ts';

/** The agent's events, and what the devices and the floor did. */
export interface OfflineEvents
  extends
    Omit<AgentEvents, 'level' | 'heard'>,
    Pick<AudioEdgeEvents, 'heard' | 'audible' | 'silent' | 'underrun' | 'dropped' | 'gate'> {
  /** What ears told playback. */
  readonly floor: FloorCommand;
  /** The next step of the person. */
  readonly user: { readonly step: string };
}

/** One event. */
export type OfflineEvent = {
  readonly [Type in keyof OfflineEvents]: {
    /** Audio time, ms. */
    readonly at: number;
    readonly type: Type;
    readonly detail: OfflineEvents[Type];
  };
}[keyof OfflineEvents];

/** Collects events. */
export class EventLog {
  readonly events: OfflineEvent[] = [];
  readonly #clock: Clock;
  readonly #lines: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The lines so far. */
  get text(): string {
    return this.#lines.join('\n');
  }

  /** Adds an event of now, or of `at`. */
  add<Type extends keyof OfflineEvents>(
    type: Type,
    detail: OfflineEvents[Type],
    at: number = this.#clock.now(),
  ): void {
    const event = { at, type, detail } as OfflineEvent;
    this.events.push(event);
    const line = describe(event);
    if (line !== undefined) this.#lines.push(`${Math.round(at)} ${type} ${line}`);
  }
}

/** What a line says behind time and type; undefined for what has no line: increments, words, what stages measure. */
function describe(event: OfflineEvent): string | undefined {
  switch (event.type) {
    case 'state':
      return `${event.detail.assistant}, user ${event.detail.user}`;
    case 'transcript':
      return `#${event.detail.turn} ${event.detail.final ? 'final' : 'interim'} ${quote(event.detail.text)}`;
    case 'reply':
      return event.detail.done ? `#${event.detail.turn} ${quote(event.detail.text)}` : undefined;
    case 'message':
      return describeMessage(event.detail.message);
    case 'interrupt':
    case 'audible':
      return `#${event.detail.turn}`;
    case 'silent':
      return `#${event.detail.turn} ${event.detail.finished ? 'finished' : 'cut'}`;
    case 'floor':
      return event.detail.type === 'flush' ? `flush #${event.detail.turn}` : event.detail.type;
    case 'gate':
      return event.detail.open ? 'open' : 'closed';
    case 'tool':
      return `#${event.detail.turn} ${event.detail.name} ${describeTool(event.detail)}`;
    case 'filler':
      return `#${event.detail.turn} ${quote(event.detail.text)}`;
    case 'turn':
      return describeTurn(event.detail);
    case 'error':
      return `${event.detail.code} ${quote(event.detail.message)}`;
    case 'underrun':
      return `#${event.detail.turn} ${Math.round(event.detail.gapMs)} ms`;
    case 'dropped':
      return `${event.detail.frames} frames`;
    case 'user':
      return event.detail.step;
    default:
      return undefined;
  }
}

function describeTool({ state, arguments: given, result }: OfflineEvents['tool']): string {
  if (state === 'called') return `called with ${JSON.stringify(given)}`;
  if (state === 'done') return `answered ${JSON.stringify(result)}`;
  return state === 'failed' ? `failed ${JSON.stringify(result)}` : state;
}

function describeTurn({ turn, interrupted, trace }: TurnSummary): string {
  const { voiceToVoiceMs } = trace;
  const latency =
    voiceToVoiceMs === undefined ? '' : `, voice to voice ${Math.round(voiceToVoiceMs)} ms`;
  return `#${turn} ${interrupted ? 'interrupted' : 'complete'}${latency}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
