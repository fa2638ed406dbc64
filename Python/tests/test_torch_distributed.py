"""Two and three processes of gloo compute what one computes of the whole batch."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

import rrdata  # noqa: E402
from processes import together  # noqa: E402
from rrdata.torch import explanation_loss, explanation_metrics, lambda1_auto, largest_gradient_masks  # noqa: E402

COUNT, CLASSES, STEPS = 12, 3, 20


def smooth():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(25, 8), nn.Softplus(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, CLASSES))


def normalized():
    """With batch normalisation that stands at statistics of its own, in training mode.

    A bias before it would have a gradient of 0 but for rounding, of which Adam makes steps.
    """
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(36, CLASSES))
    norm = network[1]
    norm.running_mean.uniform_(-0.5, 0.5)
    norm.running_var.uniform_(0.5, 2)
    return network.train()


def batch(annotated, seed=0, padded=0):
    """Images, labels and masks, the latter of the samples that are named."""
    torch.manual_seed(seed)
    images, labels = torch.rand(COUNT, 1, 5, 5), torch.randint(CLASSES, (COUNT,))
    masks = (torch.rand(COUNT, 1, 5, 5) < 0.5).to(torch.uint8)
    masks[[sample for sample in range(COUNT) if sample not in annotated]] = 0
    if padded:
        images[-padded:], labels[-padded:], masks[-padded:] = 0, -1, 0
    return images, labels, masks


def difference(one, other):
    return max((a - b).abs().max().item() for a, b in zip(one.parameters(), other.parameters()))


def steps_of(rank, world, build, annotated, options, wrapper, padded=0):
    """Trains by all processes and by one, and compares parameters and what is told."""
    whole, own = build(), build()
    wrapped = DistributedDataParallel(own, **wrapper)
    optimizers = [torch.optim.Adam(network.parameters(), lr=0.02) for network in (whole, own)]
    start = copy.deepcopy(whole)
    for step in range(STEPS):
        images, labels, masks = batch(annotated(step), step, padded)
        masks = None if options.get("guidance") == "input-gradient" else masks
        rows = torch.arange(rank, COUNT, world)
        expected = explanation_loss(whole, images, labels, masks, 5.0, index=torch.arange(COUNT), epoch=step, **options)
        outcome = explanation_loss(
            wrapped, images[rows], labels[rows], None if masks is None else masks[rows], 5.0, index=rows, epoch=step,
            **options)
        for name in ["cross_entropy", "penalty"]:
            assert abs(getattr(outcome, name) - getattr(expected, name)) < 1e-9, (build, annotated, options, step, name)
        for optimizer, loss in zip(optimizers, (expected.loss, outcome.loss)):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert difference(whole, own) < 1e-9
    assert difference(whole, start) > 1e-2


def everybody(step):
    return range(COUNT)


def first_rank(step):
    return [0, 6]


def somebody(step):
    return [[1], [5, 7], [0, 2, 4, 6, 8, 10], range(COUNT)][step % 4]


def mixed(step):
    """Sometimes nobody's: then batch normalisation in training mode is over the whole batch."""
    return [[], *map(somebody, range(4))][step % 5]


def networks_and_annotations(rank, world):
    for build, annotations in [(smooth, (everybody, first_rank, mixed)), (normalized, (everybody, first_rank, mixed))]:
        for annotated in annotations:
            steps_of(rank, world, build, annotated, {}, {})


def options_of_train(rank, world):
    weights = [0.5, 2.0, 1.0]
    for options in [
        {"reduction": "sum"}, {"reduction": "annotated"}, {"target": "label"}, {"target": "predicted"},
        {"target": "logits-sum"}, {"class_weights": weights, "label_smoothing": 0.1}, {"guidance": "input-gradient"},
        {"guidance": "augment", "class_weights": weights}, {"guidance": "augment", "reduction": "annotated"},
        {"guidance": "pgd", "pgd_steps": 3, "pgd_radius": 0.5}, {"attribution": "input-times-gradient"},
    ]:
        steps_of(rank, world, smooth, mixed, options, {})
    for attribution in ["gradcam", "feature-gradient"]:
        steps_of(rank, world, normalized, somebody, {"attribution": attribution, "layer": "2", "target": "label"}, {})
    steps_of(rank, world, smooth, mixed, {"reduction": "annotated"}, {}, padded=1)
    steps_of(rank, world, smooth, mixed, {}, {}, padded=2)


