/** Which conversation a turn belongs to; nothing is stored under no name. */
import { AntiphonError } from '../../core/errors.ts';
import type { TurnState } from '../../core/stage/stage.ts';

/**
 * The conversation of a turn.
 *
 * @throws `invalid-argument` when nothing has said which it is
 */
export function conversationOf({ conversation }: TurnState, stage: string): string {
  if (conversation !== '') return conversation;
  throw new AntiphonError('invalid-argument', `${stage} does not know which conversation it is.`, {
    hint: 'Give `conversation` to the stage, to a StateStoreLoadStage before it on the same thread, or to execute(): { turn: { conversation } }.',
    stage,
  });
}
