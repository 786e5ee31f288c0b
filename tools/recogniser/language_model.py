"""The decoder's words: a lexicon and a back-off trigram over it, from training text and a general model.

    language_model.py OUTPUT

Format in models/antiphon-ctc-en/README.md, section "Decoder"."""
import glob
import gzip
import json
import re
import sys
from collections import Counter

import numpy as np

import ngrams
import sphinx_model
import text

DECODER = {'alpha': .85, 'beta': -.2, 'oov': -8., 'oovLetter': -3.65, 'ahead': .5, 'beam': 200, 'prune': 12., 'topk': 16}  # chosen on the development sets
SCALE = .06  # of log10: a probability is one byte
LIST = '/usr/share/dict/american-english-small'
SHARE = .5  # of our own text against the general model
BIGRAMS, TRIGRAMS = 480000, 520000
DOMAIN = 120000  # domain sentences drawn
OPEN, DEFINITION, CORE = 3, 1, 60  # weights of an open sentence, a definition, a core phrase


def corpus():
    """(weight, words) of training sentences."""
    for _, n in text.domain_sentences_quick(DOMAIN, 31): yield 1, n.split()
    for p in text.CORE + text.REPLIES: yield CORE, text.WORD.findall(p.lower())
    for made, weight in ((text.open_sentences((2, 40)), OPEN), (text.definitions((2, 40)), DEFINITION)):
        for _, n in made:
            if text.held_out(n) == 'train': yield weight, n.split()


def lemmas():
    """WordNet's words without the names."""
    for path in sorted(glob.glob('/usr/share/wordnet/data.*')):
        for line in open(path, encoding='latin1'):
            if line[0] == ' ': continue
            f = line.split(' ')
            for k in range(int(f[3], 16)):
                for w in re.split('[_-]', f[4 + 2 * k].split('(')[0]):
                    if w.islower(): yield w


def build():
    """(words, model): words by their number, the likeliest first after <s> and </s>, those without n-grams last and by the alphabet."""
    lines, single = list(corpus()), Counter()
    for weight, words in lines:
        for w in words: single[w] += weight
    general = sphinx_model.read()
    words = ['<s>', '</s>', *single]
    known = set(words)
    for w in [*general[0], *lemmas(), *open(LIST, encoding='utf8').read().split()]:
        if w not in known and text.WORD.fullmatch(w) and (len(w) > 2 or w in general[0]):
            known.add(w)
            words.append(w)
    index, V = {w: i for i, w in enumerate(words)}, len(words)
    two, three = Counter(), Counter()
    for weight, line in lines:
        s = [0, *(index[w] for w in line), 1]
        for b, w in zip(s, s[1:]): two[b * V + w] += weight
        for a, b, w in zip(s, s[1:], s[2:]): three[(a * V + b) * V + w] += weight
    model = ngrams.interpolate(ngrams.Own(V, two, three), ngrams.General(index, *general), SHARE, BIGRAMS, TRIGRAMS)
    used = np.zeros(V, bool)
    for k in (model.k2 // V, model.k2 % V, model.k3 % V): used[k] = True
    rank = sorted(range(2, V), key=lambda i: (0, -model.p1[i]) if used[i] else (1, words[i]))
    return renumber(words, model, [0, 1, *rank], int(used[2:].sum()) + 2)


def renumber(words, model, order, common):
    V, place = model.V, np.empty(model.V, np.int64)
    place[order] = np.arange(V)
    k2 = place[model.k2 // V] * V + place[model.k2 % V]
    k3 = (place[model.k3 // V // V] * V + place[(model.k3 // V) % V]) * V + place[model.k3 % V]
    o2, o3 = np.argsort(k2), np.argsort(k3)
    return [words[i] for i in order], ngrams.Backoff(model.p1[order], k2[o2], model.p2[o2], k3[o3], model.p3[o3]), common


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def shared(a, b):
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]: n += 1
    return n


def pack(words, model, common):
    V = model.V
    p = lambda x: np.clip(np.round(-np.log10(x) / SCALE), 0, 255).astype(int)
    q = lambda x: (np.clip(np.round(np.log10(x) / SCALE), -127, 127).astype(int)) % 256
    spelling = ''.join(w + '\n' for w in words[:common])
    spelling += ''.join(f'{chr(48 + (n := shared(last, w)))}{w[n:]}\n' for last, w in zip(['', *words[common:]], words[common:]))
    p1, b1 = p(np.maximum(model.p1, 10 ** (-255 * SCALE))), q(model.backoff1)
    body = bytearray(bytes(p1.tolist()) + bytes(b1[:common].tolist()))
    p2, p3, b2 = p(model.p2).tolist(), p(model.p3).tolist(), q(model.backoff2).tolist()
    from2 = np.searchsorted(model.k2, np.arange(common + 1) * V).tolist()
    from3, where = np.searchsorted(model.k3, model.k2 * V).tolist(), np.searchsorted(model.context, model.k2).tolist()
    from3.append(len(p3))
    j2, j3 = (model.k2 % V).tolist(), (model.k3 % V).tolist()
    for b in range(common):
        body += varint(from2[b + 1] - from2[b])
        last = 0
        for i in range(from2[b], from2[b + 1]):
            body += varint(j2[i] - last) + bytes([p2[i]]) + varint(from3[i + 1] - from3[i])
            last, before = j2[i], 0
            if from3[i + 1] > from3[i]: body.append(b2[where[i]])
            for k in range(from3[i], from3[i + 1]):
                body += varint(j3[k] - before) + bytes([p3[k]])
                before = j3[k]
    header = {'format': 'antiphon-trigram-1', 'words': V, 'common': common, 'bigrams': len(p2), 'trigrams': len(p3), 'spellingBytes': len(spelling), 'scale': SCALE, 'decoder': DECODER}
    return json.dumps(header).encode() + b'\n' + spelling.encode() + bytes(body)


def main(path):
    words, model, common = build()
    data = pack(words, model, common)
    packed = gzip.compress(data, 9, mtime=0)
    open(path, 'wb').write(packed)
    print(path, data.split(b'\n', 1)[0].decode(), len(data), 'bytes, packed', len(packed))


if __name__ == '__main__': main(sys.argv[1])