def ways_to_wrap(rank, world):
    for wrapper in [
        {"find_unused_parameters": True}, {"broadcast_buffers": False}, {"gradient_as_bucket_view": True},
        {"bucket_cap_mb": 1e-4},
    ]:
        steps_of(rank, world, normalized, somebody, {}, wrapper)
    # Each gradient goes around once.
    network = DistributedDataParallel(smooth())
    calls = []

    def hook(state, bucket):
        calls.append(bucket.is_last())
        future = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    network.register_comm_hook(None, hook)
    images, labels, masks = batch([0, 3])
    explanation_loss(network, images[rank::world], labels[rank::world], masks[rank::world], 1.0).loss.backward()
    assert calls.count(True) == 1
    static = DistributedDataParallel(smooth(), static_graph=True)
    with pytest.raises(rrdata.UsageError, match="static_graph"):
        explanation_loss(static, images, labels, masks, 1.0)
    for wrapped in [torch.compile(DistributedDataParallel(smooth())), DistributedDataParallel(torch.compile(smooth()))]:
        with pytest.raises(rrdata.UsageError, match="compile=True"):
            explanation_loss(wrapped, images, labels, masks, 1.0)


def zero_masks(rank, world):
    networks = [DistributedDataParallel(smooth()) for _ in range(3)]
    optimizers = [torch.optim.Adam(network.parameters(), lr=0.02) for network in networks]
    for step in range(STEPS):
        images, labels, masks = (part[rank::world] for part in batch([], step))
        losses = [
            functional.cross_entropy(networks[0](images), labels),
            explanation_loss(networks[1], images, labels, masks, 1.0).loss,
            explanation_loss(networks[2], images, labels, torch.ones_like(masks), 0.0).loss,
        ]
        for optimizer, loss in zip(optimizers, losses):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for network in networks[1:]:
        assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), network.parameters()))


def accumulation(rank, world):
    whole, network = smooth(), DistributedDataParallel(smooth())
    images, labels, masks = batch([0, 1, 2, 9])
    explanation_loss(whole, images, labels, masks, 5.0).loss.backward()
    with network.no_sync():
        first = [part[:6][rank::world] for part in (images, labels, masks)]
        (explanation_loss(network, *first, 5.0).loss / 2).backward()
    second = [part[6:][rank::world] for part in (images, labels, masks)]
    (explanation_loss(network, *second, 5.0).loss / 2).backward()
    for one, other in zip(whole.parameters(), network.parameters()):
        assert (one.grad - other.grad).abs().max() < 1e-12


def random_distributions(rank, world):
    whole, own = normalized(), normalized()
    network = DistributedDataParallel(own)
    generator = torch.Generator().manual_seed(7)
    for number in range(200):
        share = torch.rand((), generator=generator)
        annotated = [sample for sample in range(COUNT) if torch.rand((), generator=generator) < share**2]
        images, labels, masks = batch(annotated, number)
        # Parts of any size, which may be empty but on one process.
        owner = torch.randint(world, (COUNT,), generator=generator)
        owner[:world] = torch.arange(world)
        rows = torch.nonzero(owner == rank).flatten()
        whole.zero_grad()
        network.zero_grad()
        explanation_loss(whole, images, labels, masks, 5.0).loss.backward()
        explanation_loss(network, images[rows], labels[rows], masks[rows], 5.0).loss.backward()
        for one, other in zip(whole.parameters(), own.parameters()):
            assert (one.grad - other.grad).abs().max() < 1e-12


class Scaled(nn.BatchNorm1d):
    """A layer that does more than its base."""

    def forward(self, input):
        return 2 * super().forward(input)


def batch_norms_without_annotation(rank, world):
    """Each kind of batch normalisation over parts of any size, in a batch whose masks are all zero."""

    def build(**options):
        torch.manual_seed(4)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4, **options), nn.Tanh(), nn.Flatten(1, 2),
            nn.BatchNorm1d(12, **options), nn.Flatten(), nn.Linear(36, CLASSES))

    images, labels, masks = batch([])
    for options in [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}, {"momentum": 0.3, "eps": 0.1}]:
        for rows in [torch.arange(rank, COUNT, world), torch.arange(COUNT if rank == 0 else 0)]:
            whole, own = build(**options), build(**options)
            wrapped = DistributedDataParallel(own)
            for _ in range(2):
                explanation_loss(whole, images, labels, masks, 5.0).loss.backward()
                explanation_loss(wrapped, images[rows], labels[rows], masks[rows], 5.0).loss.backward()
            for one, other in zip(whole.parameters(), own.parameters()):
                assert (one.grad - other.grad).abs().max() < 1e-12
            for one, other in zip(whole.buffers(), own.buffers()):
                assert (one - other).abs().max() < 1e-12
            assert all("forward" not in vars(layer) for layer in own)
    scaled = DistributedDataParallel(nn.Sequential(nn.Flatten(), Scaled(25), nn.Linear(25, CLASSES)))
    with pytest.raises(rrdata.UsageError, match="Scaled, which each process would do for its own part"):
        explanation_loss(scaled, images, labels, masks, 5.0)
    # Without masks the model is called as it stands.
    explanation_loss(scaled, images, labels, None, 5.0).loss.backward()


