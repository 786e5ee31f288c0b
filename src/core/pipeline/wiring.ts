/**
 * Turns a plan into the channels and ports of one run. Two stages of the page share a channel; an edge
 * to or from another thread is a MessageChannel whose ends go to the two threads themselves.
 */
import { broadcast } from '../channel/broadcast.ts';
import { channel, type ChannelWriter } from '../channel/channel.ts';
import type { ChannelReader } from '../channel/queue.ts';
import { isControl, type StreamElement } from '../element.ts';
import { portReader } from '../port/port-reader.ts';
import { portWriter } from '../port/port-writer.ts';
import { cloneElement } from '../port/transferables.ts';
import { takesRoute } from '../stage/routes.ts';
import { isRemote, type RemoteStage, type Stage, type StageEnds } from '../stage/stage.ts';
import type { EdgeOptions } from './graph.ts';
import { inputsOf, outputsOf, type Plan } from './plan.ts';

/** A stage of the page with what it reads and writes. */
export interface LocalNode {
  readonly stage: Stage;
  readonly readers: readonly ChannelReader<StreamElement>[];
  readonly writer: ChannelWriter<StreamElement>;
}

/** A stage elsewhere with its port ends. */
export interface RemoteNode {
  readonly stage: RemoteStage;
  readonly ends: StageEnds;
}

/** All that is needed to run a plan once. */
export interface Wiring {
  readonly locals: readonly LocalNode[];
  readonly remotes: readonly RemoteNode[];
  /** What comes out of the pipeline's leaves. */
  readonly outputs: readonly ChannelReader<StreamElement>[];
}

interface Node {
  readonly stage: Stage;
  readonly inputs: Link[];
  readonly outputs: Link[];
}

interface Link {
  readonly options: EdgeOptions;
  from: Node;
  to: Node;
  writer?: ChannelWriter<StreamElement>;
  reader?: ChannelReader<StreamElement>;
  /** The ends for a stage elsewhere. */
  source?: MessagePort;
  target?: MessagePort;
}

/**
 * Wires `plan`. `input` feeds every root that is not a source; it may be any stage without inputs.
 *
 * @param onDrop told which edge's policy dropped something.
 */
export function wire(
  plan: Plan,
  input: Stage,
  capacity: number,
  onDrop: (to: string) => void,
): Wiring {
  const nodes = new Map(plan.stages.map((stage) => [stage.name, nodeOf(stage)]));
  const all = [...nodes.values()];
  const links: Link[] = [];
  const connect = (from: Node, to: Node, options: EdgeOptions): void => {
    const link = { from, to, options };
    from.outputs.push(link);
    to.inputs.push(link);
    links.push(link);
  };
  for (const { from, to, ...options } of plan.edges) {
    const [source, target] = [nodes.get(from), nodes.get(to)];
    if (source && target) connect(source, target, options);
  }
  const inlet = nodeOf(input);
  const outlet = nodeOf(relay('output'));
  for (const node of all) {
    if (inputsOf(node.stage.name, plan.edges).length === 0 && !node.stage.source)
      connect(inlet, node, {});
    if (outputsOf(node.stage.name, plan.edges).length === 0) connect(node, outlet, {});
  }
  const relays = all
    .filter(({ stage }) => isRemote(stage))
    .flatMap((node) => relaysFor(node, links));
  for (const link of links) open(link, capacity, () => onDrop(link.to.stage.name));

  const locals: LocalNode[] = [];
  const remotes: RemoteNode[] = [];
  for (const node of [...all, ...relays, inlet]) {
    if (isRemote(node.stage)) remotes.push({ stage: node.stage, ends: endsOf(node, capacity) });
    else
      locals.push({
        stage: node.stage,
        readers: node.inputs.flatMap((link) => link.reader ?? []),
        writer: writerOf(node),
      });
  }
  return { locals, remotes, outputs: outlet.inputs.flatMap((link) => link.reader ?? []) };
}

