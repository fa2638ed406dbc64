"""The explanation loss in PyTorch: what people trip over, each by itself."""

import copy
import json
import pathlib
import warnings

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import rrdata  # noqa: E402
from rrdata.torch import explanation_loss, input_gradients  # noqa: E402
from rrdata.torch.draws import directions  # noqa: E402

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "Fixtures" / "reference"
TARGETS = ["sum-log-prob", "label", "predicted", "logits-sum", "logit-jacobian"]


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def network(*layers):
    torch.manual_seed(1)
    return nn.Sequential(*(layers or (nn.Flatten(), nn.Linear(50, 9), nn.Softplus(), nn.Linear(9, 3))))


def convolutions(**options):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(**options), nn.Conv2d(4, 4, 2), nn.ReLU(**options), nn.Flatten(), nn.Linear(16, 3))


def samples(annotated=(0, 2, 3), count=6, channels=2):
    torch.manual_seed(2)
    images, labels = torch.rand(count, channels, 5, 5), torch.randint(3, (count,))
    masks = (torch.rand(count, channels, 5, 5) < 0.5).to(torch.uint8)
    masks[[sample for sample in range(count) if sample not in annotated]] = 0
    return images, labels, masks


def by_hand(model, images, labels, masks, lambda1, target="sum-log-prob", divisor=None):
    """The loss as the paper has it, all samples in one pass."""
    images = images.clone().requires_grad_()
    logits = model(images)
    log_probabilities = functional.log_softmax(logits, 1)
    value = {
        "sum-log-prob": log_probabilities.sum(),
        "label": log_probabilities.gather(1, labels[:, None]).sum(),
        "predicted": log_probabilities.gather(1, logits.argmax(1)[:, None]).sum(),
        "logits-sum": logits.sum(),
        "logit-jacobian": (torch.from_numpy(directions(0, 4, range(len(images)), logits.shape[1])) * logits).sum(),
    }[target]
    gradient, = torch.autograd.grad(value, images, create_graph=True)
    penalty = (masks * gradient).square().sum() / (divisor or len(images))
    return functional.cross_entropy(logits, labels) + lambda1 * penalty


def gradients(loss, model):
    return torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)


def assert_same(loss, expected, model, other=None, tolerance=1e-12):
    assert abs(loss.item() - expected.item()) <= tolerance
    for one, two in zip(gradients(loss, model), gradients(expected, other or model)):
        assert (one is None and two is None) or (one - two).abs().max() <= tolerance


# The numbers.


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("annotated", [(0, 2, 3), range(6), (5,)])
def test_it_is_the_loss_by_hand(target, annotated):
    model, batch = network(), samples(annotated)
    for reduction, divisor in [("mean", 6), ("sum", 1), ("annotated", len(annotated))]:
        outcome = explanation_loss(model, *batch, 3.0, target, reduction, step=4)
        assert_same(outcome.loss, by_hand(model, *batch, 3.0, target, divisor), model)
        assert outcome.cross_entropy + 3 * outcome.penalty == pytest.approx(outcome.loss.item())


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("loss-*.json")), ids=lambda path: path.stem)
def test_it_agrees_with_the_references(path):
    generate = pytest.importorskip("generate")
    case = json.loads(path.read_text())
    if "dropout" in case:
        pytest.skip("what dropout leaves out is the command's own")
    model = generate.build(case["model"])
    model.load_state_dict({
        name: torch.tensor(entry["values"]).view(entry["shape"]) for name, entry in case["weights"].items()})
    shape = (case["count"], *case["model"]["input"])
    images, masks = torch.tensor(case["images"]).view(shape), torch.tensor(case["masks"]).view(shape)
    labels = torch.tensor(case["labels"])
    for target, values in case["input_gradients"].items():
        assert (input_gradients(model, images, labels, target) - torch.tensor(values).view(shape)).abs().max() < 1e-12
    for expected in case["evaluations"]:
        outcome = explanation_loss(
            model, images, labels, masks, expected["lambda1"], expected["target"], expected["reduction"],
            class_weights=case.get("class_weights"), step=0)
        assert outcome.loss.item() == pytest.approx(expected["loss"], abs=1e-9)
        assert outcome.penalty.item() == pytest.approx(expected["penalty"], rel=1e-9)
        for (name, _), own in zip(model.named_parameters(), gradients(outcome.loss, model)):
            reference = torch.tensor(expected["gradients"][name]).view(own.shape)
            assert (own - reference).abs().max() <= 1e-9 * max(1, reference.abs().max()), name


