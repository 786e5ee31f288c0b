/** Several equal stages that share one stream out among themselves: whoever is free takes the next. */
import { isControl, type Kind, type StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { Doorbell, LookAhead } from '../conversation/look-ahead.ts';
import { CompetingWorker, type Job, type Segment } from './competing-worker.ts';

/** Elements whose place in the output has not come yet; beyond it the input waits. */
const maxWaiting = 64;

/** Settings of {@link compete}. */
export interface CompeteOptions {
  /**
   * `kept`: what becomes of an element leaves behind what became of those before it, however early it is ready.
   * `free`: as it is ready, but control still leaves behind what came before it and before what comes after it.
   * `kept` unless given.
   */
  readonly order?: 'kept' | 'free';
}

/**
 * One stage made of equal `workers`: each element they consume goes to one of them, to the one that has been
 * free the longest; a worker has one at a time. The first that is free takes the next, so a slow or stuck one
 * holds up nobody but the element it has (and, with `order: 'kept'`, the outputs behind that). At most one more
 * element is read while all are busy. What they do not consume passes by in its place and reaches none of them. When
 * 64 elements, dealt with or not, wait for what has to leave before them, the input waits too.
 *
 * A worker has to deal with each element by itself: it sees the element and then a `turn-end` of the same turn, and is done
 * when that comes out again. Interrupts reach all of them. Any stage will do, one in a web worker (`inWorker`)
 * too; the elements then pass through this thread. Of outputs that must wait for their turn up to 64 an element are
 * kept, then the worker waits. A worker that fails, or ends before its input, fails the run. Session-safe if they are.
 *
 * @throws `invalid-argument` without workers, or when they do not consume the same
 *
 * @example
 * const ears = [1, 2, 3].map((n) => new STTStage({ recognizer: remoteRecognizer(server), name: `stt-${n}` }));
 * builder.chain(turns, compete('stt', ears), provider);
 */
export function compete<Consumes extends Kind, Emits extends Kind>(
  name: string,
  workers: readonly Stage<Consumes, Emits>[],
  { order = 'kept' }: CompeteOptions = {},
): Stage<Consumes, Emits> {
  const [first] = workers;
  if (!first)
    throw new AntiphonError('invalid-argument', `${name}: there are no workers`, {
      hint: 'Give at least one.',
    });
  const consumes = new Set<Kind>(first.consumes);
  for (const worker of workers)
    if (list(worker.consumes) !== list(first.consumes))
      throw new AntiphonError(
        'invalid-argument',
        `${name}: "${first.name}" consumes ${list(first.consumes)}, "${worker.name}" ${list(worker.consumes)}`,
        { hint: 'Stages that compete must consume the same.' },
      );
  const isJob = (item: StreamElement): boolean => !isControl(item) && consumes.has(item.kind);
  return {
    name,
    type: first.type,
    consumes: first.consumes,
    emits: [...new Set(workers.flatMap(({ emits }) => emits))],
    session: workers.every(({ session }) => session !== 'unary') ? 'safe' : 'unary',
    ...(first.format === undefined ? {} : { format: first.format }),
    async prepare(context) {
      await Promise.all(workers.map(async (worker) => worker.prepare?.(context)));
    },
    process: (input, context) => share(name, workers, input, context, isJob, order),
    async dispose() {
      await Promise.all(workers.map(async (worker) => worker.dispose?.()));
    },
  };
}

async function* share(
  name: string,
  stages: readonly Stage[],
  input: AsyncIterable<StreamElement>,
  context: StageContext,
  isJob: (item: StreamElement) => boolean,
  order: 'kept' | 'free',
): AsyncGenerator<StreamElement, void, undefined> {
  const bell = new Doorbell();
  const source = new LookAhead(input, bell.ring);
  const line: Segment[] = [];
  const segment = (...outputs: StreamElement[]): Segment => {
    const added = { outputs, taken: 1, pending: 0, sealed: false };
    line.push(added);
    return added;
  };
  const onStray = (output: StreamElement): void => {
    segment(output).sealed = true;
    bell.ring();
  };
  const workers = stages.map(
    (stage) => new CompetingWorker(name, stage, context, { onChange: bell.ring, onStray }),
  );
  /** Free workers, the one that has been free the longest first. */
  let idle: CompetingWorker[] = [];
  let next: Job | undefined;
  let end: StreamElement | undefined;
  let closed = false;
  let ending = false;

  /** Puts an element where it, or what becomes of it, will leave. */
  const place = (item: StreamElement): void => {
    const last = line.at(-1);
    if (isControl(item)) {
      if (last) last.sealed = true;
      segment(item).sealed = true;
      if (item.kind === 'interrupt') for (const worker of workers) worker.interrupt(item);
      return;
    }
    const own = last && !last.sealed ? last : segment();
    if (own === last) own.taken += 1;
    own.sealed = order === 'kept';
    if (!isJob(item)) own.outputs.push(item);
    else {
      own.pending += 1;
      next = { item, segment: own };
    }
  };
  /** Elements behind those that may leave now. */
  const waiting = (): number => line.slice(1).reduce((sum, { taken }) => sum + taken, 0);
  const isOver = ({ sealed, pending }: Segment): boolean => pending === 0 && (sealed || closed);

  try {
    for (;;) {
      for (const { failure } of workers) if (failure) throw failure.reason;
      const free = workers.filter((worker) => worker.isFree);
      idle = [
        ...idle.filter((worker) => worker.isFree),
        ...free.filter((worker) => !idle.includes(worker)),
      ];
      if (next && idle[0]) {
        idle[0].give(next);
        next = undefined;
      }
      for (let head = line[0]; head; head = line[0]) {
        for (let output = head.outputs.shift(); output; output = head.outputs.shift()) yield output;
        if (!isOver(head)) break;
        line.shift();
      }
      for (const worker of workers) worker.room.ring();
      if (closed && line.length === 0) {
        if (workers.every((worker) => worker.ended)) break;
        if (!ending) for (const worker of workers) worker.end();
        ending = true;
      }
      if (!closed && !next && waiting() < maxWaiting) source.ask();
      await bell.wait();
      if (!source.ready) continue;
      const taken = source.take();
      if (!taken) closed = true;
      else if (taken.value.kind === 'end') end = taken.value;
      else place(taken.value);
    }
    // Behind what workers had left to say when their input was over.
    if (end) yield end;
  } finally {
    source.close();
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

function list(kinds: readonly Kind[]): string {
  return [...kinds].sort().join(', ') || 'nothing';
}
