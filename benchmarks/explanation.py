"""How fast Grad-CAM is, beside pytorch-grad-cam (Gildenblat et al. 2021).

    python benchmarks/explanation.py
    python benchmarks/explanation.py --architectures resnet18 --batches 1 8 --turns 3

Both explain the same films by the same network and return arrays of the films' side; they take
turns. The library gets its network in both orders of memory, channels first and last, each in
every batch; cxrpipe has channels last, as the command ``gradcam`` has. Printed are medians over
turns, one film at a time and in batches, then the best of each beside the best of the other.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.cam import explain, measure_offset
from cxrpipe.models.device import describe
from cxrpipe.models.zoo import Classifier, build, feature_layer

N_FINDINGS = 4
OURS, THEIRS, THEIRS_LAST = "cxrpipe", "pytorch-grad-cam", "pytorch-grad-cam, last"
Maps = npt.NDArray[np.float32]
Draw = Callable[[torch.Tensor, torch.Tensor], Maps]


def ours(classifier: Classifier, layer: str, side: int) -> Draw:
    """Return Grad-CAM as the command draws it; the offset of the layer is measured once."""
    classifier = classifier.to(memory_format=torch.channels_last)
    offset = measure_offset(classifier, layer, side)

    def draw(films: torch.Tensor, findings: torch.Tensor) -> Maps:
        """Draw heatmaps of a batch."""
        return explain(classifier, "gradcam", layer, films, findings, offset).cpu().numpy()

    return draw


def theirs(classifier: Classifier, layer: str, order: torch.memory_format) -> Draw:
    """Return Grad-CAM of the library."""
    library = GradCAM(classifier.to(memory_format=order), [classifier.get_submodule(layer)])

    def draw(films: torch.Tensor, findings: torch.Tensor) -> Maps:
        """Draw heatmaps of a batch."""
        targets = [ClassifierOutputTarget(int(finding)) for finding in findings]
        return np.asarray(library(films.contiguous(memory_format=order), targets))

    return draw


def take_turns(
    ways: Mapping[tuple[str, int], Callable[[], object]], turns: int
) -> dict[tuple[str, int], list[float]]:
    """Run every way once to warm up, then in turns; return the seconds of each turn.

    Heatmaps are brought to the CPU, so that all the work of a GPU is done by then.
    """
    seconds: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
    for turn in range(turns + 1):
        for way, work in ways.items():
            start = time.perf_counter()
            work()
            if turn:
                seconds[way].append(time.perf_counter() - start)
    return seconds


def draw_all(draw: Draw, films: torch.Tensor, findings: torch.Tensor, batch: int) -> None:
    """Draw heatmaps of all films, so many at once."""
    for some, chosen in zip(torch.split(films, batch), torch.split(findings, batch), strict=True):
        draw(some, chosen)


def tell_difference(draws: Mapping[str, Draw], films: torch.Tensor, findings: torch.Tensor) -> None:
    """Print how far maps are from those of the library, without an offset, in its scaling."""
    library = draws[THEIRS](films, findings)
    mine = scale_cam_image(draws["evenly enlarged"](films, findings))
    print(f"  largest difference of a pixel: {np.abs(mine - library).max():.1e}")


def tell(seconds: Mapping[tuple[str, int], list[float]], n_films: int) -> None:
    """Print maps per second of each way, the ratios in each turn, and best beside best."""
    rates = {way: n_films / statistics.median(taken) for way, taken in seconds.items()}
    for name, batch in seconds:
        taken = seconds[name, batch]
        ratios = [each / mine for each, mine in zip(taken, seconds[OURS, batch], strict=True)]
        beside = (
            ""
            if name == OURS
            else (
                f", cxrpipe is {statistics.median(ratios):.2f} times as fast "
                f"({min(ratios):.2f} to {max(ratios):.2f})"
            )
        )
        print(f"  {name:24} batch {batch:3} {rates[name, batch]:9.1f} maps/s{beside}")
    mine = max((way for way in rates if way[0] == OURS), key=rates.__getitem__)
    other = max((way for way in rates if way[0] != OURS), key=rates.__getitem__)
    ratios = [each / own for each, own in zip(seconds[other], seconds[mine], strict=True)]
    print(
        f"  best beside best: batch {mine[1]} over {other[0]} at batch {other[1]}: "
        f"{rates[mine] / rates[other]:.2f} ({min(ratios):.2f} to {max(ratios):.2f} in each turn)"
    )


def measure(architecture: str, options: argparse.Namespace, device: torch.device) -> None:
    """Print all of one architecture."""
    model = Model(architecture=architecture, side=options.side)
    network = build(model, N_FINDINGS, seed=0)
    classifier = Classifier(network, 0.5, 0.25).eval().to(device)
    layer = "network." + feature_layer(network, model, 0)
    generator = torch.Generator().manual_seed(0)
    shape = (options.films, 1, options.side, options.side)
    films = torch.randint(0, 256, shape, generator=generator).float().to(device)
    findings = (torch.arange(options.films) % N_FINDINGS).to(device)
    draws = {
        OURS: ours(deepcopy(classifier), layer, options.side),
        THEIRS: theirs(deepcopy(classifier), layer, torch.contiguous_format),
        THEIRS_LAST: theirs(deepcopy(classifier), layer, torch.channels_last),
    }
    print(architecture)

    def evenly(films: torch.Tensor, findings: torch.Tensor) -> Maps:
        """Draw ours without an offset, as the library does."""
        return explain(classifier, "gradcam", layer, films, findings).cpu().numpy()

    tell_difference(draws | {"evenly enlarged": evenly}, films[:N_FINDINGS], findings[:N_FINDINGS])
    ways = {
        (name, batch): partial(draw_all, draw, films, findings, batch)
        for batch in options.batches
        for name, draw in draws.items()
    }
    tell(take_turns(ways, options.turns), options.films)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--architectures", nargs="+", default=["resnet18", "densenet121"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16, 32])
    parser.add_argument("--films", type=int, default=32, help="of each turn")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.cores)
    torch.backends.cudnn.allow_tf32 = False  # as commands compute; for both
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"{describe(device)}, torch {torch.__version__}")
    print(f"{options.films} films, {options.side} px, medians of {options.turns} turns")
    for architecture in options.architectures:
        measure(architecture, options, device)


if __name__ == "__main__":
    main()
