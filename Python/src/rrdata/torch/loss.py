"""The explanation loss of a batch."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from . import attributions, counterexamples, draws
from .batch import PADDING, LabelledBatch, checked_batch, refusal
from .batchnorm import frozen, shared
from .distributed import Route, Totals, route_of
from .groups import GroupWeights
from .options import LossOptions
from .passes import Traits, explained, in_single, logits_of
from .steps import expect_gradients


class ExplanationLoss:
    """The explanation loss of a batch, and what it was made of.

    Attributes:
        loss: (), differentiable: CE + λ1 · R. Of several processes each has its own part, so that what they are told to
            average, gradients and losses, is that of the whole batch.
        lambda1: λ1.
        annotated: the rows of this process's batch that the penalty was computed of.
    """

    __slots__ = (
        "loss", "lambda1", "annotated", "_cross_entropy", "_total", "_divisor", "_logits", "_gradient", "_order", "_images")

    def __init__(
        self, loss: Tensor, cross_entropy: Tensor, lambda1: float, annotated: list[int], logits: Tensor, images: Tensor, *,
        total: Tensor | None = None, divisor: Any = 1.0, gradient: Tensor | None = None, order: Tensor | None = None,
    ) -> None:
        self.loss = loss
        self.lambda1 = lambda1
        self.annotated = annotated
        # What nobody asks for is not even detached.
        self._cross_entropy, self._total, self._divisor = cross_entropy, total, divisor
        self._logits, self._images, self._gradient, self._order = logits, images, gradient, order

    @property
    def cross_entropy(self) -> Tensor:
        """(), detached: CE over the whole batch, where several processes share it too."""
        return self._cross_entropy.detach()

    @property
    def penalty(self) -> Tensor:
        """(), detached, before λ1: R, or what the guidance has in its place; likewise over the whole batch.

        0 where no sample is annotated, and with λ1 = 0, when it is not computed.
        """
        if self._total is None:
            return torch.zeros_like(self._cross_entropy, requires_grad=False)
        return self._total.detach() / self._divisor

    @property
    def value(self) -> Tensor:
        """(), detached: CE + λ1 · R of the whole batch, the same on all processes that share it."""
        return self.cross_entropy + self.lambda1 * self.penalty

    @property
    def has_penalty(self) -> bool:
        """Whether a penalty was computed of a sample of this process's batch."""
        return bool(self.annotated)

    @property
    def logits(self) -> Tensor:
        """``(N, K)``, detached: what the model says of the samples, in the batch's order."""
        own = self._logits.detach()
        if self._order is None:
            return own
        logits = torch.empty_like(own)
        logits[self._order] = own
        return logits

    @property
    def input_gradient(self) -> Tensor | None:
        """In the images' shape, detached: the input gradient of each sample in `annotated`, and 0 for the others, of which
        none was computed; None where the penalty holds none."""
        if self._gradient is None:
            return None
        own = self._gradient.detach()
        if len(own) == len(self._images):
            return own
        whole = torch.zeros_like(self._images, dtype=own.dtype, requires_grad=False)
        whole[torch.as_tensor(self.annotated, device=whole.device)] = own
        return whole

    def __repr__(self) -> str:
        return (
            f"<ExplanationLoss {self.value.item():g}: cross-entropy {self.cross_entropy.item():g}, penalty "
            f"{self.penalty.item():g}>")


