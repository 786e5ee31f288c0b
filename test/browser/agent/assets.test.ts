import { describe, expect, it } from 'vitest';
import type { ErrorCode, VoiceAgentOptions } from '../../../src/index.ts';
import { census, expectAnswer, expectReleased, failureOf, makeAgent, next } from './rig.ts';

const gone = (file: string): string => new URL(`/gone/${file}`, location.href).href;
/** This page, whatever is appended: what a server with a fallback answers for every missing file. */
const page = (): string => `${location.href}${location.search === '' ? '?' : '&'}fallback=`;
const worker = (url: string) => (): Worker => new Worker(url, { type: 'module' });

const options = (
  url: string,
): Readonly<Record<string, readonly [VoiceAgentOptions, ErrorCode]>> => ({
  'worklets.capture': [{ worklets: { capture: url } }, 'worklet-load'],
  'worklets.playback': [{ worklets: { playback: url } }, 'worklet-load'],
  'workers.ears': [{ workers: { ears: worker(url) } }, 'worker-load'],
  'workers.scribe': [{ workers: { scribe: worker(url) } }, 'worker-load'],
  'workers.voice': [{ workers: { voice: worker(url) } }, 'worker-load'],
  'hearing.model': [{ hearing: { model: url } }, 'model-load'],
  'recogniser.model': [{ recogniser: { engine: 'ctc', model: url } }, 'model-load'],
  'voice.wasm': [{ voice: { wasm: url } }, 'model-load'],
  wasmPaths: [{ wasmPaths: `${url}/` }, 'model-load'],
});

describe.each([
  ['404', gone('file.js')],
  ['a web page', page()],
])('an address that answers %s', (_, url) => {
  it.each(Object.keys(options(url)))(
    'given as %s is a typed error that says what to do; nothing stays open',
    async (name) => {
      const [wrong, code] = options(url)[name] ?? [{}, 'unknown'];
      const { agent, troubles } = await makeAgent(wrong);
      const error = await failureOf(agent.start());
      expect(error).toMatchObject({ code, hint: expect.stringMatching(/\w+/) });
      expect(error.message).not.toBe('');
      await expectReleased(agent);
      expect(census().made.tracks).toBe(0);
      expect(troubles).toEqual([]);
    },
  );
});

describe('trouble with an asset', () => {
  it('rejects load() as well, and a server that recovers is enough to go on', async () => {
    let url = gone('voice.js');
    const right = (await import('../../../src/assets.ts')).voiceWorker;
    const { agent } = await makeAgent({
      workers: { voice: () => (url === '' ? right() : worker(url)()) },
    });
    expect((await failureOf(agent.load())).code).toBe('worker-load');
    await expectReleased(agent);
    url = '';
    await agent.start({ microphone: false });
    await expectAnswer(agent);
    await agent.stop();
    await expectReleased(agent);
  });

  it('tells of a worker that crashes, lets go of everything, and goes on by itself with the turns kept', async () => {
    const voice = new URL('../../../workers/voice.ts', import.meta.url).href;
    const source = `import '${voice}';
      addEventListener('message', ({ data }) => {
        if (data === 'crash') throw new Error('out of memory');
      });`;
    let crash = (): void => {};
    const { agent } = await makeAgent({
      workers: {
        voice: () => {
          const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
          const made = new Worker(url, { type: 'module' });
          crash = () => made.postMessage('crash');
          return made;
        },
      },
    });
    await agent.start();
    await expectAnswer(agent);
    const told = next(agent, 'error');
    crash();
    expect(await told).toMatchObject({
      code: 'worker-crashed',
      message: expect.stringContaining('out of memory'),
      hint: expect.stringMatching(/\w+/),
    });
    await expectReleased(agent);
    await next(agent, 'state', ({ assistant }) => assistant === 'listening');
    await expectAnswer(agent);
    expect(await agent.history()).toHaveLength(4);
    await agent.stop();
    await expectReleased(agent);
  });
});
