"""Maps from one pass back: weights derived by hand, and that the pass goes no further."""

import torch
from torch import nn

from cxrpipe.explanation.attribution.gradients import differentiate, gradcam_plus_plus, hirescam

FILM = torch.tensor([[0.0, 0.25], [0.75, 1.0]])[None, None]
FIRST = torch.tensor([0])


class Placed(nn.Module):
    """A layer that passes on, and a head with a weight of its own for each place."""

    def __init__(self, head):
        super().__init__()
        self.layer = nn.Identity()
        self.head = torch.tensor(head)

    def forward(self, films):
        return (self.layer(films) * self.head).sum(dim=(1, 2, 3)).view(-1, 1)


def test_the_gradient_of_a_head_is_its_weights():
    maps, gradients = differentiate(Placed([[3.0, 1.0], [-1.0, 0.0]]), "layer", FILM, FIRST)
    assert torch.equal(maps, FILM)
    assert gradients[0, 0].tolist() == [[3, 1], [-1, 0]]


def test_hirescam_weighs_each_place_with_its_own_gradient():
    maps = hirescam(Placed([[3.0, 1.0], [-1.0, 2.0]]), "layer", FILM, FIRST)
    assert maps[0].tolist() == [[0, 0.25], [-0.75, 2]]


def test_grad_cam_plus_plus_weighs_positive_gradients_by_their_share():
    """The film's sum is 2. Gradient 3: 9 / (18 + 2 * 27) = 1/8; 1: 1 / (2 + 2) = 1/4."""
    maps = gradcam_plus_plus(Placed([[3.0, 1.0], [-0.5, 0.0]]), "layer", FILM, FIRST)
    torch.testing.assert_close(maps, (3 / 8 + 1 / 4) * FILM[0], rtol=1e-5, atol=0)


def test_nothing_is_recorded_before_the_layer_and_no_weight_is_derived():
    seen = {}

    class Watch(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, films):
            weighted = films * self.weight
            seen[self.name] = weighted.requires_grad
            weighted.requires_grad and weighted.register_hook(self.derived)
            return weighted

        def derived(self, gradient):
            seen[self.name] = "derived"

    network = nn.Sequential(*(Watch(name) for name in ("before", "layer", "after")), nn.Flatten())
    for parameter in network[2].parameters():
        parameter.register_hook(lambda gradient: seen.update(weight="derived"))
    differentiate(network, "1", FILM, FIRST)
    assert seen == {"before": False, "layer": False, "after": "derived"}
