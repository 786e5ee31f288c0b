"""Speakers that no synthesiser has: espeak-ng variants drawn at random, and the other voices with another vocal tract, pitch and tempo.

A shifted voice is `engine:name~tract~pitch`: its formants are moved by `tract` (by resampling, with the tempo asked for
in advance so that the speech does not become faster) and its pitch to `pitch` times its own, where the engine lets us."""
import glob
import os
import random
import shutil
import subprocess

ACCENTS = {'en-us': 6, 'en-gb': 4, 'en-gb-x-rp': 2, 'en-gb-x-gbclan': 2, 'en-gb-x-gbcwmd': 2, 'en-029': 1, 'en-us-nyc': 2}
SHIFTED = {'festival:kal_diphone': 22, 'flite:kal16': 14, 'flite:rms': 7, 'flite:awb': 7, 'flite:slt': 5, 'festival:cmu_us_slt_arctic_hts': 5}
VARIANTS = 230  # espeak-ng takes 350 voices in all


def data_folder(build):
    """A copy of espeak-ng's data with our variants r0 … in it; its parent goes into ESPEAK_DATA_PATH."""
    to = build + '/espeak'
    if not os.path.exists(to + '/ready'):
        version = subprocess.run(['espeak-ng', '--version'], capture_output=True, text=True, check=True).stdout
        shutil.copytree(version.split('Data at:')[1].strip(), to + '/espeak-ng-data', dirs_exist_ok=True)
        for other in glob.glob(to + '/espeak-ng-data/lang/*') + [to + '/espeak-ng-data/voices/mb']:
            if not other.endswith('/gmw'): shutil.rmtree(other, ignore_errors=True) if os.path.isdir(other) else os.remove(other)
        r = random.Random(77)
        for i in range(VARIANTS):
            with open(f'{to}/espeak-ng-data/voices/!v/r{i}', 'w') as f: f.write(variant(f'r{i}', r))
        open(to + '/ready', 'w').close()
    return to


def variant(name, r):
    """A voice definition: length of the vocal tract, each formant's place, height and width, pitch, roughness, breath, tone."""
    female = r.random() < .45
    tract = r.uniform(1.04, 1.3) if female else r.uniform(.84, 1.1)
    low = r.uniform(110, 190) if female else r.uniform(60, 110)
    lines = ['language variant', 'name ' + name, f'pitch {low:.0f} {low * r.uniform(1.25, 2.1):.0f}']
    if r.random() < .15: lines.append(f'klatt {r.randint(1, 6)}')
    tilt = r.uniform(-12, 12)
    for k in range(9):
        place = tract * r.uniform(.95, 1.05) if k else r.uniform(.95, 1.1)
        height = min(160, max(45, 105 + tilt * (4 - k) / 2 + r.uniform(-25, 25)))
        lines.append(f'formant {k} {place * 100:.0f} {height:.0f} {r.uniform(75, 150):.0f}')
    if r.random() < .4: lines.append(f'roughness {r.randint(0, 6)}')
    if r.random() < .3: lines.append(f'flutter {r.randint(0, 12)}')
    if r.random() < .3: lines.append(f'voicing {r.randint(50, 150)}')
    if r.random() < .5: lines.append(f'consonants {r.randint(50, 130)} {r.randint(60, 130)}')
    if r.random() < .3: lines.append('breath ' + ' '.join(str(r.randint(0, 8)) for _ in range(8)))
    if r.random() < .2: lines.append(f'echo {r.randint(5, 130)} {r.randint(3, 20)}')
    if r.random() < .3: lines.append(f'intonation {r.randint(1, 4)}')
    if r.random() < .4: lines.append(f'tone 100 {r.randint(150, 255)} 600 {r.randint(60, 200)} 1200 {r.randint(30, 160)} 2000 {r.randint(20, 140)} 3000 {r.randint(10, 120)}')
    return '\n'.join(lines) + '\n'


def draw(r):
    """A voice that speaks one utterance of training."""
    if r.random() < .4: return f'espeak:{r.choices(list(ACCENTS), list(ACCENTS.values()))[0]}+r{r.randrange(VARIANTS)}'
    name = r.choices(list(SHIFTED), list(SHIFTED.values()))[0]
    return f'{name}~{r.uniform(.84, 1.22):.3f}~{r.uniform(.7, 1.6):.3f}'


def shift(voice):
    """(name, tract, pitch) of a voice's name."""
    name, *more = voice.split('~')
    return (name, *map(float, more)) if more else (name, 1., 1.)
