/** Whole conversations by voice in Node, in audio time: the same every time, and as their golden logs say. */
import { describe, expect, it } from 'vitest';
import type { Recording } from '../../../src/audio/wav.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { transform } from '../../../src/core/stage/define-stage.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import {
  asScripted,
  fakeClock,
  gate,
  join,
  reply,
  runOffline,
  scriptedProvider,
  scriptedRecognizer,
  scriptedSynthesizer,
  silence,
  toneLanguage,
  user,
  type OfflineOptions,
} from '../../../src/testing/index.ts';
import { conversations } from './conversations.ts';

const answer = (...texts: string[]) => scriptedProvider(texts);

describe('a conversation', () => {
  it.each(Object.entries(conversations))('%s goes as its golden log says', async (name, make) => {
    const { options, provider } = make();
    const { log } = await runOffline(options);
    provider.verify();
    await expect(`${log}\n`).toMatchFileSnapshot(`../../fixtures/conversations/${name}.log`);
  });

  it(
    'is the same in twenty runs, several at a time, to the last sample',
    { timeout: 300_000 },
    async () => {
      const make = conversations['two-interruptions'];
      if (!make) throw new Error('no such conversation');
      const runs = await Promise.all(Array.from({ length: 20 }, () => runOffline(make().options)));
      const [first] = runs;
      expect(new Set(runs.map(({ log }) => log)).size).toBe(1);
      const bytes = ({ samples }: Recording): Buffer => Buffer.from(samples.buffer);
      for (const { spoken, heard, durationMs } of runs) {
        expect(durationMs).toBe(first?.durationMs);
        expect(first && bytes(spoken).equals(bytes(first.spoken))).toBe(true);
        expect(first && bytes(heard).equals(bytes(first.heard))).toBe(true);
      }
    },
  );

  it('takes no longer in audio time when its engines are slow in real time', async () => {
    const steps = [user.says('what time is it'), user.hears(2), user.says('stop'), user.hearsAll()];
    const run = async (delay: () => Promise<void>) => {
      const language = toneLanguage();
      const { recognizer, synthesizer } = language;
      const provider = answer('It is a quarter past three.', 'Sorry.');
      const { log } = await runOffline({
        language,
        user: steps,
        // Copies are engines of the test's own, whose real time counts as work.
        recognizer: {
          ...recognizer,
          transcribe: async (samples) => {
            await delay();
            return recognizer.transcribe(samples);
          },
        },
        synthesizer: {
          ...synthesizer,
          synthesize: async (text) => {
            await delay();
            return synthesizer.synthesize(text);
          },
        },
        provider: {
          id: provider.id,
          async *stream(request, options) {
            for await (const part of provider.stream(request, options)) {
              await delay();
              yield part;
            }
          },
        },
      });
      return log;
    };
    const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
    expect(await run(slowly)).toBe(await run(() => Promise.resolve()));
  });

  it.each([8_000, 16_000, 24_000, 44_100, 48_000])(
    'speaks, in an audio context of %i Hz, just what was heard of its replies',
    async (sampleRate) => {
      const language = toneLanguage();
      const { spoken, heard, messages, turns } = await runOffline({
        language,
        sampleRate,
        user: [
          user.says('what time is it'),
          user.hears(3),
          user.says('no the date'),
          user.hearsAll(),
        ],
        provider: answer('It is a quarter past three.', 'The first of May.'),
      });
      expect(spoken.sampleRate).toBe(sampleRate);
      const text = (recording: typeof spoken): string =>
        language
          .understand(recording)
          .map((word) => word.text)
          .join(' ');
      expect(text(heard)).toBe('what time is it no the date');
      const replies = messages.filter(({ role }) => role === 'assistant');
      expect(replies.map((message) => message.heard)).toEqual(['It is a ', 'The first of May.']);
      // The word that was under way when playback paused was begun, and not heard to its end.
      expect(text(spoken)).toMatch(/^it is a( quarter)? the first of may$/);
      expect(turns.map(({ interrupted }) => interrupted)).toEqual([true, false]);
      expect(turns[1]?.trace.voiceToVoiceMs).toBeGreaterThan(500);
    },
  );

  it('is remembered as it was heard', async () => {
    const provider = answer('One two three four five six.', 'Yes.');
    await runOffline({
      provider,
      user: [user.says('count'), user.hears(2), user.says('did you stop'), user.hearsAll()],
    });
    expect(provider.requests[1]?.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', parts: [{ type: 'text', text: 'One two ' }] },
      { role: 'user' },
    ]);
  });
});

