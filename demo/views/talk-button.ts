/** The one big button, and the words that say what is going on. */
import type { AgentState } from 'antiphon';
import { byId } from '../dom.ts';

const words: Readonly<Record<AgentState['assistant'], string>> = {
  idle: 'Ready',
  loading: 'Getting ready',
  listening: 'Listening',
  thinking: 'Thinking',
  speaking: 'Speaking',
};

/** The talk button; `onPress` starts or stops. */
export class TalkButton {
  readonly #button = byId('talk', HTMLButtonElement);
  readonly #state = byId('state', HTMLElement);
  readonly #hint = byId('state-hint', HTMLElement);
  readonly #restingHint: readonly Node[];

  constructor(onPress: () => void) {
    this.#restingHint = [...this.#hint.childNodes];
    this.#button.addEventListener('click', onPress);
    addEventListener('keydown', (event) => {
      if (event.code !== 'Space' || !event.ctrlKey || !event.shiftKey || event.repeat) return;
      event.preventDefault();
      onPress();
    });
  }

  /** Shows a state; `microphone` tells whether one is open, `starting` whether someone asked for the loop. */
  show(state: AgentState, microphone: boolean, starting: boolean): void {
    const { assistant, user } = state;
    const idle = assistant === 'idle' || (assistant === 'loading' && !starting);
    this.#button.dataset['state'] = idle ? 'idle' : assistant;
    this.#button.dataset['microphone'] = microphone || starting ? 'on' : 'off';
    const stops = !idle && (microphone || starting);
    this.#button.setAttribute('aria-label', stops ? 'Stop talking' : 'Start talking');
    const deaf = assistant === 'listening' && !microphone && user !== 'speaking';
    const word = idle ? words.idle : deaf ? 'Ready, microphone off' : words[assistant];
    if (this.#state.textContent !== word) this.#state.textContent = word;
    if (idle) this.#hint.replaceChildren(...this.#restingHint);
    else this.#hint.textContent = hint(state, microphone);
  }
}

function hint({ assistant, user }: AgentState, microphone: boolean): string {
  if (assistant === 'loading') return 'Press again to cancel';
  if (user === 'speaking') return 'Hearing you';
  if (assistant === 'thinking') return 'Putting an answer together';
  if (assistant === 'speaking')
    return microphone ? 'Talk over it to interrupt' : 'Play a question to interrupt';
  if (!microphone) return 'Press to open it; samples and typing work without';
  return user === 'away' ? 'Still here when you are' : 'Speak; press to stop';
}
