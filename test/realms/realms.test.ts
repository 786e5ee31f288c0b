/** The same suites in Node, on a page and in a worker: whatever a stage does, it does everywhere. */
import { afterAll, describe } from 'vitest';
import { ownRealm, workerRealm } from './realm.ts';
import { conversation } from './suites/conversation.ts';
import { flow } from './suites/flow.ts';
import { shapes } from './suites/shapes.ts';
import { streaming } from './suites/streaming.ts';
import { utility } from './suites/utility.ts';

const isBrowser = 'document' in globalThis;
const realms = isBrowser ? [ownRealm('page'), workerRealm()] : [ownRealm('node')];

describe.each(realms)('in $name', (realm) => {
  afterAll(() => realm.close());
  describe('shapes', () => shapes(realm));
  describe('conversation', () => conversation(realm));
  describe('streaming', () => streaming(realm));
  describe('flow', () => flow(realm));
  describe('utility', () => utility(realm));
});
