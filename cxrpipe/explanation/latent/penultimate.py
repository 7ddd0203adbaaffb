"""Penultimate features: what the last layer of a network takes, of any network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import numpy as np
import torch
from sklearn.random_projection import SparseRandomProjection
from torch import nn

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.features import Matrix
from cxrpipe.models.zoo import Classifier
from cxrpipe.runtime import UserError

# Only heads that flatten a map take more. Of a thousand films, distances are then kept to about
# 8 %: sqrt(4 ln n / 4096) (Johnson and Lindenstrauss 1984).
WIDEST = 4096
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@torch.inference_mode()
def find_last_layer(classifier: Classifier, side: int) -> str:
    """Name the last linear layer or convolution that an empty film of a side passes.

    In every network of the zoo, and with every head, that is the layer that gives the logits.
    Mostly it is linear; of timm's ResNetV2 it is a convolution of one cell.

    Raises
    ------
    UserError
        If the network has no such layer.
    """
    passed: list[str] = []
    hooks = [
        layer.register_forward_pre_hook(lambda module, inputs, name=name: passed.append(name))
        for name, layer in classifier.named_modules()
        if isinstance(layer, LAYERS)
    ]
    weight = next(classifier.parameters(), torch.empty(0))
    try:
        classifier.eval()(torch.zeros(1, 1, side, side, device=weight.device))
    finally:
        for hook in hooks:
            hook.remove()
    if not passed:
        raise UserError(
            f"embed: {type(classifier.network).__name__} passes no torch.nn.Linear or convolution, "
            "so that it has no penultimate features; let it end in one"
        )
    return passed[-1]


@contextmanager
def noting(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Note what a layer takes at every pass, (n, d) float32, averaged over cells or tokens.

    Noted is what passes in this thread; others may use the network at the same time.
    """
    noted: list[torch.Tensor] = []
    own = get_ident()

    def note(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        """Note a copy, since later layers may write into what they are given."""
        if get_ident() != own:
            return
        taken = inputs[0].detach().float()
        if taken.ndim > 2:
            is_linear = isinstance(layer, nn.Linear)
            taken = taken.flatten(1, -2).mean(dim=1) if is_linear else taken.flatten(2).mean(dim=2)
        noted.append(taken.clone())

    hook = layer.register_forward_pre_hook(note)
    try:
        yield noted
    finally:
        hook.remove()


def gather_features(
    classifier: Classifier,
    layer: str,
    batches: Iterable[Grey],
    device: torch.device,
    projection: SparseRandomProjection | None,
) -> Iterator[Matrix]:
    """Yield what a layer takes of every film of each batch: (n, d) float32, computed in fp32.

    The network computes as in use: without dropout, and its batch norms with the statistics that
    they have. Those of a network from scratch are, before training, means of 0 and variances of 1.

    Parameters
    ----------
    batches
        (n, side, side) each.
    projection
        To fewer features, or None.

    Raises
    ------
    UserError
        If a feature is not a finite number, or there is not one row for every film.
    """
    classifier = classifier.eval().to(device).to(memory_format=torch.channels_last)
    with noting(classifier.get_submodule(layer)) as noted:
        for batch in batches:
            with torch.inference_mode():
                classifier(torch.from_numpy(batch).unsqueeze(1).to(device))
            features = noted[-1].cpu().numpy()
            noted.clear()
            if len(features) != len(batch) or not np.isfinite(features).all():
                raise UserError(
                    f"embed: {layer} takes {len(features)} rows of {len(batch)} films, or what is "
                    "not finite; train at a lower rate, or let the network end in another layer"
                )
            kept = projection.transform(features) if projection else features
            yield kept.astype(np.float32, copy=False)


def count_inputs(layer: Any) -> int:  # noqa: ANN401 - one of LAYERS
    """Count the features that a layer takes, or the channels of its map."""
    return int(layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels)


def choose_projection(width: int, seed: int) -> SparseRandomProjection | None:
    """Return the projection that brings features (n, width) to ``WIDEST`` columns; None if fewer.

    It is random and sparse (Li, Hastie and Church, KDD 2006), and depends on the width and the seed
    alone: features before and after training go through the same one.
    """
    if width <= WIDEST:
        return None
    projection = SparseRandomProjection(WIDEST, random_state=seed % 2**32)
    return projection.fit(np.zeros((1, width), dtype=np.float32))
