/** What the page and the two worklet processors tell each other over the ports of the nodes. */
import type { ErrorData } from '../core/errors.ts';

/** Name of the capture processor. */
export const captureProcessor = 'antiphon-capture';

/** Name of the playback processor. */
export const playbackProcessor = 'antiphon-playback';

/** `processorOptions` of both nodes. */
export interface ProcessorOptions {
  /** Joins the two processors of one `AudioEdge`. */
  readonly session: string;
}

/** Page → capture. `id` numbers the streams that were opened; the `shut` report names it. */
export type CaptureCommand =
  /** Frames go to `port` from now on; a port opened before is closed. */
  | { readonly type: 'open'; readonly id: number; readonly port: MessagePort }
  /** Whether `level` reports are wanted; off at first. */
  | { readonly type: 'levels'; readonly on: boolean }
  /** No more frames; with an error, the reader is told why. */
  | { readonly type: 'shut'; readonly error?: ErrorData }
  /** The processor ends. */
  | { readonly type: 'stop' };

/** Page → playback. `id` as above. */
export type PlaybackCommand =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly input: MessagePort;
      readonly output: MessagePort;
    }
  /** One more port that sends floor commands and gets floor reports. */
  | { readonly type: 'floor'; readonly port: MessagePort }
  /** Whether `level` reports are wanted; off at first. */
  | { readonly type: 'levels'; readonly on: boolean }
  /** Nothing more is played; both ports are closed. */
  | { readonly type: 'shut' }
  /** The processor ends. */
  | { readonly type: 'stop' };

/** How loud one side is; about 20 a second. */
export interface LevelReport {
  readonly type: 'level';
  /** Root mean square, 0…1. */
  readonly rms: number;
  /** Greatest magnitude, 0…1. */
  readonly peak: number;
  /** Milliseconds on the capture clock. */
  readonly at: number;
}

/** Capture → page. */
export type CaptureReport =
  | LevelReport
  /** Frames handed over and frames given up since the port was opened; sent when frames were given up. */
  | {
      readonly type: 'dropped';
      readonly frames: number;
      readonly delivered: number;
      readonly at: number;
    }
  /** The energy gate asked for a duck, or no longer does. */
  | { readonly type: 'gate'; readonly open: boolean; readonly at: number }
  /** The reader does not want any more, or `shut` was obeyed. */
  | {
      readonly type: 'shut';
      readonly id: number;
      readonly delivered: number;
      readonly dropped: number;
    };

/** Playback → page. */
export type PlaybackReport =
  | LevelReport
  /** Twice a second once the capture clock runs. `originMs`: Unix ms of its instant 0, best estimate. */
  | { readonly type: 'clock'; readonly at: number; readonly originMs: number }
  /** A word was rendered to its end. `heard`: all of this message so far. */
  | {
      readonly type: 'heard';
      readonly turn: number;
      readonly text: string;
      readonly heard: string;
      readonly at: number;
    }
  | { readonly type: 'audible'; readonly turn: number; readonly at: number }
  | {
      readonly type: 'silent';
      readonly turn: number;
      readonly at: number;
      readonly finished: boolean;
    }
  /** Speech came too late inside a turn; told when it goes on. `total`: underruns so far. */
  | {
      readonly type: 'underrun';
      readonly turn: number;
      readonly gapMs: number;
      readonly total: number;
      readonly at: number;
    }
  /** The stream is over: closed, cancelled, or `shut` was obeyed. `rendered`: samples of speech played. */
  | {
      readonly type: 'shut';
      readonly id: number;
      readonly rendered: number;
      readonly error?: ErrorData;
    };
