/** Turns any WAV into the file that Chromium's fake microphone plays best: 44.1 kHz mono, quiet at both ends. */

/** Hertz of the fake device. */
const deviceRate = 44100;

/** Quiet before the recording: Chromium starts the file when the stream opens, the graph connects later. */
export const leadMs = 1000;

/**
 * The bytes of the microphone file and how long the recording in it is.
 * `audio` is the SDK's own code: `decodeWav`, `encodeWav`, `resample`.
 */
export function microphoneFile(bytes, audio) {
  const { samples, sampleRate } = audio.decodeWav(bytes);
  const speech =
    sampleRate === deviceRate ? samples : audio.resample(samples, sampleRate, deviceRate);
  const lead = Math.round((leadMs * deviceRate) / 1000);
  // A little noise instead of digital silence, as a real room has; also keeps AGC-less level meters alive.
  const padded = new Float32Array(lead + speech.length + deviceRate);
  let seed = 1;
  for (let index = 0; index < padded.length; index++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    padded[index] = (seed / 0x7fffffff - 0.5) * 2e-4;
  }
  for (let index = 0; index < speech.length; index++) padded[lead + index] += speech[index];
  return {
    wav: audio.encodeWav(padded, deviceRate),
    durationMs: (speech.length * 1000) / deviceRate,
  };
}

/** Flags that make the file Chromium's microphone, played once, without a question to the person. */
export function microphoneFlags(path) {
  return [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${path}%noloop`,
  ];
}

/** Asks for the microphone as it is: echo canceller and companions are for rooms, not for files. Runs in the page. */
export function useBareMicrophone() {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  navigator.mediaDevices.getUserMedia = (constraints) => open({ ...constraints, audio });
}
