"""Speech from text: espeak-ng, flite and festival, into shards of 16 kHz audio. Resumable; every choice is seeded.

    synthesise.py BUILD [utterances] [utterances of new speakers]

writes BUILD/audio/{train-0000…,train2-0000…,more-0000…,again-0000…,words,joined-0…,nonspeech-0…,dev-*,eval-*}.npz, each with `pcm` (int16, concatenated),
`ends` (sample offsets) and `meta` (JSON: text, voice, kind)."""
import io
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

from multiprocessing import Pool

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

import speakers
import text

RATE = 16000
SHARD = 400
HELD = 7  # the shards that come first: single words, dev and evaluation sets
# name: weight. The two voices of UNSEEN never occur in training or tuning.
VOICES = {
    'espeak:en-us': 13, 'espeak:en-gb': 10, 'espeak:en-us+m3': 4, 'espeak:en-us+f2': 4, 'espeak:en-gb+f3': 3, 'espeak:en-gb+m1': 3,
    'espeak:en-gb-x-rp': 4, 'espeak:en-us+m7': 2, 'espeak:en-gb-x-gbclan': 2, 'espeak:en-us+Annie': 2,
    'flite:slt': 15, 'flite:rms': 8, 'flite:awb': 6, 'flite:kal16': 8,
    'festival:cmu_us_slt_arctic_hts': 8, 'festival:kal_diphone': 5}
UNSEEN = ['festival:ked_diphone', 'espeak:en-gb-scotland']
WORD_VOICES = [f'espeak:{a}+{v}' for a in ('en-us', 'en-gb') for v in
               'm1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 Annie Alex Andy Gene Lee Mike Michael adam david edward john paul rob steph linda belinda'.split()]


def read_wav(data):
    rate, x = wavfile.read(io.BytesIO(data))
    x = x.astype(np.float32) / (32768 if x.dtype == np.int16 else 1)
    if rate == 22050: x = resample_poly(x, 320, 441)
    elif rate == 32000: x = resample_poly(x, 1, 2)
    elif rate == 8000: x = resample_poly(x, 2, 1)
    elif rate != RATE: raise ValueError(rate)
    return x.astype(np.float32)


def trim(x, quiet=0.004):
    """Without the silence at both ends, 20 ms kept."""
    if not len(x): return x
    loud = np.flatnonzero(np.abs(x) > quiet * max(np.abs(x).max(), 1e-6) * 2)
    return x[max(0, loud[0] - 320):loud[-1] + 320] if len(loud) else x[:0]


def espeak(spoken, voice, r):
    out = subprocess.run(['espeak-ng', '-v', voice, '-s', str(int(r.triangular(125, 190, 160))), '-p', str(int(r.triangular(25, 75, 50))),
                          '-a', '45' if '+r' in voice else '100', '--stdout', '--', spoken], capture_output=True, check=True).stdout
    # the length fields of a stream are not filled in
    return read_wav(out[:4] + (len(out) - 8).to_bytes(4, 'little') + out[8:40] + (len(out) - 44).to_bytes(4, 'little') + out[44:])


def flite(spoken, voice, r):
    name, tract, pitch = speakers.shift(voice)
    stretch, more = r.triangular(.85, 1.25, 1) * tract, []
    if pitch != 1:
        # the tract's resampling moves the pitch as well
        more = ['--setf', f'int_f0_target_mean={95 * pitch / tract:.0f}', '--setf', f'int_f0_target_stddev={r.uniform(6, 28):.0f}'] if name == 'kal16' else ['--setf', f'f0_shift={pitch / tract:.2f}']
    with tempfile.NamedTemporaryFile(suffix='.wav') as f:
        subprocess.run(['flite', '-voice', name, '--setf', f'duration_stretch={stretch:.2f}', *more, '-t', ' ' + spoken, '-o', f.name],
                       check=True, capture_output=True)
        x = read_wav(open(f.name, 'rb').read())
        return perturb(x, tract) if tract != 1 else x


