"""The acoustic model: log-mel in the graph, two strided convolutions to 25 frames a second, then residual blocks of one
depthwise convolution along time and two dense layers (ConvNeXt's shape, which leaves most of the work to matrix products)."""
import torch
import torch.nn.functional as F
from torch import nn

from features import BANDS, LogMel, standardise

VOCABULARY = ['<pad>', '|', *'abcdefghijklmnopqrstuvwxyz', "'"]  # index 0 is the CTC blank
INDEX = {c: i for i, c in enumerate(VOCABULARY)}
INDEX[' '] = 1
CONFIG = {'width': 320, 'expansion': 3, 'kernels': [9, 11, 13, 15, 17, 19]}


def encode(text):
    return [INDEX[c] for c in text]


def greedy(ids):
    """Text of the best class of each frame."""
    out, last = [], 0
    for i in ids:
        if i != last and i: out.append(VOCABULARY[i])
        last = i
    return ' '.join(''.join(out).replace('|', ' ').split())


def dense(x, layer, low):
    """A dense layer; in bfloat16 when training, which doubles the speed of a recent CPU."""
    return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype)) if low else layer(x)


class Block(nn.Module):
    def __init__(self, width, expansion, kernel):
        super().__init__()
        self.along = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, width * expansion), nn.Linear(width * expansion, width)
        with torch.no_grad(): self.down.weight *= .3

    def forward(self, x, low):
        y = self.norm(self.along(x).permute(0, 2, 3, 1))
        if low: y = y.bfloat16()
        y = dense(F.relu(dense(y, self.up, low)), self.down, low)
        return x + y.float().permute(0, 3, 1, 2)


class Acoustic(nn.Module):
    """[batch, 64, frames of 10 ms] standardised log-mel to [batch, frames of 40 ms, 29] logits."""

    def __init__(self, width, expansion, kernels):
        super().__init__()
        self.first = nn.Conv2d(BANDS, width, (1, 5), stride=(1, 2), padding=(0, 2))
        self.second = nn.Conv2d(width, width, (1, 3), stride=(1, 2), padding=(0, 1))
        self.blocks = nn.ModuleList(Block(width, expansion, k) for k in kernels)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(VOCABULARY))

    def forward(self, mel, low=False):
        x = mel.unsqueeze(2).contiguous(memory_format=torch.channels_last) if self.training else mel.unsqueeze(2)
        if low:
            x = F.relu(F.conv2d(x.bfloat16(), self.first.weight.bfloat16(), self.first.bias.bfloat16(), (1, 2), (0, 2)))
            x = F.relu(F.conv2d(x, self.second.weight.bfloat16(), self.second.bias.bfloat16(), (1, 2), (0, 1))).float()
        else: x = F.relu(self.second(F.relu(self.first(x))))
        for block in self.blocks: x = block(x, low)
        return self.head(self.norm(x.permute(0, 2, 3, 1)))[:, 0]


class Recogniser(nn.Module):
    """[batch, samples] at 16 kHz to logits: what is exported."""

    def __init__(self, acoustic):
        super().__init__()
        self.logmel, self.acoustic = LogMel(), acoustic

    def forward(self, samples):
        return self.acoustic(standardise(self.logmel(samples)))


def frames(n):
    """Logit frames of n mel frames."""
    return ((n + 1) // 2 + 1) // 2
