/** One session of the Gemini Live server: follows activity as the vendor would, and plays replies. */
import { recordOf, stringOf } from '../../providers/chat/json.ts';
import type { Gates } from './gates.ts';
import { liveProblem } from './gemini-live-checks.ts';
import type { GeminiLiveState } from './gemini-live-server.ts';
import { bytesOfBase64, joined } from './pcm-bytes.ts';
import { breath, deltasOf, passGate, type RealtimeStep } from './realtime-script.ts';
import type { RoomSocket } from './room.ts';

type Json = Readonly<Record<string, unknown>>;

/** A connection of a client. */
export class GeminiLivePeer {
  /** The setup, once it came. */
  setup: Json = {};
  /** Texts of the seeded history. */
  readonly history: string[] = [];
  /** What the client sent, audio counted once in a row: `activityStart`, `audio`, `text: …`, `result: …`. */
  readonly received: string[] = [];
  /** The audio of each activity, 16 kHz. */
  readonly utterances: Uint8Array[] = [];
  /** Aborts when the connection is over. */
  readonly over: AbortSignal;
  readonly #socket: RoomSocket;
  readonly #state: GeminiLiveState;
  readonly #gates: Gates;
  readonly #violations: string[];
  readonly #over = new AbortController();
  readonly #calls = new Map<string, () => void>();
  /** Calls that were cancelled: their results may be on their way already. */
  readonly #cancelled = new Set<string>();
  #audio: Uint8Array[] = [];
  #isSetUp = false;
  #isActive = false;
  #reply: AbortController | undefined;
  /** Replies that have not begun. */
  readonly #queued = new Set<AbortController>();
  #handles = 0;

