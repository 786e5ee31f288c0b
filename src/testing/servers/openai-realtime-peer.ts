/** One session of the OpenAI Realtime server: keeps the conversation as the vendor would, and plays replies. */
import { recordOf, stringOf } from '../../providers/chat/json.ts';
import type { Gates } from './gates.ts';
import { OpenAIConversation, type ServedItem } from './openai-realtime-conversation.ts';
import { shapeProblem, type Json } from './openai-realtime-checks.ts';
import { playOpenAIReply, type ServedResponse } from './openai-realtime-response.ts';
import type { OpenAIRealtimeState } from './openai-realtime-server.ts';
import { bytesOfBase64, joined } from './pcm-bytes.ts';
import { breath, passGate, type ScriptedTranscript } from './realtime-script.ts';
import type { RoomSocket } from './room.ts';

/** What a session shares with its server. */
export interface OpenAIPeerOptions {
  readonly state: OpenAIRealtimeState;
  readonly model: string;
  readonly gates: Gates;
  readonly violations: string[];
  readonly isMute: boolean;
}

/** A connection of a client. */
export class OpenAIRealtimePeer {
  /** The settings as the client has made them. */
  settings: Json = {};
  /** The conversation as the server knows it. */
  readonly conversation: OpenAIConversation;
  /** Types of the client's events, in order; appended audio counts once in a row. */
  readonly received: string[] = [];
  /** What the client asked for with each `response.create` that was obeyed. */
  readonly requested: Json[] = [];
  /** Aborts when the connection is over. */
  readonly over: AbortSignal;
  readonly #socket: RoomSocket;
  readonly #options: OpenAIPeerOptions;
  readonly #over = new AbortController();
  #pending: Uint8Array[] = [];
  #response: ServedResponse | undefined;
  #events = 0;
  #responses = 0;
  #spoke = false;
  #speechItem: string | undefined;

  constructor(socket: RoomSocket, options: OpenAIPeerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.over = this.#over.signal;
    this.conversation = new OpenAIConversation((event) => this.send(event));
    socket.on('message', (data, isBinary) => this.#receive(String(data), isBinary));
    socket.on('close', () => this.#over.abort());
    socket.on('error', () => {});
    if (options.isMute) return;
    const seconds = options.state.script.lifetimeSeconds ?? 3600;
    this.send({
      type: 'session.created',
      session: {
        type: 'realtime',
        id: 'sess_1',
        model: options.model,
        expires_at: Math.floor(Date.now() / 1000) + seconds,
      },
    });
  }

  /** Samples of the audio that was appended and not committed yet. */
  get pendingSamples(): number {
    return this.#pending.reduce((sum, chunk) => sum + chunk.length / 2, 0);
  }

  /** Whether a response is running. */
  get responding(): boolean {
    return this.#response !== undefined;
  }

  /** Sends an event, numbered. */
  send(event: Json): void {
    this.#events += 1;
    this.frame(JSON.stringify({ event_id: `event_${this.#events}`, ...event }));
  }

  /** Sends a frame as it is. */
  frame(text: string): void {
    if (this.#socket.readyState === 1) this.#socket.send(text);
  }

  /** Server detection: the person begins to speak. */
  startSpeech(): void {
    this.#speechItem = this.conversation.reserve();
    const ms = Math.round(this.pendingSamples / 24);
    this.send({
      type: 'input_audio_buffer.speech_started',
      audio_start_ms: ms,
      item_id: this.#speechItem,
    });
    if (this.#detection['interrupt_response'] !== false) this.#cancel('turn_detected');
  }

  /** Server detection: the person has finished; commits, and answers. */
  stopSpeech(): void {
    const item_id = this.#speechItem ?? this.conversation.reserve();
    const audio_end_ms = Math.round(this.pendingSamples / 24);
    this.send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms, item_id });
    this.#commit(item_id);
    if (this.#detection['create_response'] !== false) this.#respond({}, 'server');
  }

  /** Ends the connection: cut, or closed with a code. */
  hangUp(code?: number, reason?: string): void {
    if (code === undefined) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** Says that the session is over, as the vendor does, and closes it. */
  expire(): void {
    this.#error('session_expired', 'Your session hit the maximum duration of 60 minutes.');
    this.hangUp(1001);
  }

  /** Holds something against the client. */
  violate(message: string): void {
    this.#options.violations.push(message);
  }

  get #detection(): Json {
    const input = recordOf(recordOf(this.settings['audio'])['input']);
    return recordOf(input['turn_detection']);
  }

  #receive(text: string, isBinary: boolean): void {
    if (isBinary) return this.#refuse('a binary frame');
    let event: Json;
    try {
      event = recordOf(JSON.parse(text));
    } catch {
      return this.#refuse('a frame that is no JSON');
    }
    const type = stringOf(event['type']);
    if (type !== 'input_audio_buffer.append' || this.received.at(-1) !== type)
      this.received.push(type);
    const problem = shapeProblem(event);
    if (problem !== undefined) return this.#refuse(problem, event);
    this.#obey(type, event);
  }

  #obey(type: string, event: Json): void {
    switch (type) {
      case 'session.update':
        this.#update(recordOf(event['session']), event);
        break;
      case 'input_audio_buffer.append':
        this.#pending.push(bytesOfBase64(stringOf(event['audio'])));
        break;
      case 'input_audio_buffer.commit':
        // The vendor takes nothing under 100 ms.
        if (this.pendingSamples < 2400)
          this.#refuse(
            'commit of a buffer with less than 100 ms',
            event,
            'input_audio_buffer_commit_empty',
          );
        else this.#commit(this.conversation.reserve());
        break;
      case 'input_audio_buffer.clear':
        this.#pending = [];
        this.send({ type: 'input_audio_buffer.cleared' });
        break;
      case 'response.create':
        this.#respond(recordOf(event['response']), 'client', event);
        break;
      case 'response.cancel':
        if (this.#response) this.#cancel('client_cancelled');
        else
          this.#error(
            'response_cancel_not_active',
            'Cancellation failed: no active response found',
            event,
          );
        break;
      default: {
        const problem = this.conversation.obey(type, event);
        if (problem !== undefined) this.#refuse(problem, event);
      }
    }
  }

