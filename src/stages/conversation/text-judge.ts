/** Several validators over one growing text: how much of it may be let out, and the verdict. */
import { toAntiphonError } from '../../core/errors.ts';
import { abortable } from '../../providers/abort.ts';
import type {
  StreamingValidator,
  ValidationContext,
  ValidationFailure,
  Validator,
  WholeValidator,
} from './validators.ts';

/** Where the acceptable part of a text ends, and why. */
export interface Violation {
  /** Offset in UTF-16 units. */
  readonly at: number;
  readonly failure: ValidationFailure;
}

/** What is known of a text so far. */
export interface TextScan {
  /** What lies before may be let out. */
  readonly safe: number;
  readonly violation?: Violation;
}

/** The outcome for a text that is complete. */
export interface Verdict {
  /** Everything that is wrong, or the first violation where a stream was cut there. */
  readonly failures: readonly ValidationFailure[];
  /** What lies before this offset is acceptable. */
  readonly acceptable: number;
}

/** The validators of one direction. Holds nothing of any text, so it serves many at once. */
export class TextJudge {
  readonly #streaming: readonly StreamingValidator[];
  readonly #whole: readonly WholeValidator[];

  constructor(validators: readonly Validator[]) {
    this.#streaming = validators.filter((each): each is StreamingValidator => 'scan' in each);
    this.#whole = validators.filter((each): each is WholeValidator => !('scan' in each));
  }

  /** True when nothing is judged. */
  get idle(): boolean {
    return this.#streaming.length + this.#whole.length === 0;
  }

  /** True when a verdict needs the whole text. */
  get needsAll(): boolean {
    return this.#whole.length > 0;
  }

  /**
   * Scans the beginning of a text. The violation told is the one that comes first in the text, and it is
   * told only once no other can come before it: how the text arrived makes no difference.
   */
  scan(text: string, final: boolean): TextScan {
    let safe = text.length;
    let first: Violation | undefined;
    const scans = this.#streaming.map((validator) => ({
      validator,
      scan: validator.scan(text, final),
    }));
    for (const { validator, scan } of scans) {
      const { violation } = scan;
      if (!violation) safe = Math.min(safe, scan.safe);
      else if (first === undefined || violation.at < first.at)
        first = {
          at: violation.at,
          failure: { validator: validator.name, problem: violation.problem },
        };
    }
    if (!first) return { safe };
    const violation = this.#withoutRemnant(text, first);
    // Another validator may still object to something at or before this place.
    if (!final && safe <= first.at) return { safe: Math.min(safe, violation.at) };
    return { safe: Math.min(safe, violation.at), violation };
  }

  /** The violation moved forward where the cut, inside a word, would leave a text that is refused itself. */
  #withoutRemnant(text: string, { at, failure }: Violation): Violation {
    const left = text.slice(0, at);
    const again = this.#streaming.flatMap((each) => each.scan(left, true).violation?.at ?? []);
    const earlier = Math.min(at, ...again);
    return earlier < at ? this.#withoutRemnant(text, { at: earlier, failure }) : { at, failure };
  }

  /** The verdict on a complete text, the same as a stream of it would have met. */
  async judge(text: string, context: ValidationContext): Promise<Verdict> {
    if (this.needsAll) {
      const failures = await this.failures(text, context);
      return { failures, acceptable: failures.length > 0 ? 0 : text.length };
    }
    const { violation } = this.scan(text, true);
    if (!violation) return { failures: [], acceptable: text.length };
    return { failures: [violation.failure], acceptable: violation.at };
  }

  /** Everything that is wrong with a complete text. */
  async failures(text: string, context: ValidationContext): Promise<ValidationFailure[]> {
    const streamed = this.#streaming.flatMap((each): ValidationFailure[] => {
      const { violation } = each.scan(text, true);
      return violation ? [{ validator: each.name, problem: violation.problem }] : [];
    });
    const whole = await Promise.all(this.#whole.map((each) => checkWith(each, text, context)));
    return [...streamed, ...whole.flat()];
  }
}

/** A validator that can't judge has not approved. */
async function checkWith(
  validator: WholeValidator,
  text: string,
  context: ValidationContext,
): Promise<ValidationFailure[]> {
  const { name } = validator;
  try {
    const judging = (async () => validator.check(text, context))();
    const problems = await abortable(judging, context.signal);
    return problems.map((problem) => ({ validator: name, problem }));
  } catch (error) {
    const { message } = toAntiphonError(error, 'stage');
    return [{ validator: name, problem: `could not be judged: ${message}` }];
  }
}