def explanation_loss(
    model: nn.Module,
    x: Tensor,
    y: Any,
    A: Any = None,
    lambda1: float = 1.0,
    target: str = "sum-log-prob",
    reduction: str = "mean",
    guidance: str = "rrr",
    *,
    attribution: str = "input-gradient",
    layer: Any = None,
    feature_masks: Tensor | None = None,
    annotated: Any = None,
    class_weights: Sequence[float] | Tensor | None = None,
    groups: Any = None,
    group_weights: GroupWeights | None = None,
    label_smoothing: float = 0.0,
    index: Any = None,
    epoch: int = 0,
    step: int | None = None,
    seed: int = 0,
    fill: str = "uniform",
    place: str = "beside",
    share: float = 1.0,
    consistency: float | None = None,
    counterexamples: Tensor | None = None,
    image_range: Any = (0.0, 1.0),
    image_moments: Any = (0.5, 12**-0.5),
    pgd_steps: int = 7,
    pgd_radius: float = 0.3,
    pgd_step_size: float | None = None,
    batch_norm: str = "freeze",
    logits: Callable[[Any], Tensor] | None = None,
    compile: bool | Mapping[str, Any] = False,
    group: Any = None,
) -> ExplanationLoss:
    """The cross-entropy of a batch, and λ1 times what keeps the model from looking where the masks say that no reason is.

        L = (1/N) Σ_n CE(z_n, y_n) + λ1 · R,   R = (1/N) Σ_n Σ_d (A_nd g_nd)²,   g_n = ∂T_n/∂x_n

    Only annotated samples go through the second pass. With λ1 = 0, and for a batch without an annotated sample, the result is
    plain cross-entropy of the model as it stands, bit for bit, and no second graph is made. Several processes compute what one
    does of the whole batch.

    Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons" (IJCAI 2017).

    Args:
        model: gives logits ``(N, K)``; in any mode, under autocast, in `DistributedDataParallel`, or under ``fully_shard``.
            Of a tuple the first is taken, of an object or a dictionary what is called ``logits``.
        x: ``(N, C, H, W)``, or any ``(N, …)``, floating-point, on any device; it need not require a gradient.
        y: ``(N,)`` whole numbers; a sample with -1, as a `Stream` pads with, counts nowhere.
        A: ``(N, C, H, W)`` or ``(N, 1, H, W)`` of the batch's samples, 1 where a pixel is no valid reason; None without masks.
        lambda1: λ1, at least 0.
        target: T: ``"sum-log-prob"``, Σ_k log p_k; ``"label"``, log p_y; ``"predicted"``, log p of the class with the largest
            logit; ``"logits-sum"``, Σ_k z_k; ``"logit-jacobian"``, v · z in a random direction v for each sample and step, by
            which R is the squared Jacobian of the logits less their mean (Hoffman, Roberts and Yaida, 2019): with two classes
            it does not vanish where the model is unsure, as that of ``"sum-log-prob"`` does.
        reduction: what R is divided by: ``"mean"`` the samples, ``"sum"`` 1, ``"annotated"`` the annotated samples.
        guidance: R: ``"rrr"`` as above; ``"augment"``, the cross-entropy of the annotated samples with other values inside A;
            ``"consistency"``, the squared difference of their logits and those of the images as they are, less its mean;
            ``"pgd"``, that with the worst change inside A; ``"input-gradient"``, the squared gradient of the cross-entropy by
            all pixels, without masks.
        attribution: a in R = (1/N) Σ_n Σ (A ∘ a_n)²: ``"input-gradient"``, g; ``"input-times-gradient"``, x ∘ g;
            ``"feature-gradient"``, the gradient of T by the output h of a layer; ``"gradcam"``, Σ_k h_k times the mean of that
            gradient over h_k, neither rectified nor normalised (RRR-G, Schramowski et al., 2020).
        layer: the module, or its name, whose output the last two are about: the one behind the normalisation and the
            activation of a convolution, for what ``rrdata train --attribution`` does.
        feature_masks: ``(N, 1, h, w)`` from 0 to 1, A at the places of that output; None for the mean of A over
            the pixels that a place is the nearest to, by the middles of what places see.
        annotated: ``(N,)`` bool, as a batch of a `Stream` has it: the samples whose mask is not all zero. It spares a look at
            A, and on a GPU the wait for it.
        class_weights: a weight for each class in the cross-entropy, as of `torch.nn.CrossEntropyLoss`.
        groups: ``(N,)`` whole numbers from 0: the group of each sample, with ``group_weights``; on one process.
        group_weights: what groups weigh in the cross-entropy, balanced or by group DRO.
        label_smoothing: from 0 to 1, as of `torch.nn.CrossEntropyLoss`.
        index: ``(N,)``, the rows of the samples in their dataset, which random values of ``"augment"`` and ``"pgd"`` follow
            from, with ``seed`` and ``epoch``, and those of ``"logit-jacobian"``, with ``seed`` and ``step``; None for their rows
            in the batch.
        epoch, step, seed: of these random values, from 0; a step of None counts the losses with ``"logit-jacobian"`` of the
            model.
        fill: what lies inside A of changed images: ``"uniform"``, ``"noise"`` and ``"mean"`` by ``image_range`` and
            ``image_moments``, or ``"swap"``, what ``counterexamples`` have there.
        place: ``"beside"`` the images, or ``"instead"`` of them in the cross-entropy, where λ1 has no part.
        share: the share of annotated samples that are changed in an epoch.
        consistency: what the difference of logits weighs within R; None for 0 with ``"augment"`` and 1 with ``"consistency"``.
        counterexamples: as ``x``: images of which the part inside A is taken, as that of another sample's background.
        image_range: the bounds of uniform values, as the network sees them: ``(low, high)``, or such a pair for each channel.
        image_moments: likewise the means and standard deviations of ``"noise"`` and ``"mean"``.
        pgd_steps, pgd_radius, pgd_step_size: the search of ``"pgd"``; a step of None is 2.5 radii over the steps.
        batch_norm: what becomes of batch normalisation in training mode while a penalty is computed: ``"freeze"`` holds it at
            its running statistics, as ``rrdata train`` does, and ``"refuse"`` stops. Where no sample of several processes'
            batch is annotated it takes the statistics of the whole batch; with λ1 = 0, and without masks, it is each
            process's own, as without this loss.
        logits: takes the logits out of what the model returns; None for the rule above.
        compile: whether forward and input gradient are compiled as one, with `torch.compile`'s options if they are given. A
            model that was compiled by itself cannot be differentiated twice.
        group: the processes that average gradients, where the model does not say so: inside a `LightningModule`.

    Returns:
        the loss and its parts. Attention runs by its plain formulas in the second pass, since the fused kernels have no second
        derivative. Under autocast the penalty is summed in float32. Under ``fully_shard`` all samples go through the second
        pass, and parameters stay whole from forward to backward: it costs the memory that sharding spares in the meantime.

    Raises:
        UsageError: gradients are off (`torch.no_grad`, `torch.inference_mode`), shapes do not fit, a wrapper makes the
            result wrong, or an option is none.
    """
    choices = LossOptions(
        lambda1=float(lambda1), target=target, reduction=reduction, guidance=guidance, attribution=attribution, layer=layer,
        feature_masks=feature_masks, label_smoothing=label_smoothing,
        class_weights=None if class_weights is None else torch.as_tensor(class_weights, dtype=torch.float64).detach().cpu(),
        groups=groups, group_weights=group_weights, index=index, epoch=epoch, step=step, seed=seed, fill=fill, place=place, share=float(share),
        consistency=float(guidance == "consistency") if consistency is None else float(consistency),
        counterexamples=counterexamples, image_range=image_range, image_moments=image_moments, pgd_steps=pgd_steps, pgd_radius=pgd_radius,
        pgd_step_size=pgd_step_size, batch_norm=batch_norm, pick=logits,
        compiled=(dict(compile) if isinstance(compile, Mapping) else {}) if compile or compile == {} else None)
    choices.check(A)
    _require_graph()
    return _computed(model, x, y, A, annotated, choices, group)


