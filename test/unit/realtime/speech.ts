/** Half a second of something. */
export function speech(ms = 500, rate = 24_000): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: (ms * rate) / 1000 }, (_, index) =>
    Math.sin((2 * Math.PI * 300 * index) / rate),
  );
}
