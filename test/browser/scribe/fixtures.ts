/** The embedded model, the fixed set of clips it is measured on, and the recordings of people beside the repository. */
import manifest from '../../fixtures/recogniser/manifest.json';
import { wavSamples } from '../../fixtures/read-wav.ts';
import { recogniserUrls } from '../../../src/assets.ts';

/** A clip and what is said in it. */
export interface Clip {
  readonly name: string;
  readonly text: string;
  readonly kind: string;
  readonly samples: Float32Array<ArrayBuffer>;
}

const urls = recogniserUrls();

/** The model's files, as addresses that a worker understands too. */
export const modelFiles = {
  config: urls.config.href,
  vocabulary: urls.vocabulary.href,
  model: urls.model.href,
  languageModel: urls.languageModel.href,
};

const clipUrls = import.meta.glob<string>('../../fixtures/recogniser/*.wav', {
  query: '?url',
  import: 'default',
  eager: true,
});
const humanUrls = import.meta.glob<string>('../../../../shared/audio/**/*.wav', {
  query: '?url',
  import: 'default',
  eager: true,
});
const humanManifests = import.meta.glob<readonly { file: string; text: string; kind: string }[]>(
  '../../../../shared/audio/manifest.json',
  { import: 'default', eager: true },
);

async function load(url: string): Promise<Float32Array<ArrayBuffer>> {
  return wavSamples(await (await fetch(url)).arrayBuffer());
}

/** One file of a folder of addresses. */
function addressOf(addresses: Readonly<Record<string, string>>, name: string): string {
  const found = Object.entries(addresses).find(([path]) => path.endsWith(`/${name}`));
  if (found === undefined) throw new Error(`${name} is not there`);
  return found[1];
}

/** The fixed set: espeak-ng and flite, seen voices, sentences held out of training; noise and silence. */
export function fixtureClips(): Promise<Clip[]> {
  return Promise.all(
    manifest.map(async ({ file, text, kind }) => ({
      name: file,
      text,
      kind,
      samples: await load(addressOf(clipUrls, file)),
    })),
  );
}

/** Recordings of people; empty, with a warning, where ../shared/audio is missing. */
export async function humanClips(): Promise<Clip[]> {
  const [list] = Object.values(humanManifests);
  if (list === undefined) {
    console.warn(
      'SKIPPED: no ../shared/audio/manifest.json, so nothing is measured on human speech',
    );
    return [];
  }
  return Promise.all(
    list.map(async ({ file, text, kind }) => ({
      name: file,
      text,
      kind,
      samples: await load(addressOf(humanUrls, file)),
    })),
  );
}
