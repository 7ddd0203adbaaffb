"""Augmentation: against exact mirrors, turns and shifts, and scipy for everything between."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from cxrpipe.config import Augmentation
from cxrpipe.training.augment import affine_maps, augment

IDENTITY = Augmentation(flip=0, rotation=0, translation=0, zoom=0, contrast=0, brightness=0)
STRONG = Augmentation(
    flip=0.5, rotation=180, translation=0.4, zoom=0.6, contrast=0.9, brightness=0.9
)
SIDE = 16


def settings(**changed):
    return IDENTITY.model_copy(update=changed)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def films(n=4, seed=0):
    return torch.randint(0, 256, (n, 1, SIDE, SIDE), dtype=torch.uint8, generator=random(seed))


def near(actual, expected):
    torch.testing.assert_close(actual, expected.float(), rtol=0, atol=0.01)  # grey levels


@pytest.fixture
def draw(monkeypatch):
    """Make every draw from 0 to 1 the given number."""

    def fix(value):
        monkeypatch.setattr(torch, "rand", lambda n, generator: torch.full((n,), value))

    return fix


def test_settings_of_zero_change_nothing():
    near(augment(films(), IDENTITY, random()), films())


def test_the_films_given_are_not_changed():
    given = films()
    floats = given.float()
    augment(given, STRONG, random())
    augment(floats, STRONG, random())
    assert torch.equal(given, films())
    assert torch.equal(floats, films().float())


def test_a_certain_flip_is_the_exact_mirror():
    near(augment(films(), settings(flip=1), random()), films().flip(3))


def test_half_the_films_are_mirrored_and_none_is_stretched():
    maps = affine_maps(4000, settings(flip=0.5, rotation=30), random())
    mirrored = torch.linalg.det(maps[:, :, :2])
    torch.testing.assert_close(mirrored.abs(), torch.ones(4000))
    assert float((mirrored < 0).double().mean()) == pytest.approx(0.5, abs=5 * 0.5 / 4000**0.5)


def test_a_quarter_turn_is_exact(draw):
    draw(0.75)  # half of the bound
    near(augment(films(), settings(rotation=180), random()), torch.rot90(films(), 1, (2, 3)))


def test_a_translation_of_an_eighth_moves_two_of_16_pixels_and_leaves_black(draw):
    draw(0.75)
    moved = torch.zeros(4, 1, SIDE, SIDE)
    moved[:, :, :-2, :-2] = films()[:, :, 2:, 2:]
    near(augment(films(), settings(translation=0.25), random()), moved)


def test_a_zoom_of_minus_half_shrinks_to_means_of_four_pixels_and_leaves_black(draw):
    draw(0.0)
    small = functional.avg_pool2d(films().float(), 2)
    near(augment(films(), settings(zoom=0.5), random()), functional.pad(small, (4, 4, 4, 4)))


def test_contrast_stretches_around_the_mean_and_brightness_adds(draw):
    film = torch.tensor([[100, 120], [140, 240]], dtype=torch.uint8).view(1, 1, 2, 2)  # mean 150
    draw(1.0)
    expected = torch.tensor([[75, 105], [135, 255]])  # 150 + 1.5 (grey - 150); 285 is cut
    near(augment(film, settings(contrast=0.5), random())[0, 0], expected)
    expected = torch.tensor([[151, 171], [191, 255]])  # 51 more
    near(augment(film, settings(brightness=0.2), random())[0, 0], expected)
    draw(0.0)
    expected = torch.tensor([[49, 69], [89, 189]])  # 51 less
    near(augment(film, settings(brightness=0.2), random())[0, 0], expected)


def test_moved_films_agree_with_scipy():
    geometry = STRONG.model_copy(update={"contrast": 0, "brightness": 0})
    moved = augment(films(8), geometry, random(3))
    maps = affine_maps(8, geometry, random(3)).double().numpy()
    swap = np.array([[0, 1], [1, 0]])  # scipy has rows before columns
    middle = np.full(2, (SIDE - 1) / 2)
    for film, place, ours in zip(films(8)[:, 0].numpy(), maps, moved[:, 0].numpy(), strict=True):
        matrix = swap @ place[:, :2] @ swap
        offset = swap @ place[:, 2] * SIDE / 2 + middle - matrix @ middle
        theirs = ndimage.affine_transform(
            film.astype(float), matrix, offset, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_amounts_fill_their_bounds_and_stay_inside():
    maps = affine_maps(4000, settings(rotation=10, translation=0.05, zoom=0.1), random()).double()
    zoom = torch.linalg.det(maps[:, :, :2]) ** -0.5 - 1
    angle = torch.rad2deg(torch.atan2(maps[:, 1, 0], maps[:, 1, 1]))
    shift = maps[:, :, 2] / 2  # places run over two units
    for amounts, bound in ((zoom, 0.1), (angle, 10), (shift, 0.05)):
        assert 0.99 * bound < float(amounts.max()) <= 1.0001 * bound
        assert -1.0001 * bound <= float(amounts.min()) < -0.99 * bound
        spread = 5 * bound / math.sqrt(3 * amounts.numel())
        assert float(amounts.mean()) == pytest.approx(0, abs=spread)


@pytest.mark.parametrize(
    "changed",
    [
        {"rotation": 90},
        {"translation": 0.3},
        {"zoom": 0.5},
        {"contrast": 0.5},
        {"brightness": 0.2},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_film_of_a_batch_gets_its_own_amount(changed):
    same = films(1).expand(6, -1, -1, -1)
    changes = augment(same, settings(**changed), random()).flatten(1)
    distances = torch.cdist(changes, changes)[~torch.eye(6, dtype=torch.bool)]
    assert float(distances.min()) > 1


@pytest.mark.parametrize("seed", range(5))
def test_grey_levels_stay_from_0_to_255(seed):
    changed = augment(films(32, seed), STRONG, random(seed))
    assert changed.dtype == torch.float32
    assert float(changed.min()) == 0
    assert float(changed.max()) == 255


def test_the_same_generator_gives_the_same_films_and_another_others():
    first, again, other = (augment(films(), STRONG, random(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_global_random_state_is_untouched():
    before = torch.get_rng_state()
    augment(films(), STRONG, random())
    assert torch.equal(torch.get_rng_state(), before)
