/** All areas, in the order of the page. */
import { elementsArea } from './elements.ts';
import type { Area } from './row.ts';

/** All rows. */
export const areas: readonly Area[] = [elementsArea];
