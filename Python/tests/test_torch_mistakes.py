"""The script that people post, and what it becomes by each mistake: the package's loss trains as the right one does."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import rrdata  # noqa: E402
from rrdata.torch import explanation_loss  # noqa: E402

COUNT, SIZE, STEPS, LAMBDA1 = 24, 8, 20, 10.0


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Data:
    def __init__(self):
        torch.manual_seed(1)
        self.images, self.labels = torch.rand(COUNT, 1, 5, 5), torch.randint(3, (COUNT,))
        self.masks = (torch.rand(COUNT, 1, 5, 5) < 0.4).to(torch.uint8)
        self.orders = [torch.randperm(COUNT) for _ in range(STEPS)]

    def steps(self):
        for step in range(STEPS):
            rows = self.orders[step][:SIZE]
            yield rows, self.images[rows], self.labels[rows], self.masks[rows]


def network():
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(25, 8), nn.ReLU(), nn.Linear(8, 3))


def train(loss_of, step_of=None):
    """The parameters after twenty steps."""
    model, data = network(), Data()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for batch in data.steps():
        if step_of is not None:
            step_of(optimizer, loss_of(model, data, *batch))
            continue
        loss = loss_of(model, data, *batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def posted(model, data, rows, images, labels, masks, *, log=True, squares=True, graph=None, masks_of=None, ones=None):
    """Sums log-probabilities, keeps the graph, squares each element, and has the masks of these samples."""
    images = images.clone().requires_grad_()
    logits = model(images)
    value = functional.log_softmax(logits, 1).sum() if log else functional.softmax(logits, 1).sum(1).log().sum()
    gradient, = torch.autograd.grad(value, images, **({"create_graph": True} if graph is None else graph))
    masks = (masks if masks_of is None else masks_of(data, rows)).double()
    inside = (masks * gradient).square().sum() if squares else torch.dot(masks.flatten(), gradient.flatten()).square()
    return functional.cross_entropy(logits, labels) + LAMBDA1 * inside / len(images)


def ours(model, data, rows, images, labels, masks):
    return explanation_loss(model, images, labels, masks, LAMBDA1).loss


@pytest.fixture(scope="module")
def right():
    torch.set_default_dtype(torch.float64)
    return train(posted)


def test_the_loss_of_the_package_trains_as_the_right_script(right):
    assert (train(ours) - right).abs().max() < 1e-12


@pytest.mark.parametrize("mistake", [
    {"log": False}, {"squares": False}, {"graph": {"retain_graph": True}},
    {"masks_of": lambda data, rows: data.masks[: len(rows)]}],
    ids=["probabilities summed before the log", "dot of mask and gradient, squared", "without create_graph",
         "index lost in a shuffle"])
def test_each_mistake_trains_something_else_without_a_word(mistake, right):
    wrong = train(lambda *batch: posted(*batch, **mistake))
    assert (wrong - right).abs().max() > 1e-3


def test_a_graph_that_is_freed_stops_the_script_and_not_the_package():
    with pytest.raises(RuntimeError, match="second time"):
        train(lambda *batch: posted(*batch, graph={}))
    assert train(ours).isfinite().all()


def test_a_model_that_takes_its_softmax_itself_is_refused():
    model, data = nn.Sequential(network(), nn.Softmax(1)), Data()
    with pytest.raises(rrdata.UsageError, match="leave its softmax out"):
        ours(model, data, *next(data.steps()))


@pytest.mark.parametrize("words,message", [
    ({"fill": "noise"}, "go with"), ({"guidance": "augment", "share": 0}, "share is 0"),
    ({"guidance": "augment", "consistency": -1}, "consistency is -1"),
    ({"guidance": "consistency", "consistency": 0}, "above it"),
    ({"guidance": "consistency", "place": "instead"}, "leaves no image"),
    ({"guidance": "augment", "place": "instead", "lambda1": 2}, "nothing is"),
    ({"guidance": "augment", "fill": "swap"}, "counterexamples="), ({"guidance": "augment", "fill": "blur"}, "fill"),
])
def test_counterexamples_that_make_no_sense_are_refused(words, message):
    _, images, labels, masks = next(Data().steps())
    with pytest.raises(rrdata.UsageError, match=message):
        explanation_loss(network(), images, labels, masks, **words)


def test_masks_of_the_whole_dataset_are_refused():
    with pytest.raises(rrdata.UsageError, match=r"A has 24 masks, but the batch has 8 samples.*A\[index\]"):
        train(lambda model, data, rows, images, labels, masks: ours(model, data, rows, images, labels, data.masks))


@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad_between_backward_and_step_is_refused(to_none):
    def step(optimizer, loss):
        loss.backward()
        optimizer.zero_grad(set_to_none=to_none)
        optimizer.step()

    with pytest.raises(rrdata.UsageError, match="zero_grad, loss.backward, step"):
        train(ours, step)


def test_a_step_without_backward_is_refused():
    with pytest.raises(rrdata.UsageError, match="backward was not called"):
        train(ours, lambda optimizer, loss: optimizer.step())


def test_steps_of_others_are_let_be():
    """Another model's optimiser, a step that a scaler leaves out, and one that goes backward itself."""
    data, model, other = Data(), network(), network()
    batch = next(data.steps())
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (model, other)]
    loss = ours(model, data, *batch)
    optimizers[1].step()
    loss.backward()
    optimizers[0].step()
    optimizers[0].zero_grad()

    def closure():
        optimizers[0].zero_grad()
        loss = ours(model, data, *batch)
        loss.backward()
        return loss

    ours(model, data, *batch)
    optimizers[0].step(closure)
    torch.optim.LBFGS(model.parameters(), max_iter=3).step(closure)


def test_two_losses_in_one_step_are_no_mistake():
    data, model = Data(), network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for batch in data.steps():
        ours(model, data, *batch)
        optimizer.zero_grad()
        (ours(model, data, *batch) / 2).backward()
        (ours(model, data, *batch) / 2).backward()
        optimizer.step()
    assert torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).isfinite().all()
