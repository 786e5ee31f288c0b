/**
 * Records what a page plays: a script to add to the page before its own code runs. It taps whatever is
 * connected to an AudioContext's destination with a recorder worklet of its own, so it hears exactly the
 * rendered samples. Needs `bypassCSP` (the worklet comes from a blob).
 */

/** Installs `globalThis.speakerTap`; runs in the page. */
export function installSpeakerTap() {
  const recorder = `registerProcessor('speaker-tap', class extends AudioWorkletProcessor {
    process([input]) {
      const samples = input[0];
      if (samples) this.port.postMessage({ at: currentFrame, now: Date.now(), samples: samples.slice() });
      return true;
    }
  })`;
  const chunks = [];
  let sampleRate = 0;
  let firstFrame;
  let originMs = Infinity;
  const taps = new WeakMap();
  const connect = AudioNode.prototype.connect;

  function tapOf(context) {
    if (!taps.has(context)) {
      const url = URL.createObjectURL(new Blob([recorder], { type: 'text/javascript' }));
      const ready = context.audioWorklet.addModule(url).then(() => {
        const node = new AudioWorkletNode(context, 'speaker-tap', {
          numberOfOutputs: 0,
          channelCount: 1,
          channelCountMode: 'explicit',
        });
        sampleRate = context.sampleRate;
        node.port.onmessage = ({ data }) => {
          firstFrame ??= data.at;
          // The earliest mapping of frames to Unix time is the one that waited least in the render thread.
          originMs = Math.min(originMs, data.now - ((data.at - firstFrame) * 1000) / sampleRate);
          chunks.push(data);
        };
        return node;
      });
      taps.set(context, ready);
    }
    return taps.get(context);
  }

  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && this.context instanceof AudioContext)
      void tapOf(this.context).then((tap) => connect.call(this, tap));
    return connect.call(this, target, ...rest);
  };

  globalThis.speakerTap = {
    /** Samples recorded so far, gaps filled with silence, as base64 of little-endian int16. */
    take() {
      const last = chunks.at(-1);
      if (!last) return { sampleRate: 0, originMs: 0, pcm16: '' };
      const pcm = new Int16Array(last.at - firstFrame + last.samples.length);
      for (const { at, samples } of chunks)
        for (let index = 0; index < samples.length; index++)
          pcm[at - firstFrame + index] = Math.max(-1, Math.min(1, samples[index])) * 32767;
      const bytes = new Uint8Array(pcm.buffer);
      let text = '';
      for (let index = 0; index < bytes.length; index += 8192)
        text += String.fromCharCode(...bytes.subarray(index, index + 8192));
      return { sampleRate, originMs, pcm16: btoa(text) };
    },
  };
}

/** The recording of a Playwright page as Float32 samples; `originMs`: Unix time of the first. */
export async function takeRecording(page) {
  const { sampleRate, originMs, pcm16 } = await page.evaluate(() => globalThis.speakerTap.take());
  const bytes = Buffer.from(pcm16, 'base64');
  const samples = new Float32Array(bytes.length >> 1);
  for (let index = 0; index < samples.length; index++)
    samples[index] = bytes.readInt16LE(index * 2) / 32768;
  return { sampleRate, originMs, samples };
}
