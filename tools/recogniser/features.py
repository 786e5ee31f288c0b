"""Log-mel features: the module inside the exported graph, and their computation ahead of training, in half precision.

    features.py BUILD

turns each BUILD/audio/*.npz into BUILD/features/*.npz with a `light` and a `heavy` version. Resumable."""
import glob
import json
import os
import sys
import zipfile
import zlib
from multiprocessing import Pool

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import augment
import synthesise

RATE, WINDOW, HOP, BINS, BANDS = 16000, 400, 160, 257, 64
LOW, HIGH = 60, 7600
QUIET = 1e-7  # added to the energy: 110 dB below a full-scale sine
RANGE = 13.0  # natural logarithm of the energy range kept below the loudest value (56 dB)
SPREAD = 1.0  # least standard deviation to divide by, so that steady noise and silence stay flat


def filters():
    """Triangles, no narrower than one bin on each side of the centre."""
    mel = lambda f: 1127 * np.log1p(f / 700)
    edges = 700 * np.expm1(np.linspace(mel(LOW), mel(HIGH), BANDS + 2) / 1127)
    centre = edges[1:-1]
    left, right = np.maximum(centre - edges[:-2], 31.25)[:, None], np.maximum(edges[2:] - centre, 31.25)[:, None]
    d = (np.arange(BINS) * RATE / 512)[None] - centre[:, None]
    w = np.maximum(0, np.where(d < 0, 1 + d / left, 1 - d / right))
    return (w / w.sum(1, keepdims=True)).astype(np.float32)


class LogMel(nn.Module):
    """[batch, samples] to raw log-mel [batch, 64, frames], frames = samples // 160 + 1; the DFT is a convolution."""

    def __init__(self):
        super().__init__()
        n, k = np.arange(WINDOW), np.arange(BINS)
        window = .5 - .5 * np.cos(2 * np.pi * n / WINDOW)
        angle = 2 * np.pi * np.outer(k, n) / 512
        dft = np.concatenate([np.cos(angle) * window, -np.sin(angle) * window])
        self.register_buffer('dft', torch.tensor(dft[:, None], dtype=torch.float32))
        self.register_buffer('mel', torch.tensor(filters()[:, :, None]))

    def forward(self, samples):
        spectrum = F.conv1d(samples.unsqueeze(1), self.dft, stride=HOP, padding=WINDOW // 2)
        power = spectrum[:, :BINS] ** 2 + spectrum[:, BINS:] ** 2
        return torch.log(F.conv1d(power, self.mel) + QUIET)


def standardise(mel):
    """Indifferent to gain and to the channel: [batch, 64, frames] (one utterance each) with nothing below the loudest - RANGE,
    the mean of each band removed, divided by the spread of the whole."""
    peak = mel.amax((1, 2), keepdim=True)
    mel = torch.maximum(mel, peak - RANGE)
    mel = mel - mel.mean(2, keepdim=True)
    spread = torch.sqrt((mel * mel).mean((1, 2), keepdim=True))
    return mel / torch.clamp(spread, min=SPREAD)


def standardise_numpy(mel):
    """The same for one utterance [frames, 64]."""
    mel = np.maximum(mel, mel.max() - RANGE)
    mel = mel - mel.mean(0)
    return mel / max(np.sqrt((mel * mel).mean()), SPREAD)


def stored(path):
    """The arrays of a feature file, mapped instead of read: processes share them and the system may drop them."""
    out = {}
    with zipfile.ZipFile(path) as z, open(path, 'rb') as f:
        for member in z.infolist():
            f.seek(member.header_offset + 26)
            f.seek(member.header_offset + 30 + sum(int.from_bytes(f.read(2), 'little') for _ in range(2)))
            major, _ = np.lib.format.read_magic(f)
            shape, _, kind = np.lib.format.read_array_header_1_0(f) if major == 1 else np.lib.format.read_array_header_2_0(f)
            out[member.filename[:-4]] = np.memmap(path, kind, 'r', f.tell(), shape)
    return out


def compute(job):
    source, target = job
    if os.path.exists(target): return target
    torch.set_num_threads(1)
    logmel, g = LogMel(), np.random.default_rng(zlib.crc32(os.path.basename(source).encode()))
    items = synthesise.load(source)
    held = os.path.basename(source).split('-')[0] in ('dev', 'eval')
    out = {'light': [], 'heavy': []}
    with torch.no_grad():
        for i, (x, m) in enumerate(items):
            speech = m['text'] != ''
            other = items[(i * 7 + 1) % len(items)][0]
            for name in (['light'] if held else out):
                y = augment.light(x, g, speech) if name == 'light' else augment.heavy(x, g, speech, other)
                out[name].append(logmel(torch.from_numpy(y)[None])[0].T.numpy().astype(np.float16))
    pack = {}
    for name, frames in out.items():
        if frames:
            pack[name] = np.ascontiguousarray(np.concatenate(frames))
            pack[name + '_ends'] = np.cumsum([len(f) for f in frames])
    with open(target + '.part', 'wb') as f:
        np.savez(f, meta=np.frombuffer(json.dumps([m for _, m in items]).encode(), np.uint8), **pack)
    os.replace(target + '.part', target)
    return target


if __name__ == '__main__':
    build = sys.argv[1]
    os.makedirs(build + '/features', exist_ok=True)
    files = [f for f in sorted(glob.glob(build + '/audio/*.npz')) if not os.path.basename(f).startswith(('words', 'eval'))]
    with Pool(os.cpu_count()) as pool:
        for path in pool.imap_unordered(compute, [(f, f.replace('/audio/', '/features/')) for f in files]): print(path, flush=True)
