/** Where large media lives, apart from the conversations that refer to it. */

/** What a {@link MediaStore} tells of one content. */
export interface StoredMedia {
  /** Names the content: a reference without a media type. */
  readonly reference: string;
  readonly byteLength: number;
  /** When it was last put, Unix time in ms. */
  readonly putAtMs: number;
  /** When it was last put or read (to the minute), Unix time in ms. */
  readonly usedAtMs: number;
}

/** What a sweep removed. */
export interface SweptMedia {
  readonly count: number;
  readonly bytes: number;
}

/** Bounds of a media store. */
export interface MediaStoreOptions {
  /** The most all contents may take together. Default 512 MiB. */
  readonly maxBytes?: number;
  /**
   * Bytes of the browser's quota that are left to others, conversations above all, so that a store full of
   * pictures does not keep a sentence from being saved. Default 10 MiB.
   */
  readonly headroomBytes?: number;
  /**
   * The references that must stay, such as `() => mediaReferences(conversations)`. With it a full store evicts
   * what is not among them, least recently used first; without it nothing is evicted and a full store is an
   * error. Asked only when there is no room. It may not wait for this store.
   */
  readonly references?: () => Iterable<string> | Promise<Iterable<string>>;
  /** What was put more recently is neither evicted nor swept: the message that refers to it may be under way. Default 600 000 ms. */
  readonly graceMs?: number;
}

/**
 * Keeps content by its hash, once however often it is put. A reference is a URL string that says so
 * (`mediaReference`) and may stand wherever a message part or a `media` element takes one. Any number of
 * tabs may use one store at a time.
 *
 * Every method may throw `storage-blocked`, `storage-full` or `storage`, and `invalid-argument` for what is
 * no reference.
 */
export interface MediaStore {
  /**
   * Keeps `data`, all or nothing, and gives the reference.
   *
   * @param mediaType such as `image/png`; part of the reference, not of the content
   * @throws `storage-full` when there is no room, also by eviction; then nothing was evicted in vain
   */
  put(
    data: Uint8Array<ArrayBuffer>,
    mediaType: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<string>;
  /**
   * The bytes, the caller's own; undefined when they are not here.
   *
   * @throws `storage` when what is here is not what was put; it is removed then, so that it can be put again
   */
  get(reference: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Removes a content, whoever refers to it. */
  delete(reference: string): Promise<void>;
  /** Everything, least recently used first. */
  list(): Promise<readonly StoredMedia[]>;
  /** Removes what is not among `referenced` and was not put within the grace period (`graceMs`, the store's unless given). */
  sweep(referenced: Iterable<string>, options?: { readonly graceMs?: number }): Promise<SweptMedia>;
}
