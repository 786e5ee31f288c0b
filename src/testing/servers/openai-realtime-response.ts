/** Plays one response of the OpenAI Realtime API, event by event. */
import type { Gates } from './gates.ts';
import type { ServedItem } from './openai-realtime-conversation.ts';
import type { Json } from './openai-realtime-checks.ts';
import type { OpenAIRealtimePeer } from './openai-realtime-peer.ts';
import { breath, deltasOf, passGate, type RealtimeStep } from './realtime-script.ts';

/** A response that runs. */
export interface ServedResponse {
  readonly id: string;
  readonly by: 'client' | 'server';
  /** What the client asked for. */
  readonly request: Json;
  readonly cancel: AbortController;
  /** Why it was cancelled. */
  reason: string;
}

/** What a response needs of its session. */
export interface ResponseStage {
  readonly peer: OpenAIRealtimePeer;
  readonly gates: Gates;
  readonly random: () => number;
  readonly onSpeech: () => void;
  readonly onDone: () => void;
}

/** Plays the steps; ends with `response.done` unless a fault prevents it. */
export async function playOpenAIReply(
  steps: readonly RealtimeStep[],
  response: ServedResponse,
  stage: ResponseStage,
): Promise<void> {
  const player = new Player(response, stage);
  await player.play(steps);
}

class Player {
  readonly #response: ServedResponse;
  readonly #stage: ResponseStage;
  readonly #output: Json[] = [];
  readonly #over: AbortSignal;

  constructor(response: ServedResponse, stage: ResponseStage) {
    this.#response = response;
    this.#stage = stage;
    this.#over = AbortSignal.any([response.cancel.signal, stage.peer.over]);
  }

  async play(steps: readonly RealtimeStep[]): Promise<void> {
    const { peer, gates, random, onDone } = this.#stage;
    const { id } = this.#response;
    const limits = { type: 'rate_limits.updated', rate_limits: [] };
    const early = random() > 0.5;
    if (early) peer.send(limits);
    peer.send({ type: 'response.created', response: { id, status: 'in_progress', output: [] } });
    for (const step of steps) {
      await breath();
      if (this.#over.aborted) break;
      if ('say' in step) await this.#say(step);
      else if ('call' in step) this.#call(step.call);
      else if ('gate' in step) await passGate(gates, step.gate, this.#over);
      else if ('event' in step) peer.send(step.event);
      else if ('frame' in step) peer.frame(step.frame);
      else if (step.fault === 'close') return peer.hangUp(step.code, step.reason);
      else if (step.fault === 'drop') return peer.hangUp();
      else return; // stalls, with the response running
    }
    await breath();
    if (peer.over.aborted) return;
    const cancelled = this.#response.cancel.signal.aborted;
    onDone();
    peer.send({
      type: 'response.done',
      response: {
        id,
        status: cancelled ? 'cancelled' : 'completed',
        status_details: cancelled ? { type: 'cancelled', reason: this.#response.reason } : null,
        output: this.#output,
        usage: { total_tokens: 30, input_tokens: 10, output_tokens: 20 },
      },
    });
    if (!early) peer.send(limits);
    // What was on its way when the response was cancelled still arrives.
    const last = this.#output.at(-1)?.['id'];
    if (cancelled && typeof last === 'string')
      peer.send({ ...this.#facts(last), type: 'response.output_audio.delta', delta: 'AAAA' });
  }

  #facts(item: string): Json {
    return { response_id: this.#response.id, item_id: item, output_index: 0, content_index: 0 };
  }

  async #say(step: Extract<RealtimeStep, { say: string }>): Promise<void> {
    const { peer, onSpeech } = this.#stage;
    const id = peer.conversation.reserve();
    const item = this.#begin({ id, type: 'message' }, { role: 'assistant', content: [] });
    const facts = this.#facts(id);
    const part = { type: 'audio', transcript: '' };
    peer.send({ ...facts, type: 'response.content_part.added', part });
    const { texts, audio } = deltasOf(step);
    const lead = Math.max(1, Math.ceil((texts.length / Math.max(1, audio.length)) * 2));
    let said = '';
    for (let index = 0; index < Math.max(audio.length, texts.length / lead); index += 1) {
      for (const text of texts.slice(index * lead, (index + 1) * lead)) {
        said += text;
        peer.send({ ...facts, type: 'response.output_audio_transcript.delta', delta: text });
      }
      const piece = audio[index];
      if (piece) {
        item.samples += piece.samples;
        peer.send({ ...facts, type: 'response.output_audio.delta', delta: piece.base64 });
        onSpeech();
      }
      if (index % 8 === 7) await breath();
      if (this.#over.aborted) break;
    }
    item.text = said;
    // All of these are sent for a cancelled response, too.
    peer.send({ ...facts, type: 'response.output_audio.done' });
    peer.send({ ...facts, type: 'response.output_audio_transcript.done', transcript: said });
    peer.send({
      ...facts,
      type: 'response.content_part.done',
      part: { type: 'audio', transcript: said },
    });
    const content = [{ type: 'output_audio', transcript: said }];
    this.#end({ id, type: 'message', role: 'assistant', content });
  }

  #call({
    name,
    arguments: given,
    id: own,
  }: Extract<RealtimeStep, { call: unknown }>['call']): void {
    const { peer } = this.#stage;
    const id = peer.conversation.reserve();
    const callId = own ?? `call_${id}`;
    const facts = { call_id: callId, name };
    this.#begin({ id, type: 'function_call', callId }, { ...facts, arguments: '' });
    const json = typeof given === 'string' ? given : JSON.stringify(given);
    const event = { ...this.#facts(id), call_id: callId };
    for (let at = 0; at < json.length; at += 4)
      peer.send({
        ...event,
        type: 'response.function_call_arguments.delta',
        delta: json.slice(at, at + 4),
      });
    peer.send({
      ...event,
      type: 'response.function_call_arguments.done',
      name,
      arguments: json,
    });
    this.#end({ id, type: 'function_call', ...facts, arguments: json });
  }

  #begin(facts: Pick<ServedItem, 'id' | 'type' | 'callId'>, more: Json): ServedItem {
    const { peer, random } = this.#stage;
    const shown = { id: facts.id, type: facts.type, status: 'in_progress', ...more };
    const event = {
      type: 'response.output_item.added',
      response_id: this.#response.id,
      output_index: this.#output.length,
      item: shown,
    };
    const first = random() <= 0.5;
    if (first) peer.send(event);
    const item = peer.conversation.addReply(facts, shown);
    if (!first) peer.send(event);
    return item;
  }

  #end(shown: Json): void {
    const { peer } = this.#stage;
    const item = { ...shown, status: this.#over.aborted ? 'incomplete' : 'completed' };
    peer.send({
      type: 'response.output_item.done',
      response_id: this.#response.id,
      output_index: this.#output.length,
      item,
    });
    peer.send({ type: 'conversation.item.done', previous_item_id: null, item });
    this.#output.push(item);
  }
}
