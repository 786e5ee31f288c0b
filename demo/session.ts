/** What the page's controls do with the agent: which of them opens the microphone, which only the loop. */
import type { VoiceAgent } from 'antiphon';

/** The agent and whether its microphone is open. */
export class Session {
  readonly agent: VoiceAgent;
  #deaf = false;

  constructor(agent: VoiceAgent) {
    this.agent = agent;
  }

  /** Whether the person can be heard, or is about to be; whoever started the agent, the console too. */
  get microphone(): boolean {
    return this.agent.state.assistant !== 'idle' && !this.#deaf;
  }

  /** The talk button: opens the microphone, or stops everything. */
  async toggle(): Promise<void> {
    const { assistant } = this.agent.state;
    if (this.microphone || assistant === 'loading') return await this.agent.stop();
    if (assistant !== 'idle') await this.agent.stop();
    await this.#start(true);
  }

  /** Says something in writing; runs the loop without a microphone if it is not running. */
  async type(text: string): Promise<void> {
    await this.#run();
    this.agent.send(text);
  }

  /** Plays a clip as if a microphone had heard it. */
  async play(clip: Float32Array<ArrayBuffer>, sampleRate: number): Promise<void> {
    await this.#run();
    await this.agent.playSample(clip, sampleRate);
  }

  async #run(): Promise<void> {
    if (this.agent.state.assistant === 'idle') await this.#start(false);
  }

  async #start(microphone: boolean): Promise<void> {
    this.#deaf = !microphone;
    try {
      await this.agent.start({ microphone });
    } finally {
      if (this.agent.state.assistant === 'idle') this.#deaf = false;
    }
  }
}
