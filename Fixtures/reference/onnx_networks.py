#!/usr/bin/env python3
"""Writes Fixtures/onnx: small networks as PyTorch's exporters and Keras' write them, with the logits that they give.

    python3 Fixtures/reference/onnx_networks.py

Each hand-written module below is exported in double precision by the dynamo exporter and by the TorchScript one, and by one of
them as it is in training or without optimisation too. What dynamo's exporter says of where a node comes from is kept but for
the stack traces, which name the machine's folders. Weights stand in the file, but of "external" beside it.

networks.json lists for each file the shape of its images, and what PyTorch makes of the module with the file's weights in double
precision: logits, loss, penalty and gradients, as onnx_gradients.py says. The files "keras-…" are written with the package onnx, in
forms in which tf2onnx has written Keras' networks in its releases: (N, H, W, C), with the arithmetic of shapes and a softmax at the
end; of them there are logits alone, those of onnx.reference, which shares no code with PyTorch. Those of TensorFlow itself,
"keras-…-tensorflow", are keras_networks.py's.

colleague.onnx is the network of README, in single precision with its weights beside it.

refused.json has files that are damaged or hold what is not served, as base64, with what the message must name.

Needs PyTorch, torchvision, onnx, onnxscript and NumPy.
"""

import argparse
import base64
import json
import warnings
from pathlib import Path

import numpy
import onnx
import onnx.reference
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

import onnx_gradients
from onnx_gradients import drawn

FOLDER = Path(__file__).parent.parent / "onnx"
SAMPLES = 2


class Module(nn.Module):
    """A module whose forward pass is given."""

    def __init__(self, forward, shape=(3, 12, 12), **children):
        super().__init__()
        for name, child in children.items():
            setattr(self, name, nn.Parameter(child) if isinstance(child, torch.Tensor) else child)
        self.function, self.shape = forward, shape

    def forward(self, x):
        return self.function(self, x)


def conv(*arguments, **options):
    return nn.Conv2d(*arguments, **options)


