"""CTC prefix beam search over characters with word scores: the reference for the one in TypeScript.

The algorithm and the file format are in models/antiphon-ctc-en/README.md, section "Decoder"."""
import gzip
import json
import math

import numpy as np

from language_model import DECODER

LN10 = math.log(10)
OUT = -1  # a trie position: the letters so far begin no word of the lexicon


class Bytes:
    """Reads numbers from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            if b < 128: return value
            shift += 7


class LanguageModel:
    """A context is the number of the word before, or the number of words plus that of a bigram that has trigrams; OUT: nothing known."""

    def __init__(self, path):
        data = open(path, 'rb').read()
        if data[:2] == b'\x1f\x8b': data = gzip.decompress(data)
        head, rest = data.split(b'\n', 1)
        self.header = h = json.loads(head)
        n, common, unit = h['words'], h['common'], h['scale'] * LN10
        self.words = rest[:h['spellingBytes']].decode().split('\n')[:-1]
        for i in range(common, n):
            line = self.words[i]
            self.words[i] = (self.words[i - 1] if i > common else '')[:ord(line[0]) - 48] + line[1:]
        r = Bytes(rest[h['spellingBytes']:])
        signed = lambda x: (x - 256 if x > 127 else x) * unit
        self.unigram = [-r.byte() * unit for _ in range(n)]
        self.backoff = [signed(r.byte()) for _ in range(common)] + [0.] * (n - common)
        self.bigrams, self.trigrams, self.last = [{} for _ in range(n)], {}, list(range(n))
        for b in range(common):
            w = 0
            for _ in range(r.varint()):
                w += r.varint()
                p, count, context, more = -r.byte() * unit, r.varint(), w, {}
                if count:
                    more, backoff, context, v = {}, signed(r.byte()), len(self.last), 0
                    for _ in range(count):
                        v += r.varint()
                        more[v] = -r.byte() * unit
                    self.trigrams[context] = more, backoff
                    self.last.append(w)
                self.bigrams[b][w] = p, context
        if r.at != len(r.data): raise ValueError('bytes left over')
        self.children, self.word_at = [{}], [OUT]  # the trie: node 0 is the root
        for i, w in enumerate(self.words[2:], 2):
            node = 0
            for c in w:
                if c not in self.children[node]:
                    self.children[node][c] = len(self.children)
                    self.children.append({}); self.word_at.append(OUT)
                node = self.children[node][c]
            self.word_at[node] = i
        self.ahead = [self.unigram[i] if i != OUT else -math.inf for i in self.word_at]  # of the likeliest word through a node
        for node in range(len(self.children) - 1, -1, -1): self.ahead[node] = max([self.ahead[node], *(self.ahead[c] for c in self.children[node].values())])

    def score(self, context, word):
        """Natural log of P(word | context); after an unknown word the unigram alone."""
        if context == OUT: return self.unigram[word]
        s = 0.
        if context in self.trigrams:
            more, backoff = self.trigrams[context]
            if word in more: return more[word]
            s = backoff
        before = self.last[context]
        p = self.bigrams[before].get(word)
        return s + (p[0] if p else self.backoff[before] + self.unigram[word])

    def after(self, context, word):
        """The context after one more word."""
        if context == OUT or word == OUT: return word
        p = self.bigrams[self.last[context]].get(word)
        return p[1] if p else word


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
        """What the current word of a prefix adds when it ends: (score, the context after it)."""
        p, word = self.p, OUT if x.node == OUT else self.lm.word_at[x.node]
        if word == OUT: return p['alpha'] * (p['oov'] + p['oovLetter'] * x.letters) + p['beta'], OUT
        return p['alpha'] * self.lm.score(x.before, word) + p['beta'], self.lm.after(x.before, word)

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
            y = Prefix(x.text + c, node, letters, x.before, x.base, p['alpha'] * (p['ahead'] * self.lm.ahead[node] if node != OUT else p['oov'] + p['oovLetter'] * letters))
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
