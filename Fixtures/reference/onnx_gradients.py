"""What PyTorch makes of a module with the weights of an ONNX file: logits, loss, penalty and gradients in double precision.

An exporter may have folded batch normalisations into the layers before them. `folded` does the same to the module, and `judged`
then gives it the weights as they stand in the file, bit by bit, so that a gradient for a weight of the file has its like.

Sample n of a file has the images u of SplitMix64(seed n), a word's upper 24 bits over 2^24, in the order (C, H, W), the label n modulo
the classes, and as its mask the lowest bits of SplitMix64(1000 + n); the second sample has no mask. λ1 is cross-entropy over penalty.

"gradients" has an entry for each trained tensor of the module that the file has as it is: its number of elements and the first of
them, by which it is known whatever it is called, the sums of products of its gradient with two vectors, and that gradient's largest
magnitude. The vectors of the kth entry are u − 0.5 of SplitMix64(1_000_000 + 1000 k + 1 and + 2), u being a word's upper 53 bits
over 2^53; those of the gradients for the images are numbered 0, and the entries from 1.
"""

import copy

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch import fx, nn
from torch.nn import functional
from torch.nn.utils import fusion

import generate
import networks

SEED = 1_000_000
FIRST = 6


def drawn(shape, seed):
    count = int(numpy.prod(shape))
    words = networks.splitmix(seed, count) >> numpy.uint64(40)
    return (words.astype(numpy.float64) / 2**24).reshape(shape)


def batch(shape, samples, classes):
    """The images, their labels and masks."""
    images = torch.from_numpy(numpy.stack([drawn(shape, n) for n in range(samples)]))
    count = int(numpy.prod(shape))
    masks = torch.from_numpy(numpy.stack(
        [(networks.splitmix(1000 + n, count) & numpy.uint64(1)).astype(numpy.float64).reshape(shape) for n in range(samples)]))
    masks[1] = 0
    return images, torch.arange(samples) % classes, masks


def folded(module):
    """A copy without the batch normalisations that are of one convolution or linear layer alone."""
    traced = fx.symbolic_trace(copy.deepcopy(module))
    children = dict(traced.named_modules())
    kinds = {nn.BatchNorm2d: (nn.Conv2d, fusion.fuse_conv_bn_eval), nn.BatchNorm1d: (nn.Linear, fusion.fuse_linear_bn_eval)}
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or type(children[node.target]) not in kinds:
            continue
        before, (kind, fuse) = node.args[0], kinds[type(children[node.target])]
        if before.op != "call_module" or type(children[before.target]) is not kind or len(before.users) > 1:
            continue
        traced.set_submodule(before.target, fuse(children[before.target], children[node.target]))
        children[before.target] = traced.get_submodule(before.target)
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def take(module, path):
    """Gives a module the weights of a file, which may have them transposed, and tells which of its tensors are there."""
    by_size = {}
    for tensor in onnx.load(path).graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind == "f":
            by_size.setdefault(array.size, []).append(array.astype(numpy.float64))
    found = []
    for name, parameter in module.named_parameters():
        if name in ("mean", "std"):
            continue  # Of the images' normalisation, which is a factor and a term for each channel here.
        wanted = parameter.detach().numpy()
        for array in by_size.get(wanted.size, []):
            for candidate in [array.reshape(wanted.shape)] + ([array.T] if array.ndim == 2 and array.T.shape == wanted.shape else []):
                # A folded weight differs by how the exporter rounds.
                if numpy.allclose(candidate.flat[:FIRST], wanted.flat[:FIRST], rtol=1e-9, atol=1e-12) \
                        and abs(candidate - wanted).max() <= 1e-9 * max(abs(wanted).max(), 1e-300):
                    with torch.no_grad():
                        parameter.copy_(torch.from_numpy(numpy.ascontiguousarray(candidate)))
                    found.append(name)
                    break
            else:
                continue
            break
    return found


def projections(tensor, number):
    flat = tensor.detach().flatten()
    sums = [(flat * (networks.units(SEED + 1000 * number + kind, flat.shape) - 0.5)).sum().item() for kind in [1, 2]]
    return sums + [flat.abs().max().item()]


def judged(module, path, shape, samples, logits=None):
    """What a file's network should give.

    `logits` computes them with the module where the file has something behind them.
    """
    graph = onnx.load(path, load_external_data=False).graph
    kept = sum(node.op_type == "BatchNormalization" for node in graph.node)
    module = module.double().eval()
    if kept < sum(isinstance(child, (nn.BatchNorm2d, nn.BatchNorm1d)) for child in module.modules()):
        module = folded(module)
    else:
        module = copy.deepcopy(module)
    networks.replace_hard_sigmoids(module)
    module.requires_grad_()  # A bias that was a running mean has none.
    found = take(module, path)
    logits = logits or (lambda module, x: module(x))

    def network(x):
        return logits(module, x)

    with torch.no_grad():
        classes = network(torch.zeros(1, *shape, dtype=torch.float64)).shape[1]
    images, labels, masks = batch(shape, samples, classes)
    values = network(images)
    cross_entropy = functional.cross_entropy(values, labels)
    gradient = generate.input_gradient(network, images, labels, "sum-log-prob")
    penalty = (masks * gradient).square().sum() / len(images)
    lambda1 = (cross_entropy / penalty).item()
    parameters = [parameter for name, parameter in module.named_parameters() if name in found]
    gradients = torch.autograd.grad(cross_entropy + lambda1 * penalty, parameters, allow_unused=True)
    entries = []
    for parameter, value in zip(parameters, gradients):
        value = torch.zeros_like(parameter) if value is None else value
        flat = parameter.detach().flatten()
        entries.append({"count": flat.numel(), "first": flat[:FIRST].tolist(), "gradient": projections(value, len(entries) + 1)})
    return {
        "logits": values.detach().flatten().tolist(), "cross_entropy": cross_entropy.item(), "penalty": penalty.item(), "lambda1": lambda1,
        "input_gradient": projections(gradient, 0), "gradients": entries,
    }, len(list(module.named_parameters())) - len(found)
