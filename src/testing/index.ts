/** What users test their own stages with; in `antiphon/testing`. */
export { runOn, testContext } from './stage-context.ts';
export type { TestContext } from './stage-context.ts';
