"""Training: CTC, AdamW, a cosine over wall time, an exponential average of the weights. Resumable.

    train.py BUILD MINUTES [--init-from FILE.pt|FILE.onnx] [--peak RATE]

On CPUs there is one process per core, each with its own half of every step's batch: where other programs use the machine too,
that loses less than threads that meet after every operation. BUILD/checkpoint.pt holds everything; BUILD/average.pt the averaged weights."""
import argparse
import copy
import json
import math
import multiprocessing
import os
import queue
import threading
import time

import numpy as np
import torch
import torch.nn.functional as F

import augment
import export
from features import standardise_numpy, stored
from model import CONFIG, Acoustic, encode, frames, greedy

PEAK, DECAY, AVERAGE = 2e-3, .02, .999
FRAMES = 19200  # mel frames of a batch: 64 utterances of three seconds


class Data:
    def __init__(self, build):
        self.folder, self.items, self.read = build + '/features/', [], set()

    def files(self):
        """What there is: features may still be coming."""
        return sorted(n for n in os.listdir(self.folder) if n.endswith('.npz') and not n.startswith(('dev', 'eval')))

    def add(self, files):
        for name in files:
            if name in self.read: continue
            self.read.add(name)
            z = stored(self.folder + name)
            versions = [np.split(z[v], z[v + '_ends'][:-1]) for v in ('light', 'heavy')]
            for i, m in enumerate(json.loads(z['meta'].tobytes())):
                self.items.append((encode(m['text']), versions[0][i], versions[1][i]))

    def epoch(self, g, by_length, rank=0, size=1):
        """Every size-th batch of an epoch: (mel [batch, 64, frames], lengths, targets)."""
        chosen = [(t, a if g.random() < .5 else b) for t, a, b in self.items]
        chosen = [(t, x) for t, x in chosen if frames(len(x)) >= len(t) + 2 + sum(p == q for p, q in zip(t, t[1:])) and len(x) < 1400]
        if by_length: chosen = [chosen[i] for i in g.permutation(len(chosen))[:12000]]  # short ones first to find the alignment
        order = np.argsort([len(x) * (1 if by_length else g.uniform(.9, 1.1)) for _, x in chosen])
        batches, start = [], 0
        while start < len(order):
            longest, end = 0, start
            while end < len(order) and max(longest, len(chosen[order[end]][1])) * (end + 1 - start) <= FRAMES // size and end - start < 160:
                longest = max(longest, len(chosen[order[end]][1]))
                end += 1
            batches.append(order[start:end])
            start = end
        if not by_length: g.shuffle(batches)
        for batch in batches[rank:len(batches) // size * size:size]:
            mels = [standardise_numpy(augment.features(chosen[i][1].astype(np.float32), g)) for i in batch]
            longest = max(map(len, mels))
            x = np.zeros((len(mels), longest, mels[0].shape[1]), np.float32)
            for k, m in enumerate(mels): x[k, :len(m)] = m
            yield torch.from_numpy(x.transpose(0, 2, 1)), [frames(len(m)) for m in mels], [chosen[i][0] for i in batch]


def ahead(batches, size=6):
    """The same batches, prepared by a thread."""
    q = queue.Queue(size)
    def run():
        for b in batches: q.put(b)
        q.put(None)
    threading.Thread(target=run, daemon=True).start()
    return iter(q.get, None)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1): last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def validate(net, build, device):
    """Greedy character and word error of the dev sets."""
    out = []
    for name in ('domain', 'open', 'new', 'joined'):
        path = f'{build}/features/dev-{name}.npz'
        if not os.path.exists(path): continue
        z = np.load(path)
        wrong = total = wwrong = wtotal = 0
        for m, mel in zip(json.loads(z['meta'].tobytes()), np.split(z['light'], z['light_ends'][:-1])):
            with torch.no_grad(): said = greedy(net(torch.from_numpy(standardise_numpy(mel.astype(np.float32)).T)[None].to(device))[0].argmax(1).tolist())
            wrong += distance(said, m['text']); total += len(m['text'])
            wwrong += distance(said.split(), m['text'].split()); wtotal += len(m['text'].split())
        out.append(f'{name} {100 * wrong / total:.1f}/{100 * wwrong / wtotal:.1f}')
    return 'CER/WER ' + ', '.join(out)


def gradients(net, batch, device):
    """Forward and backward of one batch; the loss per character."""
    mel, lengths, targets = batch
    net.train()
    logits = net(mel.to(device), low=True).float().log_softmax(2)
    flat = torch.tensor([c for t in targets for c in t], dtype=torch.long)
    loss = F.ctc_loss(logits.transpose(0, 1), flat.to(device), torch.tensor(lengths), torch.tensor([len(t) for t in targets]), reduction='sum', zero_infinity=True) / max(len(flat), 1)
    for p in net.parameters(): p.grad = None
    loss.backward()
    return loss.item()


