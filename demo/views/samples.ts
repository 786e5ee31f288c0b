/** "Play a sample question": clips that are fed to the agent as if a microphone had heard them. */
import { byId, make } from '../dom.ts';

/** A clip under public/samples and the label of its button. */
interface Sample {
  readonly file: string;
  readonly text: string;
}

const samples: readonly Sample[] = [
  { file: 'what-time-is-it.wav', text: 'What time is it?' },
  { file: 'seventeen-plus-twenty-five.wav', text: 'What is 17 plus 25?' },
  { file: 'tell-me-a-joke.wav', text: 'Tell me a joke' },
  { file: 'my-name-is-anna.wav', text: 'My name is Anna' },
  { file: 'set-a-timer.wav', text: 'Set a timer' },
];

/** What plays a clip; resolves when its last sample has been fed. */
export type PlaySample = (clip: Float32Array<ArrayBuffer>, sampleRate: number) => Promise<void>;

/** Fills the row of buttons. One clip plays at a time; a clip during an answer interrupts it. */
export function startSamples(play: PlaySample, onError: (error: unknown) => void): void {
  const buttons = samples.map((sample) => {
    const button = make('button', '', sample.text);
    button.type = 'button';
    button.addEventListener('click', () => {
      if (button.getAttribute('aria-disabled') === 'true') return;
      const busy = (is: boolean): void => {
        for (const other of buttons) other.setAttribute('aria-disabled', String(is));
        button.toggleAttribute('data-playing', is);
      };
      busy(true);
      fetchClip(sample.file)
        .then((clip) => play(clip.samples, clip.sampleRate))
        .catch(onError)
        .finally(() => busy(false));
    });
    return button;
  });
  const items = buttons.map((button) => {
    const item = make('li');
    item.append(button);
    return item;
  });
  byId('samples', HTMLElement).replaceChildren(...items);
}

async function fetchClip(
  file: string,
): Promise<{ samples: Float32Array<ArrayBuffer>; sampleRate: number }> {
  const response = await fetch(new URL(`./samples/${file}`, document.baseURI));
  if (!response.ok) throw new Error(`${file}: the server answered ${response.status}`);
  const sampleRate = 16_000;
  const context = new OfflineAudioContext(1, 1, sampleRate);
  const decoded = await context.decodeAudioData(await response.arrayBuffer());
  return { samples: decoded.getChannelData(0), sampleRate };
}
