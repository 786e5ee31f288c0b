/** The page's side of a stage in a worker. */
import { transfer } from 'comlink';
import type { Kind, StreamElement } from '../element.ts';
import { serializeError } from '../errors.ts';
import { portReader } from '../port/port-reader.ts';
import { portWriter } from '../port/port-writer.ts';
import { teardownGraceMs } from './drive.ts';
import type { HostNotice, OpenRequest } from './host-protocol.ts';
import { stageError } from './run-stage.ts';
import type {
  AudioFormat,
  RemoteStage,
  StageContext,
  StageEnds,
  StageSession,
  StageType,
} from './stage.ts';
import { workerHandle, type WorkerHandle } from './worker-handle.ts';

/** What the page must know of a stage it does not have; what is absent is "anything". */
export interface WorkerStageFacts<Consumes extends Kind, Emits extends Kind> {
  readonly type?: StageType;
  readonly consumes?: readonly Consumes[];
  readonly emits?: readonly Emits[];
  readonly session?: StageSession;
  readonly format?: { readonly input?: AudioFormat; readonly output?: AudioFormat };
  /** True for a stage that takes no input. */
  readonly source?: boolean;
  /** The stage's name in the graph; the hosted name unless given. */
  readonly name?: string;
  /** The thread's name in the graph; the stage's name unless given. Stages of one worker should share it. */
  readonly thread?: string;
  /** Keeps the worker, and what it has loaded, between runs until `close()`; false unless given. */
  readonly keepAlive?: boolean;
}

/** A stage in a worker. */
export interface WorkerStage<
  Consumes extends Kind = Kind,
  Emits extends Kind = Kind,
> extends RemoteStage<Consumes, Emits> {
  /** Terminates a worker that was kept alive; a run that still uses it fails. */
  close(): void;
}

let lastId = 0;

/**
 * A stage that the worker made by `create` offers under `name` (see `hostStages`). Nothing starts before
 * a run does. Stages given the same `create` function share one worker; it is terminated when the last of
 * them has finished. A worker that cannot be loaded fails the run with `worker-load`, one that dies with
 * `worker-crashed`.
 *
 * @param options what the worker's factory gets, by structured clone; MessagePorts anywhere inside are
 *   transferred. A function is called anew for each run.
 *
 * @example
 * const create = () => new Worker(new URL('./words.worker.ts', import.meta.url), { type: 'module' });
 * const words = inWorker(create, 'words', { language: 'en' }, { consumes: ['utterance'], emits: ['transcript'] });
 */
export function inWorker<const Consumes extends Kind = Kind, const Emits extends Kind = Kind>(
  create: () => Worker,
  name: string,
  options?: unknown,
  facts: WorkerStageFacts<Consumes, Emits> = {},
): WorkerStage<Consumes, Emits> {
  const handle = workerHandle(create);
  const stageName = facts.name ?? name;
  const stage: WorkerStage<Consumes, Emits> = {
    name: stageName,
    type: facts.type ?? 'transform',
    consumes: facts.consumes ?? [],
    emits: facts.emits ?? [],
    thread: facts.thread ?? stageName,
    joins: true,
    ...(facts.session === undefined ? {} : { session: facts.session }),
    ...(facts.format === undefined ? {} : { format: facts.format }),
    ...(facts.source === undefined ? {} : { source: facts.source }),
    async attach(ends, context) {
      try {
        // A run that is over already starts no worker.
        context.signal.throwIfAborted();
        handle.acquire();
        return await open(handle, facts.keepAlive ?? false, name, stage, options, ends, context);
      } catch (error) {
        throw stageError(stage, error);
      }
    },
    process: (input, context) => processRemotely(stage, input, context),
    close: () => handle.terminate(),
  };
  return stage;
}

async function open(
  handle: WorkerHandle,
  keepAlive: boolean,
  name: string,
  stage: RemoteStage,
  options: unknown,
  ends: StageEnds,
  context: StageContext,
): Promise<{ readonly done: Promise<void> }> {
  const id = (lastId += 1);
  const notices = new MessageChannel();
  let grace: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const abort = (): void => {
    handle.call((host) => host.abort(id, serializeError(context.signal.reason))).catch(() => {});
    // A worker that does not come to an end, or never answered, is ended.
    grace = setTimeout(() => handle.terminate(), 2 * teardownGraceMs);
  };
  const release = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(grace);
    context.signal.removeEventListener('abort', abort);
    notices.port1.close();
    handle.release(keepAlive);
  };
  notices.port1.addEventListener('message', (event: MessageEvent<HostNotice>) => {
    if (event.data.type === 'activity') context.emit('activity');
    else context.emit(event.data.event.type, event.data.event.detail);
  });
  notices.port1.start();
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    context.signal.throwIfAborted();
    const request: OpenRequest = {
      id,
      name,
      stage: stage.name,
      options: typeof options === 'function' ? await options() : options,
      ends,
      notices: notices.port2,
    };
    await handle.call((host) => host.open(transfer(request, portsIn(request))));
  } catch (error) {
    release();
    throw error;
  }
  const done = handle
    .call((host) => host.finished(id))
    .catch((error: unknown) => {
      if (!context.signal.aborted) throw stageError(stage, error);
    })
    .finally(release);
  return { done };
}

/** Every MessagePort inside `value`, however deep. */
function portsIn(value: unknown, seen: Set<object> = new Set()): MessagePort[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof MessagePort) return [value];
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return [];
  const inner = value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
  return inner.flatMap((child) => portsIn(child, seen));
}

/**
 * `process` of any remote stage: the same ports as in a run, with this thread at both other ends.
 *
 * @param channel makes a pair of ports; a real `MessageChannel` unless given
 */
export async function* processRemotely(
  stage: RemoteStage,
  input: AsyncIterable<StreamElement>,
  context: StageContext,
  channel: () => Pick<MessageChannel, 'port1' | 'port2'> = () => new MessageChannel(),
): AsyncGenerator<StreamElement, void, undefined> {
  const outputs = channel();
  const inputs = stage.source ? undefined : channel();
  const reader = portReader(outputs.port1);
  const { done } = await stage.attach(
    inputs ? { input: inputs.port2, output: outputs.port2 } : { output: outputs.port2 },
    context,
  );
  // The reader meets the same failure; `done` is awaited at the end.
  done.catch((error: unknown) => reader.cancel(error));
  const feeding = inputs ? feed(input, portWriter(inputs.port1)) : Promise.resolve();
  yield* reader;
  await done;
  await feeding;
}

async function feed(
  input: AsyncIterable<StreamElement>,
  writer: ReturnType<typeof portWriter>,
): Promise<void> {
  try {
    for await (const element of input) {
      if (element.kind === 'interrupt') writer.overtake(element);
      else await writer.write(element);
    }
    writer.close();
  } catch (error) {
    writer.fail(error);
  }
}
