/** The model's side of a realtime conversation: what it says, in sound and in words, and the tools it calls. */
import type { ChannelWriter } from '../../../core/channel/channel.ts';
import { element, textMessage, type StreamElement } from '../../../core/element.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import type { RealtimeEvent } from '../../../providers/realtime/realtime.ts';
import { addUsage } from '../../../providers/usage.ts';
import { resultMessage } from '../../../providers/tool-result.ts';
import { resultOf, type DuplexAnswers } from './answers.ts';
import type { DuplexHeard } from './heard.ts';
import type { DuplexLane } from './lane.ts';
import type { DuplexLink } from './link.ts';
import type { DuplexOptions } from './options.ts';
import type { DuplexOrder } from './order.ts';

/** What the replies need of the rest of the run. */
export interface DuplexRepliesOptions {
  readonly name: string;
  readonly options: DuplexOptions;
  readonly context: StageContext;
  readonly link: DuplexLink;
  readonly order: DuplexOrder;
  readonly heard: DuplexHeard;
  readonly answers: DuplexAnswers;
  readonly writer: ChannelWriter<StreamElement>;
  /** The turn a reply belongs to that begins now; `utterance`: what it answers, where that is known. */
  readonly laneFor: (utterance: string | undefined) => DuplexLane;
  /** A reply to the turn is to come. */
  readonly expect: (lane: DuplexLane) => void;
  /** It has come. */
  readonly begun: (lane: DuplexLane) => void;
  readonly emitError: (
    turn: number,
    error: Extract<RealtimeEvent, { type: 'error' }>['error'],
  ) => void;
  /** The reply's message was told. */
  readonly onSettled: (lane: DuplexLane) => void;
}

type CallEvent = Extract<RealtimeEvent, { type: 'tool-calls' }>;

/** Takes the events about replies. */
export class DuplexReplies {
  readonly #run: DuplexRepliesOptions;
  readonly #lanes = new Map<string, DuplexLane>();
  readonly #pumped = new WeakSet<DuplexLane>();
  readonly #tools = new Set<Promise<void>>();
  /** Whose calls are being run. */
  readonly #calls = new Map<string, DuplexLane>();
  #speaking: Promise<void> = Promise.resolve();

  constructor(run: DuplexRepliesOptions) {
    this.#run = run;
    const { context, options, order } = run;
    // In their place between the elements, so that a call has been told before what becomes of it.
    options.tools?.listen?.((news) => {
      if (news.type === 'tool-late') return run.answers.take(news.outcome);
      const { type, ...detail } = news;
      return order.reply(detail.turn, () => context.emit(type, detail));
    });
  }

  /** Resolves when no tool is at work. */
  async toolsDone(): Promise<void> {
    while (this.#tools.size > 0) await Promise.all(this.#tools);
  }

  /** Takes an event of the session of this number. */
  take(event: RealtimeEvent, session: number): void {
    if (event.type === 'reply-started') return this.#start(event.reply, event.utterance);
    if (event.type === 'tools-cancelled') {
      // Servers do so after an interruption: the reply is not wanted any more.
      for (const id of event.ids) {
        const lane = this.#calls.get(id);
        if (lane) this.cut(lane, false);
      }
      return;
    }
    if (!('reply' in event)) return;
    const lane = this.#lanes.get(event.reply);
    if (!lane) return;
    // A server may go on in the same reply with what it was given.
    if (lane.isAwaiting && event.type !== 'reply-done') this.#run.begun(lane);
    if (event.type === 'audio') this.#audio(lane, session, event.item, event.samples);
    else if (event.type === 'text-delta') this.#text(lane, `${session} ${event.item}`, event.text);
    else if (event.type === 'audio-done') lane.speech.endAudio();
    else if (event.type === 'tool-calls') this.#call(lane, event, session);
    else if (event.type === 'reply-done') this.#done(lane, event);
    lane.changed();
  }

  /** Nothing more of a reply is wanted. `tell`: the server has to hear of it. */
  cut(lane: DuplexLane, tell: boolean): void {
    if (lane.message) return;
    if (tell && (lane.isAwaiting || lane.response !== undefined))
      this.#run.link.session?.cancelReply();
    lane.cut.abort();
    lane.speech.drop();
    this.end(lane, lane.isOver ? lane.reason : 'interrupted');
    this.#settle(lane);
  }

  /** The session of these replies is gone: each of them is whole as it is. */
  breakOff(): readonly DuplexLane[] {
    const broken = [...new Set(this.#lanes.values())].filter(
      (lane) => lane.response !== undefined && !lane.isOver,
    );
    this.#lanes.clear();
    for (const lane of broken) {
      lane.response = undefined;
      lane.speech.complete();
      lane.changed();
    }
    return broken;
  }

  /** Nothing more comes of a reply; its message is told when its speech is on its way. */
  end(lane: DuplexLane, reason: string): void {
    lane.isOver = true;
    lane.isAwaiting = false;
    lane.response = undefined;
    lane.reason = reason;
    lane.speech.complete();
    for (const [reply, other] of this.#lanes) if (other === lane) this.#lanes.delete(reply);
    this.#speak(lane);
    lane.changed();
  }

  #start(reply: string, utterance: string | undefined): void {
    const lane = this.#run.laneFor(utterance);
    this.#run.begun(lane);
    lane.response = reply;
    this.#lanes.set(reply, lane);
    lane.changed();
  }

  #audio(
    lane: DuplexLane,
    session: number,
    item: string,
    samples: Float32Array<ArrayBuffer>,
  ): void {
    const { context, options } = this.#run;
    if (lane.speech.items.length === 0) context.emit('first-audio', { turn: lane.turn });
    lane.speech.addAudio(session, item, samples);
    this.#speak(lane);
    if (lane.speech.receivedMs <= (options.maxReplyMs ?? 300_000)) return;
    context.emit('reply-too-long', { turn: lane.turn, receivedMs: lane.speech.receivedMs });
    this.#run.link.session?.cancelReply();
    this.end(lane, 'length');
  }

  #text(lane: DuplexLane, item: string, text: string): void {
    const { context, name, order } = this.#run;
    if (lane.generated === '') context.emit('first-token', { turn: lane.turn });
    const added = lane.write(text, item);
    lane.speech.addText(added);
    order.reply(
      lane.turn,
      element('text', {
        ...this.#facts(lane),
        source: name,
        text: added,
        delta: true,
        role: 'assistant',
      }),
    );
  }

