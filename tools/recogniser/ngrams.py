"""A back-off trigram: our own counts interpolated with a general model, pruned to a size. Arrays throughout, words as numbers.

An n-gram's key is its words read as digits to the base V. Own counts: absolute discounting, interpolated (Ney et al. 1994),
unigrams by the number of words they follow (Kneser and Ney 1995). Pruning: least loss of entropy first (Stolcke 1998)."""
import numpy as np

DISCOUNT2, DISCOUNT3 = 1.2, 1.5  # of weighted counts
LEAST = 1e-7  # probability of a word that neither model knows


def find(keys, values, wanted, default):
    """values of the wanted keys (keys ascending), or default."""
    i = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[i] == wanted, values[i], default)


def ordered(counter):
    keys, values = np.fromiter(counter.keys(), np.int64, len(counter)), np.fromiter(counter.values(), float, len(counter))
    order = np.argsort(keys)
    return keys[order], values[order]


class Own:
    """From weighted counts {key: count} of bigrams and trigrams."""

    def __init__(self, V, two, three):
        self.V, (self.k2, self.c2), (self.k3, self.c3) = V, ordered(two), ordered(three)
        self.h2, self.d2 = np.bincount(self.k2 // V, self.c2, V), np.bincount(self.k2 // V, np.minimum(self.c2, DISCOUNT2), V)
        self.context, inverse = np.unique(self.k3 // V, return_inverse=True)
        self.h3, self.d3 = np.bincount(inverse, self.c3), np.bincount(inverse, np.minimum(self.c3, DISCOUNT3))
        self.p1 = np.bincount(self.k2 % V, minlength=V) / len(self.k2)
        self.p1 = np.maximum(self.p1, LEAST / 3)

    def two(self, b, w):
        h = self.h2[b]
        p = (np.maximum(find(self.k2, self.c2, b * self.V + w, 0.) - DISCOUNT2, 0) + self.d2[b] * self.p1[w]) / np.maximum(h, 1e-9)
        return np.where(h > 0, p, self.p1[w])

    def three(self, a, b, w):
        context, lower = a * self.V + b, self.two(b, w)
        h, d = find(self.context, self.h3, context, 0.), find(self.context, self.d3, context, 0.)
        p = (np.maximum(find(self.k3, self.c3, context * self.V + w, 0.) - DISCOUNT3, 0) + d * lower) / np.maximum(h, 1e-9)
        return np.where(h > 0, p, lower)


class General:
    """A back-off model (sphinx_model.read) over our words."""

    def __init__(self, index, words, single, double, triple):
        V = self.V = len(index)
        number = np.array([index.get(w, -1) for w in words])
        self.p1, self.backoff1 = np.full(V, LEAST), np.ones(V)
        known = number >= 0
        self.p1[number[known]], self.backoff1[number[known]] = np.maximum(single[0][known], LEAST), single[1][known]
        a, b, p, backoff = double
        a, b = number[a], number[b]
        keep = (a >= 0) & (b >= 0)
        order = np.argsort((a * V + b)[keep])
        self.k2, self.q2, self.backoff2 = (x[keep][order] for x in (a * V + b, p, backoff))
        a, b, w, p = triple
        a, b, w = number[a], number[b], number[w]
        keep = (a >= 0) & (b >= 0) & (w >= 0)
        order = np.argsort(((a * V + b) * V + w)[keep])
        self.k3, self.q3 = (x[keep][order] for x in ((a * V + b) * V + w, p))

    def two(self, b, w):
        return find(self.k2, self.q2, b * self.V + w, self.backoff1[b] * self.p1[w])

    def three(self, a, b, w):
        return find(self.k3, self.q3, (a * self.V + b) * self.V + w, find(self.k2, self.backoff2, a * self.V + b, 1.) * self.two(b, w))


class Backoff:
    """What is shipped: explicit n-grams and what is left for the rest. p1 by word; keys and p of bigrams and trigrams, ascending."""

    def __init__(self, p1, k2, p2, k3, p3):
        V = self.V = len(p1)
        self.p1, self.k2, self.p2, self.k3, self.p3 = p1, k2, p2, k3, p3
        b, w = k2 // V, k2 % V
        self.backoff1 = np.maximum(1 - np.bincount(b, p2, V), 1e-4) / np.maximum(1 - np.bincount(b, p1[w], V), 1e-4)
        self.context, inverse = np.unique(k3 // V, return_inverse=True)
        self.backoff2 = np.maximum(1 - np.bincount(inverse, p3), 1e-4) / np.maximum(1 - np.bincount(inverse, self.two((k3 // V) % V, k3 % V)), 1e-4)

    def two(self, b, w):
        return find(self.k2, self.p2, b * self.V + w, self.backoff1[b] * self.p1[w])

    def three(self, a, b, w):
        return find(self.k3, self.p3, (a * self.V + b) * self.V + w, find(self.context, self.backoff2, a * self.V + b, 1.) * self.two(b, w))


def loss(group, count, p, lower, weight):
    """What each n-gram's removal would cost: group is its context's number, weight that context's probability."""
    left, left_lower = (np.maximum(1 - np.bincount(group, x, count), 1e-4)[group] for x in (p, lower))
    before, after = left / left_lower, (left + p) / (left_lower + lower)
    return -weight * (p * (np.log(after * lower) - np.log(p)) + left * (np.log(after) - np.log(before)))


def best(cost, n):
    return np.sort(np.argsort(-cost)[:n])


def interpolate(own, general, share, bigrams, trigrams):
    """The Backoff of share × own + (1 − share) × general with so many n-grams."""
    V = own.V
    p1 = share * own.p1 / own.p1.sum() + (1 - share) * general.p1 / general.p1.sum()
    two = lambda b, w: share * own.two(b, w) + (1 - share) * general.two(b, w)
    k3 = np.union1d(own.k3[own.c3 >= 2], general.k3)
    context, group = np.unique(k3 // V, return_inverse=True)
    a, b, w = k3 // V // V, (k3 // V) % V, k3 % V
    p3 = share * own.three(a, b, w) + (1 - share) * general.three(a, b, w)
    chosen = best(loss(group, len(context), p3, two(b, w), (p1[context // V] * two(context // V, context % V))[group]), trigrams)
    k3, p3 = k3[chosen], p3[chosen]
    k2 = np.union1d(own.k2, general.k2)
    b, w = k2 // V, k2 % V
    p2 = two(b, w)
    cost = loss(b, V, p2, p1[w], p1[b])
    cost[np.isin(k2, k3 // V)] = np.inf  # contexts of trigrams
    chosen = best(cost, bigrams)
    return Backoff(p1, k2[chosen], p2[chosen], k3, p3)
