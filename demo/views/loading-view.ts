/** Loading progress: one line an asset, in bytes as they arrive, and a bar for all of them. */
import { byId, make } from '../dom.ts';

interface Asset {
  readonly figures: HTMLElement;
  loaded: number;
  total: number;
}

/** The block above the talk button while models are on their way. */
export class LoadingView {
  readonly #block = byId('loading', HTMLElement);
  readonly #title = byId('loading-title', HTMLElement);
  readonly #bar = byId('loading-bar', HTMLProgressElement);
  readonly #sum = byId('loading-total', HTMLElement);
  readonly #list = byId('loading-assets', HTMLElement);
  readonly #assets = new Map<string, Asset>();

  /** Bytes of one asset; `total` 0 where the server did not say. */
  progress(asset: string, loaded: number, total: number): void {
    let known = this.#assets.get(asset);
    if (known === undefined) {
      const line = make('li');
      const name = make('span', '', asset.split('/').at(-1) ?? asset);
      name.title = asset;
      known = { figures: make('span'), loaded, total };
      line.append(name, known.figures);
      this.#list.append(line);
      this.#assets.set(asset, known);
    }
    known.loaded = loaded;
    known.total = total;
    known.figures.textContent = figures(loaded, total);
    known.figures.title = `${loaded} of ${total} bytes`;
    this.#block.hidden = false;
    this.#update();
  }

  /** Everything is there, or has failed. */
  done(): void {
    this.#block.hidden = true;
  }

  #update(): void {
    let loaded = 0;
    let total = 0;
    for (const asset of this.#assets.values()) {
      loaded += asset.loaded;
      total += Math.max(asset.loaded, asset.total);
    }
    this.#bar.value = total === 0 ? 0 : loaded / total;
    this.#sum.textContent = figures(loaded, total);
    this.#title.textContent = loaded < total ? 'Loading' : 'Loaded, getting ready';
  }
}

function figures(loaded: number, total: number): string {
  if (total === 0) return `${amount(loaded, loaded)} ${unit(loaded)}`;
  return `${amount(loaded, total)} / ${amount(total, total)} ${unit(total)}`;
}

function unit(total: number): string {
  return total >= 1e6 ? 'MB' : total >= 1e3 ? 'kB' : 'B';
}

function amount(bytes: number, total: number): string {
  return total >= 1e6
    ? (bytes / 1e6).toFixed(2)
    : total >= 1e3
      ? (bytes / 1e3).toFixed(1)
      : String(bytes);
}
