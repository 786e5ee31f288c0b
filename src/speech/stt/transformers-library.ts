/** What is used of `@huggingface/transformers` 4, so that neither its code nor its types need to be installed. */

/** News of a download. */
export interface TransformersProgress {
  /** `progress` while bytes arrive. */
  readonly status: string;
  readonly file?: string;
  /** Bytes so far. */
  readonly loaded?: number;
  /** Bytes in all. */
  readonly total?: number;
}

/** What the pipeline answers. */
export interface TransformersTranscription {
  readonly text: string;
  /** Words with start and end in seconds, when asked for; the last end may be missing. */
  readonly chunks?: readonly {
    readonly text: string;
    readonly timestamp: readonly [number, number | null];
  }[];
}

/** A loaded `automatic-speech-recognition` pipeline. */
export interface TransformersTranscriber {
  (
    samples: Float32Array,
    options: {
      readonly language?: string;
      readonly return_timestamps?: 'word';
      readonly chunk_length_s?: number;
    },
  ): Promise<TransformersTranscription | readonly TransformersTranscription[]>;
  /** Frees the model. */
  dispose(): Promise<unknown>;
}

/** The module's exports that are used. */
export interface TransformersLibrary {
  readonly env: {
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    localModelPath: string;
    readonly backends: {
      readonly onnx: { readonly wasm?: { wasmPaths?: unknown; numThreads?: number } };
    };
  };
  pipeline(
    this: void,
    task: 'automatic-speech-recognition',
    model: string,
    options: {
      readonly device: string;
      readonly dtype: string | Readonly<Record<string, string>>;
      progress_callback(progress: TransformersProgress): void;
    },
  ): Promise<TransformersTranscriber>;
}
