/** Runs a conversation in a worker and posts its log. */
import { runOffline } from '../../../src/testing/index.ts';
import { conversations } from '../../unit/testing/conversations.ts';

const make = conversations['talked-over'];
if (!make) throw new Error('no such conversation');
postMessage((await runOffline(make().options)).log);
