import { afterEach, expect, it, vi } from 'vitest';
import { Listeners } from '../../../src/core/listeners.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each([
  ['reports what a listener throws, and calls the others', vi.fn<(error: unknown) => void>()],
  ['does so where the realm has no reportError', undefined],
])('%s', (_, report) => {
  vi.stubGlobal('reportError', report);
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const listeners = new Listeners<{ event: number }>();
  const heard: number[] = [];
  const torn = new Error('torn');
  listeners.on('event', () => {
    throw torn;
  });
  const off = listeners.on('event', (event) => heard.push(event));
  listeners.emit('event', 1);
  off();
  listeners.emit('event', 2);
  expect(heard).toEqual([1]);
  expect((report ?? told).mock.calls).toEqual([[torn], [torn]]);
});
