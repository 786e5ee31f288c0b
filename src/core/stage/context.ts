/** Makes the context one stage sees in one run; the same on the page and in a worker. */
import { element } from '../element.ts';
import type { Clock } from '../time.ts';
import type { ChannelWriter } from '../channel/channel.ts';
import type { InterruptElement, StreamElement } from '../element.ts';
import type { Inbox } from './inbox.ts';
import type { StageContext, StageEvent, TurnState } from './stage.ts';

/** What of a context comes from the run rather than from the stage's own inbox. */
export interface RunFacts {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  turn(turn: number): TurnState;
  onEvent(event: StageEvent): void;
}

/** The context of the stage called `name`; without `forward` for a stage that has its real one elsewhere. */
export function stageContext(
  name: string,
  facts: RunFacts,
  inbox: Inbox,
  forward: InterruptForwarder | undefined,
): StageContext {
  return {
    signal: facts.signal,
    clock: facts.clock,
    turn: (turn) => facts.turn(turn),
    turnSignal: (turn) => inbox.turnSignal(turn),
    interrupt(turn) {
      inbox.voidTurns(turn);
      forward?.send(element('interrupt', { turn, source: name }));
    },
    emit(type, detail) {
      facts.onEvent({
        type,
        stage: name,
        at: facts.clock.now(),
        ...(detail === undefined ? {} : { detail }),
      });
    },
  };
}

/** Sends interrupts ahead of everything else, each turn once however often it is asked. */
export class InterruptForwarder {
  readonly #outbox: ChannelWriter<StreamElement>;
  #sent = -1;

  constructor(outbox: ChannelWriter<StreamElement>) {
    this.#outbox = outbox;
  }

  send(interrupt: InterruptElement): void {
    if (interrupt.turn <= this.#sent) return;
    this.#sent = interrupt.turn;
    this.#outbox.overtake(interrupt);
  }
}