  #done(lane: DuplexLane, event: Extract<RealtimeEvent, { type: 'reply-done' }>): void {
    this.#lanes.delete(event.reply);
    lane.response = undefined;
    lane.usage = addUsage(lane.usage, event.usage);
    if (event.error) this.#run.emitError(lane.turn, event.error);
    if (event.isStale === true) {
      lane.speech.complete();
      this.#run.expect(lane);
    } else if (event.reason === 'tool-calls') lane.speech.complete();
    else this.end(lane, event.reason);
  }

  #call(lane: DuplexLane, event: CallEvent, session: number): void {
    const { calls } = event;
    lane.calling += 1;
    const work = this.#runTools(lane, event, session)
      .catch(() => {
        // Only an abort rejects.
      })
      .then(() => {
        lane.calling -= 1;
        // Cut meanwhile, it waited for what becomes of its calls.
        if (lane.cut.signal.aborted && lane.isOver) this.#settle(lane);
      });
    for (const { id } of calls) this.#calls.set(id, lane);
    this.#tools.add(work);
    void work.finally(() => {
      this.#tools.delete(work);
      for (const { id } of calls) this.#calls.delete(id);
    });
  }

  async #runTools(lane: DuplexLane, { calls, usage }: CallEvent, session: number): Promise<void> {
    const { options, order, link, answers, emitError, expect } = this.#run;
    const facts = this.#facts(lane);
    for (const call of calls) order.reply(lane.turn, element('tool-call', { ...facts, call }));
    const tools = options.tools ?? noTools;
    const { signal } = lane.cut;
    const round = await tools.run(lane.turn, calls, {
      signal,
      provider: options.provider.id,
      ...(usage === undefined ? {} : { usage }),
    });
    const { open = [], error } = round;
    const known = answers.open(lane, open);
    const results = [
      ...round.results,
      ...known.map((outcome) => ({ ...resultOf(outcome), result: outcome.result })),
    ];
    const goOn = round.goOn && open.length === known.length;
    for (const { callId, name, result, isError } of results)
      order.reply(lane.turn, element('tool-result', { ...facts, callId, name, result, isError }));
    const said = lane.generated.slice(lane.roundsText);
    lane.roundsText = lane.generated.length;
    lane.rounds.push(
      textMessage('assistant', said, { toolCalls: calls, finishReason: 'tool-calls' }),
      ...results.map(({ callId, text }) => textMessage('tool', text, { toolCallId: callId })),
    );
    for (const outcome of open)
      if (!known.some(({ call }) => call.id === outcome.call.id)) {
        lane.rounds.push(resultMessage(outcome.call, outcome.text));
        lane.open.push({ outcome, turn: lane.turn });
      }
    if (link.number === session) link.session?.sendToolResults(results, goOn && !signal.aborted);
    if (signal.aborted) return;
    if (error) emitError(lane.turn, error);
    if (goOn) expect(lane);
    else this.end(lane, error ? 'error' : 'tool-calls');
  }

  /** Hands the pieces of a reply out while they come, one reply after the other; then tells its message. */
  #speak(lane: DuplexLane): void {
    if (this.#pumped.has(lane)) return;
    this.#pumped.add(lane);
    this.#speaking = this.#speaking.then(async () => {
      try {
        await this.#pump(lane);
      } catch {
        // Cut, or nobody reads any more.
      }
      if (lane.isOver) this.#settle(lane);
    });
  }

  async #pump(lane: DuplexLane): Promise<void> {
    const { writer, heard } = this.#run;
    const { signal } = lane.cut;
    while (!signal.aborted) {
      const { change } = lane;
      const piece = lane.speech.next();
      if (piece) {
        if (lane.spokeAtMs === undefined) heard.begin(lane);
        await writer.write(piece, { signal });
      } else if (lane.isOver) break;
      else await change;
    }
    const last = signal.aborted ? undefined : lane.speech.last();
    if (last) await writer.write(last, { signal });
  }

  #settle(lane: DuplexLane): void {
    if (lane.message || (lane.calling > 0 && lane.cut.signal.aborted)) return;
    const { order, onSettled, options } = this.#run;
    const message = lane.finish(this.#run.answers.pending(lane));
    order.reply(lane.turn, element('message', { ...this.#facts(lane), message }));
    if (lane.turnEnd) order.reply(lane.turn, lane.turnEnd);
    order.close(lane.turn);
    options.tools?.end(lane.turn);
    onSettled(lane);
  }

  #facts(lane: DuplexLane): { turn: number; at: number; source: string } {
    return { turn: lane.turn, at: lane.at, source: this.#run.name };
  }
}

const noTools: NonNullable<DuplexOptions['tools']> = {
  offered: [],
  run: (_turn, calls) =>
    Promise.resolve({
      goOn: true,
      results: calls.map(({ id, name }) => {
        const text = `There is no tool named ${name}.`;
        return { callId: id, name, result: text, text, isError: true };
      }),
    }),
  end: () => {},
};
