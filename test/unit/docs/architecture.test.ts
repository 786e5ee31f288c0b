/** The architecture document agrees with the code: its graph is the agent's, its examples compile and work. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  createVoiceAgent,
  element,
  messageText,
  PipelineBuilder,
  textMessage,
} from '../../../src/index.ts';
import { runOn, testContext } from '../../../src/testing/index.ts';
import { withDiagrams } from '../../../tools/diagrams.mjs';
import { gate } from './gate.ts';
import { asPublished, read } from './published.ts';
import { translator } from './translator.ts';
import { wakeWord } from './wake-word.ts';

const document = read('../../../docs/architecture.md');

describe('the diagram of the agent', () => {
  it('is the real graph (else: node tools/diagrams.mjs)', async () => {
    const agent = await createVoiceAgent();
    expect(withDiagrams(document, { agent: agent.toMermaid() })).toBe(document);
  });

  it('is refused a document without markers', () => {
    expect(() => withDiagrams('# Nothing here', { agent: 'flowchart LR' })).toThrow('"agent"');
  });
});

describe('the examples', () => {
  it.each(['./wake-word.ts', './translator.ts', './gate.worker.ts', './gate.ts'])(
    'stand in the document as %s has them',
    (file) => {
      expect(document).toContain(`\`\`\`ts\n${asPublished(file)}\n\`\`\``);
    },
  );

  it('let only addressed messages through, and everything else past them', async () => {
    const say = (text: string, turn: number) =>
      element('message', { message: textMessage('user', text), turn });
    const { messages, outputs } = await new PipelineBuilder()
      .chain(wakeWord('computer'))
      .build()
      .executeSync(
        say('Computer tell me a joke', 1),
        element('turn-end', { turn: 1 }),
        say('who are you talking to', 2),
        element('turn-end', { turn: 2 }),
        element('message', { message: textMessage('assistant', 'Here it comes.'), turn: 2 }),
      );
    expect(messages.map(messageText)).toEqual(['tell me a joke', 'Here it comes.']);
    expect(outputs.filter(({ kind }) => kind === 'turn-end').map(({ turn }) => turn)).toEqual([
      1, 2,
    ]);
  });

  it('give up on an interrupted turn and go on with the next, but fail on other trouble', async () => {
    const said = (text: string, turn: number) =>
      element('transcript', { text, final: true, turn });
    const context = testContext();
    const translate = (text: string, signal: AbortSignal): Promise<string> => {
      if (text === 'wait') context.interrupt(1);
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve(text.toUpperCase());
    };
    const outputs = await runOn(
      translator(translate),
      [said('wait', 1), said('go on', 2)],
      context,
    );
    expect(outputs).toMatchObject([{ kind: 'transcript', text: 'GO ON', turn: 2 }]);
    const broken = translator(() => Promise.reject(new Error('no dictionary')));
    await expect(runOn(broken, [said('hello', 1)])).rejects.toThrow('no dictionary');
  });

  it('draw the stage of a worker in a thread of its own', () => {
    const { graph } = new PipelineBuilder().chain(gate).build();
    expect(graph.nodes).toMatchObject([{ name: 'gate', thread: 'gate' }]);
  });
});

describe('links', () => {
  it.each(['docs/architecture.md', 'docs/custom-stages.md', 'docs/providers.md', 'README.md', 'CONTRIBUTING.md'])(
    'of %s lead to files that exist',
    (path) => {
      const links = [...read(`../../../${path}`).matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
      const folder = new URL(`../../../${path}`, import.meta.url);
      const missing = links
        .map(([, link = '']) => link)
        .filter((link) => !existsSync(fileURLToPath(new URL(link, folder))));
      expect(missing).toEqual([]);
    },
  );

  it('and every source file the document names exists', () => {
    const named = [...document.matchAll(/`((?:src|workers|worklets|test|tools)\/[\w./-]+\.\w+)`/g)];
    expect(named.length).toBeGreaterThan(10);
    const missing = named
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url))));
    expect(missing).toEqual([]);
  });
});
