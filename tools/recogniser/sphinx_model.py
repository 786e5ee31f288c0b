"""Reads the trigram of Debian's pocketsphinx-en-us: a trie in KenLM's order, each word followed by what came before it.

The layout is that of sphinxbase's lm_trie.c: counts, quantisation tables, unigrams, then entries packed bit by bit."""
import struct

import numpy as np

PATH = '/usr/share/pocketsphinx/model/en-us/en-us.lm.bin'
MAGIC = b'Trie Language Model'
BITS = 16  # of a quantised probability or back-off
UNIT = 1e-4  # sphinxbase counts in logarithms to the base 1.0001; numpy's log of that is 1e-4


def fields(packed, at, bits):
    """Numbers of so many bits at bit positions."""
    raw = np.frombuffer(packed + bytes(16), np.uint8)
    value = np.zeros(len(at), np.uint64)
    for k in range(8): value |= raw[(at >> 3) + k].astype(np.uint64) << np.uint64(8 * k)
    return ((value >> (at & 7).astype(np.uint64)) & np.uint64((1 << bits) - 1)).astype(np.int64)


def read(path=PATH):
    """(words, unigrams, bigrams, trigrams): (p, backoff) by word; (before, word, p, backoff); (before2, before, word, p). p and backoff are factors."""
    data = open(path, 'rb').read()
    at = len(MAGIC)
    if data[:at] != MAGIC or data[at] != 3: raise ValueError(path + ' is not a trigram of sphinxbase')
    ones, twos, threes = struct.unpack_from('<3I', data, at + 1)
    at += 1 + 12 + 4
    table = np.frombuffer(data, '<f4', 3 << BITS, at)
    at += 12 << BITS
    single = np.frombuffer(data, [('p', '<f4'), ('backoff', '<f4'), ('next', '<u4')], ones + 1, at)
    at += 12 * (ones + 1)
    word_bits, next_bits = ones.bit_length(), threes.bit_length()
    size2, size3 = word_bits + 2 * BITS + next_bits, word_bits + BITS
    bytes2, bytes3 = ((1 + twos) * size2 + 7) // 8 + 8, ((1 + threes) * size3 + 7) // 8 + 8
    packed2, packed3, rest = data[at:at + bytes2], data[at + bytes2:at + bytes2 + bytes3], data[at + bytes2 + bytes3:]
    words = [w.decode('latin1') for w in rest[4:].split(b'\0')[:ones]]
    real = int(single['next'][-1])
    start2, start3 = np.arange(real + 1, dtype=np.int64) * size2, np.arange(threes, dtype=np.int64) * size3
    before = fields(packed2, start2, word_bits)[:real]
    backoff = table[1 << BITS:2 << BITS][fields(packed2, start2 + word_bits, BITS)][:real]
    p2 = table[:1 << BITS][fields(packed2, start2 + word_bits + BITS, BITS)][:real]
    first3 = fields(packed2, start2 + word_bits + 2 * BITS, next_bits)
    word = np.searchsorted(single['next'][:-1], np.arange(real), side='right') - 1
    before2 = fields(packed3, start3, word_bits)
    p3 = table[2 << BITS:][fields(packed3, start3 + word_bits, BITS)]
    pair = np.searchsorted(first3, np.arange(threes), side='right') - 1
    keep = pair < real
    factor = lambda x: np.exp(x.astype(np.float64) * UNIT)
    return (words, (factor(single['p'][:-1]), factor(single['backoff'][:-1])), (before, word, factor(p2), factor(backoff)),
            (before2[keep], before[pair[keep]], word[pair[keep]], factor(p3[keep])))
