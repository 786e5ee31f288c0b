/** Turns of several speakers on one counter, begun and ended in any order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrackTurns } from '../../src/stages/streaming/track-turns.ts';
import { runs } from './runs.ts';

const step = fc.record({
  do: fc.constantFrom('start', 'end', 'misfire', 'typed', 'interrupt'),
  track: fc.constantFrom('a', 'b', 'c'),
});

describe('TrackTurns', () => {
  it('gives no number twice, ends turns in rising order, and none under a number that is void', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const turns = new TrackTurns();
        const local = new Map<string, number>();
        const open = new Map<string, number>();
        const given: number[] = [];
        const ended: number[] = [];
        let typed = 0;
        for (const { do: what, track } of steps) {
          const current = local.get(track) ?? 0;
          if (what === 'start' && !open.has(track)) {
            local.set(track, current + 1);
            const turn = turns.of(track, current + 1);
            given.push(turn);
            open.set(track, turn);
            expect(turns.of(track, current + 1)).toBe(turn);
          } else if (what === 'misfire' && open.has(track)) {
            turns.forget(track, current);
            open.delete(track);
          } else if (what === 'end' && open.has(track)) {
            const over = turns.over;
            const turn = turns.end(track, current);
            if (turn !== open.get(track)) given.push(turn);
            expect(turn).toBeGreaterThan(over);
            ended.push(turn);
            open.delete(track);
          } else if (what === 'typed') {
            typed = Math.max(typed, ...given, 0) + 1;
            turns.passed(typed);
            given.push(typed);
          } else if (what === 'interrupt') turns.passed(turns.over);
        }
        expect(new Set(given).size).toBe(given.length);
        expect(ended).toEqual([...new Set(ended)].toSorted((x, y) => x - y));
      }),
      runs(),
    );
  });
});
