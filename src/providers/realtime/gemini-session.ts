/** One session of the Gemini Live API over a WebSocket. */
import type { ErrorData } from '../../core/errors.ts';
import type { ToolCall, Usage } from '../../core/element.ts';
import { arrayOf, recordOf, stringOf } from '../chat/json.ts';
import { callsOf, durationMs, liveUsage, partOf, toolResponse } from './gemini-messages.ts';
import { resultWords } from './openai-events.ts';
import { tellEmptyTurn } from './empty-turn.ts';
import { audioInput, GeminiTurn } from './gemini-turn.ts';
import type { JsonObject, JsonSocket } from './json-socket.ts';
import { decodePcmBase64 } from './pcm-base64.ts';
import type {
  RealtimeEvent,
  RealtimeSession,
  RealtimeToolResult,
  TurnDetection,
} from './realtime.ts';

/** Fragments of a transcript come this much later than the end of their turn, in ms. */
const lateTextMs = 200;

/** What a {@link GeminiSession} needs to know. */
export interface GeminiSessionOptions {
  readonly turnDetection: TurnDetection;
  /** Models that go on after `turnComplete`: only `interactionStatus: IDLE` ends their replies. */
  readonly endsWithStatus: boolean;
  readonly onEvent: (event: RealtimeEvent) => void;
}

/** The session, once the server has accepted its setup. */
export class GeminiSession implements RealtimeSession {
  /** The API tells by `goAway`. */
  readonly expiresAtMs: undefined;
  readonly #options: GeminiSessionOptions;
  readonly #socket: JsonSocket;
  readonly #turn: GeminiTurn;
  /** Calls without a result. */
  readonly #calls = new Set<string>();
  #replies = 0;
  #reply: string | undefined;
  /** Ends the reply a little after its turn. */
  #ending: ReturnType<typeof setTimeout> | undefined;
  /** Nothing of what is being said is wanted, up to the end of the server's turn. */
  #isMuted = false;
  /** The server has begun its turn and not ended it. */
  #isServersTurn = false;
  /** A reply was asked for here. */
  #isAwaiting = false;
  /** Nothing was asked since the reply began. */
  #isLatest = false;
  #utterances = 0;
  /** Whose words arrive. */
  #utterance: string | undefined;
  /** Words of a turn that has no name before it ends. */
  #early: string[] = [];
  /** Words of a reply whose speech has not come. */
  #ahead: string[] = [];
  #said = '';
  #isCommitted = true;
  #usage: Usage | undefined;

