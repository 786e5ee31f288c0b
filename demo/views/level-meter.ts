/**
 * The last seconds of microphone level and speech probability, flowing away from the talk button on
 * either hand. Canvas only, a frame a measurement: nothing here makes the page lay itself out.
 */
import { byId } from '../dom.ts';

const barWidth = 3;
const barPitch = 5;
const quietestDb = -60;
const loudestDb = -8;
const likely = 0.5;
const textEveryMs = 250;

type Draw = (context: CanvasRenderingContext2D, x: number, value: number, height: number) => void;

/** A strip of bars; the newest stands next to the talk button. */
class Strip {
  readonly #canvas: HTMLCanvasElement;
  readonly #draw: Draw;
  readonly #newestRight: boolean;
  readonly #values = new Float32Array(256);
  #count = 0;
  #colour = '';

  constructor(canvas: HTMLCanvasElement, newestRight: boolean, draw: Draw) {
    this.#canvas = canvas;
    this.#newestRight = newestRight;
    this.#draw = draw;
    new ResizeObserver(() => {
      canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
      canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
      this.paint();
    }).observe(canvas);
    this.recolour();
  }

  recolour(): void {
    this.#colour = getComputedStyle(this.#canvas).color;
    this.paint();
  }

  push(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value;
    this.paint();
  }

  paint(): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    const { width, height } = this.#canvas;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const wide = width / devicePixelRatio;
    const high = height / devicePixelRatio;
    context.clearRect(0, 0, wide, high);
    context.fillStyle = this.#colour;
    const shown = Math.min(Math.floor(wide / barPitch), this.#values.length);
    for (let age = 0; age < shown; age++) {
      const index = this.#count - 1 - age;
      const value = index < 0 ? 0 : (this.#values[index % this.#values.length] ?? 0);
      const x = this.#newestRight ? wide - (age + 1) * barPitch : age * barPitch + 2;
      context.globalAlpha = (1 - (0.75 * age) / shown) * (value > 0 ? 1 : 0.4);
      this.#draw(context, x, value, high);
    }
    context.globalAlpha = 1;
  }
}

/** The two strips, the figures under them and the halo around the button. */
export class LevelMeter {
  readonly #halo = byId('halo', HTMLElement);
  readonly #levelText = byId('level-text', HTMLElement);
  readonly #probabilityText = byId('probability-text', HTMLElement);
  readonly #level: Strip;
  readonly #probability: Strip;
  #textAt = 0;

  constructor() {
    this.#level = new Strip(byId('level', HTMLCanvasElement), true, (context, x, value, height) => {
      const bar = Math.max(2, value * height);
      context.fillRect(x, (height - bar) / 2, barWidth, bar);
    });
    this.#probability = new Strip(
      byId('probability', HTMLCanvasElement),
      false,
      (context, x, value, height) => {
        const bar = Math.max(2, value * height);
        if (value < likely) context.globalAlpha *= 0.5;
        context.fillRect(x, height - bar, barWidth, bar);
      },
    );
  }

  /** One measurement: the root mean square of the microphone, and how likely it was speech. */
  measure(rms: number, probability: number | undefined): void {
    const db = rms > 0 ? 20 * Math.log10(rms) : -Infinity;
    const level = Math.min(1, Math.max(0, (db - quietestDb) / (loudestDb - quietestDb)));
    this.#level.push(level);
    this.#probability.push(probability ?? 0);
    this.#halo.style.transform = `scale(${(1 + 0.55 * level).toFixed(3)})`;
    const now = performance.now();
    if (now - this.#textAt < textEveryMs) return;
    this.#textAt = now;
    this.#levelText.textContent = db > -100 ? `${Math.round(db)} dB` : 'silent';
    this.#probabilityText.textContent = probability === undefined ? '–' : probability.toFixed(2);
  }

  /** Nothing is being measured any more. */
  rest(): void {
    this.measure(0, 0);
    this.#halo.style.transform = '';
    this.#levelText.textContent = '–';
    this.#probabilityText.textContent = '–';
    this.#textAt = 0;
  }

  /** Takes the colours from the style sheet again. */
  recolour(): void {
    this.#level.recolour();
    this.#probability.recolour();
  }
}
