/** What the page's controls do with the agent: which of them opens the microphone, which only the loop. */
import type { VoiceAgent } from 'antiphon';

/** The agent and whether its microphone is open. */
export class Session {
  readonly agent: VoiceAgent;
  #deaf = false;
  #starting = false;
  readonly #onChange: () => void;

  /** `onChange` is called when a control has asked for the loop, and when that is settled. */
  constructor(agent: VoiceAgent, onChange: () => void) {
    this.agent = agent;
    this.#onChange = onChange;
  }

  /** Whether the person can be heard, or is about to be; whoever started the agent, the console too. */
  get microphone(): boolean {
    return this.starting ? !this.#deaf : this.#running && !this.#deaf;
  }

  /** Whether a control has asked for the loop and it is not running yet. */
  get starting(): boolean {
    return this.#starting;
  }

  /** The talk button: opens the microphone, or stops everything. */
  async toggle(): Promise<void> {
    if (this.microphone || this.#starting) return await this.agent.stop();
    if (this.#running) await this.agent.stop();
    await this.#start(true);
  }

  /** Says something in writing; runs the loop without a microphone if it is not running. */
  async type(text: string): Promise<void> {
    if (!this.#running) await this.#start(false);
    this.agent.send(text);
  }

  /** Plays a clip as if a microphone had heard it; a real one is closed for that. */
  async play(clip: Float32Array<ArrayBuffer>, sampleRate: number): Promise<void> {
    if (!this.#running || !this.#deaf) {
      await this.agent.stop();
      await this.#start(false);
    }
    await this.agent.playSample(clip, sampleRate);
  }

  /** Makes the assistant say something of its own accord; after a stop only for as long as that takes. */
  async announce(text: string): Promise<void> {
    const wasRunning = this.#running;
    if (!wasRunning) await this.#start(false);
    await this.agent.say(text).played;
    if (!wasRunning && !this.microphone) await this.agent.stop();
  }

  /** True from listening to stopped; models that are only being loaded don't count. */
  get #running(): boolean {
    const { assistant } = this.agent.state;
    return assistant !== 'idle' && assistant !== 'loading';
  }

  async #start(microphone: boolean): Promise<void> {
    this.#deaf = !microphone;
    this.#starting = true;
    this.#onChange();
    try {
      await this.agent.start({ microphone });
    } finally {
      this.#starting = false;
      if (!this.#running) this.#deaf = false;
      this.#onChange();
    }
  }
}