  constructor(socket: RoomSocket, state: GeminiLiveState, gates: Gates, violations: string[]) {
    this.#socket = socket;
    this.#state = state;
    this.#gates = gates;
    this.#violations = violations;
    this.over = this.#over.signal;
    socket.on('message', (data) => this.#receive(String(data)));
    socket.on('close', () => this.#over.abort());
    socket.on('error', () => {});
  }

  /** Sends a message, as the vendor does: JSON in a binary frame. */
  send(message: Json): void {
    if (this.#socket.readyState === 1)
      this.#socket.send(new TextEncoder().encode(JSON.stringify(message)));
  }

  /** Ends the connection: cut, or closed with a code. */
  hangUp(code?: number, reason?: string): void {
    if (code === undefined) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** Says that the connection ends in so many seconds. */
  goAway(seconds: number): void {
    this.send({ goAway: { timeLeft: `${seconds}s` } });
  }

  /** Gives a fresh handle to resume by; empty and not resumable while a reply is made. */
  giveHandle(): void {
    this.#handles += 1;
    const busy = this.#reply !== undefined;
    const newHandle = busy ? '' : `handle-${this.#handles}`;
    this.send({ sessionResumptionUpdate: { newHandle, resumable: !busy } });
  }

  /** Automatic detection: the person speaks, which interrupts, and has spoken. */
  hear(): void {
    this.#interrupt();
    this.#heard();
  }

  get #isAutomatic(): boolean {
    const config = recordOf(this.setup['realtimeInputConfig']);
    return recordOf(config['automaticActivityDetection'])['disabled'] !== true;
  }

  #receive(text: string): void {
    let message: Json;
    try {
      message = recordOf(JSON.parse(text));
    } catch {
      return this.#refuse('a frame that is no JSON');
    }
    const problem = liveProblem(message);
    if (problem !== undefined) return this.#refuse(problem);
    if ('setup' in message) return this.#open(recordOf(message['setup']));
    if (!this.#isSetUp) return this.#refuse('a message before setupComplete');
    if ('clientContent' in message) return this.#seed(recordOf(message['clientContent']));
    if ('toolResponse' in message) return this.#answered(recordOf(message['toolResponse']));
    this.#input(recordOf(message['realtimeInput']));
  }

  #open(setup: Json): void {
    if (this.#isSetUp) return this.#refuse('a second setup');
    const handle = stringOf(recordOf(setup['sessionResumption'])['handle']);
    if (this.#state.script.deadHandles?.includes(handle) === true)
      return this.hangUp(1007, 'Request contains an invalid argument.');
    this.setup = setup;
    // Complete only a moment later: whoever does not wait is found out.
    void breath().then(() => {
      this.#isSetUp = true;
      this.send({ setupComplete: {} });
    });
  }

  #seed({ turns }: Json): void {
    if (recordOf(this.setup['historyConfig'])['initialHistoryInClientContent'] !== true)
      return this.#refuse('clientContent without historyConfig.initialHistoryInClientContent');
    for (const turn of (Array.isArray(turns) ? turns : []).map(recordOf)) {
      const parts = Array.isArray(turn['parts']) ? turn['parts'].map(recordOf) : [];
      const text = parts.map((part) => stringOf(part['text'])).join('');
      this.history.push(`${stringOf(turn['role'])}: ${text}`);
    }
  }

  #input(input: Json): void {
    if ('audio' in input) {
      if (this.received.at(-1) !== 'audio') this.received.push('audio');
      if (!this.#isAutomatic && !this.#isActive) return this.#refuse('audio outside of activity');
      this.#audio.push(bytesOfBase64(stringOf(recordOf(input['audio'])['data'])));
    } else if ('text' in input) {
      this.received.push(`text: ${stringOf(input['text'])}`);
      this.#interrupt();
      void this.#play();
    } else this.#activity(input);
  }

  #activity(input: Json): void {
    const [kind = ''] = Object.keys(input);
    this.received.push(kind);
    const isAutomatic = this.#isAutomatic;
    if (kind === 'audioStreamEnd')
      return isAutomatic ? undefined : this.#refuse('audioStreamEnd without automatic detection');
    if (isAutomatic) return this.#refuse(`${kind} while detection is automatic`);
    const starts = kind === 'activityStart';
    if (starts === this.#isActive) return this.#refuse(`${kind} out of order`);
    this.#isActive = starts;
    if (starts) this.#interrupt();
    else this.#heard();
  }

  #heard(): void {
    this.utterances.push(joined(this.#audio));
    this.#audio = [];
    void this.#transcribe();
    void this.#play();
  }

  async #transcribe(): Promise<void> {
    const transcript = this.#state.script.transcripts?.[this.#state.transcripts];
    this.#state.transcripts += 1;
    // Activity interrupts at once; its words are known later.
    while (this.#reply?.signal.aborted) await breath();
    if (transcript === undefined) return;
    if (typeof transcript !== 'string' && 'fault' in transcript) return;
    if (typeof transcript !== 'string') {
      if (!(await passGate(this.#gates, transcript.gate, this.over))) return;
    }
    const text = typeof transcript === 'string' ? transcript : transcript.text;
    for (const word of text.match(/\S+\s*/g) ?? [])
      this.send({ serverContent: { inputTranscription: { text: word } } });
  }

  #interrupt(): void {
    this.#reply?.abort();
    // Whoever speaks on wants no answer to what they said before.
    for (const queued of this.#queued) queued.abort();
  }

  async #play(): Promise<void> {
    const { replies = [] } = this.#state.script;
    const steps = replies[Math.min(this.#state.replies, replies.length - 1)] ?? [];
    this.#state.replies += 1;
    const reply = new AbortController();
    this.#queued.add(reply);
    while (this.#reply) await breath();
    this.#queued.delete(reply);
    if (this.over.aborted || reply.signal.aborted) return;
    this.#reply = reply;
    const over = AbortSignal.any([reply.signal, this.over]);
    let late: string | undefined;
    for (const [index, step] of steps.entries()) {
      await breath();
      if (over.aborted) break;
      // The last words of a turn come behind its end.
      if (index === steps.length - 1 && 'say' in step) late = await this.#say(step, over, true);
      else if (await this.#step(step, over)) return;
    }
    await breath();
    this.#reply = undefined;
    if (reply.signal.aborted) {
      const ids = [...this.#calls.keys()];
      for (const id of ids) this.#cancelled.add(id);
      this.#calls.clear();
      if (ids.length > 0) this.send({ toolCallCancellation: { ids } });
      this.send({ serverContent: { interrupted: true } });
      this.send({ serverContent: { turnComplete: true } });
      return;
    }
    this.send({ serverContent: { generationComplete: true } });
    const usageMetadata = { promptTokenCount: 7, responseTokenCount: 9, totalTokenCount: 16 };
    this.send({ serverContent: { turnComplete: true }, usageMetadata });
    if (late !== undefined) this.send({ serverContent: { outputTranscription: { text: late } } });
  }

  /** Plays one step; true when nothing may follow. */
  async #step(step: RealtimeStep, over: AbortSignal): Promise<boolean> {
    if ('say' in step) await this.#say(step, over, false);
    else if ('call' in step) await this.#call(step.call, over);
    else if ('gate' in step) await passGate(this.#gates, step.gate, over);
    else if ('event' in step) this.send(step.event);
    else if ('frame' in step) this.#socket.send(step.frame);
    else {
      if (step.fault === 'close') this.hangUp(step.code, step.reason);
      if (step.fault === 'drop') this.hangUp();
      return true;
    }
    return false;
  }

  /** Speaks; returns the last word, where it is to be held back. */
  async #say(
    step: Extract<RealtimeStep, { say: string }>,
    over: AbortSignal,
    holdsBack: boolean,
  ): Promise<string | undefined> {
    const { texts: all, audio } = deltasOf(step);
    const late = holdsBack ? all.at(-1) : undefined;
    const texts = holdsBack ? all.slice(0, -1) : all;
    for (let index = 0; index < Math.max(texts.length, audio.length); index += 1) {
      const piece = audio[index];
      const text = texts[index];
      const inlineData = { mimeType: 'audio/pcm;rate=24000', data: piece?.base64 ?? '' };
      // Audio and words in one message, as they come.
      this.send({
        serverContent: {
          ...(piece ? { modelTurn: { parts: [{ inlineData }] } } : {}),
          ...(text === undefined ? {} : { outputTranscription: { text } }),
        },
      });
      if (index % 8 === 7) await breath();
      if (over.aborted) return late;
    }
    return late;
  }

  async #call(
    {
      name,
      arguments: args,
      id = `call-${this.#calls.size + 1}`,
    }: Extract<RealtimeStep, { call: unknown }>['call'],
    over: AbortSignal,
  ): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#calls.set(id, resolve));
    this.send({ toolCall: { functionCalls: [{ id, name, args }] } });
    const given = new Promise<void>((resolve) =>
      over.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([answered, given]);
  }

  #answered({ functionResponses }: Json): void {
    for (const response of (functionResponses as unknown[]).map(recordOf)) {
      const id = stringOf(response['id']);
      this.received.push(`result: ${JSON.stringify(response['response'])}`);
      const resolve = this.#calls.get(id);
      if (!resolve && !this.#cancelled.has(id))
        this.#refuse(`a result of the unknown call "${id}"`);
      this.#calls.delete(id);
      resolve?.();
    }
  }

  /** The vendor has no errors but closing. */
  #refuse(message: string): void {
    this.#violations.push(message);
    this.hangUp(1007, message.slice(0, 100));
  }
}