# Whoever compiles a step compiles what is around the loss: what is compiled can be differentiated once.
@getattr(torch, "_disable_dynamo", lambda function: function)
def _computed(
    model: nn.Module, x: Tensor, y: Any, A: Any, annotated: Any, choices: LossOptions, group: Any
) -> ExplanationLoss:
    route = route_of(model, group)
    batch = checked_batch(x, y, A, annotated)
    guided: list[int] = []
    if choices.lambda1 > 0:
        guided = list(range(batch.count)) if choices.guidance == "input-gradient" else batch.annotated
        if choices.share < 1 and guided:
            drawn = draws.share_values(choices.seed, choices.epoch, choices.index_of(guided)) < choices.share
            guided = [row for row, is_drawn in zip(guided, drawn) if is_drawn]
    needs_counts = route.world > 1 or bool(guided)
    totals = route.totals(lambda: choices.totals(batch, guided, route.world), batch.images.device) if needs_counts else None
    expect_gradients(route.inner)
    route.keep_parameters()
    if totals is None or not (totals.guided or totals.masks):
        result = _plain(route, batch, choices, totals)
    elif totals.guided == 0:
        with shared(Traits.of(route.inner).batch_norms, route.group):
            result = _plain(route, batch, choices, totals)
    else:
        traits = Traits.of(route.inner)
        with frozen(route.inner, traits.batch_norms, choices.batch_norm):
            compute = _with_counterexamples if choices.has_counterexamples else _with_gradients
            result = compute(route, batch, guided, choices, totals, traits)
    route.release_parameters(result.loss)
    return result


