"""CTC prefix beam search over characters with word scores: the reference for the one in TypeScript.

The algorithm and the file format are in models/antiphon-ctc-en/README.md, section "Decoder"."""
import json
import math

import numpy as np

from language_model import DECODER

LN10 = math.log(10)
OUT = -1  # a trie position: the letters so far begin no word of the lexicon


class LanguageModel:
    def __init__(self, path):
        lines = open(path, encoding='utf8').read().split('\n')
        self.header = json.loads(lines[0])
        n = self.header['words']
        self.words, self.unigram, self.backoff, self.bigrams = [], [], [], []
        for line in lines[1:1 + n]:
            w, u, b = line.split('\t')
            self.words.append(w); self.unigram.append(-int(u) / 100 * LN10); self.backoff.append(-int(b) / 100 * LN10)
        for line in lines[1 + n:1 + 2 * n]:
            row, j = {}, 0
            for item in line.split():
                step, p = item.split(':')
                j += int(step, 16)
                row[j] = -int(p) / 100 * LN10
            self.bigrams.append(row)
        self.children, self.word_at = [{}], [OUT]  # the trie: node 0 is the root
        for i, w in enumerate(self.words[2:], 2):
            node = 0
            for c in w:
                if c not in self.children[node]:
                    self.children[node][c] = len(self.children)
                    self.children.append({}); self.word_at.append(OUT)
                node = self.children[node][c]
            self.word_at[node] = i

    def score(self, before, word):
        """Natural log of P(word | before); OUT before means an unknown word: the unigram alone."""
        if before == OUT: return self.unigram[word]
        p = self.bigrams[before].get(word)
        return p if p is not None else self.backoff[before] + self.unigram[word]


class Prefix:
    """A text so far. `base` holds the scores of the finished words, `node` the trie position inside the current one."""
    __slots__ = ('text', 'node', 'letters', 'before', 'base', 'partial', 'blank', 'label', 'next_blank', 'next_label', 'more')

    def __init__(self, text, node, letters, before, base, partial):
        self.text, self.node, self.letters, self.before, self.base, self.partial = text, node, letters, before, base, partial
        self.blank = self.label = self.next_blank = self.next_label = -math.inf
        self.more = {}


def add(a, b):
    if a < b: a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


class Decoder:
    def __init__(self, lm, vocabulary, **parameters):
        self.lm, self.vocabulary = lm, vocabulary
        self.p = {**DECODER, **lm.header.get('decoder', {}), **parameters}

    def finish(self, x):
        """What the current word of a prefix adds when it ends: (score, its index)."""
        p, word = self.p, OUT if x.node == OUT else self.lm.word_at[x.node]
        if word == OUT: return p['alpha'] * (p['oov'] + p['oovLetter'] * x.letters) + p['beta'], OUT
        return p['alpha'] * self.lm.score(x.before, word) + p['beta'], word

    def extend(self, x, c):
        """The prefix with one more character, or None if there is nothing for a space to end."""
        if c in x.more: return x.more[c]
        p = self.p
        if c == '|':
            if not x.letters: y = None
            else:
                s, word = self.finish(x)
                y = Prefix(x.text + ' ', 0, 0, word, x.base + s, 0.)
        else:
            node = OUT if x.node == OUT else self.lm.children[x.node].get(c, OUT)
            letters = x.letters + 1
            y = Prefix(x.text + c, node, letters, x.before, x.base, 0. if node != OUT else p['alpha'] * (p['oov'] + p['oovLetter'] * letters))
        x.more[c] = y
        return y

    def decode(self, logits):
        """Text of [frames, vocabulary] logits."""
        logp = logits - logits.max(1, keepdims=True)
        logp = logp - np.log(np.exp(logp).sum(1, keepdims=True))
        p, root = self.p, Prefix('', 0, 0, 0, 0., 0.)
        root.blank = 0.
        beam = [root]
        for row in logp.tolist():
            best = max(row)
            allowed = [k for k in sorted(range(1, len(row)), key=lambda k: -row[k])[:p['topk']] if row[k] > best - p['prune']]
            touched = {}
            for x in beam:
                total = add(x.blank, x.label)
                x.next_blank = add(x.next_blank, total + row[0])
                touched[id(x)] = x
                last = '|' if x.text[-1:] == ' ' else x.text[-1:]
                for k in allowed:
                    c = self.vocabulary[k]
                    if c == last:
                        x.next_label = add(x.next_label, x.label + row[k])  # the same letter, held
                        source = x.blank  # a second one needs a blank between
                    else: source = total
                    if source == -math.inf: continue
                    y = self.extend(x, c)
                    if y is None: continue
                    y.next_label = add(y.next_label, source + row[k])
                    touched[id(y)] = y
            scored = []
            for y in touched.values():
                y.blank, y.label, y.next_blank, y.next_label = y.next_blank, y.next_label, -math.inf, -math.inf
                scored.append((add(y.blank, y.label) + y.base + y.partial, y))
            scored.sort(key=lambda s: -s[0])
            beam = [y for s, y in scored[:p['beam']] if s > scored[0][0] - 25]
            alive = {id(y) for y in beam}
            for _, y in scored:
                if id(y) not in alive: y.blank = y.label = -math.inf
        best, text = -math.inf, ''
        for x in beam:
            s, before = x.base, x.before
            if x.letters:
                more, before = self.finish(x)
                s += more
            if x.text: s += p['alpha'] * self.lm.score(before, 1)
            s += add(x.blank, x.label)
            if s > best: best, text = s, x.text
        return text.strip()
