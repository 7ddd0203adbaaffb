"""Hot regions and their overlap with lesions, by hand, and chance by trying every place."""

import numpy as np
import pytest

from cxrpipe.explanation.scoring.overlap import (
    find_hot,
    is_boxed,
    overlap,
    overlap_by_chance,
    tell_overlap,
)


def box(rows, columns, side=8):
    drawn = np.zeros((side, side), dtype=bool)
    drawn[slice(*rows), slice(*columns)] = True
    return drawn


def test_overlap_counted_by_hand():
    """Boxes of 4 and 6 pixels share 2; two others share none; the last are the same."""
    regions = np.stack([box((0, 2), (0, 2)), box((0, 2), (0, 2)), box((3, 5), (1, 7))])
    lesions = np.stack([box((1, 4), (0, 2)), box((4, 6), (4, 6)), box((3, 5), (1, 7))])
    assert overlap(regions, lesions).tolist() == [2 / 8, 0, 1]


def test_two_empty_regions_do_not_overlap():
    assert overlap(np.zeros((1, 8, 8), bool), np.zeros((1, 8, 8), bool)).tolist() == [0]


def test_hot_is_what_otsu_divides_from_the_cold():
    heatmaps = np.full((2, 8, 8), 0.1, np.float32)
    heatmaps[0, 2:4, 3:6] = [0.8, 1.0, 0.9]
    heatmaps[1, 5] = 0.6
    hot = find_hot(heatmaps)
    assert np.array_equal(hot, np.stack([box((2, 4), (3, 6)), box((5, 6), (0, 8))]))


def test_otsus_threshold_is_that_of_the_largest_variance_between_the_parts():
    """Every threshold is tried, as his equation 18 has it."""
    heatmap = np.random.default_rng(0).beta(0.5, 2, (24, 24)).astype(np.float32)
    levels = (255 * heatmap).astype(np.uint8)

    def between(threshold):
        hot = levels > threshold
        share = hot.mean()
        return share * (1 - share) * (levels[hot].mean() - levels[~hot].mean()) ** 2

    tried = range(int(levels.min()), int(levels.max()))
    assert np.array_equal(find_hot(heatmap[None])[0], levels > max(tried, key=between))


def test_a_heatmap_of_zeros_has_no_hot_region():
    assert not find_hot(np.zeros((1, 8, 8), np.float32)).any()


@pytest.mark.parametrize("side", [7, 8])
def test_chance_is_the_mean_over_all_places(side):
    random = np.random.default_rng(side)
    region, lesion = random.random((2, side, side)) < [[[0.3]], [[0.15]]]
    places = [(down, right) for down in range(side) for right in range(side)]
    moved = np.stack([np.roll(region, place, axis=(0, 1)) for place in places])
    expected = overlap(moved, np.stack([lesion] * len(places))).mean()
    assert overlap_by_chance(region, lesion) == pytest.approx(expected, abs=1e-12)


def test_chance_of_an_empty_region_is_none():
    assert overlap_by_chance(np.zeros((8, 8), bool), box((1, 3), (1, 3))) == 0


def test_a_lesion_of_full_rectangles_was_a_box():
    assert is_boxed(box((1, 3), (2, 7)))
    assert is_boxed(box((1, 3), (2, 7)) | box((5, 8), (0, 2)))
    assert not is_boxed(box((1, 3), (2, 7)) | box((3, 6), (2, 4)))
    assert not is_boxed(np.zeros((8, 8), bool))


def test_masks_and_boxes_are_told_apart(judge):
    """The region is the first box; the mask is L-shaped, of 14 pixels, all 10 of the region."""
    lesions = np.stack([box((1, 3), (2, 7)), box((1, 3), (2, 7)) | box((3, 5), (2, 4))])
    heatmaps = np.where(lesions[[0, 0]], np.float32(1), np.float32(0))
    told = tell_overlap(judge(2), ["f0", "f1"], heatmaps, lesions)
    assert told["n"] == told["groups"] == 2
    assert told["by"]["boxes"]["iou"]["value"] == 1
    assert told["by"]["lesions"]["iou"]["value"] == pytest.approx(10 / 14, abs=1e-6)
    assert told["iou"]["value"] == pytest.approx(12 / 14, abs=1e-6)
    chances = [overlap_by_chance(lesions[0], lesion) for lesion in lesions]
    assert told["chance"]["value"] == pytest.approx(np.mean(chances), abs=1e-6)


def test_no_films_are_none(judge):
    none = np.zeros((0, 8, 8))
    assert tell_overlap(judge(1), [], none.astype(np.float32), none.astype(bool)) == {"n": 0}