_drawn: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()


def _step_of(model: nn.Module, choices: LossOptions) -> int:
    """The step that directions are drawn for."""
    if choices.step is not None:
        return choices.step
    step = _drawn.get(model, 0)
    _drawn[model] = step + 1
    return step


def _require_graph() -> None:
    if torch.is_inference_mode_enabled():
        raise refusal(
            "torch.inference_mode is on, under which there are no gradients, and enable_grad does not turn it off: compute the "
            "loss in `with torch.inference_mode(False), torch.enable_grad():`; in Lightning give "
            "Trainer(inference_mode=False), or take rrdata.lightning", "gradients-off")
    if not torch.is_grad_enabled():
        raise refusal(
            "gradients are off, by torch.no_grad or set_grad_enabled: the loss needs the input gradient in validation too, so "
            "compute it in `with torch.enable_grad():`", "gradients-off")


def _mean_cross_entropy(
    route: Route, logits: Tensor, labels: Tensor, batch: LabelledBatch, choices: LossOptions, totals: Totals | None,
    order: Tensor | None = None,
) -> Tensor:
    if choices.group_weights is not None:
        if route.world > 1:
            raise refusal("group_weights are of one process: each would see another part of a group", "unsuitable-group")
        losses = choices.cross_entropy(logits, labels, "none")
        groups = torch.as_tensor(choices.groups)
        own = groups if order is None else groups.to(order.device)[order]
        return (choices.group_weights.of_samples(own, labels, losses) * losses).sum()
    if route.world == 1 or totals is None:
        if labels.device.type == "cpu" and batch.labelled == 0:
            raise refusal("no sample of the batch has a label: there is nothing to learn from it", "unsuitable-labels")
        return choices.cross_entropy(logits, labels, "mean")
    if not totals.weight > 0:
        raise refusal("no sample of the batch has a label that weighs anything", "unsuitable-labels")
    return choices.cross_entropy(logits, labels, "sum") / totals.weight


def _plain(route: Route, batch: LabelledBatch, choices: LossOptions, totals: Totals | None) -> ExplanationLoss:
    logits = logits_of(route.outer(batch.images), choices.pick, route.inner)
    loss = _mean_cross_entropy(route, logits, batch.labels, batch, choices, totals)
    mean, = route.mean(loss)
    return ExplanationLoss(loss, mean, choices.lambda1, [], logits, batch.images)


def _rows(rows: list[int], device: torch.device) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64, device=device)


