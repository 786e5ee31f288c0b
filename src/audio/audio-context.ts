/** Getting an AudioContext to run and its worklets loaded, with errors that say what to do. Page only. */
import { within } from '../core/abortable.ts';
import { AntiphonError } from '../core/errors.ts';
import { insecureContext } from './microphone.ts';

/**
 * Makes a context at the device's own rate and asks it to start. Synchronous on purpose: WebKit starts it
 * only when both happen inside the click.
 *
 * @throws AntiphonError `insecure-context`, `audio-context`
 */
export function makeContext(given: AudioContext | undefined): AudioContext {
  let context: AudioContext;
  try {
    context = given ?? new AudioContext({ latencyHint: 'interactive' });
  } catch (error) {
    throw new AntiphonError('audio-context', 'The browser gave no AudioContext.', {
      hint: 'Close other pages that play sound and check that the system has an audio output.',
      retryable: true,
      cause: error,
    });
  }
  if ((context.audioWorklet as AudioWorklet | undefined) === undefined) {
    if (!given) void context.close();
    throw insecureContext();
  }
  return context;
}

/**
 * Resolves when the context runs. A context that waits for a gesture never answers, hence the limit.
 *
 * @throws AntiphonError `audio-context` after `limitMs`
 */
export async function startContext(context: AudioContext, limitMs: number): Promise<void> {
  if (await within(context.resume(), limitMs)) return;
  const message = `The AudioContext is still "${context.state}" after ${limitMs} ms.`;
  const hint = 'Start from a click or key press, and check that the system has an audio output.';
  throw new AntiphonError('audio-context', message, { hint, retryable: true });
}

/**
 * Loads a worklet module.
 *
 * @throws AntiphonError `worklet-load` with what the server answered
 */
export async function loadWorklet(context: AudioContext, url: URL | string): Promise<void> {
  const address = String(url);
  try {
    await context.audioWorklet.addModule(address);
  } catch (error) {
    const found = await inspect(address);
    throw new AntiphonError(
      'worklet-load',
      `The worklet ${address} could not be loaded: ${found}.`,
      {
        hint: 'Serve the worklet files of the package and pass their URLs; check for a 404 page and for the Content-Security-Policy.',
        cause: error,
        details: { url: address },
      },
    );
  }
}

/** What is at a URL that was no module. */
async function inspect(address: string): Promise<string> {
  try {
    const response = await fetch(address);
    await response.body?.cancel();
    if (!response.ok) return `the server answered ${response.status}`;
    const type = response.headers.get('content-type') ?? 'no content type';
    return type.includes('javascript')
      ? 'it is a script that fails, or the page forbids it'
      : `the server answered ${type}, not JavaScript`;
  } catch {
    return 'the server could not be reached';
  }
}
