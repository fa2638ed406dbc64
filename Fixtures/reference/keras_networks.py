#!/usr/bin/env python3
"""Writes the files "keras-…-tensorflow.onnx" of Fixtures/onnx: networks of Keras as tf2onnx writes them, with the logits that Keras gives.

    python3 Fixtures/reference/keras_networks.py
    python3 Fixtures/reference/keras_networks.py --to FOLDER --applications   # those of keras.applications too, or some by name: 2 GB

Each network is in double precision, its variables drawn, and exported by `model.export(format="onnx")` or, where it says so, by
tf2onnx.convert.from_function with another operator set. keras-networks.json lists for each file the shape of its images in the order
(C, H, W), the logits in double precision, before a softmax at the end, and what TensorFlow's tapes make of loss, penalty and gradients.
All is drawn as in onnx_gradients.py; gradients are those of the tensors that the file has as Keras has them, of which batch
normalisations are none, nor what they are folded into, nor a dense layer behind Flatten, whose features have another order here.

TensorFlow rounds a constant of its GELU to single precision in double too, 0.044715, which no layer of ours does. "next" therefore has
a GELU of its own, and the logits of "gelu" are those of onnx.reference for the file with that constant unrounded; how far Keras' are
from them is printed.

Needs tensorflow-cpu 2.21, Keras 3.15 and tf2onnx 1.17 from PyPI, in an environment without PyTorch.
"""

import argparse
import json
import math
import os
import unittest.mock
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import numpy  # noqa: E402
import onnx  # noqa: E402
import onnx.reference  # noqa: E402
import tensorflow  # noqa: E402
import tf2onnx  # noqa: E402
from keras import layers  # noqa: E402

FOLDER = Path(__file__).parent.parent / "onnx"
SAMPLES = 2


def splitmix(seed, count):
    """As in networks.py, which needs PyTorch."""
    with numpy.errstate(over="ignore"):
        state = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return state ^ (state >> numpy.uint64(31))


def drawn(shape, seed):
    count = int(numpy.prod(shape))
    return ((splitmix(seed, count) >> numpy.uint64(40)).astype(numpy.float64) / 2**24).reshape(shape)


def plain(x):
    x = layers.Rescaling(2.0, offset=-1.0)(x)
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(5, (3, 2), activation="tanh")(x)
    x = layers.MaxPooling2D(2, padding="same")(x)
    return layers.Dense(3)(layers.Dropout(0.5)(layers.Flatten()(x)))


def residual(x):
    def block(x, channels, stride):
        y = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization(epsilon=1.001e-5)(y))
        y = layers.BatchNormalization()(layers.Conv2D(channels, 3, padding="same")(y))
        if stride > 1 or x.shape[-1] != channels:
            x = layers.BatchNormalization()(layers.Conv2D(channels, 1, stride)(x))
        return layers.Activation("relu")(layers.Add()([x, y]))

    x = layers.ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = layers.Conv2D(4, 3, 2)(x)
    x = layers.MaxPooling2D(3, 1, padding="same")(x)
    x = block(block(x, 4, 1), 6, 2)
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


def mobile(x):
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(6, 3, 2, use_bias=False)(x)))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = layers.Activation("hard_swish")(layers.BatchNormalization()(y))
    x = layers.Add()([x, layers.Conv2D(6, 1)(y)])
    x = layers.SeparableConv2D(8, 3, strides=2, padding="same", activation="relu6")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Flatten()(layers.Conv2D(3, 1)(x))


def squeeze(x):
    x = layers.Conv2D(6, 3, padding="same", activation="swish")(x)
    y = layers.Reshape((1, 1, 6))(layers.GlobalAveragePooling2D()(x))
    y = layers.Conv2D(6, 1, activation="sigmoid")(layers.Conv2D(3, 1, activation="swish")(y))
    x = layers.Multiply()([x, y])
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same")(x)
    y = layers.Dense(8, activation="sigmoid")(layers.Dense(3, activation="relu")(layers.GlobalAveragePooling2D()(x)))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 8))(y)])
    return layers.Dense(3)(layers.GlobalMaxPooling2D()(x))


def dense(x):
    x = layers.Conv2D(4, 3)(x)
    for _ in range(2):
        y = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(x))
        x = layers.Concatenate()([x, layers.Conv2D(3, 3, padding="same")(y)])
    x = layers.Activation("softplus")(layers.AveragePooling2D(3, 2, padding="same")(x))
    return layers.Dense(3)(layers.Dense(7, activation="silu")(layers.GlobalAveragePooling2D()(x)))


def exact_gelu(x):
    return 0.5 * x * (1.0 + keras.ops.erf(x * tensorflow.constant(math.sqrt(0.5), x.dtype)))


