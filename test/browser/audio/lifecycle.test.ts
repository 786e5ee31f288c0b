import { afterEach, describe, expect, it } from 'vitest';
import { AudioEdge, type AudioEdgeOptions } from '../../../src/audio/audio-edge.ts';
import { ClipStream } from '../../../src/audio/clip-stream.ts';
import { AntiphonError, type ErrorCode } from '../../../src/core/errors.ts';
import { Condition, distinct, FarPort, openRig, openSpeaker, speech, worklets } from './rig.ts';

const edges: AudioEdge[] = [];
afterEach(() => Promise.all(edges.splice(0).map((edge) => edge.close())));

function makeEdge(options: Partial<AudioEdgeOptions> = {}): AudioEdge {
  const edge = new AudioEdge({ ...worklets, ...options });
  edges.push(edge);
  return edge;
}

async function failureOf(promise: Promise<unknown>): Promise<AntiphonError> {
  const error: unknown = await promise.then(
    () => new Error('It succeeded.'),
    (reason: unknown) => reason,
  );
  if (AntiphonError.is(error)) return error;
  throw error;
}

/** Contexts and tracks made while `action` ran. */
async function watch(action: () => Promise<void>) {
  const contexts: AudioContext[] = [];
  const tracks: MediaStreamTrack[] = [];
  const Original = globalThis.AudioContext;
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  globalThis.AudioContext = class extends Original {
    constructor(options?: AudioContextOptions) {
      super(options);
      contexts.push(this);
    }
  };
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    tracks.push(...stream.getTracks());
    return stream;
  };
  try {
    await action();
  } finally {
    globalThis.AudioContext = Original;
    navigator.mediaDevices.getUserMedia = open;
  }
  return { contexts, tracks };
}