def head(s, x):
    return s.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Block(nn.Module):
    def __init__(self, channels, out, stride=1):
        super().__init__()
        self.conv1 = conv(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = conv(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = None if channels == out else nn.Sequential(conv(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Squeeze(nn.Module):
    def __init__(self, channels, gate):
        super().__init__()
        self.fc1, self.fc2, self.gate = nn.Linear(channels, 4), nn.Linear(4, channels), gate

    def forward(self, x):
        factors = self.gate(self.fc2(torch.relu(self.fc1(x.mean((2, 3))))))
        return x * factors[:, :, None, None]


class Next(nn.Module):
    """ConvNeXt's block with its channels last, as Liu et al. wrote it."""

    def __init__(self, channels):
        super().__init__()
        self.dwconv = conv(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


def modules():
    S = nn.Sequential
    return {
        "mlp": S(nn.Flatten(), nn.Linear(48, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3)),
        "lenet": S(conv(1, 4, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2), conv(4, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(20, 3)),
        "resnet": Module(lambda s, x: head(s, s.layer2(s.layer1(torch.relu(s.bn1(s.conv1(x)))))), conv1=conv(3, 4, 3, 2, 1, bias=False),
                         bn1=nn.BatchNorm2d(4), layer1=Block(4, 4), layer2=Block(4, 6, 2), fc=nn.Linear(6, 3)),
        "squeeze": Module(lambda s, x: head(s, s.se(functional.silu(s.conv(x)))), conv=conv(3, 6, 3), se=Squeeze(6, nn.Sigmoid()),
                          fc=nn.Linear(6, 3)),
        "hard": Module(lambda s, x: head(s, functional.hardswish(s.b(s.se(functional.hardswish(s.a(x)))))), a=conv(3, 6, 3, groups=3),
                       se=Squeeze(6, nn.Hardsigmoid()), b=conv(6, 4, 1), fc=nn.Linear(4, 3)),
        "groups": Module(lambda s, x: head(s, functional.silu(s.g2(s.c2(torch.relu(s.g1(s.c1(x))))))), c1=conv(3, 8, 3, bias=False),
                         g1=nn.GroupNorm(4, 8), c2=conv(8, 6, 3, 2), g2=nn.GroupNorm(1, 6), fc=nn.Linear(6, 3)),
        "instance": Module(lambda s, x: head(s, torch.relu(s.n2(s.c2(torch.relu(s.n1(s.c1(x))))))), c1=conv(3, 4, 3, bias=False),
                           n1=nn.InstanceNorm2d(4, affine=True), c2=conv(4, 4, 3), n2=nn.InstanceNorm2d(4), fc=nn.Linear(4, 3)),
        "layers": Module(lambda s, x: s.fc(functional.gelu(s.l2(s.f(s.l1(s.c(x)).flatten(1))))), c=conv(3, 4, 5, 3), l1=nn.LayerNorm([4, 3, 3]),
                         f=nn.Linear(36, 7), l2=nn.LayerNorm(7), fc=nn.Linear(7, 3)),
        "next": Module(lambda s, x: s.fc(s.norm(s.block(s.stem(x)).mean([-2, -1]))), stem=conv(3, 8, 2, 2), block=Next(8),
                       norm=nn.LayerNorm(8), fc=nn.Linear(8, 3)),
        "dense": Module(lambda s, x: head(s, dense(s, x)), c0=conv(3, 4, 3), c1=conv(4, 3, 3, padding=1), c2=conv(7, 2, 3, padding=1),
                        bn=nn.BatchNorm2d(9), fc=nn.Linear(9, 3)),
        "inception": Module(lambda s, x: head(s, inception(s, torch.relu(s.stem(x)))), stem=conv(3, 4, 3), a=conv(4, 2, 1), b=conv(4, 3, (1, 5), padding=(0, 2)),
                            c=conv(4, 2, 3, padding=1), d=conv(2, 2, (3, 1), padding=(1, 0)), e=conv(2, 2, (1, 3), padding=(0, 1)), fc=nn.Linear(13, 3)),
        "several": Module(several, c1=conv(3, 4, 3, 2), c2=conv(4, 4, 3, padding=1), c3=conv(4, 5, 3), fc=nn.Linear(13, 3)),
        "mobile": Module(lambda s, x: head(s, functional.relu6(s.c(x) + s.p(functional.relu6(s.d(functional.relu6(s.e(s.c(x)))))))),
                         c=conv(3, 4, 3, 2, 1), e=conv(4, 12, 1), d=conv(12, 12, 3, 1, 1, groups=12), p=conv(12, 4, 1), fc=nn.Linear(4, 3)),
        "bends": Module(lambda s, x: head(s, torch.sigmoid(s.c3(functional.softplus(s.c2(functional.leaky_relu(s.c1(x), 0.1)))))),
                        c1=conv(3, 4, 3), c2=conv(4, 4, 3, dilation=2), c3=conv(4, 4, 1), fc=nn.Linear(4, 3)),
        "approximate": Module(lambda s, x: head(s, functional.gelu(s.c2(functional.gelu(s.c1(x), approximate="tanh")))),
                              c1=conv(3, 4, 3), c2=conv(4, 4, 3), fc=nn.Linear(4, 3)),
        "scaled": Module(lambda s, x: head(s, torch.relu(s.c((x - s.mean) / s.std)) * 0.5), c=conv(3, 4, 3),
                         mean=torch.tensor([0.4, 0.5, 0.6])[:, None, None], std=torch.tensor([0.2, 0.3, 0.25])[:, None, None], fc=nn.Linear(4, 3)),
        "windows": Module(lambda s, x: s.fc(functional.adaptive_avg_pool2d(functional.max_pool2d(s.c(x), 3, 2, 1, ceil_mode=True), (7, 2)).flatten(1)),
                          (2, 11, 10), c=conv(2, 6, (3, 2), (1, 2), (2, 1), groups=2), fc=nn.Linear(84, 3)),
        "maxima": Module(lambda s, x: s.fc(torch.cat([torch.amax(s.c(x), (2, 3)), s.c(x).flatten(2).mean(2)], 1)), c=conv(3, 5, 3), fc=nn.Linear(10, 3)),
        "mish": Module(lambda s, x: head(s, functional.mish(s.c1(x)) * torch.sigmoid(s.c2(x))), c1=conv(3, 4, 3), c2=conv(3, 4, 3), fc=nn.Linear(4, 3)),
        "fire": Module(lambda s, x: torch.softmax(functional.adaptive_avg_pool2d(torch.relu(s.k(fire(s, x))), 1).flatten(1), 1),
                       s=conv(3, 2, 1), e1=conv(2, 3, 1), e3=conv(2, 3, 3, padding=1), k=conv(6, 3, 1)),
        "padded": Module(lambda s, x: head(s, functional.avg_pool2d(torch.relu(s.c(functional.pad(x, (0, 1, 2, 1)))), 3, 2, 1)), c=conv(3, 4, 3, 2), fc=nn.Linear(4, 3)),
        "difference": Module(lambda s, x: s.fc(torch.relu(s.a(x) - s.b(x)).sum((2, 3)) / 64), a=conv(3, 4, 3), b=conv(3, 4, 3), fc=nn.Linear(4, 3)),
        # As torchvision's ConvNeXt ends: dynamo writes the mean's change of strides as one row that all is gathered from.
        "strides": Module(lambda s, x: s.fc(s.norm(functional.adaptive_avg_pool2d(torch.relu(s.mix(s.stem(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2), 1)
                                                   .permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)), stem=conv(3, 6, 2, 2), mix=nn.Linear(6, 6), norm=nn.LayerNorm(6), fc=nn.Linear(6, 3)),
        "slopes": Module(lambda s, x: head(s, functional.elu(s.c3(s.p2(s.c2(s.p1(s.c1(x))))), 0.7)), c1=conv(3, 4, 3, 2), p1=nn.PReLU(),
                         c2=conv(4, 5, 3), p2=nn.PReLU(5), c3=conv(5, 4, 1), fc=nn.Linear(4, 3)),
        "shuffle": Module(shuffle, stem=conv(3, 8, 3, 2), a=conv(4, 4, 1), d=conv(4, 4, 3, 1, 1, groups=4), b=conv(4, 4, 1), e=conv(8, 6, 1, groups=2),
                          fc=nn.Linear(4, 3)),
        "same": Module(same, c=conv(3, 4, 3, 2), fc=nn.Linear(4, 3)),
    }


def dense(s, x):
    x0 = s.c0(x)
    x1 = torch.relu(s.c1(x0))
    x2 = torch.relu(s.c2(torch.cat([x0, x1], 1)))
    return torch.relu(s.bn(torch.cat([x0, x1, x2], 1)))


def inception(s, x):
    c = torch.relu(s.c(x))
    pooled = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return torch.cat([s.a(x), s.b(x), s.d(c), s.e(c), pooled], 1)


def several(s, x):
    """A sum of three, one of which goes on elsewhere too: no nesting of blocks gives it."""
    a = torch.relu(s.c1(x))
    b = torch.relu(s.c2(a))
    c = torch.relu(a + b + torch.tanh(a))
    d = torch.relu(s.c3(c))
    return s.fc(torch.cat([v.mean((2, 3)) for v in [b, c, d]], 1))


def shuffle(s, x):
    """A unit of ShuffleNet V2, a shuffle, and a part of what comes behind."""
    one, other = torch.relu(s.stem(x)).chunk(2, 1)
    x = torch.cat([one, s.b(s.d(torch.relu(s.a(other))))], 1)
    n, c, h, w = x.shape
    x = s.e(x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w))
    return head(s, torch.tanh(x[:, 1:5]))


def same(s, x):
    """A padding as TensorFlow has it, which timm computes by tensors where it is traced."""
    pads = []
    for extent in reversed(x.shape[2:]):
        if torch.jit.is_tracing():
            total = torch.clamp((torch.ceil(torch.tensor(extent / 2)) - 1) * 2 + 3 - extent, min=0)
        else:
            total = max((-(-extent // 2) - 1) * 2 + 3 - extent, 0)
        pads += [total // 2, total - total // 2]
    return head(s, torch.relu(s.c(functional.pad(x, pads))))


def fire(s, x):
    x = torch.relu(s.s(x))
    return torch.cat([torch.relu(s.e1(x)), torch.relu(s.e3(x))], 1)


SHAPES = {"mlp": (3, 4, 4), "lenet": (1, 12, 12)}


def colleague():
    """The network of README, in single precision."""
    return nn.Sequential(conv(1, 8, 5, 2), nn.BatchNorm2d(8), nn.ReLU(), conv(8, 12, 3, 2), nn.BatchNorm2d(12), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10))


def fill(module, seed):
    """Gives every tensor values of its own."""
    for number, (name, tensor) in enumerate(sorted(module.state_dict().items())):
        if not tensor.is_floating_point() or name in ("mean", "std"):
            continue
        u = torch.from_numpy(drawn(tuple(tensor.shape) or (1,), seed + 100 * number)).view(tensor.shape)
        if name.endswith("running_var") or tensor.dim() == 1 and name.endswith("weight") or name.endswith("gamma"):
            tensor.copy_(0.5 + u)
        elif tensor.dim() > 1 and name.endswith("weight"):
            tensor.copy_((2 * u - 1) * (6 / max(1, tensor[0].numel())) ** 0.5)
        else:
            tensor.copy_(u - 0.5)


def export(module, shape, path, how):
    inputs = (torch.zeros(SAMPLES, *shape, dtype=next(module.parameters()).dtype),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if how.startswith("dynamo"):
            batch = torch.export.Dim("batch")
            options = {"dynamic_shapes": ({0: batch},)} if "open" in how else {}
            torch.onnx.export(module, inputs, path, dynamo=True, verbose=False, optimize="plain" not in how,
                              external_data="external" in how, **options)
        else:
            options = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if "plain" in how else {}
            torch.onnx.export(module, inputs, path, dynamo=False, verbose=False, opset_version=int(how.split("-")[1]),
                              input_names=["x"], dynamic_axes={"x": {0: "batch"}} if "open" in how else None, **options)
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key in
                ("namespace", "pkg.onnxscript.rewriter.rule_name", "pkg.torch.onnx.class_hierarchy")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.doc_string = ""
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    Path(path).write_bytes(model.SerializeToString())


def pytorch_cases(folder, members, hows):
    cases = []
    for number, (name, module) in enumerate(members.items()):
        module = module.double().eval()
        with torch.no_grad():
            fill(module, 10_000 * (number + 1))
        shape = SHAPES.get(name) or getattr(module, "shape", (3, 12, 12))
        for how in hows(name):
            file = f"{name}-{how}.onnx"
            try:
                export(module, shape, str(folder / file), how)
            except Exception as error:  # noqa: BLE001
                print(f"{file}: not exported: {str(error).splitlines()[0][:120]}")
                continue
            # The file ends in a softmax, which is left out.
            logits = (lambda s, x: functional.adaptive_avg_pool2d(torch.relu(s.k(fire(s, x))), 1).flatten(1)) if name == "fire" else None
            case, left = onnx_gradients.judged(module, str(folder / file), shape, SAMPLES, logits)
            if left:
                print(f"{file}: {left} tensors are not in the file as they are in the module")
            cases.append({"file": file, "input": list(shape), **case})
    return cases


# As tf2onnx writes Keras' networks

class Graph:
    """Nodes and tensors that are added one after the other."""

    def __init__(self, shape, seed):
        self.nodes, self.tensors, self.seed = [], [], seed
        self.input = helper.make_tensor_value_info("input_1", TensorProto.DOUBLE, ["unk__1", *shape])

    def __call__(self, kind, *inputs, **attributes):
        name = f"model/{kind}_{len(self.nodes)}:0"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name.removesuffix(":0"), **attributes))
        return name

    def tensor(self, values, kind=numpy.float64):
        name = f"const_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(numpy.asarray(values, kind), name))
        return name

    def weights(self, *shape):
        self.seed += 1
        fan = numpy.prod(shape[1:]) if len(shape) == 4 else shape[0]
        return self.tensor((2 * drawn(shape, self.seed) - 1) * (6 / fan) ** 0.5 if len(shape) > 1 else drawn(shape, self.seed) - 0.5)

    def whole(self, *values):
        return self.tensor(values, numpy.int64)

    def number(self, value):
        return self.tensor(value)

    def model(self, output, classes, opset=15):
        end = helper.make_tensor_value_info("dense", TensorProto.DOUBLE, ["unk__2", classes])
        self.nodes.append(helper.make_node("Identity", [output], ["dense"], name="Identity__9"))
        graph = helper.make_graph(self.nodes, "tf2onnx", [self.input], [end], self.tensors)
        return helper.make_model(graph, producer_name="tf2onnx", producer_version="1.17.0", opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def keras_plain():
    g = Graph((10, 9, 3), 1)
    x = g("Transpose", "input_1", perm=[0, 3, 1, 2])
    x = g("Conv", x, g.weights(4, 3, 3, 3), g.weights(4), strides=[2, 2], auto_pad="SAME_UPPER", kernel_shape=[3, 3])
    x = g("Relu", x)
    x = g("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID")
    x = g("Transpose", x, perm=[0, 2, 3, 1])
    shape = g("Cast", g("Shape", x), to=TensorProto.INT64)
    first = g("Slice", shape, g.whole(0), g.whole(1), g.whole(0))
    x = g("Reshape", x, g("Concat", first, g.whole(-1), axis=0))
    x = g("Add", g("MatMul", x, g.weights(16, 5)), g.weights(5))
    x = g("Add", g("MatMul", g("Relu", x), g.weights(5, 3)), g.weights(3))
    return g.model(g("Softmax", x, axis=-1), 3), x


def keras_residual():
    g = Graph((12, 12, 3), 2)
    x = g("Transpose", "input_1", perm=[0, 3, 1, 2])
    x = g("Pad", x, g.whole(0, 0, 1, 1, 0, 0, 1, 1))
    x = g("Relu", g("Conv", x, g.weights(4, 3, 3, 3), g.weights(4), strides=[2, 2], kernel_shape=[3, 3]))
    x = g("MaxPool", g("Pad", x, g.whole(0, 0, 1, 1, 0, 0, 1, 1)), kernel_shape=[3, 3], strides=[2, 2])
    y = g("Relu", g("Conv", x, g.weights(4, 4, 3, 3), g.weights(4), pads=[1, 1, 1, 1], kernel_shape=[3, 3]))
    x = g("Relu", g("Add", x, g("Conv", y, g.weights(4, 4, 1, 1), g.weights(4), kernel_shape=[1, 1])))
    x = g("Squeeze", g("GlobalAveragePool", x), g.whole(2, 3))
    x = g("Gemm", x, g.weights(4, 3), g.weights(3))
    return g.model(g("Softmax", x, axis=1), 3), x


def keras_mobile():
    g = Graph((12, 10, 3), 3)
    x = g("Transpose", "input_1", perm=[0, 3, 1, 2])
    x = g("Conv", x, g.weights(6, 3, 3, 3), strides=[2, 2], pads=[0, 0, 1, 1], kernel_shape=[3, 3])
    x = g("BatchNormalization", x, g.weights(6), g.weights(6), g.weights(6), g.tensor(0.5 + drawn((6,), 77)), epsilon=1e-3)
    x = g("Min", g("Max", x, g.number(0)), g.number(6))
    x = g("Conv", x, g.weights(6, 1, 3, 3), g.weights(6), group=6, pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    x = g("Clip", x, g.number(0), g.number(6))
    x = g("ReduceMean", g("Transpose", x, perm=[0, 2, 3, 1]), axes=[1, 2], keepdims=0)
    x = g("Add", g("MatMul", x, g.weights(6, 3)), g.weights(3))
    return g.model(x, 3, 15), x


def keras_efficient():
    g = Graph((9, 9, 3), 4)
    x = g("Mul", "input_1", g.number(1 / 0.25))
    x = g("Sub", x, g.tensor([[[[0.4, 0.5, 0.6]]]]))
    x = g("Transpose", x, perm=[0, 3, 1, 2])
    x = g("Conv", x, g.weights(4, 3, 3, 3), g.weights(4), strides=[2, 2], auto_pad="SAME_UPPER", kernel_shape=[3, 3])
    x = g("Mul", x, g("Sigmoid", x))
    z = g("GlobalAveragePool", x)
    z = g("Conv", z, g.weights(2, 4, 1, 1), g.weights(2), kernel_shape=[1, 1])
    z = g("Mul", z, g("Sigmoid", z))
    z = g("Sigmoid", g("Conv", z, g.weights(4, 2, 1, 1), g.weights(4), kernel_shape=[1, 1]))
    x = g("Mul", z, x)
    x = g("Squeeze", g("GlobalAveragePool", x), g.whole(2, 3))
    x = g("Add", g("MatMul", x, g.weights(4, 3)), g.weights(3))
    return g.model(g("Softmax", x), 3), x


def keras_flat():
    g = Graph((6, 5, 2), 5)
    x = g("Transpose", "input_1", perm=[0, 3, 1, 2])
    x = g("Conv", x, g.weights(3, 2, 2, 2), kernel_shape=[2, 2])
    x = g("Add", x, g("Reshape", g.weights(3), g.whole(1, 3, 1, 1)))
    x = g("AveragePool", g("Tanh", x), kernel_shape=[2, 2], strides=[1, 1])
    x = g("Reshape", g("Transpose", x, perm=[0, 2, 3, 1]), g.whole(-1, 36))
    x = g("LeakyRelu", g("Add", g("MatMul", x, g.weights(36, 7)), g.weights(7)), alpha=0.25)
    x = g("Add", g("MatMul", x, g.weights(7, 3)), g.weights(3))
    return g.model(x, 3, 17), x


def keras_cases(folder):
    cases = []
    for name, make in [("plain", keras_plain), ("residual", keras_residual), ("mobile", keras_mobile),
                       ("efficient", keras_efficient), ("flat", keras_flat)]:
        model, logits = make()
        onnx.checker.check_model(model)
        height, width, channels = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
        shape = [channels, height, width]
        images = numpy.stack([drawn(shape, seed) for seed in range(SAMPLES)])
        tapped = onnx.ModelProto.FromString(model.SerializeToString())
        tapped.graph.output.append(helper.make_tensor_value_info(logits, TensorProto.DOUBLE, None))
        values = onnx.reference.ReferenceEvaluator(tapped).run(None, {"input_1": images.transpose(0, 2, 3, 1)})[1]
        (folder / f"keras-{name}.onnx").write_bytes(model.SerializeToString())
        cases.append({"file": f"keras-{name}.onnx", "input": shape, "logits": values.flatten().tolist()})
    return cases


# What is refused

def tiny(*nodes, tensors=(), inputs=(("x", ["N", 3, 6, 6]),), outputs=(("y", ["N", 3]),), opset=17, domain=""):
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs]
    graph = helper.make_graph(list(nodes), "g", kinds, ends, [t if isinstance(t, TensorProto) else numpy_helper.from_array(t[1], t[0]) for t in tensors])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, opset)], ir_version=8)


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, name=f"the_{kind}", **attributes)


def refused():
    ones = lambda *shape: numpy.ones(shape, numpy.float32)  # noqa: E731
    conv_node = node("Conv", ["x", "w"], ["c"])
    end = [node("GlobalAveragePool", ["c"], ["p"]), node("Flatten", ["p"], ["y"])]
    kernel = ("w", ones(3, 3, 3, 3))

    def after(kind, *inputs, tensors=(), **attributes):
        """A network in which an operator stands behind a convolution."""
        return tiny(conv_node, node(kind, ["c", *inputs], ["d"], **attributes), node("GlobalAveragePool", ["d"], ["p"]),
                    node("Flatten", ["p"], ["y"]), tensors=[kernel, *tensors])

    def external(**entries):
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 3, 3, 3], data_location=TensorProto.EXTERNAL)
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        return tiny(conv_node, *end, tensors=[tensor])

    def normalized(**options):
        """A batch normalisation behind a convolution, with tensors of three elements but for those that are given."""
        tensors = [(role, options.get(role, ones(3))) for role in ["scale", "shift", "mean", "variance"]]
        return after("BatchNormalization", *(role for role, _ in tensors), tensors=tensors, **options.get("attributes", {}))

    good = tiny(conv_node, *end, tensors=[kernel])
    bad = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 3, 3, 3], raw_data=b"\0" * 12)
    huge = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 40, 1 << 40], raw_data=b"\0" * 12)
    negative = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, -3, 3, 3], raw_data=b"\0" * 12)
    strings = TensorProto(name="w", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
    quantized = tiny(node("QuantizeLinear", ["x", "s"], ["q"]), tensors=[("s", ones())])
    functions = onnx.ModelProto.FromString(good.SerializeToString())
    functions.functions.append(helper.make_function("local", "Swish", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], []))
    cut = good.SerializeToString()
    return {
        "random-uniform": (after("RandomUniformLike"), "the_RandomUniformLike"),
        "bernoulli": (after("Bernoulli"), "model.eval()"),
        "selu": (after("Selu"), "the_Selu"),
        "slope-of-each-element": (after("PRelu", "s", tensors=[("s", ones(3, 4, 4))]), "the_PRelu"),
        "transposed-convolution": (after("ConvTranspose", "w"), "the_ConvTranspose"),
        "resized": (after("Resize", "", "s", tensors=[("s", ones(4))]), "the_Resize"),
        "cut": (after("Slice", "a", "b", tensors=[("a", numpy.array([0])), ("b", numpy.array([1]))]), "the_Slice"),
        "cropped": (after("Slice", "a", "b", "d", tensors=[("a", numpy.array([1])), ("b", numpy.array([3])), ("d", numpy.array([2]))]), "the_Slice"),
        "split-among-too-few": (after("Split", "a", axis=1, tensors=[("a", numpy.array([1, 2]))]), "the_Split"),
        "attention": (after("MatMul", "c"), "attention"),
        "clip": (after("Clip", "a", "b", tensors=[("a", ones() * -1), ("b", ones())]), "the_Clip"),
        "hard-sigmoid": (after("HardSigmoid"), "the_HardSigmoid"),
        "erf": (after("Erf"), "the_Erf"),
        "softmax-within": (after("Softmax", axis=1), "the_Softmax"),
        "reflected": (after("Pad", "p", tensors=[("p", numpy.array([0, 0, 1, 1, 0, 0, 1, 1]))], mode="reflect"), "the_Pad"),
        "shuffled": (tiny(conv_node, node("Reshape", ["c", "a"], ["d"]), node("Transpose", ["d"], ["e"], perm=[0, 1, 3, 2, 4]), node("Flatten", ["e"], ["y"]),
                          tensors=[("w", ones(4, 3, 3, 3)), ("a", numpy.array([-1, 2, 2, 4, 4]))]), "the_Transpose"),
        "batches-mixed": (tiny(node("Reshape", ["x", "a"], ["y"]), tensors=[("a", numpy.array([1, -1]))]), "the_Reshape"),
        "two-inputs": (tiny(node("Add", ["x", "z"], ["y"]), inputs=[("x", ["N", 3]), ("z", ["N", 3])]), "2 inputs"),
        "two-outputs": (tiny(conv_node, *end, tensors=[kernel], outputs=[("y", ["N", 3]), ("c", ["N", 3, 4, 4])]), "2 outputs"),
        "maps-as-output": (tiny(conv_node, tensors=[kernel], outputs=[("c", ["N", 3, 4, 4])]), "logits"),
        "features-as-input": (tiny(node("Relu", ["x"], ["y"]), inputs=[("x", ["N", 3])]), "dimensions"),
        "open-extents": (tiny(conv_node, *end, tensors=[kernel], inputs=[("x", ["N", 3, "H", "W"])]), "left open"),
        "quantised": (quantized, "the_QuantizeLinear"),
        "other-domain": (tiny(helper.make_node("FusedConv", ["x", "w"], ["y"], name="fused", domain="com.microsoft"), tensors=[kernel]), "fused"),
        "own-functions": (functions, "Swish"),
        "old-operators": (tiny(conv_node, *end, tensors=[kernel], opset=9), "operator set 9"),
        "new-operators": (tiny(conv_node, *end, tensors=[kernel], opset=26), "operator set 26"),
        "shared-weights": (tiny(conv_node, node("Conv", ["c", "w"], ["d"]), node("GlobalAveragePool", ["d"], ["p"]), node("Flatten", ["p"], ["y"]), tensors=[kernel]), "in common"),
        "volumes": (tiny(node("Conv", ["x", "w"], ["y"]), tensors=[("w", ones(3, 3, 3, 3, 3))]), "the_Conv"),
        "missing-input": (tiny(node("Conv", ["x", "v"], ["y"]), tensors=[kernel]), "nothing before it gives"),
        "channels": (tiny(conv_node, *end, tensors=[("w", ones(3, 5, 3, 3))]), "the_Conv"),
        "kernel-too-large": (tiny(conv_node, *end, tensors=[("w", ones(3, 3, 9, 9))]), "the_Conv"),
        "short-tensor": (tiny(conv_node, *end, tensors=[bad]), "w"),
        "huge-tensor": (tiny(conv_node, *end, tensors=[huge]), "w"),
        "negative-tensor": (tiny(conv_node, *end, tensors=[negative]), "negative"),
        "texts": (tiny(conv_node, *end, tensors=[strings]), "w"),
        "expanded": (tiny(node("Expand", ["a", "b"], ["e"]), node("Mul", ["x", "e"], ["y"]), tensors=[("a", ones(1)), ("b", numpy.array([1 << 20, 1 << 20, 1 << 20]))]), "the_Expand"),
        "external-above": (external(location="../weights.data"), "folder"),
        "external-absolute": (external(location="/etc/passwd"), "folder"),
        "external-missing": (external(location="nothing.data"), "nothing.data"),
        "external-nowhere": (external(offset="0"), "in which"),
        "external-far": (external(location="model.onnx", offset=str((1 << 63) - 1)), "has only"),
        "external-backwards": (external(location="model.onnx", offset="-4"), "as the offset"),
        "cycle": (tiny(conv_node, node("Add", ["c", "e"], ["d"]), node("Relu", ["d"], ["e"]), tensors=[kernel], outputs=[("d", ["N", 3])]), "nothing before it gives"),
        "own-output": (tiny(node("Relu", ["y"], ["y"])), "0 inputs"),
        "given-twice": (tiny(conv_node, node("Relu", ["c"], ["c"]), *end, tensors=[kernel]), "already"),
        "not-a-number": (tiny(conv_node, *end, tensors=[("w", ones(3, 3, 3, 3) * numpy.nan)]), "not finite"),
        "infinite-bias": (tiny(node("Conv", ["x", "w", "b"], ["c"]), *end, tensors=[kernel, ("b", ones(3) * numpy.inf)]), "not finite"),
        "infinite-slope": (after("LeakyRelu", alpha=float("inf")), "the_LeakyRelu"),
        "no-epsilon": (normalized(attributes={"epsilon": float("nan")}), "the_BatchNormalization"),
        "short-statistics": (normalized(mean=ones(2)), "the_BatchNormalization"),
        "huge-images": (tiny(conv_node, *end, tensors=[kernel], inputs=[("x", ["N", 3, 1 << 40, 1 << 40])]), "x"),
        "no-images": (tiny(conv_node, *end, tensors=[kernel], inputs=[("x", ["N", 3, 0, 6])]), "x"),
        "negative-padding": (tiny(node("Conv", ["x", "w"], ["c"], pads=[-1, -1, -1, -1]), *end, tensors=[kernel]), "the_Conv"),
        "huge-strides": (tiny(node("Conv", ["x", "w"], ["c"], strides=[1 << 62, 1 << 62]), *end, tensors=[kernel]), "the_Conv"),
        "huge-padding": (after("Pad", "p", tensors=[("p", numpy.array([0, 0, 1 << 62, 0, 0, 0, 0, 1 << 62]))]), "the_Pad"),
        "shape-of-too-many": (after("Reshape", "a", tensors=[("a", numpy.array([1 << 62, 1 << 62, 4]))]), "the_Reshape"),
        "lowest-axis": (after("Concat", "c", axis=-(1 << 63)), "the_Concat"),
        "axis-twice": (after("Transpose", perm=[0, 1, 1, 3]), "the_Transpose"),
        "features-of-other-size": (tiny(conv_node, node("Flatten", ["c"], ["f"]), node("Gemm", ["f", "m"], ["y"]), tensors=[kernel, ("m", ones(7, 3))]), "the_Gemm"),
        "sum-of-other-sizes": (tiny(conv_node, node("Add", ["c", "x"], ["d"]), node("GlobalAveragePool", ["d"], ["p"]), node("Flatten", ["p"], ["y"]), tensors=[kernel]), "the_Add"),
        "cut-short": (cut[:len(cut) // 2], "damaged"),
        "empty": (b"", "empty"),
        "bytes-by-chance": (numpy.random.default_rng(0).bytes(400), "model.onnx"),
        "text": (b'{"format": "rrdata.model"}', "no ONNX model"),
        "zeros": (b"\0" * 64, "no ONNX model"),
        "no-graph": (onnx.ModelProto(ir_version=8), "no graph"),
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--to", type=Path, default=FOLDER)
    arguments = arguments.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = arguments.to
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.onnx*"):
        if "-tensorflow" not in old.name:  # Those are of keras_networks.py.
            old.unlink()
    # By turns, so that each module has two exporters and all ways of exporting have modules.
    plain = ["resnet", "groups", "next", "dense"]

    def hows(name):
        ways = ["dynamo-open" if name in ("lenet", "several") else "dynamo", "script-13" if name not in ("next", "layers", "strides") else "script-17"]
        if name in ("next", "layers"):
            ways.append("script-13")
        if name in plain:
            ways += ["dynamo-plain-open", "script-17-plain-open"]
        return ways + (["dynamo-external"] if name == "squeeze" else [])

    cases = pytorch_cases(folder, modules(), hows) + keras_cases(folder)
    network = colleague().eval()
    with torch.no_grad():
        fill(network, 1)
    export(network, (1, 28, 28), str(folder / "colleague.onnx"), "dynamo-external")
    (folder / "networks.json").write_text("[" + ",\n".join(map(json.dumps, cases)) + "]\n")
    files = {name: {"bytes": base64.b64encode(model if isinstance(model, bytes) else model.SerializeToString()).decode(), "message": message}
             for name, (model, message) in refused().items()}
    (folder / "refused.json").write_text(json.dumps(files, indent=1) + "\n")
    print(f"{len(cases)} networks, {len(files)} refused, {sum(f.stat().st_size for f in folder.iterdir())} bytes")


if __name__ == "__main__":
    main()
