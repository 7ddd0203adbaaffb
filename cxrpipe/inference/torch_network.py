"""A network that torch computes, on a GPU where there is one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.latent.penultimate import find_last_layer, noting
from cxrpipe.inference.network import Computed
from cxrpipe.models.card import Card
from cxrpipe.models.device import fit_batch, most_at_once
from cxrpipe.models.zoo import Classifier as Module
from cxrpipe.models.zoo import load_classifier


class TorchNetwork:
    """A network in evaluation mode on a device.

    Attributes
    ----------
    module
        Takes grey levels (n, 1, side, side) and gives logits (n, n_findings).
    card
        What its weights are.
    n_at_once
        Films that go through at once.
    """

    def __init__(self, module: Module, card: Card, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.card = card
        self.n_at_once = fit_batch(most_at_once(self.device), card.side)
        self.module = module.eval().to(self.device).to(memory_format=torch.channels_last)
        self._last = module.get_submodule(find_last_layer(module, card.side))

    @torch.inference_mode()
    def compute(self, grey: Grey) -> Computed:
        """Send prepared films (n, side, side) uint8 through, in fp32."""
        films = torch.from_numpy(grey).unsqueeze(1).to(self.device)
        with noting(self._last) as noted:
            logits = self.module(films).cpu().double().numpy()
        return Computed(logits, noted[-1].cpu().numpy())

    @contextmanager
    def divide(self, n_workers: int) -> Iterator[Callable[[], object]]:
        """Give what each of so many threads calls first, so that they share the cores."""
        before = torch.get_num_threads()
        try:
            yield partial(torch.set_num_threads, max(1, before // n_workers))
        finally:
            torch.set_num_threads(before)


def load_network(weights: Path) -> TorchNetwork:
    """Load the weights of a run."""
    return TorchNetwork(*load_classifier(weights))
