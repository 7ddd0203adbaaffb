"""Maps from one pass back: Grad-CAM, Grad-CAM++ and HiRes-CAM before they are enlarged.

Every function takes a classifier in evaluation mode, the dotted name of a layer, grey levels
(n, 1, side, side) and the class to explain of each film (n,), and returns (n, height, width) in
the layer's own cells, with values of both signs.
"""

import torch
from torch import nn

from cxrpipe.explanation.attribution.hooks import changed

# As pytorch-grad-cam has it, so that weights are equal; the formula itself has none.
SMALL = 1e-6


def differentiate(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's maps and the gradient of each film's class logit by them.

    Nothing is recorded before the layer and nothing derived beyond it, which is most of the work
    that a pass back through the whole network takes.

    Returns
    -------
    Both (n, channels, height, width).
    """
    maps: list[torch.Tensor] = []

    def begin(output: torch.Tensor) -> torch.Tensor:
        """Record from here on; the copy may be changed in place."""
        torch.set_grad_enabled(True)  # until the context of no_grad below ends
        maps.append(output.detach().requires_grad_())
        return maps[0].clone()

    with torch.no_grad(), changed(classifier, layer, begin):
        logits = classifier(grey.float())
        chosen = logits.gather(1, findings.view(-1, 1)).sum()
        (gradients,) = torch.autograd.grad(chosen, maps[0])
    return maps[0].detach(), gradients


def gradcam(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Weigh each channel with the mean of its gradient.

    Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74, equations 1 and 2.
    """
    maps, gradients = differentiate(classifier, layer, grey, findings)
    return (gradients.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)


def gradcam_plus_plus(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Weigh each channel with its positive gradients, each by how much of the logit it holds.

    Chattopadhay et al. 2018, doi:10.1109/WACV.2018.00097, equations 5 and 19, for the exponential
    of the logit.
    """
    maps, gradients = differentiate(classifier, layer, grey, findings)
    squares = gradients.square()
    sums = maps.sum(dim=(2, 3), keepdim=True)
    shares = squares / (2 * squares + sums * squares * gradients + SMALL)
    shares = torch.where(gradients != 0, shares, 0)
    weights = (shares * gradients.relu()).sum(dim=(2, 3), keepdim=True)
    return (weights * maps).sum(dim=1)


def hirescam(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Weigh each cell of each channel with its own gradient.

    Draelos and Carin 2020, arXiv:2011.08891, equation 6. Where logits are linear in the map, the
    cells add up to what the map brings to the logit.
    """
    maps, gradients = differentiate(classifier, layer, grey, findings)
    return (gradients * maps).sum(dim=1)
