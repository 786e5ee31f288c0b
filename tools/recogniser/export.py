"""The averaged weights as an ONNX graph from raw samples to logits, weights in int8 with one scale per output channel.

    export.py CHECKPOINT.pt MODEL_DIR [CHECK_JSON]

The graph has a DequantizeLinear node per weight, so that arithmetic stays in float32; initialisers keep the names of the
PyTorch parameters, and `read` gives them back: a shipped model can be evaluated or trained further. CHECK_JSON gets
some inputs with PyTorch's logits, for check.mjs."""
import json
import os
import sys

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from model import CONFIG, VOCABULARY, Acoustic, Recogniser


def read(path):
    """{parameter: tensor} of an exported model, and its configuration."""
    graph = onnx.load(path)
    config = json.loads(next(p.value for p in graph.metadata_props if p.key == 'config'))
    values = {i.name: numpy_helper.to_array(i) for i in graph.graph.initializer}
    state = {}
    for name, v in values.items():
        if name.endswith(':q'):
            scale, axis = values[name[:-2] + ':scale'], 1 if name.endswith(':T:q') else 0
            v = v.astype(np.float32) * scale.reshape([-1 if k == axis else 1 for k in range(v.ndim)])
            name = name[:-2]
        elif name.endswith((':scale', ':zero')) or not name.startswith('acoustic.'): continue
        if name.endswith(':T'): name, v = name[:-2], v.T
        state[name.replace('acoustic.', '', 1)] = torch.tensor(np.ascontiguousarray(v))
    return state, config


def load(path):
    """The acoustic network of a checkpoint or of an exported model."""
    if path.endswith('.onnx'): state, config = read(path)
    else:
        c = torch.load(path, map_location='cpu')
        state, config = c['net'], c['config']
    net = Acoustic(**config)
    net.load_state_dict(state)
    return net.eval(), config


def name_weights(graph, state):
    """Give constants that the exporter transposed and renamed the name of their parameter, with ':T'."""
    left = {k: v.numpy() for k, v in state.items() if v.dim() == 2}
    for init in graph.initializer:
        if init.name in state or len(init.dims) != 2: continue
        v = numpy_helper.to_array(init)
        for k, w in left.items():
            if w.T.shape == v.shape and np.array_equal(w.T, v):
                for node in graph.node:
                    for j, x in enumerate(node.input):
                        if x == init.name: node.input[j] = k + ':T'
                init.name = k + ':T'
                del left[k]
                break
    assert not left, list(left)


def quantise(graph):
    nodes, keep = [], []
    for init in graph.initializer:
        v = numpy_helper.to_array(init)
        if not init.name.startswith('acoustic.') or v.ndim < 2:
            keep.append(init)
            continue
        axis = 1 if init.name.endswith(':T') else 0
        other = tuple(k for k in range(v.ndim) if k != axis)
        scale = np.maximum(np.abs(v).max(other) / 127, 1e-9).astype(np.float32)
        q = np.round(v / scale.reshape([-1 if k == axis else 1 for k in range(v.ndim)])).clip(-127, 127).astype(np.int8)
        n = init.name
        keep += [numpy_helper.from_array(q, n + ':q'), numpy_helper.from_array(scale, n + ':scale'), numpy_helper.from_array(np.zeros(len(scale), np.int8), n + ':zero')]
        nodes.append(helper.make_node('DequantizeLinear', [n + ':q', n + ':scale', n + ':zero'], [n], axis=axis))
    del graph.initializer[:]
    graph.initializer.extend(keep)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)


def export(checkpoint, folder, check=None):
    net, config = load(checkpoint)
    whole = Recogniser(net).eval()
    os.makedirs(folder + '/onnx', exist_ok=True)
    path = folder + '/onnx/model_quantized.onnx'
    torch.onnx.export(whole, torch.randn(1, 16000) * .1, path, opset_version=15, input_names=['input_values'], output_names=['logits'],
                      dynamic_axes={'input_values': {1: 'samples'}, 'logits': {1: 'frames'}})
    model = onnx.load(path)
    name_weights(model.graph, whole.state_dict())
    quantise(model.graph)
    for key, value in {'config': json.dumps(config), 'licence': 'MIT'}.items():
        p = model.metadata_props.add()
        p.key, p.value = key, value
    model.doc_string = ''
    for node in model.graph.node: node.doc_string = ''
    onnx.checker.check_model(model)
    onnx.save(model, path)
    write_configuration(folder, config)
    if check:
        net.load_state_dict(read(path)[0])
        g, rows = np.random.default_rng(0), []
        for n in (1600, 20000, 33333):
            x = (g.standard_normal(n) * np.sin(np.arange(n) / 3000) * .2).astype(np.float32)
            with torch.no_grad(): rows.append({'samples': x.tolist(), 'logits': whole(torch.from_numpy(x)[None])[0].flatten().tolist()})
        json.dump(rows, open(check, 'w'))
    print(path, os.path.getsize(path), 'bytes', sum(p.numel() for p in net.parameters()), 'parameters')


def write_configuration(folder, config):
    """The files by which transformers.js takes the model for a wav2vec2 CTC one."""
    special = {'pad_token': '<pad>', 'unk_token': '<pad>'}
    vocab = {s: i for i, s in enumerate(VOCABULARY)}
    files = {
        'config.json': {
            'model_type': 'wav2vec2', 'architectures': ['Wav2Vec2ForCTC'], 'vocab_size': len(VOCABULARY), 'pad_token_id': 0, 'bos_token_id': 0, 'eos_token_id': 0,
            'hidden_size': config['width'], 'num_hidden_layers': len(config['kernels']), 'inputs_to_logits_ratio': 640, 'sampling_rate': 16000,
            'ctc_loss_reduction': 'sum', 'acoustic': config, 'minimum_samples': 1600, 'language_model': 'language-model.bin'},
        'preprocessor_config.json': {
            'feature_extractor_type': 'Wav2Vec2FeatureExtractor', 'feature_size': 1, 'sampling_rate': 16000, 'padding_side': 'right', 'padding_value': 0.0,
            'do_normalize': False, 'return_attention_mask': False},
        'tokenizer_config.json': {
            'tokenizer_class': 'Wav2Vec2CTCTokenizer', **special, 'word_delimiter_token': '|', 'do_lower_case': False, 'replace_word_delimiter_char': ' ',
            'clean_up_tokenization_spaces': False, 'model_max_length': 1000000},
        'special_tokens_map.json': special,
        'vocab.json': vocab,
        'tokenizer.json': {
            'version': '1.0', 'truncation': None, 'padding': None,
            # not special: transformers.js drops special tokens before it collapses repeats, and 'all' would become 'al'
            'added_tokens': [{'id': 0, 'content': '<pad>', 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False, 'special': False}],
            'normalizer': {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '|'},
            'pre_tokenizer': {'type': 'Split', 'pattern': {'Regex': ''}, 'behavior': 'Isolated', 'invert': False},
            'post_processor': None,
            'decoder': {'type': 'CTC', 'pad_token': '<pad>', 'word_delimiter_token': '|', 'cleanup': True},
            'model': {'vocab': vocab}}}
    for name, content in files.items():
        with open(f'{folder}/{name}', 'w', encoding='utf8') as f: f.write(json.dumps(content, indent=1) + '\n')


if __name__ == '__main__': export(*sys.argv[1:4])
