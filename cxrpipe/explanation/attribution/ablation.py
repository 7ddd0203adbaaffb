"""Ablation-CAM: how much the logit falls without each channel of a layer."""

import torch
from torch import nn

from cxrpipe.explanation.attribution.hooks import captured, changed
from cxrpipe.models.device import fit_batch, is_out_of_memory

BATCH = 32
# Numbers of a layer's output that are held at once: 128 MiB.
MOST_NUMBERS = 2**25
# Share of a logit by which it may differ though nothing does: a few bits of float32. A channel that
# the logit does not heed would otherwise be seen, enlarged with the map.
ROUNDING = 2**-19


@torch.no_grad()
def ablation_cam(
    classifier: nn.Module, layer: str, grey: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """Weigh each channel with the fall of the class logit when the channel is zero.

    Desai and Ramaswamy 2020, doi:10.1109/WACV45572.2020.9093360, equation 4. They divide the fall
    by the logit; that would change no map but the sign of those whose logit is negative, and is
    left out. Parameters and result as those of ``gradients``.

    One film goes up to the layer once for many channels, where what follows allows it.
    """
    films = torch.split(grey.float(), 1)
    alone = repeats_itself(classifier, layer, films[0])
    maps = [
        _explain(classifier, layer, film, finding, alone)
        for film, finding in zip(films, findings.tolist(), strict=True)
    ]
    return torch.cat(maps)


def _explain(
    classifier: nn.Module, layer: str, film: torch.Tensor, finding: int, alone: bool
) -> torch.Tensor:
    """Return the map (1, height, width) of a film (1, 1, side, side), sent alone or in copies."""
    with captured(classifier, layer) as outputs:
        logits = classifier(film)[0]
    maps = outputs[0]
    channels = torch.arange(maps.shape[1], device=maps.device)
    n_at_once = MOST_NUMBERS // maps.numel() if alone else fit_batch(BATCH, film.shape[-1])
    without = [
        logits_without(classifier, layer, film.expand(1 if alone else len(some), -1, -1, -1), some)[
            :, finding
        ]
        for some in torch.split(channels, max(1, n_at_once))
    ]
    falls = logits[finding] - torch.cat(without)
    falls[falls.abs() <= ROUNDING * logits.abs().max()] = 0
    return torch.einsum("c,nchw->nhw", falls, maps)


def logits_without(
    classifier: nn.Module, layer: str, films: torch.Tensor, channels: torch.Tensor
) -> torch.Tensor:
    """Return logits (n_channels, n_findings) of a film, each with one channel of the layer zero.

    Parameters
    ----------
    films
        The film (1, 1, side, side), or as many copies of it as there are channels.
    channels
        (n_channels,) places.
    """

    def ablate(output: torch.Tensor) -> torch.Tensor:
        """Give one copy of the output for each channel."""
        copies = output.expand(len(channels), -1, -1, -1).clone()
        copies[torch.arange(len(channels)), channels] = 0
        return copies

    with changed(classifier, layer, ablate):
        logits: torch.Tensor = classifier(films)
    return logits


def repeats_itself(classifier: nn.Module, layer: str, film: torch.Tensor) -> bool:
    """Tell whether copies made at a layer come out as copies of the logits.

    They do not where something of the film goes around the layer and is put beside its output.
    """
    try:
        with changed(classifier, layer, lambda output: output.expand(2, -1, -1, -1).clone()):
            twice = classifier(film)
    except RuntimeError as error:  # sizes that do not fit
        if is_out_of_memory(error):
            raise
        return False
    once = classifier(film).expand(2, -1)
    return twice.shape == once.shape and torch.allclose(twice, once, rtol=1e-4, atol=1e-5)