describe('what a conversation is made of', () => {
  it('may be a recording, with engines of the caller', async () => {
    const language = toneLanguage();
    const recording = join(silence(500), language.say('good morning', 400), silence(1500));
    const recognizer = scriptedRecognizer([{ text: 'guten morgen', minMs: 500, maxMs: 1500 }]);
    const synthesizer = scriptedSynthesizer(['Hallo.']);
    const provider = scriptedProvider([{ expect: 'guten morgen', reply: 'Hallo.' }]);
    const { log } = await runOffline({ recording, recognizer, synthesizer, provider });
    for (const engine of [recognizer, synthesizer, provider]) engine.verify();
    expect(log).toContain('user plays 2400 ms');
    expect(log).toContain('message assistant "Hallo." stop all heard');
  });

  it('may be a pipeline of your own, with a stage under test in its midst', async () => {
    const shout = transform({
      name: 'shout',
      consumes: ['message'],
      emits: ['message'],
      process: (item) => ({
        ...item,
        message: { ...item.message, parts: [{ type: 'text', text: 'LOUD' }] },
      }),
    });
    const provider = scriptedProvider([{ expect: 'LOUD', reply: 'Quiet, please.' }]);
    const { log } = await runOffline({
      provider,
      user: [user.says('psst'), user.hearsAll()],
      pipeline: ({ clock, microphone, ears, scribe, onUser, onReply, voice, speaker, ...parts }) =>
        new PipelineBuilder({ clock, session: 'live' })
          .chain(microphone, ears, scribe, onUser, shout, parts.provider, onReply, voice, speaker)
          .build(),
    });
    provider.verify();
    expect(log).toContain('all heard');
  });

  it('may wait for the outside world, a gate or the clock', async () => {
    const clock = fakeClock();
    const held = gate();
    const tools = ['outside', 'gate', 'clock'].map((name) =>
      defineTool({
        name,
        description: name,
        parameters: {},
        execute: async (_, { signal }) => {
          if (name === 'outside') await new Promise((resolve) => setTimeout(resolve, 5));
          if (name === 'gate') await held.pass(signal);
          if (name === 'clock') await clock.sleep(300, signal);
          return name;
        },
      }),
    );
    const { events, durationMs } = await runOffline({
      clock,
      tools: tools.map((tool) => (tool.name === 'outside' ? tool : asScripted(tool))),
      provider: scriptedProvider([tools.map(({ name }) => reply.call(name)), 'Done.']),
      user: [
        user.types('go'),
        user.pauses(1000),
        user.does('opens the gate', () => held.open()),
        user.hearsAll(),
      ],
    });
    const results = events.flatMap(({ type, detail, at }) =>
      type === 'tool' && 'result' in detail ? [[detail.result, Math.round(at / 100) * 100]] : [],
    );
    // In the order of the calls; the second waited for the person, the third was ready long before.
    expect(results).toEqual([
      ['outside', 0],
      ['gate', 1000],
      ['clock', 1000],
    ]);
    expect(durationMs).toBeGreaterThan(1000);
  });
});

describe('a conversation that goes wrong', () => {
  const failing = (options: Partial<OfflineOptions>) =>
    runOffline({ provider: answer('Yes.'), user: [user.says('hello')], ...options });

  it('because the person waits in vain, says for what, and what happened instead', async () => {
    const error = await failing({ user: [user.says('hello'), user.hears(7)] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'expectation',
      message: 'the person waited 30000 ms in vain: hears 7 words',
    });
    expect(String((error as AntiphonError).details?.['log'])).toContain('"Yes." stop all heard');
  });

  it('because an engine never answers, names it', async () => {
    const vad = { ...asScripted({}), sampleRate: 16_000, frameSize: 512 };
    const stuck = {
      ...vad,
      load: async () => {},
      process: () => new Promise<number>(() => {}),
      reset: () => {},
      dispose: async () => {},
    };
    await expect(failing({ vad: stuck, patienceMs: 50 })).rejects.toMatchObject({
      code: 'execution-timeout',
      message: 'audio time stood still for 50 ms, waiting for vad.process()',
    });
  });

  it('because it does not end, is stopped', async () => {
    await expect(
      failing({ provider: scriptedProvider([[reply.hang]]), limitMs: 5000 }),
    ).rejects.toMatchObject({ code: 'execution-timeout' });
  });

  it('because a stage throws, rejects with that, and lets go of everything', async () => {
    const broken = transform({
      name: 'broken',
      consumes: ['message'],
      emits: ['message'],
      process: () => {
        throw new AntiphonError('unsupported', 'not today');
      },
    });
    await expect(
      failing({
        pipeline: ({ clock, microphone, ears, scribe, onUser, provider, voice, speaker }) =>
          new PipelineBuilder({ clock, session: 'live' })
            .chain(microphone, ears, scribe, onUser, broken, provider, voice, speaker)
            .build(),
      }),
    ).rejects.toMatchObject({ code: 'unsupported', stage: 'broken' });
  });

  it('because its signal aborts, rejects with the reason', async () => {
    const over = new AbortController();
    const reason = new AntiphonError('aborted', 'enough');
    const running = failing({
      signal: over.signal,
      user: [user.pauses(100), user.does('stops', () => over.abort(reason)), user.pauses(100)],
    });
    await expect(running).rejects.toMatchObject({ code: 'aborted', message: 'enough' });
  });

  it.each([{}, { recording: silence(10), user: [] }])(
    'is refused without one person',
    async (who) => {
      await expect(runOffline({ provider: answer(), ...who })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    },
  );
});

describe('a language of tones', () => {
  it('is understood word by word, and other sounds are not', () => {
    const { say, understand } = toneLanguage();
    const sentence = join(silence(100), say('Is it? It is!', 1200), silence(100));
    const words = understand(sentence);
    expect(words.map(({ text }) => text)).toEqual(['is', 'it', 'it', 'is']);
    expect(words[0]?.start).toBeCloseTo(100, 0);
    expect(words[3]?.end).toBeCloseTo(1280, 0);
    const other = toneLanguage();
    expect(other.understand(sentence).map(({ text }) => text)).toEqual(['?', '?', '?', '?']);
  });

  it('hears while it is spoken, without the word that goes on', async () => {
    const { say, recognizer } = toneLanguage();
    const { samples } = say('good morning', 400);
    const stream = recognizer.stream?.();
    stream?.push(samples.subarray(0, 5000));
    expect((await stream?.partial())?.text).toBe('good');
    stream?.push(samples.subarray(5000));
    expect((await stream?.partial())?.text).toBe('good morning');
  });

  it('has so many words and no more', () => {
    const { say, understand } = toneLanguage();
    const words = Array.from({ length: 150 }, (_, index) => `w${index}`);
    const { samples, sampleRate } = say(words.join(' '));
    expect(understand({ samples, sampleRate }).map(({ text }) => text)).toEqual(words);
    expect(() => say('one too many')).toThrow('at most 150 words');
  });
});
