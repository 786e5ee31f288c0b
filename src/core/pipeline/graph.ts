/** A pipeline as plain data: printable, drawable, comparable. */
import type { Overflow } from '../channel/channel.ts';
import type { Kind, StreamElement } from '../element.ts';
import type { StageType } from '../stage/stage.ts';

/** A stage of a graph. */
export interface GraphNode {
  readonly name: string;
  readonly type: StageType;
  /** Where it runs; `page` for the pipeline's own thread. */
  readonly thread: string;
  readonly consumes: readonly Kind[];
  readonly emits: readonly Kind[];
}

/** Bounds of one edge, and what it takes; absent: the pipeline's `channelBufferSize`, `wait`, everything. */
export interface EdgeOptions {
  /** The most elements that wait on the edge. */
  readonly capacity?: number;
  /** Control is never dropped, whatever the policy. */
  readonly overflow?: Overflow;
  /**
   * The content that takes this edge; control takes every edge. Asked where the edge begins, possibly more
   * than once per element; a throw fails the run. Not part of `pipeline.graph`.
   */
  readonly when?: (element: StreamElement) => boolean;
  /** Of an edge that leaves a stage with `routes`: the route it is for; the name of the stage it leads to unless given. */
  readonly route?: string;
}

/** A directed edge between two stages, by name. */
export interface GraphEdge extends EdgeOptions {
  readonly from: string;
  readonly to: string;
}

/** Stages in the order they were added, and the edges between them. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), one box per thread. */
export function toMermaid(graph: Graph): string {
  const id = new Map(graph.nodes.map((node, index) => [node.name, `s${index}`]));
  const threads = [...new Set(graph.nodes.map((node) => node.thread))];
  const boxes = threads.flatMap((thread, index) => [
    `  subgraph t${index}["${quote(thread)}"]`,
    ...graph.nodes
      .filter((node) => node.thread === thread)
      .map((node) => `    ${id.get(node.name)}["${quote(node.name)}"]`),
    '  end',
  ]);
  const arrows = graph.edges.map(({ from, to, route }) => {
    const kinds = graph.nodes.find((node) => node.name === from)?.emits ?? [];
    const caption = route ?? kinds.join(', ');
    const label = caption === '' ? '' : `|"${quote(caption)}"|`;
    return `  ${id.get(from)} -->${label} ${id.get(to)}`;
  });
  return ['flowchart LR', ...boxes, ...arrows, ''].join('\n');
}

function quote(text: string): string {
  return text.replaceAll('"', '#quot;');
}