def sharded(rank, world):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (world,))
    for options in [{}, {"reduction": "annotated"}, {"guidance": "augment"}, {"guidance": "pgd", "pgd_steps": 2}]:
        whole, network = smooth(), smooth()
        for layer in network:
            if isinstance(layer, nn.Linear):
                fully_shard(layer, mesh=mesh)
        fully_shard(network, mesh=mesh)
        optimizers = [torch.optim.Adam(part.parameters(), lr=0.02) for part in (whole, network)]
        for step in range(STEPS):
            images, labels, masks = batch(mixed(step), step)
            rows = torch.arange(rank, COUNT, world)
            losses = [
                explanation_loss(whole, images, labels, masks, 5.0, index=torch.arange(COUNT), epoch=step, **options).loss,
                explanation_loss(
                    network, images[rows], labels[rows], masks[rows], 5.0, index=rows, epoch=step, **options).loss]
            for optimizer, loss in zip(optimizers, losses):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            assert all(hasattr(parameter, "full_tensor") for parameter in network.parameters())
            # What is asked between two steps is asked of the new parameters.
            with torch.no_grad():
                assert (whole(images) - network(images)).abs().max() < 1e-9
        for one, other in zip(whole.parameters(), network.parameters()):
            other = other.full_tensor() if hasattr(other, "full_tensor") else other
            assert (one - other).abs().max() < 1e-9


def figures_and_masks(rank, world, path, masks):
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    stream = rrdata.Stream(path, masks, batch_size=7, arrays="torch", split="test")

    def doubled(batches):
        return [(part.images.double(), *part[1:]) for part in batches]

    alone = rrdata.Stream(path, masks, batch_size=50, arrays="torch", split="test", rank=0, world=1)
    together_, by_one = explanation_metrics(network, doubled(stream)), explanation_metrics(network, doubled(alone), group=False)
    for name, value in by_one.items():
        assert together_[name] == value or abs(together_[name] - value) < 1e-12, name
    shared, own = largest_gradient_masks(network, doubled(stream), threshold=0.5), largest_gradient_masks(
        network, doubled(alone), threshold=0.5, group=False)
    assert (shared == own).all() and own.sum() > 0


def weights_of_penalties(rank, world, path, masks):
    class Doubled:
        def __init__(self, stream):
            self.stream = stream

        def __len__(self):
            return len(self.stream)

        def __iter__(self):
            return ((part.images.double(), *part[1:]) for part in self.stream)

    def chosen(network, size, **part):
        return lambda1_auto(network, Doubled(rrdata.Stream(path, masks, batch_size=size, arrays="torch", seed=2, **part)))

    def build():
        torch.manual_seed(3)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    expected = chosen(build(), 24, rank=0, world=1)
    assert abs(chosen(DistributedDataParallel(build()), 24 // world) - expected) < 1e-9 * expected


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("what", [
    networks_and_annotations, options_of_train, ways_to_wrap, zero_masks, accumulation, random_distributions,
    batch_norms_without_annotation, sharded])
def test_processes_compute_what_one_computes(what, world, tmp_path):
    together(what, world, tmp_path)


@pytest.mark.parametrize("what", [figures_and_masks, weights_of_penalties])
def test_processes_measure_what_one_measures(what, files, tmp_path):
    together(what, 2, tmp_path, str(files["path"]), str(files["masks"]))


def deadlock(rank, world):
    """The way that waits for ever: unannotated samples by a second forward of the wrapper, which sends buffers around."""
    network = DistributedDataParallel(normalized())
    images, labels, masks = batch([0])
    for _ in range(2):
        network(images[rank::world])
        if rank == 0:
            network(images[:1])
    torch.distributed.barrier()


def test_a_second_forward_of_the_wrapper_is_why_it_is_called_once(tmp_path):
    with pytest.raises(AssertionError):
        together(deadlock, 2, tmp_path, patience=25)
