/** Runs rows of the conformance list in a worker: takes their ids, answers how they ended. */
import { areas } from '../../conformance/areas.ts';

const rows = new Map(areas.flatMap((area) => area.rows.map((row) => [row.id, row])));

/** How a row ended: what went wrong, if it did. */
export interface RowOutcome {
  readonly id: string;
  readonly failure?: string;
}

onmessage = async ({ data: id }: MessageEvent<string>) => {
  try {
    const row = rows.get(id);
    if (!row) throw new Error(`no row ${id}`);
    await row.run();
    postMessage({ id } satisfies RowOutcome);
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    postMessage({ id, failure } satisfies RowOutcome);
  }
};
postMessage({ id: 'ready' } satisfies RowOutcome);
