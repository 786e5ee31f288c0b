"""Word and character error of a model on the held-out sets, greedy and with the word model.

    evaluate.py MODEL BUILD LANGUAGE_MODEL [--human DIR] [--json FILE] [--side eval|dev] [--set name=value …]
    evaluate.py MODEL BUILD LANGUAGE_MODEL --tune      searches the decoder's parameters on the dev sets only

MODEL is model_quantized.onnx (the shipped weights) or a checkpoint. DIR holds manifest.json: [{file, text, kind}]."""
import argparse
import json
import os
import time
from multiprocessing import Pool

import numpy as np
import torch
from scipy.io import wavfile

import augment
import synthesise
from decode import Decoder, LanguageModel
from export import load
from language_model import DECODER
from model import VOCABULARY, Recogniser, greedy
from train import distance


def sets(build, side, human):
    """{name: [(samples, text)]}; each set with fixed surroundings."""
    out = {}
    for name in ('domain', 'open', 'new', 'unseen', 'joined', 'nonspeech'):
        path = f'{build}/audio/{side}-{name}.npz'
        if not os.path.exists(path): continue
        g = np.random.default_rng(5)
        for x, m in synthesise.load(path):
            label = {'domain': 'domain, seen voices', 'open': 'open sentences, seen voices', 'new': 'open, new speakers', 'unseen': 'open, voice never trained on: ' + m['voice'],
                     'joined': 'synthetic digits, joined', 'nonspeech': 'no speech'}[name]
            out.setdefault(label, []).append((augment.light(x, g, name != 'nonspeech'), m['text']))
    if human:
        for m in json.load(open(human + '/manifest.json')):
            rate, x = wavfile.read(f"{human}/{m['file']}")
            label = 'human digits' if 'digit' in m.get('kind', '') else 'human sentences: ' + m['file']
            out.setdefault(label, []).append((x.astype(np.float32) / 32768, m['text']))
    if side == 'eval':
        g = np.random.default_rng(6)
        short = [(g.standard_normal(1600).astype(np.float32) * 10 ** g.uniform(-3, -.7), '') for _ in range(20)]
        out['no speech, 0.1 s of noise'] = short
    return out


def logits(net, data):
    with torch.no_grad(): return {k: [(net(torch.from_numpy(x)[None])[0].numpy(), t) for x, t in v] for k, v in data.items()}


STATE = {}


def work(job):
    key, row, parameters = job
    if 'lm' not in STATE: STATE['lm'] = LanguageModel(STATE['path'])
    return key, Decoder(STATE['lm'], VOCABULARY, **parameters).decode(row)


def rates(pairs):
    """Word error, character error and the share of wrong-when-empty texts, in percent."""
    words = sum(len(t.split()) for _, t in pairs)
    if not words: return {'false text': 100 * sum(s != '' for s, _ in pairs) / len(pairs)}
    return {'wer': 100 * sum(distance(s.split(), t.split()) for s, t in pairs) / words,
            'cer': 100 * sum(distance(s, t) for s, t in pairs) / sum(len(t) for _, t in pairs)}


def decode_all(pool, rows, parameters):
    jobs = [((k, i), row, parameters) for k, v in rows.items() for i, (row, _) in enumerate(v)]
    said = dict(pool.imap_unordered(work, jobs, 4))
    return {k: [(said[k, i], t) for i, (_, t) in enumerate(v)] for k, v in rows.items()}


def tune(pool, rows):
    """Coordinate search for the least sum of the dev sets' word errors, with a narrow beam to save time."""
    def cost(p):
        r = {k: rates(v) for k, v in decode_all(pool, rows, {**p, 'beam': 48}).items()}
        return sum(v.get('wer', 0) + 2 * v.get('false text', 0) for v in r.values()), {k: {m: round(x, 2) for m, x in v.items()} for k, v in r.items()}
    best = {k: DECODER[k] for k in ('alpha', 'beta', 'oov', 'oovLetter', 'ahead')}
    least, detail = cost(best)
    print(least, best, detail, flush=True)
    for step in ({'alpha': .15, 'beta': .4, 'oov': 2., 'oovLetter': .75, 'ahead': .2}, {'alpha': .07, 'beta': .2, 'oov': 1., 'oovLetter': .4, 'ahead': .1}):
        for name, size in step.items():
            for v in (best[name] - size, best[name] + size):
                p = {**best, name: round(v, 3)}
                c, d = cost(p)
                if c < least: least, best, detail = c, p, d
            print(round(least, 2), best, detail, flush=True)
    return best


def main():
    p = argparse.ArgumentParser()
    p.add_argument('model'); p.add_argument('build'); p.add_argument('language_model')
    p.add_argument('--human', default=''); p.add_argument('--json'); p.add_argument('--side', default='eval'); p.add_argument('--tune', action='store_true')
    p.add_argument('--set', nargs='*', default=[]); p.add_argument('--show', action='store_true'); p.add_argument('--limit', type=int)
    a = p.parse_args()
    net = Recogniser(load(a.model)[0]).eval()
    STATE['path'] = a.language_model
    data = sets(a.build, 'dev' if a.tune else a.side, '' if a.tune else a.human)
    if a.limit: data = {k: v[:a.limit] for k, v in data.items()}
    start = time.time()
    rows = logits(net, data)
    spent = time.time() - start
    seconds = sum(len(x) for v in data.values() for x, _ in v) / synthesise.RATE
    with Pool(os.cpu_count()) as pool:
        if a.tune:
            print(json.dumps(tune(pool, rows)))
            return
        start = time.time()
        with_lm = decode_all(pool, rows, {k: json.loads(v) for k, v in (s.split('=') for s in a.set)})
        decoding = time.time() - start
    print(f"{'set':55} {'n':>4} {'greedy WER':>10} {'CER':>6} {'words WER':>10} {'CER':>6}")
    table = {}
    for name, v in rows.items():
        g = rates([(greedy(row.argmax(1).tolist()), t) for row, t in v])
        w = rates(with_lm[name])
        table[name] = {'n': len(v), 'greedy': g, 'words': w}
        cells = [f'{r[k]:.1f}' if k in r else '' for r in (g, w) for k in ('wer', 'cer')] if 'wer' in g else [f"{g['false text']:.1f} false", '', f"{w['false text']:.1f} false", '']
        print(f'{name:55} {len(v):4} {cells[0]:>10} {cells[1]:>6} {cells[2]:>10} {cells[3]:>6}')
        if a.show:
            for (row, t), (s, _) in list(zip(v, with_lm[name])):
                if s != t: print('   ', repr(t), '\n      g', greedy(row.argmax(1).tolist()), '\n      w', s)
    print(f'{seconds:.0f} s of audio, network {spent / seconds:.4f} of real time, reference decoder {decoding / seconds:.4f}')
    if a.json: json.dump(table, open(a.json, 'w'), indent=1)


if __name__ == '__main__': main()
