/** Named by core files whose types the worklets import; nothing that runs in a worklet calls it. */
declare const crypto: { randomUUID(): `${string}-${string}-${string}-${string}-${string}` };
