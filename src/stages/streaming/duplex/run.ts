/** One run of `DuplexProviderStage`: joins the person, the session and the replies. */
import type { ChannelWriter } from '../../../core/channel/channel.ts';
import { element, messageText, type Message, type StreamElement } from '../../../core/element.ts';
import { serializeError, type AntiphonError, type ErrorData } from '../../../core/errors.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import type { RealtimeEvent, RealtimeSession } from '../../../providers/realtime/realtime.ts';
import { DuplexAnswers } from './answers.ts';
import { DuplexHeard } from './heard.ts';
import type { DuplexLane } from './lane.ts';
import { DuplexLink } from './link.ts';
import { DuplexLog } from './log.ts';
import type { DuplexOptions, DuplexSetup } from './options.ts';
import { DuplexPatience } from './patience.ts';
import { DuplexPerson } from './person.ts';
import { DuplexReplies } from './replies.ts';
import { DuplexServerTurns } from './server-turns.ts';
import { DuplexTurns } from './turns.ts';
import { DuplexUtterances } from './utterances.ts';

/** Where the run puts what it makes. */
export interface DuplexOutput {
  readonly writer: ChannelWriter<StreamElement>;
  /** Drops the speech of turns ≤ `turn` that still waits. */
  readonly discard: (turn: number) => void;
}

/** State of one run. */
export class DuplexRun {
  /** Takes the input. */
  readonly person: DuplexPerson;
  readonly #name: string;
  readonly #options: DuplexOptions;
  readonly #context: StageContext;
  readonly #output: DuplexOutput;
  readonly #turns: DuplexTurns;
  readonly #heard: DuplexHeard;
  readonly #link: DuplexLink;
  readonly #replies: DuplexReplies;
  readonly #log: DuplexLog;
  readonly #answers: DuplexAnswers;
  readonly #serverTurns: DuplexServerTurns;
  readonly #utterances: DuplexUtterances;
  readonly #patience: DuplexPatience;
  #isEnding = false;
  /** No session can be had any more. */
  #isLost = false;
  #isOver = false;