@pytest.mark.parametrize("case", json.loads((REFERENCE / "guidance.json").read_text())["cases"], ids=lambda case: case["case"])
def test_other_guidances_agree_with_the_references(case):
    generate = pytest.importorskip("generate")
    document = json.loads((REFERENCE / "guidance.json").read_text())
    model = generate.build(document["model"])
    model.load_state_dict({
        name: torch.tensor(entry["values"]).view(entry["shape"]) for name, entry in document["initial_weights"].items()})
    shape = (-1, *document["model"]["input"])
    images, masks = torch.tensor(document["images"]).view(shape), torch.tensor(document["masks"]).view(shape)
    others = torch.tensor(document["counterexamples"]).view(shape)
    labels, size = torch.tensor(document["labels"]), document["batch_size"]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    words = {name: case[name] for name in ("fill", "place", "share", "consistency") if name in case}
    if "moments" in case:
        words["image_moments"] = case["moments"]
    for step, (loss, cross_entropy, value) in enumerate(case["steps"]):
        epoch, part = divmod(step, len(labels) // size)
        rows = document["orders"][epoch][part * size:(part + 1) * size]
        outcome = explanation_loss(
            model, images[rows], labels[rows], None if case["guidance"] == "input-gradient" else masks[rows], case["lambda1"],
            case.get("target", "sum-log-prob"), step=step, reduction=case["reduction"], guidance=case["guidance"],
            counterexamples=others[rows], **words, class_weights=case.get("class_weights"),
            label_smoothing=case.get("label_smoothing", 0.0), index=rows, epoch=epoch, seed=int(document["seed"]),
            image_range=case.get("range", (0.0, 1.0)), pgd_steps=case.get("search_steps", 7),
            pgd_radius=case.get("radius", 0.3), pgd_step_size=case.get("step_size"))
        told = [outcome.loss.item(), outcome.cross_entropy.item(), outcome.penalty.item()]
        assert told == pytest.approx([loss, cross_entropy, value or 0], abs=1e-9)
        optimizer.zero_grad()
        outcome.loss.backward()
        optimizer.step()


def test_a_model_that_changes_its_input_in_place_leaves_the_batch_as_it_was():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 6 * 6, 3))
    images, masks = torch.randn(4, 1, 8, 8), torch.ones(4, 1, 8, 8, dtype=torch.uint8)
    before = images.clone()
    explanation_loss(model, images, torch.tensor([0, 1, 2, 0]), masks, 1.0, attribution="gradcam", layer="2")
    assert torch.equal(images, before)


ATTRIBUTED = json.loads((REFERENCE / "attributions.json").read_text())


@pytest.mark.parametrize(
    "case", ATTRIBUTED["cases"], ids=lambda case: f"{case['attribution']} {case['network']} {case['target']}")
def test_attributions_agree_with_the_references(case):
    generate, reference = pytest.importorskip("generate"), pytest.importorskip("attributions")
    start = json.loads((REFERENCE / f"loss-{case['network']}.json").read_text())
    model = generate.build(start["model"])
    model.load_state_dict({
        name: torch.tensor(entry["values"]).view(entry["shape"]) for name, entry in start["weights"].items()}, strict=False)
    shape = (-1, *start["model"]["input"])
    images, masks = torch.tensor(start["images"]).view(shape), torch.tensor(start["masks"]).view(shape)
    method = case["attribution"].split(":")[0]
    layer = None if method == "input-times-gradient" else str(reference.NETWORKS[case["network"]][1])
    optimizer = torch.optim.Adam(
        [value for value in model.parameters() if value.requires_grad], lr=ATTRIBUTED["learning_rate"])
    for step, expected in enumerate(case["steps"]):
        outcome = explanation_loss(
            model, images, torch.tensor(start["labels"]), masks, case["lambda1"], case["target"], step=step,
            seed=ATTRIBUTED["seed"], attribution=method, layer=layer)
        assert [outcome.loss.item(), outcome.penalty.item()] == pytest.approx(expected, rel=1e-9)
        assert (outcome.input_gradient is None) == (layer is not None)
        optimizer.zero_grad()
        outcome.loss.backward()
        optimizer.step()


