"""Class activation maps: which places of a radiograph raise the logit of one class."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional


@contextmanager
def captured(network: nn.Module, layer: str) -> Iterator[list[torch.Tensor]]:
    """Collect the outputs of a layer while the context lasts; the hook is gone afterwards.

    The output is passed on as a copy, so that a following in-place operation cannot change it.
    """
    outputs: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        """Keep the output and pass a copy on."""
        outputs.append(output)
        return output.clone()

    hook = network.get_submodule(layer).register_forward_hook(keep)
    try:
        yield outputs
    finally:
        hook.remove()


def grad_cam(
    classifier: nn.Module,
    layer: str,
    grey: torch.Tensor,
    findings: torch.Tensor,
    offset: tuple[float, float] = (0.0, 0.0),
) -> torch.Tensor:
    """Compute Grad-CAM of one class for every film of a batch.

    The map is the sum of the layer's channels, each weighted with the mean gradient of the class
    logit, with negative values set to zero: Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74,
    equations 1 and 2.

    Parameters
    ----------
    classifier
        In evaluation mode, so that films of a batch do not influence each other.
    layer
        Dotted name of a module whose output is (n, channels, height, width).
    grey
        (n, 1, side, side) grey levels.
    findings
        (n,) class to explain for each film.
    offset
        Pixels down and right by which the layer sees beside its cells; see ``measure_offset``.

    Returns
    -------
    (n, side, side) float32 from 0 to 1, each map divided by its own maximum; a map without any
    positive value stays zero.
    """
    with captured(classifier, layer) as outputs, torch.enable_grad():
        logits = classifier(grey.to(torch.float32, copy=True).requires_grad_())
        chosen = logits.gather(1, findings.view(-1, 1)).sum()
        (gradients,) = torch.autograd.grad(chosen, outputs[0])
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    maps = (weights * outputs[0].detach()).sum(dim=1).relu().float()
    maps = enlarge(maps, grey.shape[-1], offset)
    peaks = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(peaks > 0, maps / peaks.clamp_min(torch.finfo(maps.dtype).tiny), maps)


def enlarge(maps: torch.Tensor, side: int, offset: tuple[float, float]) -> torch.Tensor:
    """Enlarge maps (n, height, width) bilinearly to (n, side, side), moved by an offset in pixels.

    With a zero offset this is the usual enlargement, in which the cells divide the film evenly.
    """
    down, right = offset
    place = torch.tensor([[1, 0, -2 * right / side], [0, 1, -2 * down / side]])
    grid = functional.affine_grid(
        place.expand(len(maps), 2, 3), [len(maps), 1, side, side], align_corners=False
    )
    return functional.grid_sample(
        maps.unsqueeze(1), grid.to(maps), padding_mode="border", align_corners=False
    ).squeeze(1)


def measure_offset(classifier: nn.Module, layer: str, side: int) -> tuple[float, float]:
    """Measure where a layer's cells truly look, beside where even enlargement would draw them.

    A strided convolution with a kernel of three looks at the first pixel of its cell and not at
    the middle: five of them displace a map of stride 32 by 15.5 pixels. Measured is the centre
    of the squared gradient of the middle cells by the pixels, on seeded noise: the effective
    receptive field of Luo et al. 2016, arXiv:1701.04128.

    Returns
    -------
    Pixels down and right, to be given to ``grad_cam``.
    """
    device = next(classifier.parameters()).device
    noise = torch.randint(0, 256, (8, 1, side, side), generator=torch.Generator().manual_seed(0))
    films = noise.float().to(device).requires_grad_()
    with captured(classifier, layer) as outputs, torch.enable_grad():
        classifier(films)
        height, width = outputs[0].shape[-2:]
        middle = outputs[0][
            :, :, (height - 1) // 2 : height // 2 + 1, (width - 1) // 2 : width // 2 + 1
        ]
        (gradients,) = torch.autograd.grad(middle.sum(), films)
    seen = gradients.abs().mean(dim=(0, 1)).double().square()
    place = torch.arange(side, device=device) - (side - 1) / 2
    down = float((seen.sum(dim=1) * place).sum() / seen.sum())
    right = float((seen.sum(dim=0) * place).sum() / seen.sum())
    return down, right
