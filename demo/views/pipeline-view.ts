/**
 * The running pipeline as a line plan: a row a stage, a column a thread, so that every step sideways
 * is a hop between threads. A stage lights up when the page learns that something flowed through it.
 */
import { make, makeSvg } from '../dom.ts';

/** A pipeline as plain data. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

/** One stage of it. */
export interface GraphNode {
  readonly name: string;
  readonly type: string;
  readonly thread?: string | undefined;
}

/** Whose colour a stage lights up in. */
export type Voice = 'call' | 'thought' | 'response';

const rowHeight = 30;
const columnWidth = 17;
const litMs = 700;
const relightMs = 250;

/** Draws one graph into a place. */
export class PipelineView {
  readonly #place: HTMLElement;
  readonly #lamps = new Map<string, { parts: SVGElement[]; litAt: number }>();
  #drawn = '';
  #nodes: readonly GraphNode[] = [];

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** Draws the graph, if it is another one than the last. */
  show(graph: Graph): void {
    const key = JSON.stringify(graph);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#lamps.clear();
    this.#nodes = inOrder(graph);
    const threads = [...new Set(this.#nodes.map(threadOf))];
    const at = new Map(
      this.#nodes.map((node, row) => [
        node.name,
        { x: (threads.indexOf(threadOf(node)) + 0.5) * columnWidth, y: (row + 0.5) * rowHeight },
      ]),
    );
    const width = threads.length * columnWidth;
    const height = this.#nodes.length * rowHeight;
    const svg = makeSvg('svg', { width, height, 'aria-hidden': 'true' });
    for (let column = 0; column < threads.length; column++) {
      const x = (column + 0.5) * columnWidth;
      svg.append(makeSvg('path', { class: 'rail', d: `M${x} 0V${height}` }));
    }
    for (const node of this.#nodes) this.#lamps.set(node.name, { parts: [], litAt: -Infinity });
    for (const { from, to } of graph.edges) {
      const a = at.get(from);
      const b = at.get(to);
      if (a === undefined || b === undefined) continue;
      const d = curve(a, b);
      const lit = makeSvg('path', { class: 'lit', d });
      svg.append(makeSvg('path', { class: 'edge', d }), lit);
      this.#lamps.get(from)?.parts.push(lit);
    }
    for (const [name, { x, y }] of at) {
      const lit = makeSvg('circle', { class: 'lit', cx: x, cy: y, r: 6.5 });
      svg.append(makeSvg('circle', { class: 'stop', cx: x, cy: y, r: 5 }), lit);
      this.#lamps.get(name)?.parts.push(lit);
    }
    this.#place.replaceChildren(svg, this.#rows(width));
  }

  /** Lights the stages for which `which` is true. */
  light(which: (node: GraphNode) => boolean, voice: Voice): void {
    const now = performance.now();
    for (const node of this.#nodes) {
      const lamp = this.#lamps.get(node.name);
      if (lamp === undefined || now - lamp.litAt < relightMs || !which(node)) continue;
      lamp.litAt = now;
      for (const part of lamp.parts) {
        part.dataset['voice'] = voice;
        part.animate([{ opacity: 1 }, { opacity: 0 }], { duration: litMs, easing: 'steps(6)' });
      }
    }
  }

  #rows(indent: number): HTMLElement {
    const rows = make('ol', 'stages');
    let before = '';
    for (const node of this.#nodes) {
      const row = make('li');
      row.style.height = `${rowHeight}px`;
      row.style.paddingInlineStart = `${indent + 10}px`;
      row.title = `${node.name}: ${node.type}, on thread ${threadOf(node)}`;
      const thread = make('span', 'stage-thread', threadOf(node));
      if (threadOf(node) === before) thread.classList.add('hidden');
      before = threadOf(node);
      row.append(make('span', 'stage-name', node.name), thread);
      rows.append(row);
    }
    return rows;
  }
}

/** The thread a stage runs on; the page where none is named. */
export function threadOf(node: GraphNode): string {
  return node.thread ?? 'page';
}

/** Stages sorted so that everything flows downwards; a cycle, which no pipeline has, keeps its order. */
function inOrder(graph: Graph): readonly GraphNode[] {
  const waiting = [...graph.nodes];
  const sorted: GraphNode[] = [];
  while (waiting.length > 0) {
    const names = new Set(waiting.map((node) => node.name));
    const free = waiting.findIndex(
      (node) => !graph.edges.some((edge) => edge.to === node.name && names.has(edge.from)),
    );
    sorted.push(...waiting.splice(Math.max(0, free), 1));
  }
  return sorted;
}

function curve(a: { x: number; y: number }, b: { x: number; y: number }): string {
  const half = Math.min(rowHeight, (b.y - a.y) / 2);
  return a.x === b.x
    ? `M${a.x} ${a.y}V${b.y}`
    : `M${a.x} ${a.y}V${b.y - 2 * half}C${a.x} ${b.y - half} ${b.x} ${b.y - half} ${b.x} ${b.y}`;
}
