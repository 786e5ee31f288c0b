/** Asking for the microphone: constraints, and what its refusals mean. Page only. */
import { AntiphonError, toAntiphonError, type ErrorCode } from '../core/errors.ts';

/** Opens a stream for the given constraints; `navigator.mediaDevices.getUserMedia` unless replaced. */
export type GetStream = (constraints: MediaStreamConstraints) => Promise<MediaStream>;

/**
 * Mono with echo cancellation (of everything the device plays, where the browser knows `all`:
 * https://w3c.github.io/mediacapture-extensions/#echocancellationmodeenum), noise suppression and gain
 * control. Never a sample rate: Firefox refuses to connect a stream whose rate is not the context's.
 */
export const microphoneConstraints: MediaTrackConstraints = {
  channelCount: 1,
  // A browser that takes only a boolean reads the string as true.
  echoCancellation: { ideal: 'all' },
  noiseSuppression: true,
  autoGainControl: true,
};

/**
 * Opens the microphone.
 *
 * @throws AntiphonError `microphone-denied`, `microphone-missing`, `microphone-busy`, `insecure-context`
 */
export async function openStream(
  getStream: GetStream | undefined,
  constraints: MediaTrackConstraints,
): Promise<MediaStream> {
  const open = getStream ?? browserMicrophone;
  const wanted = { audio: { ...microphoneConstraints, ...constraints }, video: false };
  let stream: MediaStream;
  try {
    stream = await open(wanted);
  } catch (error) {
    throw microphoneError(error);
  }
  if (stream.getAudioTracks().length > 0) return stream;
  for (const track of stream.getTracks()) track.stop();
  throw new AntiphonError('microphone-missing', 'The stream has no audio track.', {
    hint: 'Make getStream return a MediaStream with an audio track.',
  });
}

/** What a failure of `getUserMedia` means to the person in front of it. */
export function microphoneError(error: unknown): AntiphonError {
  if (AntiphonError.is(error)) return error;
  const name = error instanceof Error ? error.name : '';
  const [code, message, hint] = refusals[name] ?? [
    'microphone-missing',
    'The microphone could not be opened.',
    'Check that a microphone is connected and that the page may use it.',
  ];
  return toAntiphonError(new AntiphonError(code, message, { hint, retryable: true, cause: error }));
}

/** The device went away while in use. */
export function microphoneEnded(): AntiphonError {
  return new AntiphonError('microphone-ended', 'The microphone was unplugged or taken away.', {
    hint: 'Connect it again and start anew.',
    retryable: true,
  });
}

const refusals: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  NotAllowedError: [
    'microphone-denied',
    'The use of the microphone was not allowed.',
    'Allow the microphone in the site settings of the browser (an iframe needs allow="microphone"), then start again.',
  ],
  SecurityError: [
    'microphone-denied',
    'The browser forbids this page the microphone.',
    'Allow the microphone in the settings and in the Permissions-Policy of the page.',
  ],
  NotFoundError: [
    'microphone-missing',
    'There is no microphone.',
    'Connect a microphone, or type instead.',
  ],
  OverconstrainedError: [
    'microphone-missing',
    'No microphone fits the constraints.',
    'Connect a microphone, or ask for less in `constraints` (no exact deviceId).',
  ],
  NotReadableError: [
    'microphone-busy',
    'The microphone is in use by another program, or the system does not let go of it.',
    'Close the program that uses the microphone, then start again.',
  ],
  AbortError: [
    'microphone-busy',
    'The microphone failed to start.',
    'Close other programs that use the microphone, then start again.',
  ],
};

/** The browser's own microphone. Rejects with `insecure-context` where there is none for lack of https. */
export const browserMicrophone: GetStream = async (constraints) => {
  const devices = (globalThis.navigator as Partial<Navigator> | undefined)?.mediaDevices;
  if (!devices) throw insecureContext();
  return devices.getUserMedia(constraints);
};

/** The page was not loaded in a way that lets it use microphone and worklets. */
export function insecureContext(): AntiphonError {
  return new AntiphonError('insecure-context', 'This page may use no microphone and no worklet.', {
    hint: 'Serve the page over https, or from localhost.',
  });
}
