"""CAM: the last map weighed with the weights of a head that takes nothing but its mean."""

import torch
from torch import nn
from torch.nn import functional

from cxrpipe.explanation.attribution.hooks import captured
from cxrpipe.runtime import UserError

# Share of a logit by which it may differ from the same sum taken in another order.
SMALL = 1e-3


def cam(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Weigh each channel of the last map with its weight in the class logit.

    Zhou et al. 2016, doi:10.1109/CVPR.2016.319, equation 2. Parameters and result as those of
    ``gradients``; the mean of the map is the logit without its bias.

    Raises
    ------
    UserError
        If the head is no linear layer on the means of this layer's channels.
    """
    weights, maps = _read(classifier, layer, grey)
    if weights is None:
        raise UserError(
            f"cam: the head does more with {layer} than to weigh the means of its channels; give "
            "the model a head of linear or pool, or leave cam out of gradcam.methods"
        )
    return torch.einsum("nc,nchw->nhw", weights[findings], maps)


def is_pool_linear(classifier: nn.Module, layer: str, side: int) -> bool:
    """Tell whether the logits are linear in the means of a layer's channels, on seeded noise."""
    device = next(classifier.parameters()).device
    noise = torch.randint(0, 256, (2, 1, side, side), generator=torch.Generator().manual_seed(0))
    weights, _ = _read(classifier, layer, noise.to(device))
    return weights is not None


@torch.no_grad()
def _read(
    classifier: nn.Module, layer: str, grey: torch.Tensor
) -> tuple[torch.Tensor | None, torch.Tensor]:
    """Return weights (n_findings, channels) of a pool-linear head, else None; and the maps.

    Told by what it computes and not by its names, so that networks of a user are seen too. Some of
    timm have a convolution of one pixel for their last layer.
    """
    last: list[nn.Linear | nn.Conv2d] = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: last.append(module))
        for module in classifier.modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    try:
        with captured(classifier, layer) as outputs:
            logits = classifier(grey.float())
    finally:
        for hook in hooks:
            hook.remove()
    maps = outputs[0]
    weights = last[-1].weight.detach().flatten(1) if last else maps.new_empty(0, 0)
    if weights.shape != (logits.shape[1], maps.shape[1]):
        return None, maps
    expected = functional.linear(maps.mean(dim=(2, 3)), weights, last[-1].bias)
    differs = (logits - expected).abs() > SMALL * logits.abs().max()
    return (None if differs.any() else weights), maps