/** A stage of the page that passes everything on: the input, or a joint beside a stage elsewhere. */
export function relay(name: string): Stage {
  return { name, type: 'transform', consumes: [], emits: [], process: (input) => input };
}

function nodeOf(stage: Stage): Node {
  return { stage, inputs: [], outputs: [] };
}

/**
 * A stage elsewhere has one input and one output, without an overflow policy: where it would have more,
 * a relay on the page joins or copies for it. One that joins by itself may have several inputs.
 */
function relaysFor(node: Node, links: Link[]): Node[] {
  const relays: Node[] = [];
  const joins = isRemote(node.stage) && node.stage.joins === true;
  if (needsRelay(joins ? node.inputs.slice(0, 1) : node.inputs) || node.inputs.some(hasPolicy)) {
    const joint = nodeOf(relay(`into ${node.stage.name}`));
    for (const link of node.inputs.splice(0)) {
      link.to = joint;
      joint.inputs.push(link);
    }
    const link = { from: joint, to: node, options: {} };
    joint.outputs.push(link);
    node.inputs.push(link);
    links.push(link);
    relays.push(joint);
  }
  if (needsRelay(node.outputs) || node.outputs.some(isConditional)) {
    const joint = nodeOf(relay(`out of ${node.stage.name}`));
    for (const link of node.outputs.splice(0)) {
      link.from = joint;
      joint.outputs.push(link);
    }
    const link = { from: node, to: joint, options: {} };
    joint.inputs.push(link);
    node.outputs.push(link);
    links.push(link);
    relays.push(joint);
  }
  return relays;
}

function needsRelay(links: readonly Link[]): boolean {
  return links.length > 1 || links.some(hasPolicy);
}

function hasPolicy({ options }: Link): boolean {
  return (options.overflow ?? 'wait') !== 'wait';
}

/** True for an edge that does not take everything. */
function isConditional({ options }: Link): boolean {
  return options.when !== undefined || options.route !== undefined;
}

function open(link: Link, defaultCapacity: number, onDrop: () => void): void {
  const { from, to, options } = link;
  const capacity = options.capacity ?? defaultCapacity;
  const [fromElsewhere, toElsewhere] = [isRemote(from.stage), isRemote(to.stage)];
  if (!fromElsewhere && !toElsewhere) {
    Object.assign(
      link,
      channel<StreamElement>({
        capacity,
        overflow: options.overflow ?? 'wait',
        keep: isControl,
        onDrop,
      }),
    );
    return;
  }
  const { port1, port2 } = new MessageChannel();
  if (fromElsewhere) link.source = port1;
  else link.writer = portWriter(port1);
  if (toElsewhere) link.target = port2;
  else link.reader = portReader(port2, { window: capacity });
}

function endsOf(node: Node, capacity: number): StageEnds {
  const [input, ...others] = node.inputs;
  const output = node.outputs[0]?.source ?? new MessageChannel().port1;
  return {
    output,
    window: input?.options.capacity ?? capacity,
    ...(input?.target ? { input: input.target } : {}),
    ...(others.length === 0 ? {} : { others: others.flatMap(({ target }) => target ?? []) }),
  };
}

function writerOf(node: Node): ChannelWriter<StreamElement> {
  const writers = node.outputs.flatMap((link) => link.writer ?? []);
  const [only] = writers;
  if (node.outputs.some(isConditional)) {
    const links = new Map(node.outputs.map((link) => [link.writer, link]));
    return broadcast(writers, cloneElement, (writer, element) => {
      const { when, route } = links.get(writer)?.options ?? {};
      if (isControl(element)) return true;
      if (route !== undefined && !takesRoute(element, route)) return false;
      return when?.(element) ?? true;
    });
  }
  if (only && writers.length === 1) return only;
  if (writers.length > 1) return broadcast(writers, cloneElement);
  // An input that no stage takes, because all roots are sources, is read and forgotten.
  return channel<StreamElement>({ capacity: 1, overflow: 'drop-oldest' }).writer;
}
