"""The explanation loss of Ross, Hughes and Doshi-Velez (2017) in PyTorch: on any device, in any loop.

    loss = CE(f(x), y) + λ1 · (1/N) Σ_n Σ_d (A_nd · ∂/∂x_nd Σ_k log p_nk)²

`explanation_loss` is that of ``rrdata train``, to the last digits in double precision:

    for images, labels, index, masks, annotated in rrdata.Stream("d.h5", masks="m.h5", batch_size=64, arrays="torch"):
        outcome = rrdata.torch.explanation_loss(model, images, labels, masks, lambda1=1.0, annotated=annotated)
        optimizer.zero_grad()
        outcome.loss.backward()
        optimizer.step()

`input_gradients`, `largest_gradient_masks` and `explanation_metrics` are what ``rrdata make-masks`` and ``evaluate`` compute,
`lambda1_auto` is ``--lambda1 auto``, and `RunWriter` leaves a run folder that the commands read.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "rrdata.torch needs PyTorch, which is not installed here: pip install torch, or pip install 'rrdata[torch]'"
    ) from error

from .gradients import input_gradients
from .groups import GroupWeights
from .loss import ExplanationLoss, explanation_loss
from .masks import largest_gradient_masks
from .metrics import explanation_metrics
from .runs import RunWriter
from .weight import lambda1_auto

__all__ = [
    "ExplanationLoss",
    "GroupWeights",
    "RunWriter",
    "explanation_loss",
    "explanation_metrics",
    "input_gradients",
    "lambda1_auto",
    "largest_gradient_masks",
]