def next_block(x):
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(8, 2, 2)(x))
    y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(5, padding="same")(x))
    y = layers.Dense(8)(layers.Activation(exact_gelu)(layers.Dense(16)(y)))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return layers.Dense(3)(layers.LayerNormalization(epsilon=1e-6)(x))


def gelu(x):
    # tf2onnx has no operator for the other, without approximation.
    x = layers.Activation(lambda x: keras.activations.gelu(x, approximate=True))(layers.Conv2D(4, 3, strides=2)(x))
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


# The network, the shape of its images as Keras has it, whether it ends in a softmax, and the operator set; None for Keras' own export.
NETWORKS = {
    "plain": (plain, (12, 11, 3), True, None), "residual": (residual, (13, 12, 3), True, None), "mobile": (mobile, (14, 14, 3), True, None),
    "squeeze": (squeeze, (12, 12, 1), False, 13), "dense": (dense, (11, 13, 3), True, 17), "next": (next_block, (12, 12, 3), False, 18),
    "gelu": (gelu, (12, 10, 2), False, None),
}
APPLICATIONS = {
    "resnet50": (keras.applications.ResNet50, 64), "resnet50v2": (keras.applications.ResNet50V2, 64), "mobilenet": (keras.applications.MobileNet, 64),
    "mobilenetv2": (keras.applications.MobileNetV2, 64), "mobilenetv3small": (keras.applications.MobileNetV3Small, 64),
    "efficientnetb0": (keras.applications.EfficientNetB0, 64), "efficientnetv2b0": (keras.applications.EfficientNetV2B0, 64),
    "densenet121": (keras.applications.DenseNet121, 64), "vgg16": (keras.applications.VGG16, 64), "xception": (keras.applications.Xception, 75),
    "inceptionv3": (keras.applications.InceptionV3, 80), "nasnetmobile": (keras.applications.NASNetMobile, 64),
    "convnexttiny": (keras.applications.ConvNeXtTiny, 64),
}


def fill(model, seed):
    """Gives every variable values of its own."""
    for number, variable in enumerate(model.variables):
        if "seed" in variable.path:
            continue
        u = drawn(tuple(variable.shape) or (1,), seed + 100 * number).reshape(variable.shape)
        last = variable.path.rsplit("/", 1)[-1]
        if last in ("moving_variance", "gamma", "variance"):
            variable.assign(0.5 + u)
        elif last == "kernel" or len(variable.shape) > 1:
            fan = numpy.prod(variable.shape[:2]) if variable.shape[-1] == 1 or "depthwise" in variable.path else numpy.prod(variable.shape[:-1])
            variable.assign((2 * u - 1) * (6 / max(1, fan)) ** 0.5)
        elif last in ("count", "iteration"):
            continue
        else:
            variable.assign(u - 0.5)


def projections(tensor, number):
    """As in onnx_gradients.py."""
    flat = numpy.asarray(tensor).ravel()
    sums = []
    for kind in [1, 2]:
        words = splitmix(1_000_000 + 1000 * number + kind, flat.size)
        sums.append(float((flat * ((words >> numpy.uint64(11)).astype(numpy.float64) / 2**53 - 0.5)).sum()))
    return sums + [float(abs(flat).max())]


def as_stored(variable, values):
    """A tensor of Keras in the order in which layers of (C, H, W) have it."""
    if "depthwise" in variable.path and len(variable.shape) == 4:
        return numpy.transpose(values, (2, 3, 0, 1))
    return numpy.transpose(values, (3, 2, 0, 1) if len(variable.shape) == 4 else None) if len(variable.shape) > 1 else values


def training(model, images, path):
    """Loss, penalty and gradients, as onnx_gradients.py has them.

    tf.nn.moments stops the gradient of the mean inside the variance, which leaves first derivatives as they are and makes second ones
    wrong: it is taken out.
    """
    with unittest.mock.patch("tensorflow.python.ops.array_ops.stop_gradient", tensorflow.identity):
        return differentiated(model, images, path)