  constructor(name: string, options: DuplexOptions, context: StageContext, output: DuplexOutput) {
    const { provider, floor, maxWaitingAudioMs = 30_000 } = options;
    const emit = this.#emit;
    const common = { name, options, context, emit };
    this.#name = name;
    this.#options = options;
    this.#context = context;
    this.#output = output;
    this.#patience = new DuplexPatience(
      context.clock,
      options.replyTimeoutMs ?? 15_000,
      (lane, error) => this.#late(lane, error),
    );
    this.#turns = new DuplexTurns({ ...common, onWait: (turn) => this.#utterances.hurry(turn) });
    this.#log = new DuplexLog(provider.inputSampleRate, maxWaitingAudioMs, (turn, droppedMs) => {
      if (!this.#link.session) context.emit('audio-dropped', { turn, droppedMs });
    });
    this.#link = new DuplexLink(options, context, {
      setup: () => this.#setup(),
      onOpen: (session) => this.#resend(session),
      onEvent: (event, number) => this.#heed(event, number),
      onLost: () => this.#lost(),
      onExpiring: () => this.#pause(),
      onGivenUp: (error) => this.#giveUp(error),
    });
    this.#answers = new DuplexAnswers({
      ...common,
      link: this.#link,
      turns: this.#turns,
      isSpeaking: () => this.#isSpeaking,
    });
    this.#heard = new DuplexHeard({
      floor,
      sampleRate: options.outputSampleRate ?? provider.outputSampleRate,
      context,
      session: (number) => (number === this.#link.number ? this.#link.session : undefined),
      onHeard: (lane, heard) => this.#turns.hear(lane, heard),
      onSilent: () => this.#pause(),
    });
    this.#replies = new DuplexReplies({
      ...common,
      link: this.#link,
      order: this.#turns.order,
      heard: this.#heard,
      answers: this.#answers,
      writer: output.writer,
      laneFor: (utterance) => this.#laneFor(utterance),
      expect: (lane) => this.#expect(lane),
      begun: (lane) => this.#begun(lane),
      emitError: (turn, error) => this.#error(turn, error),
      onSettled: (lane) => {
        this.#patience.end(lane.turn);
        this.#log.settle(lane.turn);
        this.#pause();
        this.#finishIfDone();
      },
    });
    this.#utterances = new DuplexUtterances({
      ...common,
      at: () => this.#turns.at,
      onMessage: (turn, message, isKnown) => {
        this.#userSaid(turn, message, isKnown);
        if (message)
          this.#turns.order.user(turn, element('message', { ...this.#facts(turn), message }));
        else this.#turns.order.user(turn);
        this.#finishIfDone();
      },
      onAmended: (turn, message) => {
        this.#userSaid(turn, message, true);
        this.#turns.order.amend(element('message', { ...this.#facts(turn), message }));
      },
    });
    this.#serverTurns = new DuplexServerTurns({
      ...common,
      turns: this.#turns,
      utterances: this.#utterances,
      heard: this.#heard,
      log: this.#log,
      interrupt: (turn) => this.#interrupt(turn, false),
      expect: (lane) => this.#expect(lane),
    });
    this.person = new DuplexPerson({
      ...common,
      turns: this.#turns,
      log: this.#log,
      link: this.#link,
      utterances: this.#utterances,
      answers: this.#answers,
      expect: (lane) => this.#expect(lane),
      interrupt: (turn) => this.#interrupt(turn, true),
      onDropped: () => {
        this.#answers.tell();
        this.#pause();
      },
    });
  }

  /** Opens the session, before there is anything to send. */
  connect(): void {
    this.#link.open();
  }

  /** The input is over: what is under way is brought to its end, then the output closes. */
  end(): void {
    this.#isEnding = true;
    this.person.end();
    this.#finishIfDone();
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    this.#isOver = true;
    this.#link.close();
    this.#heard.close();
    this.#utterances.close();
    this.#patience.endAll();
    for (const lane of this.#turns.all) lane.cut.abort();
  }

  /** Cuts what is said to turns ≤ `turn`. `tell`: the server does not know. */
  #interrupt(turn: number, tell: boolean): void {
    this.#output.discard(turn);
    for (const lane of this.#turns.busy) if (lane.turn <= turn) this.#replies.cut(lane, tell);
    this.#heard.cutUpTo(turn);
  }

  #heed(event: RealtimeEvent, number: number): void {
    const utterances = this.#utterances;
    switch (event.type) {
      case 'speech-started':
        return this.#serverTurns.hears(event.utterance);
      case 'speech-stopped':
        return utterances.stopped(event.utterance);
      case 'turn-committed':
        return this.#serverTurns.commits(event.utterance);
      case 'user-transcript-delta':
        return utterances.fragment(event.utterance, event.text);
      case 'user-transcript':
        return utterances.whole(event.utterance, event.text);
      case 'user-transcript-failed':
        this.#error(utterances.turnOf(event.utterance) ?? this.#turns.latest, event.error);
        return utterances.failed(event.utterance);
      case 'error':
        return this.#error(this.#turns.latest, event.error);
      default:
        this.#replies.take(event, number);
    }
  }

  #userSaid(turn: number, message: Message | undefined, isKnown: boolean): void {
    const lane = this.#turns.of(turn);
    if (lane && message) {
      lane.userMessage = message;
      lane.userText = messageText(message);
    }
    // Words nobody knows can't be told to another session: the sound can.
    if (isKnown) this.#log.settle(turn);
  }

  /** The turn that a reply belongs to which begins now. */
  #laneFor(utterance: string | undefined): DuplexLane {
    const turn = utterance === undefined ? undefined : this.#utterances.turnOf(utterance);
    const asked = turn === undefined ? undefined : this.#turns.of(turn);
    if (asked) return asked;
    const busy = this.#turns.busy.filter(({ isOver }) => !isOver);
    return busy.find(({ isAwaiting }) => isAwaiting) ?? busy.at(-1) ?? this.#turns.openOwn();
  }

  #begun(lane: DuplexLane): void {
    lane.isAwaiting = false;
    this.#patience.end(lane.turn);
  }

  /** A reply must begin in time, or the connection is dead. */
  #expect(lane: DuplexLane): void {
    if (this.#isLost) return this.#replies.end(lane, 'error');
    lane.isAwaiting = true;
    this.#link.open();
    this.#patience.end(lane.turn);
    if (this.#link.session) this.#patience.begin(lane);
  }

  #late(lane: DuplexLane, error: AntiphonError): void {
    // Another session was asked already.
    if (lane.wasRetried) {
      this.#error(lane.turn, serializeError(error));
      this.#replies.end(lane, 'error');
    }
    lane.wasRetried = true;
    this.#link.lose(error);
  }

  async #setup(): Promise<DuplexSetup> {
    await this.#replies.toolsDone();
    const { systemPrompt, history } = this.#context.turn(this.#turns.latest);
    const tools = this.#options.tools?.offered ?? [];
    const given = (await this.#options.setup?.()) ?? { system: systemPrompt, history, tools };
    return { ...given, history: this.#turns.history(given.history) };
  }

  /** Tells a new session what no other has answered. */
  #resend(session: RealtimeSession): void {
    for (const lane of this.#turns.busy) {
      if (!lane.isAwaiting) continue;
      this.#expect(lane);
      if (this.#log.has(lane.turn)) this.#log.replay(lane.turn, session);
      else if (lane.rounds.length > 0 || lane.userText === '') session.respond();
      else if (lane.kind === 'said') session.say(lane.userText);
      else session.sendText(lane.userText);
    }
    if (this.person.open !== undefined) this.#log.replay(this.person.open, session);
    this.#log.replay(0, session);
    if (!this.#utterances.isSpeaking) this.#log.settle(0);
  }

  /** The session is gone: a reply that broke off is asked for again, once. */
  #lost(): void {
    for (const turn of this.#utterances.forgetSession()) this.#turns.endUntold(turn);
    this.#patience.endAll();
    for (const lane of this.#replies.breakOff())
      if (lane.wasRetried) this.#replies.end(lane, 'error');
      else {
        lane.wasRetried = true;
        lane.isAwaiting = true;
      }
  }

  /** No session can be had: every turn ends as it is, and so does the run. */
  #giveUp(error: AntiphonError): void {
    this.#isLost = true;
    this.#context.emit('realtime-given-up', serializeError(error));
    this.person.giveUp();
    for (const lane of this.#turns.busy) {
      lane.turnEnd ??= element('turn-end', this.#facts(lane.turn));
      this.#replies.end(lane, 'error');
    }
    this.#utterances.settleAll();
    this.#error(this.#turns.latest, serializeError(error));
    this.#isEnding = true;
    this.#finishIfDone();
  }

  /** Between two turns a session that ends soon is exchanged. */
  #pause(): void {
    if (!this.#link.isExpiring || this.#turns.busy.length > 0 || this.#heard.isAudible) return;
    if (!this.#isSpeaking) this.#link.exchange('pause');
  }

  get #isSpeaking(): boolean {
    return this.person.open !== undefined || this.#utterances.isSpeaking;
  }

  #finishIfDone(): void {
    if (!this.#isEnding || this.#isOver || this.#turns.order.waiting.length > 0) return;
    if (this.#turns.busy.length > 0) return;
    this.#isOver = true;
    this.#output.writer.close();
  }

  #error(turn: number, error: ErrorData): void {
    this.#emit(element('error', { ...this.#facts(turn), error: { ...error, stage: this.#name } }));
  }

  #facts(turn: number): { turn: number; at: number; source: string } {
    return { turn, at: this.#turns.at, source: this.#name };
  }

  readonly #emit = (item: StreamElement): void => {
    const { writer } = this.#output;
    if (this.#options.tell === true) this.#context.emit('element', item);
    if (item.kind === 'interrupt') writer.overtake(item);
    // Few and small: they wait behind at most one piece of speech.
    else writer.write(item).catch(() => {});
  };
}
