/** Several people in one conversation, each on a track of their own. */
import { element, type Kind, type StreamElement } from '../../core/element.ts';
import { AntiphonError, serializeError } from '../../core/errors.ts';
import { PipelineBuilder } from '../../core/pipeline/builder.ts';
import type { Pipeline } from '../../core/pipeline/pipeline.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import { Doorbell, LookAhead } from '../conversation/look-ahead.ts';
import { TrackRun, type LabelText } from './speaker-track.ts';
import { TrackTurns } from './track-turns.ts';

/** One person's track. */
export interface SpeakerTrack {
  /**
   * From audio to messages, in order: `[new AudioTurnStage({ vad }), new STTStage({ recognizer })]`, or a
   * `VADAccumulatorStage`. Each track needs stages and a detector of its own; recognisers may be shared. A source,
   * such as a `MicrophoneStage`, may come first; without one the track hears the `audio` whose `source` is its label.
   */
  readonly stages: readonly Stage[];
  /** What messages call the person; the label unless given. */
  readonly speaker?: string;
}

/** Settings of {@link speakerTracks}. */
export interface SpeakerTracksOptions {
  /** `speaker-tracks` unless given. */
  readonly name?: string;
  /** Tells the model who said it; `Alice: text` unless given. */
  readonly labelled?: LabelText;
  /**
   * What becomes of audio that a slow track has no room for. `wait` unless given: nothing is lost, but the other tracks wait
   * as well. `drop-oldest`: nobody waits.
   */
  readonly overflow?: 'wait' | 'drop-oldest';
}

interface Conversation {
  readonly turns: TrackTurns;
  readonly runs: readonly TrackRun[];
}

interface Track {
  readonly label: string;
  readonly speaker: string;
  readonly pipeline: Pipeline;
}

/**
 * One stage made of a pipeline per speaker, whose messages join one conversation. Everything a track says has its
 * label in `meta.speaker` and in front of its `source` (`alice/stt`), and its own turn number in `meta.trackTurn`; the text of
 * a message begins with the name, so that the model knows who spoke (say so in the system prompt).
 *
 * Turns of all tracks share one counter. What belongs to the end of a turn (final transcript, message, errors,
 * `turn-end`) leaves together, and turns end in rising order: one that was begun earlier than another and ends later
 * gets a new number for its end. An interrupt of any track voids what was answered so far, and no turn that is open.
 *
 * Tracks take turns to speak. Of the audio of a slow one 256 chunks wait; then, by `overflow`, the input does, or the
 * oldest is dropped (event `audio-dropped` `{track, at}`). The end of one track does not end the others. Neither does its failure:
 * it becomes an `error` element (`details.track`), and the run fails only with the last. Events of the tracks' stages are
 * told under this stage's name, with `track`.
 *
 * Either all tracks bring sources, then this is a source too, or none: then `audio` is shared out by `source`, that of nobody
 * is dropped (event `track-unknown` `{source}`, once each), and everything else passes by. Session-safe.
 *
 * @throws `invalid-argument` without tracks, or when only some have sources; `graph` when a track's stages do not fit
 *
 * @example
 * const track = (label: string) => ({
 *   stages: [new AudioTurnStage({ vad: detector() }), new STTStage({ recognizer })], speaker: label,
 * });
 * builder.chain(speakerTracks({ a: track('Alice'), b: track('Bob') }), prompt, provider);
 */
