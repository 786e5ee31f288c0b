/** What stages that watch another one have in common. */
import type { Kind, StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import {
  isRemote,
  type AudioFormat,
  type Stage,
  type StageContext,
  type StageSession,
  type StageType,
} from '../../core/stage/stage.ts';

/**
 * Stands in for `wrapped`: same name, kinds, session, format, routes; so it takes its place in a graph
 * without any other change.
 */
export abstract class WrappingStage<Consumes extends Kind, Emits extends Kind> implements Stage<
  Consumes,
  Emits
> {
  readonly name: string;
  readonly type: StageType;
  readonly consumes: readonly Consumes[];
  readonly emits: readonly Emits[];
  readonly source: boolean;
  readonly merges: boolean;
  readonly session?: StageSession;
  readonly format?: { readonly input?: AudioFormat; readonly output?: AudioFormat };
  readonly routes?: readonly string[];
  /** The stage that does the work. */
  protected readonly wrapped: Stage<Consumes, Emits>;

  /** Throws `invalid-argument` for a stage that runs elsewhere. */
  constructor(wrapped: Stage<Consumes, Emits>) {
    if (isRemote(wrapped))
      throw new AntiphonError(
        'invalid-argument',
        `"${wrapped.name}" runs in ${wrapped.thread} and cannot be watched from here`,
        { hint: 'Wrap it where it runs: in the factory given to hostStages.' },
      );
    const { session, format, routes } = wrapped;
    this.wrapped = wrapped;
    this.name = wrapped.name;
    this.type = wrapped.type;
    this.consumes = wrapped.consumes;
    this.emits = wrapped.emits;
    this.source = wrapped.source ?? false;
    this.merges = wrapped.merges ?? false;
    if (session !== undefined) this.session = session;
    if (format !== undefined) this.format = format;
    if (routes !== undefined) this.routes = routes;
  }

  /** Prepares the stage that does the work. */
  prepare(context: StageContext): Promise<void> {
    return this.wrapped.prepare?.(context) ?? Promise.resolve();
  }

  /** Disposes the stage that does the work. */
  dispose(): void | Promise<void> {
    return this.wrapped.dispose?.();
  }

  /** Runs the stage that does the work, and watches. */
  abstract process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncIterable<StreamElement>;
}
