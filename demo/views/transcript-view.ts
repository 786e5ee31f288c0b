/** The conversation on screen: what was heard from the person, and the replies as they are heard. */
import { type Message, messageText } from 'antiphon';
import { make } from '../dom.ts';
import { SpokenText } from './spoken-text.ts';

interface Call {
  readonly element: HTMLElement;
  readonly words: HTMLElement;
}

interface Response {
  readonly element: HTMLElement;
  readonly spoken: SpokenText;
  readonly note: HTMLElement;
}

/** What a finished turn has to tell. */
export interface FinishedTurn {
  readonly turn: number;
  readonly transcript?: string | undefined;
  readonly reply?: string | undefined;
  readonly heard?: string | undefined;
  readonly interrupted: boolean;
  readonly voiceToVoiceMs?: number | undefined;
}

/** The list of calls and responses; `scroller` follows the newest unless the reader has scrolled away. */
export class TranscriptView {
  readonly #list: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #welcome: HTMLElement;
  readonly #calls = new Map<number, Call>();
  readonly #responses = new Map<number, Response>();
  #typed: Call | undefined;
  #following = true;
  #scrollPlanned = false;

  constructor(list: HTMLElement, scroller: HTMLElement, welcome: HTMLElement) {
    this.#list = list;
    this.#scroller = scroller;
    this.#welcome = welcome;
    scroller.addEventListener('scroll', () => {
      const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
      this.#following = below < 60;
    });
  }

  /** Replaces everything by a stored conversation. */
  show(history: readonly Message[]): void {
    this.endRun();
    this.#typed = undefined;
    this.#list.replaceChildren();
    for (const message of history) this.#stored(message);
    this.#following = true;
    this.#changed();
  }

  /** Turn numbers start anew with the next run. */
  endRun(): void {
    for (const call of this.#calls.values())
      if (call.words.hasAttribute('data-interim')) call.element.remove();
    this.#calls.clear();
    this.#responses.clear();
    this.#changed();
  }

  /** What the recogniser makes of a turn; a final empty text means there were no words. */
  transcript(turn: number, text: string, final: boolean): void {
    if (text === '') {
      if (final) this.#drop(turn);
      return;
    }
    const call = this.#calls.get(turn) ?? this.#takeTyped(text) ?? this.#addCall();
    this.#calls.set(turn, call);
    call.words.textContent = text;
    call.words.toggleAttribute('data-interim', !final);
    this.#changed();
  }

  /** A message typed by the person; its turn is known only when the reply comes. */
  typed(text: string): void {
    this.#typed = this.#addCall();
    this.#typed.words.textContent = text;
    this.#following = true;
    this.#changed();
  }

  /** Takes back what was typed, when it could not be sent. */
  withdraw(): void {
    this.#typed?.element.remove();
    this.#typed = undefined;
    this.#changed();
  }

  /** The reply as far as it is written. */
  reply(turn: number, text: string): void {
    this.#response(turn).spoken.setText(text);
    this.#changed();
  }

  /** The reply as far as it is heard. */
  heard(turn: number, text: string, done: boolean, interrupted: boolean): void {
    const response = this.#responses.get(turn);
    if (response === undefined) return;
    response.spoken.setHeard(text, done);
    if (interrupted) this.#cut(response);
    this.#changed();
  }

  /** A tool the assistant used. */
  tool(turn: number, name: string, detail: string): void {
    const response = this.#response(turn);
    response.note.before(make('span', 'tool', detail === '' ? name : `${name} ${detail}`));
    this.#changed();
  }

  /** Everything is known about a turn. */
  finish(turn: FinishedTurn): void {
    const response = this.#responses.get(turn.turn);
    if (response === undefined) return;
    if (turn.reply) response.spoken.setText(turn.reply);
    if (turn.heard !== undefined) response.spoken.setHeard(turn.heard, true);
    if (turn.interrupted) this.#cut(response);
    else if (turn.voiceToVoiceMs !== undefined)
      response.note.textContent = `answered after ${(turn.voiceToVoiceMs / 1000).toFixed(2)} s`;
    this.#changed();
  }

  /** A message as it is stored: settles the reply on screen, and shows one that no event announced. */
  stored(message: Message): void {
    if (message.role !== 'assistant') return;
    const text = message.generated ?? messageText(message);
    if (text === '') return;
    for (const response of this.#responses.values())
      if (response.spoken.text.trim() === text.trim()) return;
    this.#stored(message);
    this.#changed();
  }

  #stored(message: Message): void {
    const text = message.generated ?? messageText(message);
    if (message.role === 'user' && text !== '') this.#addCall().words.textContent = text;
    if (message.role !== 'assistant') return;
    if (text === '' && !message.toolCalls?.length) return;
    const response = this.#addResponse();
    for (const call of message.toolCalls ?? [])
      response.note.before(make('span', 'tool', `${call.name} ${compact(call.arguments)}`));
    response.spoken.setText(text);
    if (message.heard === undefined) response.spoken.settle();
    else response.spoken.setHeard(message.heard, true);
    if (response.spoken.heard.words < response.spoken.heard.of) this.#cut(response);
  }

  #response(turn: number): Response {
    const known = this.#responses.get(turn);
    if (known !== undefined) return known;
    const call = this.#calls.get(turn) ?? this.#typed;
    this.#typed = undefined;
    const made = this.#addResponse(call?.element);
    this.#responses.set(turn, made);
    return made;
  }

  /** The entry of a typed message, once the agent tells its turn. */
  #takeTyped(text: string): Call | undefined {
    const typed = this.#typed;
    if (typed?.words.textContent !== text) return undefined;
    this.#typed = undefined;
    return typed;
  }

  #cut(response: Response): void {
    response.spoken.cut();
    const { words, of } = response.spoken.heard;
    response.note.textContent = `interrupted: ${words} of ${of} words were heard`;
  }

  #drop(turn: number): void {
    this.#calls.get(turn)?.element.remove();
    this.#calls.delete(turn);
    this.#changed();
  }

  #addCall(): Call {
    const element = make('li', 'entry call');
    const words = make('p', 'words');
    element.append(make('span', 'speaker', 'You'), words);
    this.#list.append(element);
    return { element, words };
  }

  #addResponse(after?: HTMLElement): Response {
    const element = make('li', 'entry response');
    const spoken = new SpokenText();
    const note = make('p', 'note');
    note.classList.add('fine');
    element.append(make('span', 'speaker', 'Antiphon'), spoken.element, note);
    if (after?.isConnected) after.after(element);
    else this.#list.append(element);
    return { element, spoken, note };
  }

  #changed(): void {
    this.#welcome.hidden = this.#list.childElementCount > 0;
    if (!this.#following || this.#scrollPlanned) return;
    this.#scrollPlanned = true;
    requestAnimationFrame(() => {
      this.#scrollPlanned = false;
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
    });
  }
}

/** A value as short text. */
export function compact(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text === '{}' ? '' : text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
