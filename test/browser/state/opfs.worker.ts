/** Puts one content where only workers can write files, as in Safari before 26. */
import { opfsMediaStore } from '../../../src/state/opfs-media-store.ts';
import { bytes } from '../../unit/state/media-store-cases.ts';

Reflect.deleteProperty(FileSystemFileHandle.prototype, 'createWritable');

onmessage = async ({ data: name }: MessageEvent<string>) => {
  const store = opfsMediaStore({ name });
  await store.put(bytes(3000), 'image/png');
  postMessage(await store.put(bytes(3000), 'image/png'));
};
