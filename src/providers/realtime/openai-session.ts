/** One session of the OpenAI Realtime API over a WebSocket. */
import type { ErrorData } from '../../core/errors.ts';
import type { ToolCall } from '../../core/element.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import { parseArguments } from '../reply-reader.ts';
import type { JsonObject, JsonSocket } from './json-socket.ts';
import { Keepalive } from './keepalive.ts';
import {
  errorOf,
  numberIn,
  reasonOf,
  resultItem,
  resultWords,
  usageOf,
  userItem,
} from './openai-events.ts';
import { tellEmptyTurn } from './empty-turn.ts';
import { ResponseTurns } from './openai-responses.ts';
import { decodePcmBase64, encodePcmBase64 } from './pcm-base64.ts';
import { remember } from './remember.ts';
import type {
  RealtimeEvent,
  RealtimeSession,
  RealtimeToolResult,
  TurnDetection,
} from './realtime.ts';

/** Of the audio in both directions, in hertz. */
export const openAIRate = 24_000;

/** The server takes no shorter turn, in samples. */
const shortestTurn = openAIRate / 10;

/** Refusals that only say that the server was faster; nothing is wrong. */
const harmless = new Set(['response_cancel_not_active', 'input_audio_buffer_commit_empty']);

/** What an {@link OpenAISession} needs to know. */
export interface OpenAISessionOptions {
  readonly turnDetection: TurnDetection;
  /** Public address, for errors. */
  readonly where: string;
  readonly onEvent: (event: RealtimeEvent) => void;
  /** Silence of the server after which it is asked for a sign of life, and again for giving it up, in ms. */
  readonly keepaliveMs: number;
  /** Whether the settings make the model call a tool; it is free again where it goes on. */
  readonly mustCall: boolean;
}

/** The session, once the server has accepted its settings. */
export class OpenAISession implements RealtimeSession {
  expiresAtMs: number | undefined;
  readonly #options: OpenAISessionOptions;
  readonly #socket: JsonSocket;
  readonly #responses: ResponseTurns;
  /** Speech received per item, in samples; of the last ones. */
  readonly #items = new Map<string, number>();
  readonly #calls: ToolCall[] = [];
  /** Calls of this session without a result. */
  readonly #open = new Set<string>();
  /** Utterances that were committed here and have no item yet, oldest first. */
  readonly #committed: string[] = [];
  readonly #utterances = new Map<string, string>();
  #appended = 0;
  #refusals = 0;
  readonly #keepalive: Keepalive;