def festival(batch, voice):
    """Many utterances of one voice in one process, which takes half a second to start: (text, stretch, tract, pitch)."""
    shifts = [b[2:] for b in batch]
    with tempfile.TemporaryDirectory() as folder:
        scm = [f'(voice_{voice})', '(define (go f t) (utt.save.wave (utt.synth (eval (list (quote Utterance) (quote Text) t))) f (quote riff)))']
        for i, (spoken, stretch, *_) in enumerate(batch):
            quoted, (tract, pitch) = spoken.replace('\\', ' ').replace('"', ' '), shifts[i]
            scm.append(f"(Parameter.set 'Duration_Stretch {stretch * tract:.2f})")
            if pitch != 1 and voice == 'kal_diphone':
                scm.append(f"(set! int_lr_params '((target_f0_mean {105 * pitch / tract:.0f}) (target_f0_std {14 * pitch:.0f}) (model_f0_mean 170) (model_f0_std 34)))")
            elif pitch != 1: scm.append(f'(set! hts_engine_params (append {voice.replace("_hts", "_hts::hts")}_engine_params (list (list "-r" {1 / tract / stretch:.2f}))))')
            scm.append(f'(go "{folder}/{i}.wav" "{quoted}")')
        path = folder + '/batch.scm'
        open(path, 'w').write('\n'.join(scm))
        subprocess.run(['festival', '-b', path], capture_output=True)
        audio = [read_wav(open(f'{folder}/{i}.wav', 'rb').read()) if os.path.exists(f'{folder}/{i}.wav') else None for i in range(len(batch))]
        return [x if x is None or tract == 1 else perturb(x, tract) for x, (tract, _) in zip(audio, shifts)]


def dress(spoken, r):
    """Sentence case and a final mark, which change the intonation."""
    if r.random() < .5: spoken = spoken[0].upper() + spoken[1:]
    if spoken[-1].isalpha(): spoken += r.choice(['', '.', '.', '?' if r.random() < .6 else '!'])
    return spoken


def make_shard(job):
    path, seed, items = job
    if os.path.exists(path): return path
    r, audio, batches = random.Random(seed), [None] * len(items), {}
    for i, (spoken, normal, voice, kind) in enumerate(items):
        engine, name = voice.split(':')
        if engine == 'festival':
            name, *shift = speakers.shift(name)
            batches.setdefault(name, []).append((i, dress(spoken, r), r.triangular(.85, 1.25, 1), *shift))
        else:
            try: audio[i] = (espeak if engine == 'espeak' else flite)(dress(spoken, r), name, r)
            except Exception as e: print('skipped', voice, repr(spoken), e, flush=True)
    for name, batch in batches.items():
        for (i, *_), x in zip(batch, festival([b[1:] for b in batch], name)): audio[i] = x
    keep = []
    for item, x in zip(items, audio):
        if x is None: continue
        x = trim(x)
        if len(x) >= 1600 and len(x) / RATE > len(item[1]) / 40: keep.append((item, x))
    save(path, [x for _, x in keep], [{'text': n, 'voice': v, 'kind': k} for (_, n, v, k), _ in keep])
    return path


def save(path, audio, meta):
    pcm = np.concatenate([np.clip(np.round(x * 32767), -32768, 32767).astype(np.int16) for x in audio])
    with open(path + '.part', 'wb') as f:
        np.savez(f, pcm=pcm, ends=np.cumsum([len(x) for x in audio]), meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))
    os.replace(path + '.part', path)


def load(path):
    """[(audio float32, meta)] of a shard."""
    z = np.load(path)
    meta, ends, pcm = json.loads(z['meta'].tobytes()), z['ends'], z['pcm']
    return [(pcm[a:b].astype(np.float32) / 32768, m) for a, b, m in zip([0, *ends[:-1]], ends, meta)]


def perturb(x, factor):
    """Faster and higher (factor > 1) or slower and lower, by linear interpolation."""
    n = int(len(x) / factor)
    return np.interp(np.arange(n) * factor, np.arange(len(x)), x).astype(np.float32)