describe('the life of an audio edge', () => {
  it('leaves no live track and no open context behind after fifty times', async () => {
    const edge = makeEdge();
    const { contexts, tracks } = await watch(async () => {
      for (let i = 0; i < 50; i++) {
        const condition = new Condition();
        const port = new FarPort(condition, 32);
        await edge.open();
        await edge.openMicrophone(port.near);
        await edge.openSpeaker({
          input: new FarPort(condition, 0).near,
          output: new FarPort(condition, 32).near,
        });
        if (i % 10 === 0) await condition.until(() => port.elements.length > 2);
        await edge.close();
      }
    });
    expect(contexts).toHaveLength(50);
    expect(new Set(contexts.map(({ state }) => state))).toEqual(new Set(['closed']));
    expect(tracks).toHaveLength(50);
    expect(new Set(tracks.map(({ readyState }) => readyState))).toEqual(new Set(['ended']));
  });

  it('leaves no processor behind in a context that lives on', async () => {
    const rig = await openRig(16_000);
    expect(await rig.sessions()).toBe(1);
    await rig.edge.close();
    for (let i = 0; i < 50; i++) {
      await rig.edge.open();
      await rig.edge.openMicrophone(new FarPort(rig.condition, 32).near);
      await rig.edge.close();
    }
    await rig.advance(1_024);
    expect(await rig.sessions()).toBe(0);
    await rig.close();
  });

  it('has no side effects before it is opened', async () => {
    const { contexts, tracks } = await watch(async () => {
      const edge = makeEdge();
      expect(edge.sampleRate).toBe(0);
      expect(edge.outputLatencyMs).toBe(0);
      expect(() => edge.floorPort()).toThrow(/closed/);
      await edge.close();
    });
    expect([...contexts, ...tracks]).toEqual([]);
  });

  it('shares one opening between all who ask, and opens again after it was closed while opening', async () => {
    const edge = makeEdge();
    const { contexts } = await watch(async () => {
      const first = edge.open();
      const second = edge.open();
      const closed = edge.close();
      expect((await failureOf(first)).code).toBe('aborted');
      expect((await failureOf(second)).code).toBe('aborted');
      await closed;
      await Promise.all([edge.open(), edge.open()]);
      expect(edge.sampleRate).toBeGreaterThan(0);
    });
    expect(contexts.map(({ state }) => state)).toEqual(['closed', 'running']);
  });

  it('stops a microphone that is granted after the edge was closed', async () => {
    let grant: (stream: MediaStream) => void = () => {};
    const edge = makeEdge({ getStream: () => new Promise((resolve) => (grant = resolve)) });
    await edge.open();
    const opening = edge.openMicrophone(new FarPort(new Condition(), 1).near);
    opening.catch(() => {});
    await Promise.resolve();
    await edge.close();
    expect((await failureOf(opening)).code).toBe('aborted');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    grant(stream);
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve();
      port2.postMessage(0);
    });
    expect(stream.getTracks().map(({ readyState }) => readyState)).toEqual(['ended']);
  });

  it('lets go of a microphone that the context refuses', async () => {
    const edge = makeEdge();
    const { createMediaStreamSource } = AudioContext.prototype;
    AudioContext.prototype.createMediaStreamSource = () => {
      throw new DOMException('another sample rate', 'NotSupportedError');
    };
    try {
      const { tracks } = await watch(async () => {
        const opening = edge.openMicrophone(new FarPort(new Condition(), 1).near);
        expect((await failureOf(opening)).code).toBe('microphone-missing');
      });
      expect(tracks.map(({ readyState }) => readyState)).toEqual(['ended']);
      expect(edge.sampleRate).toBe(0);
    } finally {
      AudioContext.prototype.createMediaStreamSource = createMediaStreamSource;
    }
  });

  it('closes when a signal aborts the opening', async () => {
    const edge = makeEdge();
    const abort = new AbortController();
    const opening = edge.open({ signal: abort.signal });
    abort.abort();
    expect((await failureOf(opening)).code).toBe('aborted');
    expect(edge.sampleRate).toBe(0);
  });

  it('closes by itself when microphone and speaker are both closed', async () => {
    const rig = await openRig(16_000);
    const microphone = await rig.edge.openMicrophone(new FarPort(rig.condition, 32).near);
    const { stream: speaker } = await openSpeaker(rig);
    microphone.close();
    await microphone.done;
    expect(rig.edge.sampleRate).toBe(16_000);
    speaker.close();
    await speaker.done;
    expect(rig.edge.sampleRate).toBe(0);
    await rig.close();
  });

  it('lets one microphone follow another without ending the second', async () => {
    const rig = await openRig(16_000);
    const first = new FarPort(rig.condition, 32);
    const second = new FarPort(rig.condition, 32);
    const one = await rig.edge.openMicrophone(first.near);
    await rig.condition.until(() => first.elements.length > 2);
    await rig.edge.openMicrophone(second.near);
    await one.done;
    await rig.condition.until(() => second.elements.length > 20);
    expect(first.received.at(-1)).toEqual({ type: 'close' });
    await rig.close();
  });
});

