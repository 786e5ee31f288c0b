/** WAV files: any PCM or float, any rate and channel count in, mono out; 16-bit mono written. */
import { AntiphonError } from '../core/errors.ts';

/** What a WAV file holds, mixed down to mono. */
export interface Recording {
  /** Mono samples, −1…1, owned by the receiver. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
}

const formatPcm = 1;
const formatFloat = 3;
const formatExtensible = 0xfffe;

/** Names of the commonest compressed formats (RFC 2361), for the error message. */
const compressed: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
};

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

/**
 * Decodes a WAV file: 8, 16, 24 or 32-bit integers, 32 or 64-bit float, `WAVE_FORMAT_EXTENSIBLE`
 * included; several channels are averaged. Layout after Microsoft's "Multiple Channel Audio Data and
 * WAVE Files" (2007). A length field of a streaming writer (0 or 0xffffffff) means "to the end".
 *
 * @throws AntiphonError `audio-format` when it is empty, cut off, no WAV, or compressed
 */
export function decodeWav(file: ArrayBuffer | Uint8Array): Recording {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  if (bytes.length === 0)
    throw bad('The file is empty.', 'Check that the recording or download finished.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || name(view, 0) !== 'RIFF' || name(view, 8) !== 'WAVE')
    throw bad(
      `The file is no WAV file (it begins with ${opening(bytes)}).`,
      'Convert it first, for example: ffmpeg -i input out.wav',
    );
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = name(view, at);
    const declared = view.getUint32(at + 4, true);
    const rest = bytes.length - at - 8;
    if (id === 'fmt ') format = readFormat(view, at + 8, Math.min(declared, rest));
    if (id === 'data') {
      if (!format) throw bad('The WAV file has sound before its format.', 'Write the file anew.');
      const open = declared === 0xffff_ffff || (declared === 0 && rest > 0);
      if (!open && declared > rest)
        throw bad(
          `The WAV file is cut off: ${rest} of ${declared} bytes of sound are there.`,
          'Check that the recording or download finished.',
        );
      return readSamples(view, at + 8, open ? rest : declared, format);
    }
    at += 8 + declared + (declared % 2);
  }
  throw bad(
    `The WAV file is cut off: it ends before its ${format ? 'sound' : 'format'}.`,
    'Check that the recording or download finished.',
  );
}

/** Encodes mono samples (clipped to −1…1) as a 16-bit WAV file. */
export function encodeWav(samples: Float32Array, sampleRate: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const put = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  put(0, 'RIFF');
  view.setUint32(4, 36 + samples.length * 2, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, formatPcm, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i++) {
    const clipped = Math.max(-1, Math.min(1, samples[i] ?? 0));
    view.setInt16(
      44 + i * 2,
      Math.max(-32_768, Math.min(32_767, Math.round(clipped * 32_768))),
      true,
    );
  }
  return new Uint8Array(view.buffer);
}

function readFormat(view: DataView, at: number, length: number): Format {
  if (length < 16)
    throw bad('The WAV file is cut off inside its format.', 'Check that the download finished.');
  const declared = view.getUint16(at, true);
  const tag =
    declared === formatExtensible && length >= 26 ? view.getUint16(at + 24, true) : declared;
  const format: Format = {
    tag,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
  if (tag !== formatPcm && tag !== formatFloat)
    throw bad(
      `The WAV file is compressed (${compressed[tag] ?? `format ${tag}`}).`,
      'Convert it to PCM, for example: ffmpeg -i input.wav -c:a pcm_s16le out.wav',
    );
  const depths = tag === formatPcm ? [8, 16, 24, 32] : [32, 64];
  if (!depths.includes(format.bits) || format.channels === 0 || format.sampleRate === 0)
    throw bad(
      `The WAV file claims ${format.bits} bits, ${format.channels} channels, ${format.sampleRate} Hz.`,
      'Write the file anew as 16-bit PCM.',
    );
  return format;
}

function readSamples(view: DataView, at: number, length: number, format: Format): Recording {
  const { channels, sampleRate } = format;
  const width = format.bits / 8;
  const frames = Math.floor(length / (width * channels));
  if (frames === 0) throw bad('The WAV file holds no sound.', 'Check the recording.');
  const read = sampleReader(view, format);
  const samples = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum += read(at + (frame * channels + channel) * width);
    samples[frame] = sum / channels;
  }
  return { samples, sampleRate };
}

function sampleReader(view: DataView, { tag, bits }: Format): (at: number) => number {
  if (tag === formatFloat)
    return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  switch (bits) {
    case 8:
      return (at) => (view.getUint8(at) - 128) / 128;
    case 16:
      return (at) => view.getInt16(at, true) / 32_768;
    case 24:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608;
    default:
      return (at) => view.getInt32(at, true) / 2_147_483_648;
  }
}

function name(view: DataView, at: number): string {
  return String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));
}

function opening(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, 12), (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  return JSON.stringify(text.join(''));
}

function bad(message: string, hint: string): AntiphonError {
  return new AntiphonError('audio-format', message, { hint });
}
