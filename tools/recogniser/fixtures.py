"""A dozen short clips for the browser test: held-out sentences, digits, noise and silence.

    fixtures.py FOLDER

The sentences are on the evaluation side of the split (text.held_out), so that no training text is among them."""
import json
import os
import random
import sys

import numpy as np
from scipy.io import wavfile

import synthesise
import text




def main(folder):
    os.makedirs(folder, exist_ok=True)
    r, g = random.Random(4), np.random.default_rng(4)
    domain = [s for s in text.domain_sentences(200, 77, 'eval') if 18 <= len(s[1]) <= 42]
    numbers = {n for i in range(100) for n in text.number(i).split()}
    digits = [s for s in domain if set(s[1].split()) <= numbers]
    domain = [s for s in domain if s not in digits]
    opened = [s for s in text.open_sentences() if text.held_out(s[1]) == 'eval' and 20 <= len(s[1]) <= 40]
    pick = r.sample(domain, 4), r.sample(digits, 3), r.sample(opened, 3)
    voices = ['espeak:en-us', 'flite:slt', 'espeak:en-gb', 'flite:kal16', 'espeak:en-us', 'flite:slt', 'espeak:en-gb', 'flite:slt', 'espeak:en-us', 'flite:rms']
    rows = [(s, n, kind) for kind, part in zip(('domain', 'digits', 'open'), pick) for s, n in part]
    manifest = []
    for i, ((spoken, normal, kind), voice) in enumerate(zip(rows, voices)):
        engine, name = voice.split(':')
        x = synthesise.trim((synthesise.espeak if engine == 'espeak' else synthesise.flite)(spoken, name, r))
        x = np.concatenate([np.zeros(3200), x / np.abs(x).max() * .5, np.zeros(4800)]) + g.standard_normal(len(x) + 8000) * 1e-4
        manifest.append({'file': f'{kind}-{i}.wav', 'text': normal, 'kind': kind, 'voice': voice})
        write(folder, manifest[-1]['file'], x)
    write(folder, 'noise.wav', synthesise.coloured(24000, 1, g) * .5)
    write(folder, 'silence.wav', np.zeros(16000))
    manifest += [{'file': 'noise.wav', 'text': '', 'kind': 'noise', 'voice': 'none'}, {'file': 'silence.wav', 'text': '', 'kind': 'silence', 'voice': 'none'}]
    with open(folder + '/manifest.json', 'w') as f: f.write(json.dumps(manifest, indent=1) + '\n')


def write(folder, name, x):
    wavfile.write(f'{folder}/{name}', synthesise.RATE, np.round(np.asarray(x) * 32767).clip(-32768, 32767).astype(np.int16))


if __name__ == '__main__': main(sys.argv[1])