def test_where_a_layer_looks_is_known_or_asked_for():
    class Resampled(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.head = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 3), nn.Linear(2 * 7 * 7, 3)

        def forward(self, images):
            half = functional.interpolate(self.first(images), scale_factor=0.5)
            return self.head(self.second(half).flatten(1))

    model = Resampled()
    images, labels = torch.rand(4, 1, 20, 20), torch.tensor([0, 1, 2, 0])
    masks = (torch.rand(4, 1, 20, 20) < 0.3).to(torch.uint8)
    options = {"attribution": "gradcam", "layer": "second"}
    with pytest.raises(rrdata.UsageError, match="feature_masks"):
        explanation_loss(model, images, labels, masks, 1.0, **options)
    given = torch.rand(4, 1, 7, 7)
    outcome = explanation_loss(model, images, labels, masks, 1.0, feature_masks=given, **options)
    features = model.second(functional.interpolate(model.first(images), scale_factor=0.5))
    slope, = torch.autograd.grad(functional.log_softmax(model.head(features.flatten(1)), 1).sum(), features)
    expected = (given * (features * slope.mean((2, 3), keepdim=True)).sum(1, keepdim=True)).square().sum() / 4
    assert outcome.penalty.item() == pytest.approx(expected.item(), rel=1e-9)
    for wrong, words in [
        ({"layer": "third"}, "first, second"), ({"layer": "head"}, "more than one pixel"), ({"layer": None}, "layer="),
        ({"attribution": "cam"}, "gradcam"), ({"attribution": "input-gradient"}, "layer and feature_masks"),
        ({"feature_masks": given[:, :, 1:]}, "asks for"), ({"guidance": "augment"}, "attribution is of"),
        ({"compile": True}, "leave compile out"),
    ]:
        with pytest.raises(rrdata.UsageError, match=words):
            explanation_loss(model, images, labels, masks, 1.0, **(options | wrong))


def test_group_dro_agrees_with_the_published_code():
    generate = pytest.importorskip("generate")
    document = json.loads((REFERENCE / "guidance.json").read_text())
    reference = json.loads((REFERENCE / "group-robust.json").read_text())
    model = generate.build(document["model"])
    model.load_state_dict({
        name: torch.tensor(entry["values"]).view(entry["shape"]) for name, entry in document["initial_weights"].items()})
    shape = (-1, *document["model"]["input"])
    images, masks = torch.tensor(document["images"]).view(shape), torch.tensor(document["masks"]).view(shape)
    labels, groups = torch.tensor(document["labels"]), torch.tensor(reference["groups"])
    optimizer = torch.optim.Adam(model.parameters(), lr=reference["learning_rate"])
    weights = rrdata.torch.GroupWeights(4, step_size=reference["step_size"])
    for rows, expected in zip(reference["rows"], reference["steps"]):
        outcome = explanation_loss(
            model, images[rows], labels[rows], masks[rows], reference["lambda1"], groups=groups[rows], group_weights=weights)
        assert [outcome.cross_entropy.item(), outcome.penalty.item()] == pytest.approx(expected, abs=1e-9)
        optimizer.zero_grad()
        outcome.loss.backward()
        optimizer.step()
    assert weights.weights.tolist() == pytest.approx(reference["group_weights"], abs=1e-9)
    for name, value in model.state_dict().items():
        assert value.flatten().tolist() == pytest.approx(reference["final_weights"][name], abs=1e-9), name