  constructor(socket: JsonSocket, options: GeminiSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#turn = new GeminiTurn(
      (message) => socket.send(message),
      () => this.#reply !== undefined,
      () => {
        // Words that come before are late ones of the turn before.
        this.#utterance = undefined;
        this.#early = [];
      },
    );
  }

  startTurn(): void {
    this.#turn.start();
  }

  appendAudio(samples: Float32Array): void {
    if (samples.length === 0) return;
    if (this.#options.turnDetection === 'local') this.#turn.append(samples);
    else this.#socket.send(audioInput(samples));
  }

  endTurn(utterance: string): void {
    if (!this.#turn.end()) return tellEmptyTurn(this.#options.onEvent, utterance);
    this.#ask();
    this.#utterance = utterance;
    this.#said = '';
    for (const text of this.#early.splice(0)) this.#hear(text);
  }

  dropTurn(): void {
    // The server answers whatever it was: that is not wanted.
    if (this.#turn.drop()) this.#isMuted = true;
  }

  sendText(text: string): void {
    this.#ask();
    this.#socket.send({ realtimeInput: { text } });
  }

  respond(): void {
    this.sendText('Please go on.');
  }

  say(text: string): void {
    this.sendText(`Say exactly the following, and nothing else:\n${text}`);
  }

  sendToolResults(results: readonly RealtimeToolResult[], respond: boolean): void {
    // The server has no use for those of calls it has cancelled.
    const wanted = results.filter(({ callId }) => this.#calls.delete(callId));
    if (wanted.length > 0) this.#socket.send(toolResponse(wanted, respond));
    else if (results.length > 0) {
      if (respond) this.sendText(results.map(resultWords).join('\n'));
      return;
    }
    const isOver = this.#ending !== undefined || !this.#isServersTurn;
    if (isOver || !respond) this.#finish('tool-calls');
    // It goes on by itself, in the same turn or in one of its own.
    if (!respond) this.#isMuted = this.#isServersTurn;
    else if (this.#reply === undefined) {
      this.#isAwaiting = true;
      this.#isMuted = false;
    }
  }

  /** The API has no such message: the server learns it from the person's activity, until then nothing is told. */
  cancelReply(): void {
    this.#calls.clear();
    if (this.#reply !== undefined) this.#finish('interrupted');
    else if (!this.#isAwaiting) return;
    this.#isMuted = this.#isServersTurn || this.#isAwaiting;
    this.#isAwaiting = false;
    this.#turn.tell();
  }

  /** The API can't be told; the conversation's history says what was heard. */
  truncate(): void {}

  close(): void {
    clearTimeout(this.#ending);
    this.#socket.close();
  }

  /** The socket is gone. */
  lost(error: ErrorData): void {
    clearTimeout(this.#ending);
    this.#options.onEvent({ type: 'closed', error });
  }

  /** Takes one message of the server; any of its parts may come with any other. */
  receive(message: JsonObject): void {
    const { onEvent } = this.#options;
    const usage = partOf(message, 'usageMetadata');
    if (usage) this.#usage = liveUsage(usage) ?? this.#usage;
    const resumption = partOf(message, 'sessionResumptionUpdate');
    const handle = stringOf(resumption?.['newHandle']);
    // Without a handle the last good one stays: the server is only busy.
    if (resumption?.['resumable'] === true && handle !== '') onEvent({ type: 'resumable', handle });
    const content = partOf(message, 'serverContent');
    if (content) this.#content(content);
    const called = partOf(message, 'toolCall');
    if (called) this.#call(callsOf(called));
    const cancelled = partOf(message, 'toolCallCancellation');
    if (cancelled) {
      const ids = arrayOf(cancelled['ids']).map(stringOf);
      for (const id of ids) this.#calls.delete(id);
      onEvent({ type: 'tools-cancelled', ids });
    }
    const goAway = partOf(message, 'goAway');
    if (goAway) onEvent({ type: 'expiring', inMs: durationMs(goAway['timeLeft']) });
  }

  #content(content: JsonObject): void {
    const heard = partOf(content, 'inputTranscription');
    if (heard) {
      this.#hear(stringOf(heard['text']));
      if (heard['finished'] === true) this.#heardAll();
    }
    for (const part of arrayOf(partOf(content, 'modelTurn')?.['parts']).map(recordOf))
      this.#say(part);
    this.#transcribe(stringOf(partOf(content, 'outputTranscription')?.['text']));
    if (content['generationComplete'] === true && this.#reply !== undefined)
      this.#options.onEvent({ type: 'audio-done', reply: this.#reply });
    if (content['interrupted'] === true) this.#interrupted();
    const isOver = this.#options.endsWithStatus
      ? content['interactionStatus'] === 'IDLE'
      : content['turnComplete'] === true;
    if (isOver) this.#turnOver();
  }

  #say(part: JsonObject): void {
    const data = stringOf(partOf(part, 'inlineData')?.['data']);
    const text = part['thought'] === true ? '' : stringOf(part['text']);
    if (data === '' && text === '') return;
    const reply = this.#begun();
    this.#transcribe(text);
    const samples = reply === undefined || data === '' ? undefined : decodePcmBase64(data);
    if (reply !== undefined && samples)
      this.#options.onEvent({ type: 'audio', reply, item: reply, samples });
  }

  /** Words of the reply; they begin none: they may be late ones of the last, or early ones of the next. */
  #transcribe(text: string): void {
    const reply = this.#reply;
    if (text === '' || this.#isMuted) return;
    if (reply === undefined) this.#ahead.push(text);
    else this.#options.onEvent({ type: 'text-delta', reply, item: reply, text });
  }

  #call(calls: readonly ToolCall[]): void {
    const reply = this.#begun();
    if (reply === undefined) return;
    for (const { id } of calls) this.#calls.add(id);
    const usage = this.#usage === undefined ? {} : { usage: this.#usage };
    this.#options.onEvent({ type: 'tool-calls', reply, calls, ...usage });
  }

  /** The reply that is being told, begun where none is; undefined while nothing is wanted. */
  #begun(): string | undefined {
    this.#isServersTurn = true;
    if (this.#isMuted) return undefined;
    // Whoever speaks on has not ended.
    clearTimeout(this.#ending);
    this.#ending = undefined;
    if (this.#reply !== undefined) return this.#reply;
    const { onEvent, turnDetection } = this.#options;
    if (turnDetection === 'server' && !this.#isAwaiting) this.#commit();
    this.#isLatest = this.#isAwaiting;
    this.#isAwaiting = false;
    this.#replies += 1;
    const reply = `reply-${this.#replies}`;
    this.#reply = reply;
    onEvent({ type: 'reply-started', reply });
    for (const text of this.#ahead.splice(0)) this.#transcribe(text);
    return reply;
  }

  /** The server answers: the person's turn, heard or not, was one. */
  #commit(): void {
    const utterance = this.#isCommitted ? this.#beginUtterance() : (this.#utterance ?? '');
    this.#isCommitted = true;
    this.#options.onEvent({ type: 'speech-stopped', utterance });
    this.#options.onEvent({ type: 'turn-committed', utterance });
  }

  #beginUtterance(): string {
    this.#utterances += 1;
    const utterance = `utterance-${this.#utterances}`;
    this.#utterance = utterance;
    this.#isCommitted = false;
    this.#said = '';
    this.#ahead = [];
    this.#options.onEvent({ type: 'speech-started', utterance });
    return utterance;
  }

  #hear(text: string): void {
    if (text === '') return;
    const { turnDetection, onEvent } = this.#options;
    if (turnDetection === 'local' && this.#utterance === undefined) {
      this.#early.push(text);
      return;
    }
    // After the server's turn words are a new utterance; before that they are late ones of the last.
    const isNew = turnDetection === 'server' && this.#isCommitted && this.#reply === undefined;
    const utterance =
      isNew || this.#utterance === undefined ? this.#beginUtterance() : this.#utterance;
    this.#said += text;
    onEvent({ type: 'user-transcript-delta', utterance, text });
  }

  #heardAll(): void {
    const utterance = this.#utterance;
    if (utterance !== undefined)
      this.#options.onEvent({ type: 'user-transcript', utterance, text: this.#said });
  }

  /** The person began to speak: the only sign of it this API gives. */
  #interrupted(): void {
    // Nobody here has interrupted it: the server hears only now of what it was taken to answer.
    const isStale = this.#options.turnDetection === 'local' && this.#isLatest;
    if (this.#reply !== undefined) this.#finish('interrupted', isStale);
    if (isStale) this.#isAwaiting = true;
    this.#calls.clear();
    this.#isMuted = this.#isServersTurn;
    if (this.#options.turnDetection === 'server' && this.#isCommitted) this.#beginUtterance();
  }

  #turnOver(): void {
    this.#isMuted = false;
    this.#isServersTurn = false;
    this.#ahead = [];
    if (this.#reply === undefined) return;
    clearTimeout(this.#ending);
    const reason = this.#calls.size > 0 ? 'tool-calls' : 'stop';
    this.#ending = setTimeout(() => this.#finish(reason), lateTextMs);
  }

  #finish(reason: 'stop' | 'interrupted' | 'tool-calls', isStale = false): void {
    clearTimeout(this.#ending);
    this.#ending = undefined;
    const reply = this.#reply;
    this.#reply = undefined;
    this.#isLatest = false;
    if (reply === undefined) return;
    const usage = this.#usage;
    this.#usage = undefined;
    this.#options.onEvent({
      type: 'reply-done',
      reply,
      reason,
      ...(usage === undefined ? {} : { usage }),
      ...(isStale ? { isStale } : {}),
    });
  }

  /** A reply is asked for: what the server still says of the last one has come to its end here. */
  #ask(): void {
    if (this.#ending !== undefined) this.#finish('stop');
    this.#isAwaiting = true;
    this.#isLatest = false;
    this.#ahead = [];
    if (!this.#isServersTurn) this.#isMuted = false;
  }
}