class Helper:
    """Another process that computes the gradients of its own batches with the shared weights."""

    def __init__(self, net, data, rank, size):
        self.buffer = torch.zeros(sum(p.numel() for p in net.parameters())).share_memory_()
        self.epochs, self.go, self.done = multiprocessing.SimpleQueue(), multiprocessing.Semaphore(0), multiprocessing.Semaphore(0)
        multiprocessing.Process(target=self.run, args=(net, data, rank, size), daemon=True).start()

    def run(self, net, data, rank, size):
        while True:
            seed, by_length, files = self.epochs.get()
            data.add(files)
            for batch in ahead(data.epoch(np.random.default_rng(seed), by_length, rank, size)):
                self.go.acquire()
                gradients(net, batch, 'cpu')
                at = 0
                for p in net.parameters():
                    self.buffer[at:at + p.numel()] = p.grad.reshape(-1)
                    at += p.numel()
                self.done.release()

    def add(self, net):
        self.done.acquire()
        at = 0
        for p in net.parameters():
            p.grad += self.buffer[at:at + p.numel()].view(p.shape)
            at += p.numel()


def main():
    p = argparse.ArgumentParser()
    p.add_argument('build'); p.add_argument('minutes', type=float); p.add_argument('--init-from'); p.add_argument('--peak', type=float, default=PEAK)
    a = p.parse_args()
    torch.manual_seed(0)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.set_num_threads(1)
    data = Data(a.build)
    net = Acoustic(**CONFIG).to(device)
    if device == 'cpu': net.share_memory()
    if a.init_from: net.load_state_dict(export.load(a.init_from)[0].state_dict())
    average = copy.deepcopy(net).eval()
    groups = [{'params': [p for p in net.parameters() if p.dim() > 1], 'weight_decay': DECAY}, {'params': [p for p in net.parameters() if p.dim() < 2], 'weight_decay': 0}]
    opt = torch.optim.AdamW(groups, lr=a.peak, betas=(.9, .98))
    spent, step, epoch, heard, checkpoint = 0., 0, 0, 0., a.build + '/checkpoint.pt'
    if os.path.exists(checkpoint):
        c = torch.load(checkpoint, map_location=device)
        net.load_state_dict(c['net']); average.load_state_dict(c['average']); opt.load_state_dict(c['opt'])
        spent, step, epoch, heard = c['spent'], c['step'], c['epoch'], c.get('heard', 0.)
    seconds, size = a.minutes * 60, os.cpu_count() if device == 'cpu' else 1
    helpers = [Helper(net, data, rank, size) for rank in range(1, size)]
    last, saved, saves, running = time.time(), time.time(), 0, []

    def save():
        torch.save({'net': net.state_dict(), 'average': average.state_dict(), 'opt': opt.state_dict(), 'spent': spent, 'heard': heard, 'step': step, 'epoch': epoch}, checkpoint + '.part')
        os.replace(checkpoint + '.part', checkpoint)
        torch.save({'config': CONFIG, 'net': average.state_dict(), 'step': step, 'hours': heard / 3600}, a.build + '/average.part')
        os.replace(a.build + '/average.part', a.build + '/average.pt')

    while spent < seconds:
        files = data.files()
        data.add(files)
        print(f'epoch {epoch}: {len(data.items)} utterances', flush=True)
        seed, by_length = epoch * 100000 + step, epoch == 0 and not a.init_from
        for helper in helpers: helper.epochs.put((seed, by_length, files))
        for batch in ahead(data.epoch(np.random.default_rng(seed), by_length, 0, size)):
            now = time.time()
            spent, last = spent + now - last, now
            if spent >= seconds: break
            progress = spent / seconds
            rate = a.peak * min(1, (step + 1) / 300) * (.5 + .5 * math.cos(math.pi * progress)) + 1e-6
            for group in opt.param_groups: group['lr'] = rate
            for helper in helpers: helper.go.release()
            loss = gradients(net, batch, device)
            for helper in helpers: helper.add(net)
            for p in net.parameters(): p.grad /= size
            norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.)
            if torch.isfinite(norm): opt.step()
            step += 1
            keep = min(AVERAGE, 1 - 1 / (step + 10) * 5) if step > 10 else 0
            with torch.no_grad():
                for q, w in zip(average.parameters(), net.parameters()): q.lerp_(w, 1 - keep)
            heard += batch[0].shape[0] * batch[0].shape[2] * .01 * size
            running.append(loss)
            if step % 50 == 0:
                print(f'step {step} {spent / 60:.1f} min lr {rate:.5f} loss {np.mean(running[-50:]):.3f} norm {norm:.2f} heard {heard / 3600:.1f} h', flush=True)
            if now - saved > 240:
                saved, saves = now, saves + 1
                save()
                if saves % 4 == 0: print(f'step {step} {validate(average, a.build, device)}', flush=True)
        else: epoch += 1
    save()
    print('done', validate(average, a.build, device), flush=True)


if __name__ == '__main__': main()
