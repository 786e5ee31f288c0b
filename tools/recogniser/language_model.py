"""The decoder's words: a lexicon with unigram and bigram probabilities (absolute discounting with back-off), from training text only.

    language_model.py OUTPUT

Format in models/antiphon-ctc-en/README.md, section "Decoder"."""
import json
import math
import sys
from collections import Counter

import text

DECODER = {'alpha': .6, 'beta': 1., 'oov': -9., 'oovLetter': -2.5, 'beam': 48, 'prune': 10., 'topk': 12}  # chosen on the development sets
DISCOUNT = .6
RARE = -6.6  # log10 probability of a word of the list that the text does not have
LIST = '/usr/share/dict/american-english-small'
WORDS, BIGRAMS = 20000, 100000
DOMAIN, REPEAT = 120000, 3  # domain sentences drawn; weight of the open text


def corpus():
    """(weight, words) of training sentences."""
    for _, n in text.domain_sentences_quick(DOMAIN, 31): yield 1, n.split()
    for p in text.CORE + text.REPLIES: yield 60, text.WORD.findall(p.lower())
    for _, n in text.open_sentences((2, 40)):
        if text.held_out(n) == 'train': yield REPEAT, n.split()


def build():
    single, pair = Counter(), Counter()
    for weight, words in corpus():
        line = ['<s>', *words, '</s>']
        for a, b in zip(line, line[1:]):
            single[b] += weight
            pair[a, b] += weight
    kept = [w for w, _ in single.most_common() if w != '</s>'][:WORDS - 2]
    known = set(kept)
    kept += [w for w in open(LIST, encoding='utf8').read().split() if w.isascii() and w.isalpha() and w.islower() and len(w) > 2 and w not in known]
    index = {w: i for i, w in enumerate(['<s>', '</s>', *kept])}
    total = sum(c for w, c in single.items() if w in index)
    unigram = {w: math.log10(single[w] / total) if w in single else RARE for w in index}
    unigram['<s>'] = -9.
    follow, kinds = Counter(), Counter()
    for (a, b), c in pair.items():
        if a in index and b in index: follow[a] += c; kinds[a] += 1
    # keep the bigrams that change the most: count times the gain over the unigram
    gain = lambda a, b, c: c * (math.log10(c / follow[a]) - unigram[b])
    chosen = sorted(((gain(a, b, c), a, b, c) for (a, b), c in pair.items() if a in index and b in index and c > 1), reverse=True)[:BIGRAMS]
    mass, cover, rows = Counter(), Counter(), {}
    for _, a, b, c in chosen:
        p = max(c - DISCOUNT, .01 * c) / follow[a]
        rows.setdefault(a, []).append((index[b], math.log10(p)))
        mass[a] += p; cover[a] += 10 ** unigram[b]
    backoff = {a: math.log10(max(1 - mass[a], 1e-4) / max(1 - cover[a], 1e-4)) for a in rows}
    return index, unigram, backoff, rows


def main(path):
    index, unigram, backoff, rows = build()
    q = lambda x: str(round(-x * 100))
    lines = [json.dumps({'format': 'antiphon-bigram-1', 'words': len(index), 'bigrams': sum(map(len, rows.values())), 'scale': -0.01, 'decoder': DECODER})]
    for w in index: lines.append(f'{w}\t{q(unigram[w])}\t{round(-backoff.get(w, 0) * 100)}')
    for w in index:
        last, out = 0, []
        for j, p in sorted(rows.get(w, [])):
            out.append(f'{j - last:x}:{round(-p * 100)}')
            last = j
        lines.append(' '.join(out))
    open(path, 'w').write('\n'.join(lines) + '\n')
    print(path, lines[0], sum(map(len, lines)))


if __name__ == '__main__': main(sys.argv[1])
