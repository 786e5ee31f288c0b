/** What comes into a realtime conversation from before the stage: the person's turns, typed text, texts to be said. */
import {
  element,
  messageText,
  type AudioElement,
  type MessageElement,
  type StreamElement,
  type TurnEndElement,
} from '../../../core/element.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import { Resampler } from '../../../audio/resample.ts';
import type { DuplexAnswers } from './answers.ts';
import type { DuplexLane } from './lane.ts';
import type { DuplexLink } from './link.ts';
import type { DuplexLog } from './log.ts';
import type { DuplexOptions } from './options.ts';
import type { DuplexTurns } from './turns.ts';
import type { DuplexUtterances } from './utterances.ts';

/** What {@link DuplexPerson} needs of the run. */
export interface DuplexPersonOptions {
  readonly name: string;
  readonly options: DuplexOptions;
  readonly context: StageContext;
  readonly turns: DuplexTurns;
  readonly log: DuplexLog;
  readonly link: DuplexLink;
  readonly utterances: DuplexUtterances;
  readonly answers: DuplexAnswers;
  readonly emit: (element: StreamElement) => void;
  /** A reply to the turn is to come. */
  readonly expect: (lane: DuplexLane) => void;
  /** Everything of turns ≤ `turn` is cut. */
  readonly interrupt: (turn: number) => void;
  /** The person said nothing after all. */
  readonly onDropped: () => void;
}

/** Takes the elements of the input, one at a time. */
export class DuplexPerson {
  readonly #run: DuplexPersonOptions;
  readonly #isLocal: boolean;
  #resampler: Resampler | undefined;
  #open: number | undefined;
  #isSpeaking = false;
  /** Nobody listens any more. */
  #isUnheard = false;

  constructor(run: DuplexPersonOptions) {
    this.#run = run;
    this.#isLocal = run.options.provider.turnDetection === 'local';
  }

  /** The turn the person is speaking (`local` detection). */
  get open(): number | undefined {
    return this.#open;
  }

  /** Takes one element. */
  take(item: StreamElement): void {
    const { turns, emit, interrupt } = this.#run;
    turns.see(item);
    if (this.#isUnheard && this.#isTooLate(item)) return;
    switch (item.kind) {
      case 'audio':
        return this.#hear(item);
      case 'speech-start':
        this.#start(item.turn);
        return emit(item);
      case 'speech-end':
        this.#isSpeaking = false;
        if (item.misfire) this.#drop(item.turn);
        return emit(item);
      case 'message':
        return this.#message(item);
      case 'text':
        return item.delta ? emit(item) : this.#say(item.turn, item.at, item.text);
      case 'turn-end':
        return this.#endTurn(item);
      case 'interrupt':
        interrupt(item.turn);
        return emit(item);
      case 'utterance':
      case 'end':
        return;
      default:
        emit(item);
    }
  }

  /** Nothing more comes: a turn that is being spoken is no turn. */
  end(): void {
    if (this.#open !== undefined) this.#drop(this.#open);
  }

  /** No session can be had: a turn that is being spoken ends here, and is not told as a message. */
  giveUp(): void {
    this.#isUnheard = true;
    const { turns, log, emit, name } = this.#run;
    const turn = this.#open;
    if (turn === undefined) return;
    this.#open = undefined;
    log.settle(turn);
    const facts = { turn, at: turns.at, source: name };
    if (this.#isSpeaking) emit(element('speech-end', { ...facts, misfire: false }));
    if (!turns.of(turn)) turns.endUntold(turn);
  }

  /** Whether an element is speech, or the end of a turn that has ended already or was never begun. */
  #isTooLate({ kind, turn }: StreamElement): boolean {
    if (kind === 'audio' || kind === 'speech-start' || kind === 'speech-end') return true;
    const lane = this.#run.turns.of(turn);
    return kind === 'turn-end' && (!lane || lane.turnEnd !== undefined);
  }

  #start(turn: number): void {
    const { log, link } = this.#run;
    this.#open = turn;
    this.#isSpeaking = true;
    log.add({ do: 'start', turn });
    link.session?.startTurn();
  }

  #hear({ samples, sampleRate, turn }: AudioElement): void {
    const { options, log, link, utterances } = this.#run;
    if (this.#isLocal && turn !== this.#open) return;
    const heard = this.#converted(samples, sampleRate, options.provider.inputSampleRate);
    const { session } = link;
    if (this.#isLocal || !session || utterances.isSpeaking)
      log.add({ do: 'audio', turn: this.#isLocal ? turn : 0, samples: heard });
    if (session) session.appendAudio(heard);
    else link.open();
  }

  #converted(samples: Float32Array, from: number, to: number): Float32Array {
    if (from === to) return samples;
    if (this.#resampler?.inputRate !== from) this.#resampler = new Resampler(from, to);
    const output = new Float32Array(this.#resampler.maxOutput(samples.length));
    return output.subarray(0, this.#resampler.process(samples, output));
  }

  #drop(turn: number): void {
    const { log, link, onDropped } = this.#run;
    if (this.#open === turn) this.#open = undefined;
    if (!log.has(turn)) return;
    log.settle(turn);
    link.session?.dropTurn();
    onDropped();
  }

  #message(item: MessageElement): void {
    const { turns, emit } = this.#run;
    const { message, turn, at } = item;
    const isOld = item.meta?.['fromHistory'] === true;
    if (isOld || message.role === 'system' || message.role === 'tool') {
      if (isOld) turns.keep(message);
      return emit(item);
    }
    const text = messageText(message);
    if (message.role === 'assistant') return this.#say(turn, at, text);
    const lane = turns.of(turn) ?? turns.open(turn, at, 'typed');
    lane.userText = [lane.userText, text].filter((said) => said !== '').join('\n');
    lane.userMessage = message;
    turns.order.user(turn, item);
  }

  #say(turn: number, at: number, text: string): void {
    const { turns, link, expect } = this.#run;
    const lane = turns.open(turn, at, 'said', text);
    link.session?.say(text);
    expect(lane);
  }

  #endTurn(item: TurnEndElement): void {
    const { turns, log, link, utterances, answers, context, emit, expect } = this.#run;
    const { turn, at } = item;
    if (this.#open === turn) this.#open = undefined;
    const isSpoken = log.has(turn);
    let lane = turns.of(turn);
    if (!lane && !isSpoken) {
      const due = this.#open === undefined ? answers.due() : undefined;
      if (!due) return emit(item);
      lane = turns.open(turn, at, 'said');
      lane.turnEnd = item;
      expect(lane);
      return link.session?.sendToolResults(due, true);
    }
    lane ??= turns.open(turn, at, 'spoken');
    // Cut in between, it has told its end without this element.
    if (lane.message) return emit(item);
    lane.turnEnd = item;
    if (lane.kind === 'said') return;
    context.emit('turn-committed', { turn, at });
    expect(lane);
    answers.send();
    if (isSpoken) {
      log.add({ do: 'end', turn });
      utterances.expect(String(turn), turn);
      link.session?.endTurn(String(turn));
    } else link.session?.sendText(lane.userText);
  }
}