  constructor(socket: JsonSocket, options: OpenAISessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#responses = new ResponseTurns((message) => socket.send(message));
    // An update that changes nothing is answered all the same.
    this.#keepalive = new Keepalive(
      options.keepaliveMs,
      (count) =>
        socket.send({
          type: 'session.update',
          event_id: `ping-${count}`,
          session: { type: 'realtime' },
        }),
      () => socket.lose('has not answered for too long'),
    );
  }

  /** See {@link RealtimeSession}; the API has no start of a turn. */
  startTurn(): void {}

  appendAudio(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#appended += samples.length;
    this.#socket.send({ type: 'input_audio_buffer.append', audio: encodePcmBase64(samples) });
  }

  endTurn(utterance: string): void {
    if (this.#appended < shortestTurn) {
      // Committing it is an error, and there is nothing to answer.
      this.dropTurn();
      tellEmptyTurn(this.#options.onEvent, utterance);
      return;
    }
    this.#appended = 0;
    this.#committed.push(utterance);
    this.#socket.send({ type: 'input_audio_buffer.commit' });
    this.#responses.request();
  }

  dropTurn(): void {
    if (this.#appended === 0) return;
    this.#appended = 0;
    this.#socket.send({ type: 'input_audio_buffer.clear' });
  }

  sendText(text: string): void {
    this.#create(userItem(text));
    this.#responses.request();
  }

  respond(): void {
    this.#responses.request(this.#options.mustCall ? { tool_choice: 'auto' } : {});
  }

  say(text: string): void {
    const instructions = `Say exactly the following, and nothing else:\n${text}`;
    this.#responses.request({ instructions, tool_choice: 'none' });
  }

  sendToolResults(results: readonly RealtimeToolResult[], respond: boolean): void {
    for (const result of results)
      if (this.#open.delete(result.callId)) this.#create(resultItem(result));
      else this.#create(userItem(resultWords(result)));
    if (respond) this.respond();
  }

  cancelReply(): void {
    this.#responses.cancel();
  }

  truncate(item: string, playedMs: number): void {
    const received = this.#items.get(item);
    if (received === undefined) return;
    const receivedMs = (received * 1000) / openAIRate;
    this.#socket.send({
      type: 'conversation.item.truncate',
      item_id: item,
      content_index: 0,
      audio_end_ms: Math.max(0, Math.floor(Math.min(playedMs, receivedMs))),
    });
  }

  close(): void {
    this.#keepalive.close();
    this.#socket.close();
  }

  /** The socket is gone. */
  lost(error: ErrorData): void {
    this.#keepalive.close();
    this.#options.onEvent({ type: 'closed', error });
  }

  /** Takes one event of the server. */
  receive(message: JsonObject): void {
    this.#keepalive.heard();
    const { onEvent } = this.#options;
    const item = stringOf(message['item_id']);
    switch (message['type']) {
      case 'input_audio_buffer.speech_started':
        // The server cancels what runs, and knows nothing of what was asked for meanwhile.
        this.#responses.forgo();
        onEvent({
          type: 'speech-started',
          utterance: item,
          ...atMs(message, 'audio_start_ms'),
        });
        break;
      case 'input_audio_buffer.speech_stopped':
        onEvent({ type: 'speech-stopped', utterance: item, ...atMs(message, 'audio_end_ms') });
        break;
      case 'input_audio_buffer.committed':
        this.#commit(item);
        break;
      case 'conversation.item.input_audio_transcription.delta':
        onEvent({
          type: 'user-transcript-delta',
          utterance: this.#utterance(item),
          text: stringOf(message['delta']),
        });
        break;
      case 'conversation.item.input_audio_transcription.completed':
        onEvent({
          type: 'user-transcript',
          utterance: this.#utterance(item),
          text: stringOf(message['transcript']),
        });
        break;
      case 'conversation.item.input_audio_transcription.failed':
        onEvent({
          type: 'user-transcript-failed',
          utterance: this.#utterance(item),
          error: errorOf(recordOf(message['error']), this.#options.where),
        });
        break;
      case 'error':
        this.#refused(recordOf(message['error']));
        break;
      default:
        this.#receiveResponse(message, item);
    }
  }

  #receiveResponse(message: JsonObject, item: string): void {
    const { onEvent } = this.#options;
    const response = recordOf(message['response']);
    const reply = stringOf(message['response_id']) || stringOf(response['id']);
    if (message['type'] === 'response.created') {
      this.#calls.length = 0;
      if (this.#responses.created(reply)) onEvent({ type: 'reply-started', reply });
      return;
    }
    if (message['type'] === 'response.done') {
      this.#done(reply, response);
      return;
    }
    // Late deltas of a reply nobody wants still arrive.
    if (reply === '' || !this.#responses.wants(reply)) return;
    switch (message['type']) {
      case 'response.output_audio.delta':
        this.#audio(reply, item, stringOf(message['delta']));
        break;
      case 'response.output_audio_transcript.delta':
      case 'response.output_text.delta':
        onEvent({ type: 'text-delta', reply, item, text: stringOf(message['delta']) });
        break;
      case 'response.output_item.done':
        this.#noteCall(recordOf(message['item']));
        break;
      default:
    }
  }

  #audio(reply: string, item: string, delta: string): void {
    const samples = decodePcmBase64(delta);
    if (!samples) {
      const error = { message: 'A delta of audio is no base64 of 16-bit PCM.', code: '' };
      this.#options.onEvent({ type: 'error', error: errorOf(error, this.#options.where) });
      return;
    }
    remember(this.#items, item, (this.#items.get(item) ?? 0) + samples.length);
    this.#options.onEvent({ type: 'audio', reply, item, samples });
  }

  /** Calls count only when their response ends well: a cancelled one tells its calls too. */
  #noteCall(item: JsonObject): void {
    if (item['type'] !== 'function_call') return;
    this.#calls.push({
      id: stringOf(item['call_id']),
      name: stringOf(item['name']),
      arguments: parseArguments(stringOf(item['arguments'])),
    });
  }

  #done(reply: string, response: JsonObject): void {
    const wanted = this.#responses.wants(reply);
    const calls = this.#calls.splice(0);
    const reason = wanted ? reasonOf(response) : 'interrupted';
    const usage = usageOf(response);
    const failure = recordOf(recordOf(response['status_details'])['error']);
    const { onEvent } = this.#options;
    if (wanted) onEvent({ type: 'audio-done', reply });
    if (wanted && reason === 'stop' && calls.length > 0) {
      for (const { id } of calls) this.#open.add(id);
      onEvent({ type: 'tool-calls', reply, calls, ...(usage === undefined ? {} : { usage }) });
    }
    onEvent({
      type: 'reply-done',
      reply,
      reason: reason === 'stop' && calls.length > 0 ? 'tool-calls' : reason,
      ...(usage === undefined ? {} : { usage }),
      ...(reason === 'error' ? { error: errorOf(failure, this.#options.where) } : {}),
    });
    this.#responses.done(reply);
  }

  #commit(item: string): void {
    const own = this.#committed.shift();
    if (own !== undefined) remember(this.#utterances, item, own);
    else if (this.#options.turnDetection === 'server')
      this.#options.onEvent({ type: 'turn-committed', utterance: item });
  }

  #utterance(item: string): string {
    return this.#utterances.get(item) ?? item;
  }

  #refused(error: JsonObject): void {
    const code = stringOf(error['code']);
    const event = stringOf(error['event_id']);
    if (event.startsWith('ping-') || harmless.has(code)) return;
    // Older servers gave no code for it.
    if (stringOf(error['message']).startsWith('Cancellation failed')) return;
    if (code === 'conversation_already_has_active_response') {
      this.#responses.refused(event);
      return;
    }
    if (code === 'session_expired') {
      this.#options.onEvent({ type: 'expiring', inMs: 0 });
      return;
    }
    const { onEvent, where } = this.#options;
    const told = errorOf(error, where);
    if (!this.#responses.failed(event)) return onEvent({ type: 'error', error: told });
    this.#refusals += 1;
    const reply = `refused-${this.#refusals}`;
    onEvent({ type: 'reply-started', reply });
    onEvent({ type: 'reply-done', reply, reason: 'error', error: told });
  }

  #create(item: JsonObject): void {
    this.#socket.send({ type: 'conversation.item.create', item });
  }
}

function atMs(message: JsonObject, key: string): { readonly atMs?: number } {
  const ms = numberIn(message, key);
  return ms === undefined ? {} : { atMs: ms };
}