def test_fixed_weights_of_groups_are_those_of_classes_that_they_are():
    model = network()
    images, labels, masks = samples()
    classes = torch.linspace(0.5, 2, model(images).shape[1])
    by_class = explanation_loss(model, images, labels, masks, 1.0, class_weights=classes)
    by_group = explanation_loss(
        model, images, labels, masks, 1.0, groups=labels, group_weights=rrdata.torch.GroupWeights(classes))
    assert by_group.loss.item() == pytest.approx(by_class.loss.item(), rel=1e-12)
    with pytest.raises(rrdata.UsageError, match="go together"):
        explanation_loss(model, images, labels, masks, 1.0, groups=labels)
    with pytest.raises(rrdata.UsageError, match="one of 2 groups"):
        explanation_loss(
            model, images, labels, masks, 1.0, groups=labels + 2, group_weights=rrdata.torch.GroupWeights([1.0, 2.0]))
    with pytest.raises(rrdata.UsageError, match="above 0"):
        rrdata.torch.GroupWeights(3, step_size=0)


# Zero masks and λ1 = 0.


@pytest.mark.parametrize("masks,lambda1", [("zero", 5.0), ("full", 0.0), (None, 5.0)])
def test_without_a_penalty_it_is_plain_cross_entropy_bit_for_bit(masks, lambda1):
    plain, model = convolutions(), convolutions()
    optimizers = [torch.optim.Adam(part.parameters(), lr=0.01) for part in (plain, model)]
    images, labels, marks = samples(range(6))
    marks = {"zero": torch.zeros_like(marks), "full": marks, None: None}[masks]
    for _ in range(30):
        outcome = explanation_loss(model, images, labels, marks, lambda1)
        assert outcome.penalty.item() == 0 and outcome.input_gradient is None
        for optimizer, loss in zip(optimizers, (functional.cross_entropy(plain(images), labels), outcome.loss)):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(plain.parameters(), model.parameters()))


def test_without_a_penalty_there_is_no_second_pass(monkeypatch):
    def never(*_, **__):
        raise AssertionError("an input gradient was computed")

    images, labels, masks = samples()
    monkeypatch.setattr(torch.autograd, "grad", never)
    explanation_loss(network(), images, labels, masks, 0.0)
    explanation_loss(network(), images, labels, torch.zeros_like(masks), 1.0)


def test_unannotated_samples_are_left_out_of_the_second_pass():
    model, seen = convolutions(), []
    model.register_forward_hook(lambda *call: seen.append((len(call[1][0]), call[1][0].requires_grad)))
    images, labels, masks = samples((4,))
    outcome = explanation_loss(model, images, labels, masks, 1.0)
    assert sorted(seen) == [(1, True), (5, False)]
    assert outcome.annotated == [4]
    # What is told of the samples is in their order all the same.
    assert torch.allclose(outcome.logits, model(images), atol=1e-14)
    expected = input_gradients(model, images)
    assert torch.allclose(outcome.input_gradient[4], expected[4]) and not outcome.input_gradient[:4].any()


# Traps.


def test_in_place_layers_may_be_anywhere():
    images, labels, masks = samples()
    kept = images.clone()
    one, other = convolutions(inplace=True), convolutions()
    assert_same(
        explanation_loss(one, images, labels, masks, 3.0).loss, by_hand(other, images, labels, masks, 3.0), one, other)
    first = network(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(50, 3))
    plain = network(nn.ReLU(), nn.Flatten(), nn.Linear(50, 3))
    plain.load_state_dict(first.state_dict())
    batch = (images - 0.5, labels, masks)
    for annotated in [masks, torch.ones_like(masks)]:
        assert_same(
            explanation_loss(first, (images - 0.5).clone(), labels, annotated, 3.0).loss,
            by_hand(plain, batch[0], labels, annotated, 3.0), first, plain)
    assert torch.equal(images, kept)


class ChangesItsInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(50, 3)

    def forward(self, images):
        images -= 0.5
        return self.layer(images.flatten(1))


def test_a_model_that_changes_its_input_is_refused_with_the_cure():
    with pytest.raises(rrdata.UsageError, match="clone"):
        explanation_loss(ChangesItsInput(), *samples(range(6)), 1.0)


def normalized(**options):
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, **options), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(36, 3))
    if options.get("track_running_stats", True):
        model[1].running_mean.uniform_(-0.5, 0.5)
        model[1].running_var.uniform_(0.5, 2)
    return model