describe('trouble at the audio edge', () => {
  it.each<[string, ErrorCode]>([
    ['NotAllowedError', 'microphone-denied'],
    ['NotFoundError', 'microphone-missing'],
    ['OverconstrainedError', 'microphone-missing'],
    ['NotReadableError', 'microphone-busy'],
  ])('calls %s %s, tells the next stage, and lets go of the context', async (name, code) => {
    const condition = new Condition();
    const port = new FarPort(condition, 1);
    const { contexts } = await watch(async () => {
      const getStream = () => Promise.reject(new DOMException('no', name));
      const error = await failureOf(makeEdge({ getStream }).openMicrophone(port.near));
      expect(error.code).toBe(code);
      expect(error.hint).not.toBe('');
    });
    await condition.until(() => port.received.length > 0);
    expect(port.received).toMatchObject([{ type: 'error', error: { code } }]);
    expect(contexts.map(({ state }) => state)).toEqual(['closed']);
  });

  it('keeps the speaker when there is no microphone', async () => {
    const rig = await openRig(48_000, {
      getStream: () => Promise.reject(new DOMException('no', 'NotFoundError')),
    });
    const { input } = await openSpeaker(rig);
    await failureOf(rig.edge.openMicrophone(new FarPort(rig.condition, 1).near));
    input.send(speech(distinct(2_000), 48_000));
    await rig.condition.until(
      () => rig.recorded().filter((sample) => sample !== 0).length === 2_000,
    );
    await rig.close();
  });

  it('tells that the microphone was unplugged, to the page and to the next stage', async () => {
    const rig = await openRig(16_000);
    const port = new FarPort(rig.condition, 32);
    const tracks: MediaStreamTrack[] = [];
    const { createMediaStreamSource } = rig.context;
    rig.context.createMediaStreamSource = function (stream) {
      tracks.push(...stream.getTracks());
      return createMediaStreamSource.call(this, stream);
    };
    const events: AntiphonError[] = [];
    rig.edge.on('microphone-ended', (error) => events.push(error));
    const microphone = await rig.edge.openMicrophone(port.near);
    await rig.condition.until(() => port.elements.length > 0);
    tracks[0]?.dispatchEvent(new Event('ended'));
    expect((await failureOf(microphone.done)).code).toBe('microphone-ended');
    expect(events.map(({ code }) => code)).toEqual(['microphone-ended']);
    await rig.condition.until(() => port.received.some((one) => 'error' in one));
    expect(port.received.at(-1)).toMatchObject({ error: { code: 'microphone-ended' } });
    expect(tracks.map(({ readyState }) => readyState)).toEqual(['ended']);
    await rig.close();
  });

  it.each([
    ['answers 404', () => new URL('/worklets/gone.js', location.href).href, /answered 404/],
    ['answers HTML', () => location.href, /text\/html/],
  ])('says what is wrong with a worklet URL that %s', async (_name, url, message) => {
    const { contexts } = await watch(async () => {
      const error = await failureOf(makeEdge({ playbackWorklet: url() }).open());
      expect(error.code).toBe('worklet-load');
      expect(error.message).toMatch(message);
      expect(error.hint).not.toBe('');
    });
    expect(contexts.map(({ state }) => state)).toEqual(['closed']);
  });

  it('gives up on a context that does not start', async () => {
    const context = new AudioContext();
    context.resume = () => new Promise(() => {});
    const error = await failureOf(makeEdge({ audioContext: context, startTimeoutMs: 20 }).open());
    expect(error.code).toBe('audio-context');
    expect(error.hint).toMatch(/click/);
    await context.close();
  });

  it('knows a page that may use no worklet', async () => {
    const context = new AudioContext();
    Object.defineProperty(context, 'audioWorklet', { value: undefined });
    const error = await failureOf(makeEdge({ audioContext: context }).open());
    expect(error.code).toBe('insecure-context');
    await context.close();
  });
});

describe('a clip as the microphone', () => {
  it('is heard whole, and reports when it is done', async () => {
    const clips = new ClipStream();
    const rig = await openRig(48_000, { getStream: clips.getStream });
    const port = new FarPort(rig.condition, 32);
    await rig.edge.openMicrophone(port.near);
    await rig.condition.until(() => port.elements.length > 0);
    await clips.play(new Float32Array(16_000).fill(0.5), 16_000);
    const loud = () =>
      port.elements
        .flatMap((element) => (element.kind === 'audio' ? [...element.samples] : []))
        .filter((sample) => sample > 0.4).length;
    await rig.condition.until(() => loud() > 15_000);
    await rig.close();
    await clips.close();
  });

  it('is over when its microphone is closed, however long it is', async () => {
    const clips = new ClipStream();
    const playing = clips.play(new Float32Array(16_000 * 600), 16_000);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await clips.close();
    await playing;
  });

  it('is over when a signal says so, however early', async () => {
    const clips = new ClipStream();
    const abort = new AbortController();
    const playing = clips.play(new Float32Array(16_000 * 600), 16_000, { signal: abort.signal });
    abort.abort();
    await playing;
    await clips.close();
  });

  it('opens one microphone, however often it is asked for', async () => {
    let opened = 0;
    const microphone = (constraints: MediaStreamConstraints) => {
      opened += 1;
      return navigator.mediaDevices.getUserMedia(constraints);
    };
    const clips = new ClipStream({ microphone });
    await clips.getStream({ audio: true });
    await clips.getStream({ audio: true });
    expect(opened).toBe(1);
    await clips.close();
    await clips.getStream({ audio: true });
    expect(opened).toBe(2);
    await clips.close();
  });

  it('refuses an empty clip', async () => {
    const clips = new ClipStream();
    expect((await failureOf(clips.play(new Float32Array(0), 16_000))).code).toBe('audio-format');
    await clips.close();
  });
});
