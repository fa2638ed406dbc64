"""Side by side with the command: the same weights, the same order, the same numbers."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import rrdata  # noqa: E402
from rrdata.torch import (  # noqa: E402
    explanation_loss, explanation_metrics, input_gradients, lambda1_auto, largest_gradient_masks)

SIZE, EPOCHS, SEED = 18, 3, 5

NETWORKS = {
    "mlp": "mlp",
    "blocks": [
        {"conv2d": {"out": 4, "kernel": 3, "stride": 2, "padding": 1}}, {"batchnorm2d": {}}, "silu",
        {"residual": {"body": [{"conv2d": {"out": 4, "kernel": 3, "padding": 1}}, {"groupnorm": {"groups": 2}}, "gelu"]}},
        {"maxpool2d": {"kernel": 2}}, "flatten", {"linear": {"out": 10}}],
    "smooth": [
        {"conv2d": {"out": 3, "kernel": 5, "stride": 3}}, {"softplus": {"beta": 2}}, {"avgpool2d": {"kernel": 2}}, "flatten",
        {"layernorm": {}}, "tanh", {"linear": {"out": 10}}],
    "small lenet": [
        {"conv2d": {"out": 4, "kernel": 5}}, "relu", {"maxpool2d": {"kernel": 2}}, {"conv2d": {"out": 5, "kernel": 5}}, "relu",
        {"maxpool2d": {"kernel": 2}}, "flatten", {"linear": {"out": 12}}, "relu", {"linear": {"out": 10}}],
    "gates": [
        {"conv2d": {"out": 4, "kernel": 3, "stride": 3}}, "leakyrelu",
        {"multiply": {"body": ["globalavgpool", "sigmoid"]}},
        {"concat": {"branches": [["tanh"], [{"conv2d": {"out": 2, "kernel": 1}}]]}}, "flatten", {"linear": {"out": 10}}],
}
# λ1 for which the penalty weighs as the cross-entropy does, or about so.
OPTIONS = [
    {}, {"reduction": "sum"}, {"reduction": "annotated"}, {"target": "label"}, {"target": "predicted"},
    {"target": "logits-sum"}, {"target": "logit-jacobian"}, {"label_smoothing": 0.1, "class_weights": [1, 2, 3, 4, 5, 0.5, 1, 1, 2, 1]},
    {"guidance": "augment"}, {"guidance": "pgd"}, {"guidance": "pgd", "pgd_steps": 3, "pgd_radius": 0.5, "pgd_step_size": 0.2},
    {"attribution": "input-times-gradient"}, {"attribution": "feature-gradient", "layer": "4"},
    {"attribution": "gradcam", "layer": "4", "target": "label"},
    {"guidance": "input-gradient"}, {"guidance": "consistency"}, {"guidance": "augment", "share": 0.75, "consistency": 0.2},
]
NAMES = {"target": "penalty_target", "reduction": "penalty_reduction", "share": "augment_share"}


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def trained_a_little(name, files, folder):
    """The model file of a network, and weights from which the penalty is no millionth of the loss."""
    run = folder / f"start-{name}"
    model = NETWORKS[name]
    if not isinstance(model, str):
        document = {"format": "rrdata.model", "format_version": "1.0", "input": [1, 28, 28], "classes": 10, "layers": model}
        (folder / f"{name}.json").write_text(json.dumps(document))
        model = folder / f"{name}.json"
    if not run.exists():
        rrdata.run(
            "train", files["path"], model=model, precision="double", epochs=4, batch_size=SIZE, learning_rate=0.01, output=run)
    return model, run


def network_of(run):
    generate = pytest.importorskip("generate")
    network = generate.build(rrdata.Run(run).model)
    weights = {name: torch.from_numpy(value) for name, value in rrdata.Run(run).weights.items()}
    assert not network.load_state_dict(weights, strict=False).unexpected_keys
    return network


def side_by_side(name, options, files, folder):
    model, start = trained_a_little(name, files, folder)
    stream = rrdata.Stream(**files, batch_size=SIZE, seed=SEED, arrays="torch")
    network = network_of(start)
    has_masks = options.get("guidance") != "input-gradient"
    first = next(iter(rrdata.Stream(**files, batch_size=SIZE, seed=SEED, arrays="torch")))
    probe = explanation_loss(
        network, first.images.double(), first.labels, first.masks if has_masks else None, 1.0, **options)
    lambda1 = (probe.cross_entropy / probe.penalty).item()
    # The layer is the one that the command takes by itself.
    words = {NAMES.get(key, key): ",".join(map(str, value)) if isinstance(value, list) else value
             for key, value in options.items() if key != "layer"}
    run = folder / f"{name}-{abs(hash(str(options)))}"
    rrdata.run(
        "train", files["path"], masks=files["masks"] if has_masks else None, model=model, precision="double", epochs=EPOCHS,
        batch_size=SIZE, seed=SEED, init=start / "weights.safetensors", lambda1=lambda1, output=run, **words)
    optimizer, told = torch.optim.Adam(network.parameters(), lr=1e-3), []
    for epoch in range(EPOCHS):
        for batch in stream:
            outcome = explanation_loss(
                network, batch.images.double(), batch.labels, batch.masks if has_masks else None, lambda1, index=batch.index,
                epoch=epoch, step=len(told), seed=SEED, **options)
            optimizer.zero_grad()
            outcome.loss.backward()
            optimizer.step()
            told.append([outcome.loss.item(), outcome.cross_entropy.item(), outcome.penalty.item()])
    steps = rrdata.Run(run).step_metrics
    expected = np.stack([steps["loss"], steps["cross_entropy"], steps["penalty"]], 1)
    assert len(told) >= 20
    assert (lambda1 * expected[:, 2] > 0.01 * expected[:, 1]).sum() > 15, "the penalty is dead"
    assert np.abs((np.array(told) - expected) / np.maximum(1, np.abs(expected))).max() < 1e-9
    weights = rrdata.Run(run).weights
    for name, parameter in network.named_parameters():
        assert np.abs(weights[name] - parameter.detach().numpy()).max() < 1e-9, name


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_trains_as_by_the_command(name, files, folder):
    side_by_side(name, {}, files, folder)


@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
def test_every_option_is_that_of_the_command(options, files, folder):
    name = "small lenet" if "layer" in options else "smooth" if options.get("target") else "mlp"
    side_by_side(name, options, files, folder)


def doubled(stream):
    return [(batch.images.double(), *batch[1:]) for batch in stream]


@pytest.mark.parametrize("target", ["sum-log-prob", "label", "predicted", "logits-sum", "logit-jacobian"])
@pytest.mark.parametrize("options", [
    {"top_k": 20}, {"top_fraction": 0.05}, {"threshold": 0.67}, {"top_k": 7, "per_pixel": True}], ids=str)
def test_masks_are_those_of_make_masks(options, target, files, folder, tmp_path):
    _, start = trained_a_little("smooth", files, folder)
    rrdata.run("make-masks", files["path"], run=start, target=target, precision="double", output=tmp_path / "m.h5", **options)
    expected = rrdata.Dataset(files["path"], masks=tmp_path / "m.h5").masks(range(180))
    # In any order.
    stream = rrdata.Stream(files["path"], batch_size=25, seed=9, split="all", arrays="torch")
    masks = largest_gradient_masks(network_of(start), doubled(stream), target=target, **options)
    assert masks.shape == (180, 1, 28, 28) and masks.dtype == np.uint8
    assert np.array_equal(masks, expected) and masks.sum() > 180
    rrdata.write_masks(masks, tmp_path / "ours.h5", for_=files["path"])


def test_masks_of_one_batch_and_what_cannot_be_had(files):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    images = torch.rand(5, 1, 2, 2)
    masks = largest_gradient_masks(network, images, top_k=2)
    assert masks.shape == images.shape and masks.flatten(1).sum(1).tolist() == [2] * 5
    assert input_gradients(network, images).shape == images.shape
    with pytest.raises(rrdata.UsageError, match="one of"):
        largest_gradient_masks(network, images)
    with pytest.raises(rrdata.UsageError, match="largest of 4"):
        largest_gradient_masks(network, images, top_k=5)
    with pytest.raises(rrdata.UsageError, match="shuffle"):
        largest_gradient_masks(network, [(images, None)], top_k=1)
    with pytest.raises(rrdata.UsageError, match="needs the labels"):
        input_gradients(network, images, target="label")
    torch.nn.init.zeros_(network[1].weight)
    assert largest_gradient_masks(network, images, threshold=0.5).sum() == 0


@pytest.mark.parametrize("options", [{}, {"target": "label", "top_k": 9, "seed": 3}, {"target": "predicted"}], ids=str)
def test_metrics_are_those_of_evaluate(options, files, folder):
    _, start = trained_a_little("smooth", files, folder)
    told = json.loads(rrdata.run(
        "evaluate", start, files["path"], masks=files["masks"], split="all", precision="double", lambda1=2.0, json=True,
        **options))
    stream = rrdata.Stream(**files, batch_size=25, split="all", shuffle=False, arrays="torch")
    network = network_of(start)
    figures = explanation_metrics(network, doubled(stream), lambda1=2.0, **options)
    for name in ("samples", "accuracy", "cross_entropy"):
        assert figures[name] == pytest.approx(told[name], abs=1e-12)
    for name, value in told["explanation"].items():
        if name in ("empty_mask_samples", "localization_area", "swap_test") or name.endswith("_interval"):
            continue  # the command's alone
        assert figures[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), name
    with torch.inference_mode():
        assert explanation_metrics(network, doubled(stream), lambda1=2.0, **options) == figures


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ["mlp", "blocks"])
def test_lambda1_is_that_of_the_command(name, reduction, files, folder, tmp_path):
    model, start = trained_a_little(name, files, folder)
    rrdata.run(
        "train", files["path"], masks=files["masks"], model=model, precision="double", epochs=1, batch_size=SIZE, seed=SEED,
        init=start / "weights.safetensors", penalty_reduction=reduction, output=tmp_path / "run")
    expected = rrdata.Run(tmp_path / "run").config["options"]["lambda1"]
    network = network_of(start)
    before = [parameter.clone() for parameter in network.parameters()]
    stream = rrdata.Stream(**files, batch_size=SIZE, seed=SEED, arrays="torch")
    chosen = lambda1_auto(network, stream, reduction=reduction, transform=lambda images: images.double())
    assert chosen == pytest.approx(expected, rel=1e-9)
    assert all(torch.equal(one, other) for one, other in zip(before, network.parameters()))
    assert stream.epoch == 0 and next(iter(stream)).index.tolist() == next(
        iter(rrdata.Stream(**files, batch_size=SIZE, seed=SEED))).index.tolist()