def test_batch_normalisation_is_frozen_while_a_penalty_is_computed():
    model, frozen = normalized().train(), normalized().eval()
    batch = samples()
    before = copy.deepcopy(model.state_dict())
    with pytest.warns(UserWarning, match="frozen"):
        outcome = explanation_loss(model, *batch, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explanation_loss(model, *batch, 3.0)
    assert model[1].training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert_same(outcome.loss, by_hand(frozen, *batch, 3.0), model, frozen)
    # Without a penalty the model is called as it stands.
    plain = explanation_loss(model, batch[0], batch[1], None, 3.0)
    assert torch.equal(plain.loss, functional.cross_entropy(normalized().train()(batch[0]), batch[1]))


def test_batch_normalisation_can_be_refused():
    for model, choice in [(normalized(), "refuse"), (normalized(track_running_stats=False), "freeze")]:
        with pytest.raises(rrdata.UsageError, match="normalises over the batch"):
            explanation_loss(model.train(), *samples(), 1.0, batch_norm=choice)
        assert model[1].training
    explanation_loss(normalized().eval(), *samples(), 1.0, batch_norm="refuse")


def test_without_gradients_it_says_so():
    batch = samples()
    with torch.no_grad(), pytest.raises(rrdata.UsageError, match="enable_grad"):
        explanation_loss(network(), *batch, 1.0)
    with torch.inference_mode(), pytest.raises(rrdata.UsageError, match="inference_mode"):
        explanation_loss(network(), *batch, 1.0)
    with torch.inference_mode(), torch.enable_grad(), pytest.raises(rrdata.UsageError, match="inference_mode"):
        explanation_loss(network(), *batch, 1.0)


def test_a_batch_of_inference_mode_is_taken():
    with torch.inference_mode():
        batch = [part.clone() for part in samples()]
    model = network()
    assert_same(explanation_loss(model, *batch, 3.0).loss, by_hand(model, *samples(), 3.0), model)
    with torch.inference_mode():
        inside = input_gradients(model, batch[0])
    assert torch.equal(inside, input_gradients(model, samples()[0]))


class WithoutGraph(nn.Module):
    def __init__(self, detaches):
        super().__init__()
        self.layer, self.detaches = nn.Linear(50, 3), detaches

    def forward(self, images):
        with torch.set_grad_enabled(self.detaches):
            return self.layer(images.detach().flatten(1))


@pytest.mark.parametrize("detaches", [True, False])
def test_a_model_without_a_graph_to_its_input_is_refused(detaches):
    with pytest.raises(rrdata.UsageError, match="does not depend on its input"):
        explanation_loss(WithoutGraph(detaches), *samples(), 1.0)
    with pytest.raises(rrdata.UsageError, match="does not depend on its input"):
        input_gradients(WithoutGraph(detaches), samples()[0])


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_under_autocast_the_penalty_is_of_single_precision(kind):
    torch.set_default_dtype(torch.float32)
    model, batch = convolutions(), samples(range(6))
    with torch.autocast("cpu", kind):
        outcome = explanation_loss(model, *batch, 100.0)
    assert outcome.penalty.dtype == outcome.input_gradient.dtype == outcome.loss.dtype == torch.float32
    outcome.loss.backward()
    half = [parameter.grad.clone() for parameter in model.parameters()]
    single = gradients(by_hand(model, *batch, 100.0), model)
    scale = max(value.abs().max() for value in single)
    assert all((one - other).abs().max() < 0.05 * scale for one, other in zip(half, single))
    with torch.autocast("cpu", kind):
        plain = functional.cross_entropy(model(batch[0]), batch[1])
        assert torch.equal(explanation_loss(model, *batch, 0.0).loss, plain)


def test_a_scaler_steps_as_without():
    torch.set_default_dtype(torch.float32)
    plain, scaled = convolutions(), convolutions()
    batch = samples()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in (plain, scaled)]
    for _ in range(5):
        for optimizer in optimizers:
            optimizer.zero_grad()
        explanation_loss(plain, *batch, 5.0).loss.backward()
        optimizers[0].step()
        scaler.scale(explanation_loss(scaled, *batch, 5.0).loss).backward()
        scaler.step(optimizers[1])
        scaler.update()
    assert all((one - other).abs().max() < 1e-6 for one, other in zip(plain.parameters(), scaled.parameters()))


