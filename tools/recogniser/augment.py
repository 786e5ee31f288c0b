"""What happens to a voice on its way: silence around it, room, telephone band, loudness, noise, clipping.

`light` is a quiet desk, `heavy` a bad line. Room, band and tone are one multiplication in the frequency domain, so that
an utterance costs a few milliseconds."""
import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from synthesise import RATE, coloured, perturb

BANK = {}


def bank(seed=0):
    """A minute of noise in each of five colours, cut at random instead of made anew."""
    if not BANK:
        g = np.random.default_rng(seed)
        for slope in (0, .5, 1, 1.5, 2):
            x = coloured(60 * RATE, slope, g)
            BANK[slope] = (x / x.std()).astype(np.float32)
    return BANK


def noise(n, g):
    x = bank()[g.choice(list(bank()))]
    at = g.integers(0, len(x) - n)
    return x[at:at + n]


def surround(x, g):
    """Silence before and after, as a voice activity detector leaves it."""
    span = lambda: int(RATE * (g.uniform(.03, .3) if g.random() < .5 else g.uniform(.3, .9)))
    return np.concatenate([np.zeros(span(), np.float32), x, np.zeros(span(), np.float32)])


def response(n, g, room, phone, tone):
    """The frequency response of a room, a band limit and a tilt, for a signal padded to n."""
    f = np.linspace(0, RATE / 2, n // 2 + 1, dtype=np.float32)
    h = np.ones(len(f), np.complex64)
    if room:
        length = int(g.uniform(.08, .5) * RATE)
        tail = g.standard_normal(length).astype(np.float32) * np.exp(-np.arange(length) * (6.9 / length)).astype(np.float32)
        tail[:int(g.uniform(.002, .02) * RATE)] = 0
        tail *= g.uniform(.1, .9) / (np.sqrt((tail ** 2).sum()) + 1e-9)
        tail[0] = 1
        h = h * rfft(tail, n)
    if phone:
        low, high = g.uniform(60, 320), g.uniform(3200, 3950) if g.random() < .75 else g.uniform(3950, 7000)
        h = h * (1 / np.sqrt(1 + (low / np.maximum(f, 1)) ** 4)) * np.clip((high + 200 - f) / 200, 1e-4, 1)
    if tone:
        points = np.cumsum(g.uniform(-5, 5, 9))
        points -= points.mean()
        h = h * 10 ** (np.interp(np.log2(np.maximum(f, 60)), np.linspace(6, 13, 9), points) / 20)
    return h.astype(np.complex64)


def scale(x, decibels):
    peak = np.abs(x).max()
    return x * (10 ** (decibels / 20) / peak) if peak > 1e-5 else x


def light(x, g, speech=True):
    if speech: x = scale(x, 0)
    x = surround(x, g)
    x = x + noise(len(x), g) * 10 ** (g.uniform(-85, -50) / 20) * (g.random() < .85)
    return scale(x, g.uniform(-26, -1)).astype(np.float32)


def heavy(x, g, speech=True, babble=None):
    x = perturb(x, g.uniform(.85, 1.2) if g.random() < .7 else 1)
    if speech: x = scale(x, 0)
    x = surround(x, g)
    n = len(x)
    size = next_fast_len(n + RATE // 2, True)
    phone = g.random() < .5
    shape = response(size, g, g.random() < .45, phone, g.random() < .7)
    early = g.random() < .5  # noise in the room, or of the line
    hiss = noise(n, g) * 10 ** (-g.uniform(12, 50) / 20) * .12
    if babble is not None and g.random() < .15:
        other = np.resize(scale(babble, -g.uniform(18, 32)), n)
        hiss = hiss + other
    if g.random() < .06: x = np.clip(x * g.uniform(2, 8), -1, 1)
    if early: x = x + hiss
    x = irfft(rfft(x, size) * shape, size)[:n]
    if speech: x = scale(x, 0)
    if not early: x = x + hiss
    x = scale(x, g.uniform(-38, -1))
    if phone and g.random() < .2:  # eight bit mu-law
        y = np.sign(x) * np.log1p(255 * np.minimum(np.abs(x), 1)) / np.log(256)
        y = np.round(y * 127) / 127
        x = np.sign(y) * (256 ** np.abs(y) - 1) / 255
    return x.astype(np.float32)


def features(mel, g):
    """Cheap changes of raw log-mel frames [time, 64], drawn anew every epoch."""
    t, bands = mel.shape
    if g.random() < .4:  # a shorter or longer vocal tract
        at = np.clip(np.arange(bands) * g.uniform(.9, 1.11), 0, bands - 1)
        lo = np.minimum(at.astype(int), bands - 2)
        mel = mel[:, lo] * (1 - (at - lo)) + mel[:, lo + 1] * (at - lo)
    if g.random() < .5: mel = mel + np.interp(np.arange(bands), np.linspace(0, bands, 6), g.uniform(-1.2, 1.2, 6))
    if g.random() < .4:  # steady noise under the speech
        floor = mel.max() - g.uniform(6, 14) + np.interp(np.arange(bands), np.linspace(0, bands, 5), g.uniform(-2, 2, 5))
        mel = np.logaddexp(mel, floor + g.normal(0, .6, mel.shape))
    if g.random() < .12: mel[:, g.integers(42, 52):] = mel.min()  # nothing above 3 to 4.5 kHz
    if g.random() < .4:
        at = g.integers(0, bands - 8)
        mel[:, at:at + g.integers(2, 8)] = mel.mean()
    if g.random() < .4 and t > 40:
        at = g.integers(0, t - 10)
        mel[at:at + g.integers(2, 9)] = mel.min()
    return mel.astype(np.float32)
