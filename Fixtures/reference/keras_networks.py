#!/usr/bin/env python3
"""Writes the files "keras-…-tensorflow.onnx" of Fixtures/onnx: networks of Keras as tf2onnx writes them, with the logits that Keras gives.

    python3 Fixtures/reference/keras_networks.py
    python3 Fixtures/reference/keras_networks.py --to FOLDER --applications   # networks of keras.applications too, some 100 MB

Each network is in double precision, its variables drawn, and exported by `model.export(format="onnx")` or, where it says so, by
tf2onnx.convert.from_function with another operator set. keras-networks.json lists for each file the shape of its images in the order
(C, H, W) and the logits in double precision, before a softmax at the end. The images are those of onnx_networks.py.

Left out is what is refused: LayerNormalization, which Keras 3 writes as a batch normalisation with computed factors, and Dense on maps,
which mixes the samples with the places.

Needs tensorflow-cpu 2.21, Keras 3.15 and tf2onnx 1.17 from PyPI, in an environment without PyTorch.
"""

import argparse
import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import numpy  # noqa: E402
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


# The network, the shape of its images as Keras has it, whether it ends in a softmax, and the operator set; None for Keras' own export.
NETWORKS = {
    "plain": (plain, (12, 11, 3), True, None), "residual": (residual, (13, 12, 3), True, None), "mobile": (mobile, (14, 14, 3), True, None),
    "squeeze": (squeeze, (12, 12, 1), False, 13),
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
    print(file, (folder / file).stat().st_size, flush=True)
    return {"file": file, "input": [shape[2], shape[0], shape[1]], "logits": logits.flatten().tolist()}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--to", type=Path, default=FOLDER)
    arguments.add_argument("--applications", action="store_true")
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
    if arguments.applications:
        for number, (name, (make, extent)) in enumerate(APPLICATIONS.items()):
            keras.utils.clear_session()
            try:
                model = make(weights=None, classes=5, classifier_activation=None, input_shape=(extent, extent, 3))
                fill(model, 10_000 * (number + 1))
                cases.append(case(name, model, model, (extent, extent, 3), 17, folder))
            except Exception as error:  # noqa: BLE001
                print(f"{name}: not exported: {str(error).splitlines()[0][:200]}", flush=True)
    (folder / "keras-networks.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