def differentiated(model, images, path):
    shape = images.shape[1:]
    masks = numpy.stack([(splitmix(1000 + n, math.prod(shape)) & numpy.uint64(1)).astype(numpy.float64).reshape(shape) for n in range(SAMPLES)])
    masks[1] = 0
    x = tensorflow.constant(images.transpose(0, 2, 3, 1))
    with tensorflow.GradientTape() as outer:
        with tensorflow.GradientTape() as inner:
            inner.watch(x)
            logits = model(x, training=False)
            logs = tensorflow.nn.log_softmax(logits)
            total = tensorflow.reduce_sum(logs)
        gradient = inner.gradient(total, x)
        labels = tensorflow.one_hot(numpy.arange(SAMPLES) % logits.shape[1], logits.shape[1], dtype=tensorflow.float64)
        cross_entropy = -tensorflow.reduce_sum(labels * logs) / SAMPLES
        penalty = tensorflow.reduce_sum((masks.transpose(0, 2, 3, 1) * gradient) ** 2) / SAMPLES
        lambda1 = float(cross_entropy / penalty)
        loss = cross_entropy + lambda1 * penalty
    variables = model.trainable_variables
    stored = {}
    for tensor in onnx.load(path).graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        stored.setdefault(array.size, []).append(array)
    flattens = any(isinstance(layer, layers.Flatten) and math.prod(layer.input.shape[1:3]) > 1 for layer in model.layers)
    entries = []
    for variable, value in zip(variables, outer.gradient(loss, [v.value for v in variables])):
        values = as_stored(variable, variable.numpy())
        is_there = any(numpy.array_equal(numpy.sort(array.ravel()), numpy.sort(values.ravel())) for array in stored.get(values.size, []))
        if value is None or not is_there or flattens and len(variable.shape) == 2:
            continue
        entries.append({"count": values.size, "first": values.ravel()[:6].tolist(), "gradient": projections(as_stored(variable, value.numpy()), len(entries) + 1)})
    return {
        "cross_entropy": float(cross_entropy), "penalty": float(penalty), "lambda1": lambda1,
        "input_gradient": projections(gradient.numpy().transpose(0, 3, 1, 2), 0), "gradients": entries,
    }


def unrounded(path, images):
    """The logits of a file whose constant is that which was rounded to single precision."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.size == 1 and array.dtype == numpy.float64 and 0 < abs(array.item() - 0.044715) < 1e-7:
            tensor.CopyFrom(onnx.numpy_helper.from_array(numpy.full(array.shape, 0.044715), tensor.name))
    return onnx.reference.ReferenceEvaluator(model).run(None, {model.graph.input[0].name: images.transpose(0, 2, 3, 1)})[0]


def case(name, logits_model, model, shape, operators, folder):
    images = numpy.stack([drawn((shape[2], shape[0], shape[1]), seed) for seed in range(SAMPLES)])
    logits = logits_model(images.transpose(0, 2, 3, 1), training=False).numpy()
    file = f"keras-{name}-tensorflow.onnx"
    if operators is None:
        model(images.transpose(0, 2, 3, 1))
        model.export(str(folder / file), format="onnx", verbose=False)
    else:
        signature = (tensorflow.TensorSpec((None, *shape), tensorflow.float64, name="images"),)
        function = tensorflow.function(lambda x: model(x, training=False), input_signature=signature)
        tf2onnx.convert.from_function(function, input_signature=signature, opset=operators, output_path=str(folder / file))
    result = {"file": file, "input": [shape[2], shape[0], shape[1]]}
    figures = ""
    if name == "gelu":
        exact = unrounded(str(folder / file), images)
        figures = f"{abs(exact - logits).max() / abs(exact).max():.1e} from the file with its constant unrounded"
        logits = exact
    else:
        result |= training(logits_model, images, str(folder / file))
        figures = f"{len(result['gradients'])} gradients of {len(logits_model.trainable_variables)}"
    print(file, (folder / file).stat().st_size, figures, flush=True)
    return result | {"logits": logits.flatten().tolist()}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--to", type=Path, default=FOLDER)
    arguments.add_argument("--applications", nargs="*", metavar="NAME")
    arguments = arguments.parse_args()
    keras.config.set_floatx("float64")
    folder = arguments.to
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("keras-*-tensorflow.onnx"):
        old.unlink()
    cases = []
    for number, (name, (make, shape, ends_in_softmax, operators)) in enumerate(NETWORKS.items()):
        keras.utils.clear_session()
        image = layers.Input(shape)
        logits = make(image)
        outputs = layers.Softmax()(logits) if ends_in_softmax else logits
        model, before = keras.Model(image, outputs), keras.Model(image, logits)
        fill(model, 10_000 * (number + 1))
        cases.append(case(name, before, model, shape, operators, folder))
    if arguments.applications is not None:
        for number, (name, (make, extent)) in enumerate(APPLICATIONS.items()):
            if arguments.applications and name not in arguments.applications:
                continue
            keras.utils.clear_session()
            try:
                model = make(weights=None, classes=5, classifier_activation=None, input_shape=(extent, extent, 3))
                fill(model, 10_000 * (number + 1))
                cases.append(case(name, model, model, (extent, extent, 3), 17, folder))
            except Exception as error:  # noqa: BLE001
                print(f"{name}: not exported: {str(error).splitlines()[0][:200]}", flush=True)
    (folder / "keras-networks.json").write_text("[" + ",\n".join(map(json.dumps, cases)) + "]\n")


if __name__ == "__main__":
    main()
