"""Do heatmaps depend on what was learnt? Weights are put out of order, layer after layer."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cxrpipe.data.films.film import Grey
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.models.device import fit_batch
from cxrpipe.models.zoo import Classifier

STAGES = 5
BATCH = 32


class Stage(NamedTuple):
    """Modules whose weights are put out of order at once; ``layer`` is the one nearest the film."""

    layer: str
    modules: list[str]


def list_stages(network: nn.Module, n_stages: int = STAGES) -> list[Stage]:
    """Divide the modules that have weights into stages, from the head to the first layer.

    The first stage is the last layer, which gives the logits; the others have the same number of
    modules each, to within one. The order is that in which the network lists its modules, which is
    that of computation in all networks of the zoo but for branches side by side.
    """
    weighted = [
        name
        for name, module in network.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ][::-1]
    rest = np.array_split(np.array(weighted[1:], dtype=object), n_stages - 1)
    parts = [weighted[:1], *(list(part) for part in rest)]
    return [Stage(part[-1], part) for part in parts if part]


@torch.no_grad()
def shuffle_weights(network: nn.Module, modules: Sequence[str], generator: torch.Generator) -> None:
    """Put the values of every weight of these modules in random order, each weight by itself.

    So the weights keep their law to the last value, and lose what they have learnt. The generator
    is of the CPU.
    """
    for name in modules:
        for weight in network.get_submodule(name).parameters(recurse=False):
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.reshape(-1)[order].view(weight.shape))


@torch.no_grad()
def measure_statistics(classifier: Classifier, modules: Sequence[str], films: torch.Tensor) -> None:
    """Measure the means and variances that batch norms divide by anew, on films (n, 1, side, side).

    Those of other weights would let activations grow or vanish from layer to layer.
    """
    found = [classifier.network.get_submodule(name) for name in modules]
    norms = [norm for norm in found if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1.0  # nothing is left of what was
        norm.training = True
    classifier(films)
    for norm in norms:
        norm.training = False


def randomise(
    classifier: Classifier, grey: Grey, seed: int, device: torch.device
) -> Iterator[tuple[Stage, Classifier]]:
    """Yield copies of a classifier with ever more weights out of order, from the head down.

    Cascading randomisation of Adebayo et al. 2018, arXiv:1810.03292, section 3.1. They draw
    weights anew as before training; here they keep their values and change places. The classifier
    given stays as it is.

    Parameters
    ----------
    grey
        (n, side, side), at least two films; batch norms are measured on a batch of them.

    Yields
    ------
    The stage, and one and the same copy, which the next stage goes on with.
    """
    copy = deepcopy(classifier).to(device)
    n_films = max(2, fit_batch(BATCH, grey.shape[-1]))  # some batch norms refuse a single one
    films = torch.from_numpy(grey[:n_films]).unsqueeze(1).to(device)
    generator = torch.Generator().manual_seed(seed)
    done: list[str] = []
    for stage in list_stages(copy.network):
        shuffle_weights(copy.network, stage.modules, generator)
        done += stage.modules
        measure_statistics(copy, done, films)
        yield stage, copy


def resemble(heatmaps: Heatmaps, others: Heatmaps) -> Floats:
    """Return Spearman's rank correlation (n,) of heatmaps (n, side, side) with others.

    A heatmap of one value everywhere ranks no pixel above another: it resembles none, and has 0.
    """
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (heatmaps, others)]
    first, second = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    shared = (first * second).sum(axis=1)
    return np.asarray(np.divide(shared, scale, out=np.zeros(len(scale)), where=scale > 0))
