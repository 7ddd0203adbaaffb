"""Augmentation: against exact mirrors, turns and shifts, and scipy for everything between."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from cxrpipe.config import Augmentation
from cxrpipe.training.augment import affine_maps, augment, draw_rectangles, map_places

PACKAGE = Path(__file__).parents[2] / "cxrpipe"
IDENTITY = Augmentation(flip=0, rotation=0, translation=0, zoom=0, contrast=0, brightness=0)
GEOMETRY = IDENTITY.model_copy(
    update={"flip": 0.5, "rotation": 180, "translation": 0.4, "zoom": 0.6}
)
STRONG = GEOMETRY.model_copy(
    update={"contrast": 0.9, "brightness": 0.9, "gamma": 0.9, "noise": 0.2, "erase": 0.5}
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


def forbid(monkeypatch, place, *names):
    for name in names:
        monkeypatch.setattr(place, name, None)


def grey(level, n=4, side=SIDE):
    return torch.full((n, 1, side, side), level, dtype=torch.uint8)


def test_settings_of_zero_change_nothing_and_compute_nothing(monkeypatch):
    forbid(monkeypatch, functional, "grid_sample")
    forbid(monkeypatch, torch, "randn")
    forbid(monkeypatch, torch.Tensor, "mean", "log_", "lerp", "flip")
    changed = augment(films(), IDENTITY, random())
    assert changed.dtype == torch.float32
    assert torch.equal(changed, films().float())


def test_all_moves_together_resample_once(monkeypatch):
    calls = []
    sample = functional.grid_sample

    def count(*arguments, **options):
        calls.append(arguments)
        return sample(*arguments, **options)

    monkeypatch.setattr(functional, "grid_sample", count)
    augment(films(), STRONG, random())
    assert len(calls) == 1


@pytest.mark.parametrize("side", [1, 15, 128])
def test_places_are_those_of_torch(side):
    maps = affine_maps(8, GEOMETRY, random())
    theirs = functional.affine_grid(maps, [8, 1, side, side], align_corners=False)
    torch.testing.assert_close(map_places(maps, side), theirs, rtol=0, atol=1e-6)


def test_the_films_given_are_not_changed():
    given = films()
    floats = given.float()
    augment(given, STRONG, random())
    augment(floats, STRONG, random())
    assert torch.equal(given, films())
    assert torch.equal(floats, films().float())


def test_a_certain_flip_is_the_exact_mirror():
    assert torch.equal(augment(films(), settings(flip=1), random()), films().flip(3).float())
    turned = settings(flip=1, rotation=1e-9)  # by a resampling
    near(augment(films(), turned, random()), films().flip(3))


def test_a_flip_alone_mirrors_the_same_films_as_with_other_moves():
    alone = augment(films(32), settings(flip=0.5), random())
    near(augment(films(32), settings(flip=0.5, zoom=1e-9), random()), alone)
    n_mirrored = int((alone == films(32).flip(3)).flatten(1).all(dim=1).sum())
    n_left = int((alone == films(32)).flatten(1).all(dim=1).sum())
    assert n_mirrored + n_left == 32
    assert 0 < n_mirrored < 32


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


def test_gamma_raises_to_a_power_and_leaves_black_and_white(draw):
    film = torch.tensor([[0, 51], [204, 255]], dtype=torch.uint8).view(1, 1, 2, 2)
    squared = settings(gamma=math.log(2))
    draw(1.0)
    expected = torch.tensor([[0, 10.2], [163.2, 255]])  # 255 x 0.2^2, 255 x 0.8^2
    near(augment(film, squared, random())[0, 0], expected)
    draw(0.0)
    expected = torch.tensor([[0, 114.0395], [228.0789, 255]])  # 255 x 0.2^0.5, 255 x 0.8^0.5
    near(augment(film, squared, random())[0, 0], expected)


def test_noise_is_gaussian_with_the_drawn_deviation(draw):
    draw(0.5)
    noise = augment(grey(128, n=1, side=256), settings(noise=0.1), random()) - 128
    n, deviation = 256**2, 12.75  # half of a tenth of 255
    assert float(noise.mean()) == pytest.approx(0, abs=5 * deviation / n**0.5)
    assert float(noise.std()) == pytest.approx(deviation, abs=5 * deviation / (2 * n) ** 0.5)
    for bound, share in ((1, 0.682689), (2, 0.954500), (3, 0.997300)):
        within = (noise.abs() < bound * deviation).double().mean()
        assert float(within) == pytest.approx(share, abs=5 * (share * (1 - share) / n) ** 0.5)


def test_noise_of_films_is_evenly_more_or_less_and_of_no_two_the_same():
    noise = augment(grey(128, n=2000), settings(noise=0.1), random()) - 128
    deviations = noise.flatten(1).std(dim=1)
    assert float(deviations.mean()) == pytest.approx(12.75, abs=5 * 7.4 / 2000**0.5)
    assert float(deviations.min()) < 0.2
    correlations = torch.corrcoef(noise[:50].flatten(1)) - torch.eye(50)
    assert float(correlations.abs().max()) < 6 / SIDE  # of 256 pixels


def test_rectangles_lie_inside_and_keep_their_bounds():
    top, left, bottom, right = draw_rectangles(4000, 1.0, random()).double().T
    height, width = bottom - top, right - left
    assert float(torch.stack([top, left]).min()) >= 0
    assert float(torch.stack([bottom, right]).max()) <= 1 + 1e-6
    for amounts, least, most in ((height * width, 0.02, 0.2), (height / width, 0.3, 3.3)):
        assert least - 1e-6 <= float(amounts.min()) < 1.01 * least
        assert 0.99 * most < float(amounts.max()) <= most + 1e-5
    spread = 5 * (0.18 / 12**0.5) / 4000**0.5
    assert float((height * width).mean()) == pytest.approx(0.11, abs=spread)
    middle = math.log(0.3 * 3.3) / 2
    spread = 5 * (math.log(11) / 12**0.5) / 4000**0.5
    assert float((height / width).log().mean()) == pytest.approx(middle, abs=spread)


def test_as_many_films_are_erased_as_the_probability_says():
    rectangles = draw_rectangles(4000, 0.25, random())
    erased = (rectangles[:, 2] > rectangles[:, 0]).double().mean()
    assert float(erased) == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / 4000) ** 0.5)
    assert torch.equal(rectangles[rectangles[:, 2] == 0], torch.zeros(4000 - int(4000 * erased), 4))


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_rectangle_becomes_the_mean_grey_and_the_rest_stays(seed):
    side = 64
    given = torch.rand(8, 1, side, side, generator=random(seed)) * 255
    erased = augment(given, settings(erase=1), random(seed))
    for film, after in zip(given[:, 0], erased[:, 0], strict=True):
        changed = film != after
        rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
        (top, bottom), (left, right) = (
            (int(places.min()), int(places.max()) + 1) for places in (rows, columns)
        )
        assert bool(changed[top:bottom, left:right].all())
        assert int(changed.sum()) == (bottom - top) * (right - left)
        margin = (bottom - top + right - left + 1) / side**2  # a pixel more or less each way
        assert 0.02 - margin < float(changed.double().mean()) < 0.2 + margin
        near(after[changed], film.mean().expand(int(changed.sum())))


def test_gamma_noise_and_erasing_leave_the_other_amounts_as_they_were():
    plain = augment(
        films(), STRONG.model_copy(update={"gamma": 0, "noise": 0, "erase": 0}), random()
    )
    erased = augment(films(), STRONG.model_copy(update={"gamma": 0, "noise": 0}), random())
    assert float((plain == erased).double().mean()) > 0.75


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_every_device_gets_the_same_amounts():
    still = STRONG.model_copy(update={"noise": 0})  # whose pixels differ between devices
    there = augment(films(32).cuda(), still, random())
    torch.testing.assert_close(there.cpu(), augment(films(32), still, random()), rtol=0, atol=0.1)


def test_moved_films_agree_with_scipy():
    moved = augment(films(8), GEOMETRY, random(3))
    maps = affine_maps(8, GEOMETRY, random(3)).double().numpy()
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
        {"gamma": 0.5},
        {"noise": 0.2},
        {"erase": 1},
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


def importers(name):
    """Modules of the package that import a name from somewhere."""
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        and any(name in f"{getattr(node, 'module', '')}.{alias.name}" for alias in node.names)
    }


def callers(path, name):
    """Functions of a module in which a name is called."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    return [
        function.name
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
    ]


def test_training_films_alone_are_augmented_and_shown_in_the_preview():
    assert importers("training.augment") == {"training/loop.py", "reporting/explore.py"}
    assert callers(PACKAGE / "training/loop.py", "augment") == ["train_epoch"]
    assert callers(PACKAGE / "reporting/explore.py", "augment") == ["draw_augmented"]