def test_gradients_accumulate():
    model, (images, labels, masks) = network(), samples()
    whole = gradients(explanation_loss(model, images, labels, masks, 3.0).loss, model)
    for rows in (slice(0, 3), slice(3, 6)):
        (explanation_loss(model, images[rows], labels[rows], masks[rows], 3.0).loss / 2).backward()
    assert all((one - parameter.grad).abs().max() < 1e-14 for one, parameter in zip(whole, model.parameters()))


def test_what_is_compiled_is_forward_and_gradient_as_one():
    model, batch = network(), samples()
    compiled = explanation_loss(model, *batch, 3.0, compile={"backend": "aot_eager", "fullgraph": True})
    assert_same(compiled.loss, by_hand(model, *batch, 3.0), model)
    for wrong in (torch.compile(model), copy.deepcopy(model)):
        if wrong is not model and not hasattr(wrong, "_orig_mod"):
            wrong.compile()
        with pytest.raises(rrdata.UsageError, match="compile=True"):
            explanation_loss(wrong, *batch, 3.0)


def test_a_step_that_is_compiled_whole_leaves_the_loss_as_it_is():
    model, batch = network(), samples()

    @torch.compile(backend="aot_eager")
    def step(images, labels, masks):
        return explanation_loss(model, images * 1.0, labels, masks, 3.0).loss * 2

    assert_same(step(*batch) / 2, by_hand(model, *batch, 3.0), model)


def test_channels_last_stays():
    model, seen = convolutions(), []
    model.register_forward_pre_hook(
        lambda _, call: seen.append(call[0].is_contiguous(memory_format=torch.channels_last)))
    images, labels, masks = samples()
    last = images.contiguous(memory_format=torch.channels_last)
    assert_same(
        explanation_loss(model, last, labels, masks, 3.0).loss, explanation_loss(model, images, labels, masks, 3.0).loss, model)
    assert seen[:2] == [True, True]


