"""Integrated gradients: what each pixel brings to the logit on the way from an empty film."""

import math

import torch
from torch import nn
from torch.nn import functional

from cxrpipe.models.device import fit_batch
from cxrpipe.models.zoo import Classifier

STEPS = 32
BATCH = 32
# ASSUME what single pixels bring is blurred by a 64th of the side (3.5 of 224), the size of the
# smallest thing that is looked for: unblurred it is noise to the eye.
PER_BLUR = 64


def integrate(
    classifier: nn.Module,
    grey: torch.Tensor,
    findings: torch.Tensor,
    blank: float,
    steps: int = STEPS,
) -> torch.Tensor:
    """Share the logit's rise over an empty film out among the pixels.

    Sundararajan, Taly and Yan 2017, arXiv:1703.01365, equation 3, by the midpoint rule.

    Parameters
    ----------
    blank
        Grey level of the empty film. A pixel of that level brings nothing.

    Returns
    -------
    (n, side, side) of both signs. Their sum is the class logit of the film less that of the empty
    film, the more precisely the more steps.
    """
    middles = (torch.arange(steps, device=grey.device) + 0.5) / steps
    n_at_once = fit_batch(BATCH, grey.shape[-1])
    brought = []
    for film, finding in zip(grey.float(), findings.tolist(), strict=True):
        slopes = torch.zeros_like(film)
        for some in torch.split(middles, n_at_once):
            films = (blank + some.view(-1, 1, 1, 1) * (film - blank)).requires_grad_()
            with torch.enable_grad():
                chosen = classifier(films)[:, finding].sum()
            slopes += torch.autograd.grad(chosen, films)[0].sum(dim=0)
        brought.append(((film - blank) * slopes / steps)[0])
    return torch.stack(brought) if brought else grey[:, 0].float()


def integrated_gradients(
    classifier: Classifier, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Return how much each place raises the class logit, or lowers it, blurred to be seen.

    The empty film has the mean grey of the training films, as that of ``alteration``: over a black
    one, dark pixels could bring nothing, and many findings are dark. Parameters and result as those
    of ``gradients``; the layer is not used, and the map has the side of the films.
    """
    brought = integrate(classifier, grey, findings, 255 * classifier.mean)
    return blur(brought, grey.shape[-1] / PER_BLUR)


def blur(maps: torch.Tensor, deviation: float) -> torch.Tensor:
    """Blur maps (n, height, width) by a Gaussian of a standard deviation in pixels."""
    reach = math.ceil(3 * deviation)
    places = torch.arange(-reach, reach + 1, device=maps.device)
    kernel = torch.exp(-0.5 * (places / deviation) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(maps.unsqueeze(1), [reach] * 4, mode="replicate")
    rows = functional.conv2d(padded, kernel.view(1, 1, 1, -1))
    return functional.conv2d(rows, kernel.view(1, 1, -1, 1)).squeeze(1)