  #update(session: Json, event: Json): void {
    const before = recordOf(recordOf(this.settings['audio'])['output'])['voice'];
    const voice = recordOf(recordOf(session['audio'])['output'])['voice'];
    if (this.#spoke && voice !== undefined && voice !== before)
      return this.#refuse('another voice after the session has spoken', event);
    if (session['model'] !== undefined && session['model'] !== this.#options.model)
      return this.#refuse('another model in a running session', event);
    this.settings = { ...this.settings, ...session };
    this.send({ type: 'session.updated', session: this.settings });
  }

  #commit(id: string): void {
    const pcm = joined(this.#pending);
    this.#pending = [];
    this.send({
      type: 'input_audio_buffer.committed',
      item_id: id,
      previous_item_id: this.conversation.last,
    });
    const item: ServedItem = this.conversation.addUserAudio(id, pcm);
    const { state } = this.#options;
    const transcript = state.script.transcripts?.[state.transcripts];
    state.transcripts += 1;
    if (transcript !== undefined) void this.#transcribe(item, transcript);
  }

  async #transcribe(item: ServedItem, transcript: ScriptedTranscript): Promise<void> {
    const facts = { item_id: item.id, content_index: 0 };
    const prefix = 'conversation.item.input_audio_transcription';
    if (typeof transcript !== 'string' && 'fault' in transcript) {
      if (transcript.fault === 'never') return;
      await breath();
      const error = { type: 'transcription_error', code: 'audio_unintelligible', message: 'no.' };
      this.send({ type: `${prefix}.failed`, ...facts, error });
      return;
    }
    if (typeof transcript !== 'string') {
      if (!(await passGate(this.#options.gates, transcript.gate, this.over))) return;
    } else
      for (let i = 6 * (this.#options.state.script.random?.() ?? 0); i >= 1; i -= 1) await breath();
    const text = typeof transcript === 'string' ? transcript : transcript.text;
    item.text = text;
    for (const word of text.match(/\S+\s*/g) ?? [])
      this.send({ type: `${prefix}.delta`, ...facts, delta: word });
    const usage = { type: 'duration', seconds: 1 };
    this.send({ type: `${prefix}.completed`, ...facts, transcript: text, usage });
  }

  #respond(request: Json, by: 'client' | 'server', event?: Json): void {
    if (this.#response) {
      const message = `Conversation already has an active response: ${this.#response.id}`;
      if (by === 'client' && this.#response.by === 'client')
        this.violate('response.create while a response runs');
      this.#error('conversation_already_has_active_response', message, event);
      return;
    }
    const { state, gates } = this.#options;
    const { replies = [], random = () => 0 } = state.script;
    const steps = replies[Math.min(state.replies, replies.length - 1)] ?? [];
    state.replies += 1;
    this.#responses += 1;
    const response: ServedResponse = {
      id: `resp_${Date.now().toString(36)}_${this.#responses}`,
      by,
      request,
      cancel: new AbortController(),
      reason: '',
    };
    this.#response = response;
    if (by === 'client') this.requested.push(request);
    void playOpenAIReply(steps, response, {
      peer: this,
      gates,
      random,
      onSpeech: () => (this.#spoke = true),
      onDone: () => (this.#response = undefined),
    });
  }

  #cancel(reason: string): void {
    if (!this.#response) return;
    this.#response.reason = reason;
    this.#response.cancel.abort();
  }

  #refuse(message: string, event?: Json, code = 'invalid_value'): void {
    this.violate(message);
    this.#error(code, message, event);
  }

  #error(code: string, message: string, event: Json = {}): void {
    const type = 'invalid_request_error';
    this.send({
      type: 'error',
      error: { type, code, message, param: null, event_id: event['event_id'] ?? null },
    });
  }
}