def joined(words, count, seed):
    """Digit strings joined from single recordings with gaps, as telephone menus and test sets have them."""
    r, out, by = random.Random(seed), [], {}
    for x, m in words: by.setdefault(m['voice'], {}).setdefault(m['text'], []).append(x)
    voices = [v for v in by if len(by[v]) >= 10]
    for _ in range(count):
        voice, factor, n = r.choice(voices), r.uniform(.82, 1.22), r.randint(1, 7)
        parts, said = [], []
        for _ in range(n):
            w = r.choice([w for w in by[voice] if w != 'oh' or r.random() < .3])
            x = perturb(r.choice(by[voice][w]), factor * r.uniform(.94, 1.06))
            fade = min(160, len(x) // 2)
            x = x / (np.abs(x).max() + 1e-6) * r.uniform(.3, .9)
            x[:fade] *= np.linspace(0, 1, fade); x[-fade:] *= np.linspace(1, 0, fade)
            parts += [x, np.zeros(int(r.uniform(.05, .4) * RATE), np.float32)]
            said.append(w)
        out.append((np.concatenate(parts[:-1]), {'text': ' '.join(said), 'voice': voice, 'kind': 'joined'}))
    return out


def coloured(n, slope, g):
    f = np.fft.rfft(g.standard_normal(n))
    f *= np.maximum(np.arange(len(f)), 1) ** (-slope / 2)
    x = np.fft.irfft(f, n)
    return (x / (np.abs(x).max() + 1e-9)).astype(np.float32)


def nonspeech(count, seed):
    """Noise, hum, tones, chords, melodies, clicks, breath-like puffs, silence: what must give no text."""
    g, out = np.random.default_rng(seed), []
    for i in range(count):
        n = int(g.uniform(.1 if i % 6 == 0 else .6, 4) * RATE)
        n = max(n, 1600)
        t, kind = np.arange(n) / RATE, i % 10
        if kind in (0, 1): x = coloured(n, g.choice([0, 1, 1, 2, -1]), g)
        elif kind == 2: x = np.zeros(n, np.float32) if g.random() < .5 else coloured(n, 1, g) * 10 ** g.uniform(-5, -3)
        elif kind == 3: x = sum(np.sin(2 * np.pi * g.choice([50, 60]) * k * t + g.uniform(0, 6)) * g.random() / k for k in range(1, 9)) + coloured(n, 1, g) * .1
        elif kind in (4, 5, 6):  # notes with harmonics and envelopes, one or several at a time
            x = np.zeros(n)
            step = g.uniform(.1, .6)
            for start in np.arange(0, n / RATE, step):
                for _ in range(g.integers(1, 5)):
                    f0, d = 55 * 2 ** (g.integers(0, 54) / 12), np.clip(t - start, 0, None)
                    env = (t >= start) * np.exp(-d * g.uniform(1, 9)) * np.minimum(1, d * 60)
                    vib = 1 + (.01 * np.sin(2 * np.pi * 5.5 * t) if g.random() < .3 else 0)
                    x += env * sum(np.sin(2 * np.pi * f0 * k * vib * t) / k ** g.uniform(.5, 2) for k in range(1, g.integers(2, 9)) if f0 * k < 7800)
            if g.random() < .4: x = x + coloured(n, 0, g) * (np.sin(2 * np.pi * t / step) > .8) * .5
        elif kind == 7: x = np.sin(2 * np.pi * np.cumsum(np.interp(t, [0, t[-1] / 2, t[-1]], g.uniform(80, 4000, 3))) / RATE) * (g.random() < .5 or np.sin(2 * np.pi * g.uniform(1, 8) * t) > 0)
        elif kind == 8:
            x = coloured(n, 1, g) * .01
            for at in g.integers(0, n, g.integers(1, 12)): x[at:at + 400] += (np.exp(-np.arange(400) / g.uniform(5, 120)) * g.standard_normal(400) * g.uniform(.1, 1))[:len(x[at:at + 400])]
        else: x = coloured(n, g.uniform(0, 2), g) * np.clip(np.sin(2 * np.pi * g.uniform(.2, 3) * t + g.uniform(0, 6)), 0, 1) ** g.uniform(.5, 4)
        x = np.asarray(x, np.float32)
        x = x / max(np.abs(x).max(), 1e-3) * 10 ** g.uniform(-2.5, 0) if kind != 2 else x
        if g.random() < .1: x = np.clip(x * 20, -1, 1)
        out.append((x.astype(np.float32), {'text': '', 'voice': 'none', 'kind': 'nonspeech'}))
    return out


def jobs(folder, utterances):
    r = random.Random(1)
    names, weights = list(VOICES), list(VOICES.values())
    pick = lambda: r.choices(names, weights)[0]
    opened = {side: [s for s in text.open_sentences() if text.held_out(s[1]) == side] for side in ('train', 'dev', 'eval')}
    for side in opened: r.shuffle(opened[side])
    q = random.Random(2)
    voice = lambda: q.choices(names, weights)[0]
    held = []
    for side, n in (('dev', 120), ('eval', 160)):
        held.append((f'{folder}/{side}-domain.npz', 8, [(*s, voice(), 'domain') for s in text.domain_sentences(n, 12, side)]))
        held.append((f'{folder}/{side}-open.npz', 9, [(*s, voice(), 'open') for s in opened[side][:n]]))
    held.append((f'{folder}/eval-unseen.npz', 10, [(*s, UNSEEN[i % 2], 'unseen') for i, s in enumerate(opened['eval'][160:320])]))
    fresh = random.Random(4)
    held.append((f'{folder}/dev-new.npz', 11, [(*s, speakers.draw(fresh), 'open') for s in opened['dev'][120:240]]))
    core = [(p, ' '.join(text.WORD.findall(p.lower()))) for p in text.CORE + text.REPLIES]
    core += [(w, w) for w in [text.number(i) for i in range(101)] + text.DIGITS * 2]
    out, used = [], 0
    # In two parts, so that training can begin with the first.
    for part, n in (('train', int(utterances * 4 / 7)), ('train2', int(utterances * 3 / 7))):
        n_open = min(int(n * .54), len(opened['train']) - used)
        items = [(*s, pick(), 'open') for s in opened['train'][used:used + n_open]]
        used += n_open
        items += [(*s, pick(), 'domain') for s in text.domain_sentences(n - n_open - 3 * len(core), 11 if part == 'train' else 13)]
        items += [(*s, pick(), 'core') for s in core * 3]
        r.shuffle(items)
        out.append([(f'{folder}/{part}-{i // SHARD:04d}.npz', i + len(out) * 10**6, items[i:i + SHARD]) for i in range(0, len(items), SHARD)])
    short = []
    for v in WORD_VOICES + [v for v in names for _ in range(4)]:
        short += [(w, w, v, 'word') for w in text.DIGITS + ['oh']]
    return [(f'{folder}/words.npz', 7, short)] + held + out[0] + out[1]


def more_jobs(folder, name, number, utterances, pick):
    """More of the open sentences of training, definitions of WordNet and the domain, in voices that pick(r) gives."""
    r = random.Random(number)
    opened, defined = ([s for s in made if text.held_out(s[1]) == 'train'] for made in (text.open_sentences(), text.definitions()))
    for part in (opened, defined): r.shuffle(part)
    items = [(*s, 'open') for s in opened[:int(utterances * .5)] + defined[:int(utterances * .3)]]
    items += [(*s, 'domain') for s in text.domain_sentences(utterances - len(items), 14 + number)]
    r.shuffle(items)
    items = [(s, n, pick(r), kind) for s, n, kind in items]
    return [(f'{folder}/{name}-{i // SHARD:04d}.npz', i + number * 10**6, items[i:i + SHARD]) for i in range(0, len(items), SHARD)]


if __name__ == '__main__':
    folder, utterances, more = sys.argv[1] + '/audio', *map(int, (sys.argv[2:] + ['63000', '60000'][len(sys.argv) - 2:])[:2])
    os.makedirs(folder, exist_ok=True)
    os.environ['ESPEAK_DATA_PATH'] = speakers.data_folder(sys.argv[1])
    with Pool(os.cpu_count()) as pool:
        first = jobs(folder, utterances)
        new = more_jobs(folder, 'more', 3, more, speakers.draw)
        again = more_jobs(folder, 'again', 4, more // 2, lambda r: r.choices(list(VOICES), list(VOICES.values()))[0])
        # in turn, so that training can begin with a part
        for path in pool.imap(make_shard, first[:HELD] + [j for turn in itertools.zip_longest(first[HELD:], new, again) for j in turn if j]):
            print(path, flush=True)
            if path.endswith('words.npz'):
                words = load(path)
                for k in range(8):
                    if not os.path.exists(f'{folder}/joined-{k}.npz'): save(f'{folder}/joined-{k}.npz', *zip(*joined(words, 400, 100 + k)))
                for k in range(4):
                    if not os.path.exists(f'{folder}/nonspeech-{k}.npz'): save(f'{folder}/nonspeech-{k}.npz', *zip(*nonspeech(400, 200 + k)))
                for side, seed in (('dev', 301), ('eval', 302)):
                    if not os.path.exists(f'{folder}/{side}-nonspeech.npz'): save(f'{folder}/{side}-nonspeech.npz', *zip(*nonspeech(60, seed)))
                    if not os.path.exists(f'{folder}/{side}-joined.npz'): save(f'{folder}/{side}-joined.npz', *zip(*joined(words, 60, seed)))