class Wrapped(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.network, self.how = network(), how

    def forward(self, images):
        return self.how(self.network(images))


class Output:
    def __init__(self, logits):
        self.loss, self.logits = None, logits


@pytest.mark.parametrize("how", [
    lambda z: (z, z * 2), lambda z: [z], lambda z: {"aux": z * 2, "logits": z}, Output], ids=["tuple", "list", "dict", "object"])
def test_models_that_return_more_than_logits(how):
    model, plain, batch = Wrapped(how), network(), samples()
    assert_same(explanation_loss(model, *batch, 3.0).loss, by_hand(plain, *batch, 3.0), model, plain)
    other = explanation_loss(Wrapped(lambda z: {"head": z}), *batch, 3.0, logits=lambda output: output["head"])
    assert other.loss.item() == pytest.approx(by_hand(plain, *batch, 3.0).item())


@pytest.mark.parametrize("how,message", [
    (lambda z: z.softmax(1), "probabilities"), (lambda z: z[:, :1], "one logit"), (lambda z: z.sum(1), "must be a tensor"),
    (lambda z: {"out": z}, "give logits=")], ids=["softmax", "one", "flat", "dict"])
def test_outputs_that_are_no_logits_are_refused(how, message):
    with pytest.raises(rrdata.UsageError, match=message):
        explanation_loss(Wrapped(how), *samples(), 1.0)


class Attention(nn.Module):
    """A small vision transformer: patches, two layers of attention, the mean of the tokens."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.patches = nn.Conv2d(2, 8, 2, stride=2)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True) for _ in range(2))
        self.head = nn.Linear(8, 3)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        for layer in self.layers:
            normal = layer.norm1(tokens)
            query = normal.unflatten(-1, (2, 4)).transpose(1, 2)
            tokens = tokens + functional.scaled_dot_product_attention(query, query, query).transpose(1, 2).flatten(2)
            tokens = layer(tokens)
        return self.head(tokens.mean(1))


def test_fused_attention_is_taken_apart_for_the_second_pass():
    torch.set_default_dtype(torch.float32)
    model, batch = Attention(), samples()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        expected = by_hand(model, *batch, 3.0)
    assert_same(explanation_loss(model, *batch, 3.0).loss, expected, model, tolerance=1e-5)


def test_nothing_is_left_behind():
    model, (images, labels, masks) = network(), samples()
    explanation_loss(model, images, labels, masks, 3.0)
    assert not images.requires_grad and images.grad is None
    assert all(parameter.grad is None for parameter in model.parameters())
    images.requires_grad_()
    explanation_loss(model, images, labels, masks, 3.0).loss.backward()
    assert images.grad is not None


# Arguments.


@pytest.mark.parametrize("masks", ["bool", "float", "one channel", "numpy", "annotated"])
def test_masks_of_any_type(masks):
    model, (images, labels, whole) = network(), samples()
    whole = whole[:, :1].expand_as(whole).contiguous()
    given = {
        "bool": whole.bool(), "float": whole.float(), "one channel": whole[:, :1], "numpy": whole.numpy(), "annotated": whole,
    }[masks]
    annotated = whole.flatten(1).any(1) if masks == "annotated" else None
    outcome = explanation_loss(model, images, labels, given, 3.0, annotated=annotated)
    assert_same(outcome.loss, by_hand(model, images, labels, whole, 3.0), model)


@pytest.mark.parametrize("change,message", [
    (lambda x, y, A: (x, y, torch.cat([A, A])), r"A\[index\]"),
    (lambda x, y, A: (x, y, A[:2]), r"A\[index\]"),
    (lambda x, y, A: (x, y, A[0]), "must have"),
    (lambda x, y, A: (x, y, A[:, 0]), r"A\[:, None\]"),
    (lambda x, y, A: (x, y, A.permute(0, 2, 3, 1)), "permute"),
    (lambda x, y, A: (x, y, A * 255), "A > 0"),
    (lambda x, y, A: (x.to(torch.uint8), y, A), "floating-point"),
    (lambda x, y, A: (x.numpy(), y, A), "tensor"),
    (lambda x, y, A: (x, functional.one_hot(y).double(), A), "argmax"),
    (lambda x, y, A: (x, y[:3], A), "labels have the shape"),
    (lambda x, y, A: (x, torch.full_like(y, -1), A), "no sample of the batch has a label"),
])
def test_what_does_not_fit_is_refused_with_the_cure(change, message):
    with pytest.raises(rrdata.UsageError, match=message):
        explanation_loss(network(), *change(*samples()), 1.0)


@pytest.mark.parametrize("options,message", [
    ({"target": "label-log-prob"}, "target is"), ({"reduction": "none"}, "reduction is"), ({"guidance": "cdep"}, "guidance is"),
    ({"lambda1": -1.0}, "lambda1"), ({"lambda1": float("nan")}, "lambda1"), ({"label_smoothing": 2.0}, "label_smoothing"),
    ({"guidance": "pgd", "target": "label"}, "target is of"), ({"guidance": "input-gradient"}, "takes no masks"),
    ({"guidance": "pgd", "pgd_steps": 0}, "pgd_steps"), ({"class_weights": [1.0, 2.0]}, "class weights"),
])
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(rrdata.UsageError, match=message):
        explanation_loss(network(), *samples(), **options)


def test_padded_samples_count_nowhere():
    model, (images, labels, masks) = network(), samples()
    padded = [torch.cat([part, torch.zeros_like(part[:2])]) for part in (images, labels, masks)]
    padded[1][-2:] = -1
    for options in [{}, {"reduction": "annotated"}, {"class_weights": [1.0, 2.0, 0.5]}, {"guidance": "augment"}]:
        assert_same(
            explanation_loss(model, *padded, 3.0, **options).loss,
            explanation_loss(model, images, labels, masks, 3.0, **options).loss, model)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_cuda_device():
    model, batch = convolutions(), samples()
    expected = explanation_loss(model, *batch, 3.0)
    own = convolutions().cuda()
    outcome = explanation_loss(own, batch[0].cuda(), batch[1], batch[2], 3.0)
    assert outcome.loss.item() == pytest.approx(expected.loss.item(), abs=1e-9)
