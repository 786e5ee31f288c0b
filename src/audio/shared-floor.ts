/**
 * What the capture and the playback worklet tell each other within one render quantum. Both live in one
 * AudioWorkletGlobalScope, so this is a plain object under a well-known symbol: no message, no thread.
 */
import { SessionClock } from './session-clock.ts';

/** One per session (an opened `AudioEdge`). Written by one processor, read by the other. */
export interface SharedFloor {
  /** The capture clock. */
  readonly clock: SessionClock;
  /** Playback: something of the assistant can be heard now, its decay in the room included. */
  audible: boolean;
  /** Playback: level of what is rendered, root mean square, at once up and slowly down. */
  playbackLevel: number;
  /** Capture: the energy gate asks for a duck. */
  gateOpen: boolean;
  /** Playback: counts `lift` commands; the capture side dismisses its gate when it moves. */
  lifts: number;
}

const key = Symbol.for('antiphon.floor');

type Scope = { [key]?: Map<string, SharedFloor> };

/** The floor of `session`, made by whichever processor comes first. `sampleRate` in hertz. */
export function sharedFloor(session: string, sampleRate: number): SharedFloor {
  const scope = globalThis as Scope;
  const floors = (scope[key] ??= new Map<string, SharedFloor>());
  let floor = floors.get(session);
  if (!floor) {
    floor = {
      clock: new SessionClock(sampleRate),
      audible: false,
      playbackLevel: 0,
      gateOpen: false,
      lifts: 0,
    };
    floors.set(session, floor);
  }
  return floor;
}

/** Forgets the floor of a session that is over. */
export function forgetFloor(session: string): void {
  (globalThis as Scope)[key]?.delete(session);
}