def _taken(images: Tensor, rows: Tensor) -> Tensor:
    """Some of the images, in their memory format."""
    taken = images.index_select(0, rows)
    if images.dim() == 4 and images.is_contiguous(memory_format=torch.channels_last):
        return taken.contiguous(memory_format=torch.channels_last)
    return taken


def _with_gradients(
    route: Route, batch: LabelledBatch, guided: list[int], choices: LossOptions, totals: Totals, traits: Traits
) -> ExplanationLoss:
    device = batch.images.device
    target = "label" if choices.guidance == "input-gradient" else choices.target

    step = _step_of(route.inner, choices) if target == "logit-jacobian" else 0
    layer = None if choices.layer is None else attributions.layer_of(route.inner, choices.layer)
    if layer is not None and route.is_sharded:
        raise refusal(
            f'attribution="{choices.attribution}" is not served under fully_shard: take DistributedDataParallel', "sharded-model")

    @contextlib.contextmanager
    def watch() -> Iterator[Callable[[], Tensor]]:
        assert layer is not None
        with attributions.kept_output(layer) as outputs:
            yield lambda: attributions.feature_map(outputs)

    def explain(
        call: nn.Module, images: Tensor, labels: Tensor, places: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        def draw(logits: Tensor) -> Tensor:
            values = draws.directions(choices.seed, step, choices.index_of(places), logits.shape[1])
            return torch.from_numpy(values).to(logits.device, logits.dtype)

        return explained(
            call, images, labels, target, model=route.inner, traits=traits, pick=choices.pick, compiled=choices.compiled,
            draw=draw if target == "logit-jacobian" else None, watch=None if layer is None else watch)

    order = rows = gradient = about = None
    labels = batch.labels
    if route.is_sharded or len(guided) == batch.count:
        logits, gradient, about = explain(route.outer, batch.images, labels, list(range(batch.count)))
    elif not guided:
        logits = logits_of(route.outer(batch.images), choices.pick, route.inner)
    else:
        # Every process calls the wrapper once, so that none waits for a pass that another does not make.
        rows = _rows(guided, device)
        kept = set(guided)
        others = _rows([row for row in range(batch.count) if row not in kept], device)
        order = torch.cat([rows, others])
        labels = labels.index_select(0, order)
        plain = logits_of(route.outer(_taken(batch.images, others)), choices.pick, route.inner)
        own, gradient, about = explain(route.inner, _taken(batch.images, rows), labels[: len(guided)], guided)
        logits = torch.cat([own, plain])
    cross_entropy = _mean_cross_entropy(route, logits, labels, batch, choices, totals, order)
    divisor = choices.divisor(totals, route.world)
    if gradient is None or about is None:
        total = torch.zeros_like(cross_entropy)
        loss = cross_entropy
    else:
        with in_single(batch.images):
            if choices.guidance == "input-gradient":
                inside = gradient
            else:
                masks = batch.marks(rows) if layer is None else _feature_masks(route, batch, rows, layer, about, choices)
                inside = attributions.inside(choices.attribution, gradient, about, masks)
            total = inside.square().sum()
            loss = cross_entropy + total * (choices.lambda1 / divisor)
    mean, total = route.mean(cross_entropy, total)
    return ExplanationLoss(
        loss, mean, choices.lambda1, guided, logits, batch.images, total=total, divisor=divisor,
        gradient=gradient if layer is None else None, order=order)


def _feature_masks(
    route: Route, batch: LabelledBatch, rows: Tensor | None, layer: nn.Module, features: Tensor, choices: LossOptions
) -> Tensor:
    """A at the places of a map."""
    given = choices.feature_masks
    if given is None:
        axes = attributions.axes_of(route.inner, layer, batch.images.detach())
        return attributions.masks_at(batch.marks(rows), axes, features)
    expected = (batch.count, 1, *features.shape[2:])
    if tuple(given.shape) != expected:
        raise refusal(
            f"feature_masks has the shape {tuple(given.shape)}, but the layer's output asks for {expected}", "shape-mismatch")
    given = given.to(features.device, features.dtype)
    return given if rows is None else given.index_select(0, rows)


def _with_counterexamples(
    route: Route, batch: LabelledBatch, guided: list[int], choices: LossOptions, totals: Totals, traits: Traits
) -> ExplanationLoss:
    device = batch.images.device
    if choices.place == "instead":
        return _instead(route, batch, guided, choices, totals)
    logits = logits_of(route.outer(batch.images), choices.pick, route.inner)
    cross_entropy = _mean_cross_entropy(route, logits, batch.labels, batch, choices, totals)
    total = torch.zeros_like(cross_entropy)
    if guided or route.is_sharded:
        # Parameters that are sharded are waited for by all processes, so all samples go: the others count nowhere.
        chosen = list(range(batch.count)) if route.is_sharded else guided
        rows = _rows(chosen, device)
        kept = set(guided)
        counts = torch.tensor([row in kept for row in chosen], device=device)
        labels = torch.where(counts, batch.labels[rows], PADDING)

        def loss_of(images: Tensor) -> Tensor:
            output = logits_of(route.inner(images), choices.pick, route.inner)
            return choices.cross_entropy(output, labels, "sum")

        changed = _counterexamples(_taken(batch.images, rows).detach(), batch.marks(rows), chosen, choices, loss_of)
        output = logits_of(route.inner(changed), choices.pick, route.inner)
        if choices.guidance != "consistency":
            total = choices.cross_entropy(output, labels, "sum")
        if choices.consistency > 0:
            difference = logits[rows] - output
            squares = (difference - difference.mean(1, keepdim=True)).square().sum(1)
            total = total + choices.consistency * (choices.weights_of(labels, squares.dtype) * squares).sum()
    divisor = choices.divisor(totals, route.world)
    loss = cross_entropy + total * (choices.lambda1 / divisor)
    mean, total = route.mean(cross_entropy, total)
    return ExplanationLoss(loss, mean, choices.lambda1, guided, logits, batch.images, total=total, divisor=divisor)


def _instead(
    route: Route, batch: LabelledBatch, guided: list[int], choices: LossOptions, totals: Totals
) -> ExplanationLoss:
    images = batch.images
    if guided:
        rows = _rows(guided, images.device)
        changed = _counterexamples(_taken(images, rows).detach(), batch.marks(rows), guided, choices)
        images = images.index_copy(0, rows, changed)
    logits = logits_of(route.outer(images), choices.pick, route.inner)
    loss = _mean_cross_entropy(route, logits, batch.labels, batch, choices, totals)
    mean, = route.mean(loss)
    return ExplanationLoss(loss, mean, choices.lambda1, guided, logits, batch.images)


def _counterexamples(
    images: Tensor, masks: Tensor, rows: list[int], choices: LossOptions,
    loss_of: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    count, index = images[0].numel() if len(images) else 0, choices.index_of(rows)
    if choices.counterexamples is not None and choices.fill == "swap":
        return counterexamples.filled(images, masks, choices.counterexamples[_rows(rows, choices.counterexamples.device)])
    if choices.fill == "noise":
        numbers = draws.normal_values(choices.seed, choices.epoch, index, count)
        return counterexamples.filled(images, masks, counterexamples.normal(numbers, choices.image_moments, images.shape))
    if choices.fill == "mean":
        return counterexamples.filled(images, masks, counterexamples.normal(0, choices.image_moments, images.shape))
    units = draws.unit_values(choices.seed, choices.epoch, index, count)
    if choices.guidance != "pgd" or loss_of is None:
        return counterexamples.filled(images, masks, counterexamples.uniform(units, choices.image_range, images.shape))
    size = choices.pgd_step_size
    return counterexamples.adversarial(
        images, masks, units, loss_of, steps=choices.pgd_steps, radius=choices.pgd_radius,
        step_size=2.5 * choices.pgd_radius / choices.pgd_steps if size is None else size)
