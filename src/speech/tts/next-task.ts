/** Gives way to the messages and events that wait, between two pieces of long synchronous work. */

/**
 * Resolves in a task of its own, after messages that already arrived were handled. A message channel,
 * because nested timers are clamped to 4 ms and slowed down in hidden pages.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
