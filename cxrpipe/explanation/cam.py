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
        outputs.append(output)
        return output.clone()

    hook = network.get_submodule(layer).register_forward_hook(keep)
    try:
        yield outputs
    finally:
        hook.remove()


def grad_cam(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
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

    Returns
    -------
    (n, side, side) float32 from 0 to 1, each map divided by its own maximum; a map without any
    positive value stays zero.
    """
    with captured(classifier, layer) as outputs, torch.enable_grad():
        logits = classifier(grey.float().requires_grad_())
        chosen = logits.gather(1, findings.view(-1, 1)).sum()
        (gradients,) = torch.autograd.grad(chosen, outputs[0])
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    maps = (weights * outputs[0].detach()).sum(dim=1, keepdim=True).relu()
    maps = functional.interpolate(maps.float(), grey.shape[-2:], mode="bilinear")[:, 0]
    peaks = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(peaks > 0, maps / peaks.clamp_min(torch.finfo(maps.dtype).tiny), maps)
