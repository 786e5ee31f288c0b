/** One speaker of `speakerTracks`: a pipeline of their own, and what it says under its own turns. */
import { channel } from '../../core/channel/channel.ts';
import { type Message, type StreamElement } from '../../core/element.ts';
import type { Pipeline } from '../../core/pipeline/pipeline.ts';
import type { PipelineRun } from '../../core/pipeline/run.ts';
import type { StageContext } from '../../core/stage/stage.ts';
import { LookAhead } from '../conversation/look-ahead.ts';
import type { TrackTurns } from './track-turns.ts';

/** Makes the text of a message say who said it. */
export type LabelText = (text: string, speaker: string) => string;

/** What a {@link TrackRun} needs to know. */
export interface TrackFacts {
  readonly label: string;
  /** The name in messages. */
  readonly speaker: string;
  readonly labelled: LabelText;
  readonly turns: TrackTurns;
  /** What becomes of audio that a slow track has no room for. */
  readonly overflow: 'wait' | 'drop-oldest';
  /** False for a track that has a source of its own. */
  readonly hears: boolean;
}

/** Audio that waits for a track that is slow: 8 s of it, as a microphone gives it. */
const capacity = 256;

/** A track at work. */
export class TrackRun {
  readonly facts: TrackFacts;
  /** Settles when its stages are prepared. */
  readonly ready: Promise<void>;
  readonly #run: PipelineRun;
  readonly #hears: ReturnType<typeof channel<StreamElement>>;
  #outputs: LookAhead<StreamElement> | undefined;
  #over = false;
  /** What belongs to the end of a turn, until its `turn-end`. */
  #ending: StreamElement[] = [];

  constructor(facts: TrackFacts, pipeline: Pipeline, context: StageContext) {
    this.facts = facts;
    this.#hears = channel<StreamElement>({
      capacity,
      overflow: facts.overflow,
      onDrop: ({ at }) => context.emit('audio-dropped', { track: facts.label, at }),
    });
    if (!facts.hears) this.end();
    this.#run = pipeline.execute(this.#hears.reader, { signal: context.signal });
    this.#run.on(({ type, detail }) => {
      if (!/^(run|stage)-/.test(type))
        context.emit(type, { track: facts.label, ...Object(detail) });
    });
    this.ready = this.#run.ready;
  }

  /** Begins to read what the track says; `onReady` is told when there is something. */
  begin(onReady: () => void): void {
    this.#outputs = new LookAhead(this.#run, onReady);
  }

  /** Gives the track something to hear; a promise when that has to wait for room. */
  hear(item: StreamElement): Promise<void> | undefined {
    const { writer } = this.#hears;
    if (writer.offer(item)) return undefined;
    // Refused by a track that is over, whose failure is told elsewhere.
    return writer.write(item).catch(() => undefined);
  }

  /** Nothing more is to be heard. */
  end(): void {
    this.#hears.writer.close();
  }

  /** Asks for what the track says next. */
  ask(): void {
    this.#outputs?.ask();
  }

  /** True when it has said something. */
  get hasSaid(): boolean {
    return this.#outputs?.ready ?? false;
  }

  /** True when it will say nothing more. */
  get isOver(): boolean {
    return this.#over;
  }

  /**
   * What it said, as the conversation is to hear it: nothing yet, or a whole end of a turn at once. Throws its
   * failure.
   */
  take(): readonly StreamElement[] {
    try {
      const next = this.#outputs?.take();
      if (next) return this.#translate(next.value);
    } catch (error) {
      this.#over = true;
      throw error;
    }
    this.#over = true;
    return this.#endOf(this.#ending.splice(0));
  }

  /** Ends it and waits for its tear-down. */
  close(): Promise<void> {
    return this.#run.close();
  }

  #translate(item: StreamElement): readonly StreamElement[] {
    const { turns, label } = this.facts;
    if (item.kind === 'end') return [];
    // Whatever was answered so far is void; the turns of others that are open get new numbers in the end.
    if (item.kind === 'interrupt') return [{ ...item, ...this.#identity(item, turns.over) }];
    if (belongsToEnd(item)) {
      const before = this.#ending[0]?.turn === item.turn ? [] : this.#ending.splice(0);
      this.#ending.push(item);
      const whole = item.kind === 'turn-end' ? this.#ending.splice(0) : [];
      return [...this.#endOf(before), ...this.#endOf(whole)];
    }
    const said = { ...item, ...this.#identity(item, turns.of(label, item.turn)) };
    if (item.kind === 'speech-end' && item.misfire) turns.forget(label, item.turn);
    return [said];
  }

  /** The end of a turn, or what is left of one, under one number. */
  #endOf(items: readonly StreamElement[]): StreamElement[] {
    const { turns, label } = this.facts;
    const local = items[0]?.turn ?? 0;
    const turn = local > 0 ? turns.end(label, local) : 0;
    return items.map((item) => {
      const said = { ...item, ...this.#identity(item, turn) };
      return said.kind === 'message' ? { ...said, message: this.#signed(said.message) } : said;
    });
  }

  #identity(
    { source, turn: trackTurn, meta }: StreamElement,
    turn: number,
  ): Pick<StreamElement, 'turn' | 'source' | 'meta'> {
    const { label } = this.facts;
    return { turn, source: `${label}/${source}`, meta: { ...meta, speaker: label, trackTurn } };
  }

  #signed(message: Message): Message {
    if (message.role !== 'user') return message;
    const { labelled, speaker } = this.facts;
    const first = message.parts.findIndex((part) => part.type === 'text');
    const parts = message.parts.map((part, index) =>
      part.type === 'text' && index === first
        ? { ...part, text: labelled(part.text, speaker) }
        : part,
    );
    return { ...message, parts };
  }
}

function belongsToEnd(item: StreamElement): boolean {
  const { kind } = item;
  if (kind === 'transcript') return item.final;
  return kind === 'message' || kind === 'utterance' || kind === 'turn-end';
}
