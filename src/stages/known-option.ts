/** Options that are one of a few words, for those whose configuration no compiler has seen. */
import { AntiphonError } from '../core/errors.ts';

/** Throws `invalid-argument`, naming stage and option, unless `value` is one of `known`. */
export function checkKnown(
  stage: string,
  option: string,
  value: string,
  known: readonly string[],
): void {
  if (known.includes(value)) return;
  throw new AntiphonError('invalid-argument', `${stage}: ${option} is ${JSON.stringify(value)}`, {
    hint: `Use one of: ${known.join(', ')}.`,
    stage,
  });
}
