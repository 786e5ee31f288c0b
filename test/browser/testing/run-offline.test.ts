/** The same conversations in Chromium: byte for byte the logs of Node. */
import { describe, expect, it } from 'vitest';
import { diffLogs, runOffline } from '../../../src/testing/index.ts';
import { conversations } from '../../unit/testing/conversations.ts';

const logs = import.meta.glob<string>('../../fixtures/conversations/*.log', {
  query: '?raw',
  import: 'default',
  eager: true,
});

describe('a conversation in the browser', () => {
  it.each(Object.entries(conversations))('%s goes as in Node', async (name, make) => {
    const { options, provider } = make();
    const { log } = await runOffline(options);
    provider.verify();
    const golden = logs[`../../fixtures/conversations/${name}.log`];
    expect(golden).toBeDefined();
    expect(diffLogs(golden ?? '', log)).toBe('');
  });
});