export function speakerTracks(
  tracks: Readonly<Record<string, SpeakerTrack>>,
  { name = 'speaker-tracks', labelled = sayWho, overflow = 'wait' }: SpeakerTracksOptions = {},
): Stage<'audio', Exclude<Kind, 'end'>> {
  const entries = Object.entries(tracks);
  const sources = entries.filter(([, { stages }]) => stages[0]?.source === true).length;
  if (entries.length === 0 || (sources > 0 && sources < entries.length))
    throw new AntiphonError(
      'invalid-argument',
      entries.length === 0 ? `${name}: no tracks` : `${name}: some tracks have a source, some not`,
      { hint: 'Give at least one track, and a source to all of them or to none.' },
    );
  const built = entries.map(([label, { stages, speaker = label }]): Track => {
    const pipeline = new PipelineBuilder({ session: 'live' }).chain(...stages).build();
    return { label, speaker, pipeline };
  });
  const hears = sources === 0;
  const started = new WeakMap<StageContext, Conversation>();
  const start = (context: StageContext): Conversation => {
    const turns = new TrackTurns();
    const runs = built.map(
      ({ pipeline, ...facts }) =>
        new TrackRun({ ...facts, labelled, turns, hears, overflow }, pipeline, context),
    );
    const conversation = { turns, runs };
    started.set(context, conversation);
    return conversation;
  };
  return {
    name,
    type: hears ? 'accumulate' : 'generate',
    session: 'safe',
    consumes: hears ? ['audio'] : [],
    emits: emittedBy(entries.flatMap(([, { stages }]) => stages)),
    ...(hears ? formatOf(entries.map(([, track]) => track)) : { source: true }),
    async prepare(context) {
      await Promise.all(start(context).runs.map((run) => run.ready));
    },
    process: (input, context) =>
      converse(name, input, context, started.get(context) ?? start(context)),
    async dispose() {
      await Promise.all(built.map(({ pipeline }) => pipeline.shutdown()));
    },
  };
}

async function* converse(
  name: string,
  input: AsyncIterable<StreamElement>,
  context: StageContext,
  { runs, turns }: Conversation,
): AsyncGenerator<StreamElement, void, undefined> {
  const bell = new Doorbell();
  const outside = new LookAhead(input, bell.ring);
  const unknown = new Set<string>();
  let speaking = [...runs];
  let open = true;
  /** A track has no room for what it is to hear. */
  let isFull = false;
  let end: StreamElement | undefined;
  for (const run of runs) run.begin(bell.ring);

  /** What of the input passes by. */
  const takeOutside = (): StreamElement | undefined => {
    const next = outside.take();
    if (!next || next.value.kind === 'end') {
      end ??= next?.value;
      open = next !== undefined;
      if (!open) for (const run of runs) run.end();
      return undefined;
    }
    const item = next.value;
    if (item.kind !== 'audio') {
      if (item.kind === 'interrupt' || item.kind === 'turn-end') turns.passed(item.turn);
      else turns.saw(item.turn);
      return item;
    }
    const track = runs.find(({ facts }) => facts.label === item.source);
    const room = track?.hear(item);
    if (room) {
      isFull = true;
      void room.then(() => {
        isFull = false;
        bell.ring();
      });
    }
    if (!track && !unknown.has(item.source) && unknown.size < 100) {
      unknown.add(item.source);
      context.emit('track-unknown', { source: item.source });
    }
    return undefined;
  };
  const takeTrack = (run: TrackRun): readonly StreamElement[] => {
    try {
      return run.take();
    } catch (thrown) {
      const isLast = speaking.every(({ isOver }) => isOver);
      if (context.signal.aborted || isLast) throw thrown;
      const { details, ...error } = serializeError(thrown);
      const track = run.facts.label;
      const failure = { ...error, details: { ...details, track } };
      return [element('error', { source: `${track}/${name}`, error: failure })];
    }
  };

  try {
    for (;;) {
      if (speaking.length === 0 && !open) break;
      for (const run of speaking) run.ask();
      if (open && !isFull) outside.ask();
      await bell.wait();
      for (const run of speaking) if (run.hasSaid) yield* takeTrack(run);
      speaking = speaking.filter(({ isOver }) => !isOver);
      if (!open || !outside.ready) continue;
      const passing = takeOutside();
      if (passing) yield passing;
    }
    if (end) yield end;
  } finally {
    outside.close();
    await Promise.all(runs.map((run) => run.close()));
  }
}

function sayWho(text: string, speaker: string): string {
  return `${speaker}: ${text}`;
}

function emittedBy(stages: readonly Stage[]): Exclude<Kind, 'end'>[] {
  const kinds = new Set(stages.flatMap(({ emits }) => emits));
  return [...kinds].filter((kind) => kind !== 'end');
}

/** The rate that all tracks hear at; none where they differ, for each refuses another by itself. */
function formatOf(tracks: readonly SpeakerTrack[]): {
  readonly format?: { readonly input: AudioFormat };
} {
  const rates = new Set(tracks.map(({ stages }) => stages[0]?.format?.input?.sampleRate));
  const [sampleRate] = rates;
  return rates.size === 1 && sampleRate !== undefined ? { format: { input: { sampleRate } } } : {};
}
