"""Class activation maps: which places of a radiograph raise the logit of one class."""

import logging
import math
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional

from cxrpipe.explanation.attribution.ablation import ablation_cam
from cxrpipe.explanation.attribution.convolutions import respond
from cxrpipe.explanation.attribution.gradients import gradcam, gradcam_plus_plus, hirescam
from cxrpipe.explanation.attribution.hooks import as_map, captured
from cxrpipe.explanation.attribution.integrated import integrated_gradients
from cxrpipe.explanation.attribution.linear import cam
from cxrpipe.models.device import fit_batch
from cxrpipe.models.zoo import Classifier

__all__ = [
    "METHODS",
    "OF_PIXELS",
    "SIGNED",
    "captured",
    "enlarge",
    "explain",
    "grad_cam",
    "measure_offset",
]

# From classifier, layer, grey levels and classes to maps (n, height, width) of both signs, in the
# cells of the layer, or in pixels where the layer is not used.
Method = Callable[[Classifier, str, torch.Tensor, torch.Tensor], torch.Tensor]
METHODS: Mapping[str, Method] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "hirescam": hirescam,
    "cam": cam,
    "ablationcam": ablation_cam,
    "integrated": integrated_gradients,
}
SIGNED = ("cam",)
OF_PIXELS = ("integrated",)
# Films of noise that an offset is measured on. On others it differs, untrained and at 128 pixels,
# by 1.3 pixels for xception and 0.4 for resnet18 (standard deviations).
NOISES = 16
log = logging.getLogger(__name__)


def explain(
    classifier: Classifier,
    method: str,
    layer: str,
    grey: torch.Tensor,
    findings: torch.Tensor,
    offset: tuple[float, float] = (0.0, 0.0),
) -> torch.Tensor:
    """Explain one class of every film of a batch.

    What speaks against the class is set to zero, but by ``cam``, which shows it as negative. A map
    is divided by its own maximum and not moved, unlike that of pytorch-grad-cam: zero stays what
    does not speak for the class.

    Parameters
    ----------
    classifier
        In evaluation mode, so that films of a batch do not influence each other.
    method
        One of ``METHODS``.
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
    (n, side, side) float32 from 0 to 1, of ``cam`` from -1 to 1; a map without any value that is
    shown stays zero.

    Raises
    ------
    UserError
        If the layer gives no map, or the method cannot explain this classifier.
    """
    maps = METHODS[method](classifier, layer, grey, findings).float()
    if method not in SIGNED:
        maps = maps.relu()
    if method not in OF_PIXELS:
        maps = enlarge(maps, grey.shape[-1], offset)
    peaks = maps.abs().amax(dim=(1, 2), keepdim=True)
    return torch.where(peaks > 0, maps / peaks.clamp_min(torch.finfo(maps.dtype).tiny), maps)


def grad_cam(
    classifier: Classifier,
    layer: str,
    grey: torch.Tensor,
    findings: torch.Tensor,
    offset: tuple[float, float] = (0.0, 0.0),
) -> torch.Tensor:
    """Explain by Grad-CAM; parameters and result as those of ``explain``."""
    return explain(classifier, "gradcam", layer, grey, findings, offset)


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
    Pixels down and right, to be given to ``grad_cam``; none where the middle cells see nothing, as
    of a dead layer.
    """
    device = next(classifier.parameters()).device
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (NOISES, 1, side, side), generator=generator).float()
    parts = torch.split(noise, fit_batch(NOISES, side))
    seen = torch.stack([_see(classifier, layer, some.to(device)) for some in parts]).sum(dim=0)
    total = float(seen.sum())
    if not 0 < total < math.inf:
        log.info(f"{layer}: its middle cells see no pixel; maps are enlarged evenly")
        return 0.0, 0.0
    place = torch.arange(side, device=device) - (side - 1) / 2
    down, right = (float((seen.sum(dim=axis) * place).sum()) / total for axis in (1, 0))
    return down, right


def _see(classifier: nn.Module, layer: str, films: torch.Tensor) -> torch.Tensor:
    """Return the squared gradient (side, side) of a layer's middle cells, summed over films."""
    with torch.enable_grad():
        films.requires_grad_()
        maps = as_map(respond(classifier, layer, films), layer)
        height, width = maps.shape[-2:]
        middle = maps[:, :, (height - 1) // 2 : height // 2 + 1, (width - 1) // 2 : width // 2 + 1]
        (gradients,) = torch.autograd.grad(middle.sum(), films)
    return gradients.double().square().sum(dim=(0, 1))
