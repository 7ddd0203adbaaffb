"""How well the hot region of a heatmap covers the known lesion: intersection over union."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy import fft, ndimage

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.explanation.scoring.estimates import NONE, Scores, count_films, estimate, take
from cxrpipe.explanation.scoring.pointing import Masks


def find_hot(heatmaps: Heatmaps) -> Masks:
    """Divide each heatmap (n, side, side) into hot and cold by Otsu's threshold.

    The threshold is that at which the two parts differ most from each other and least within
    (Otsu, IEEE Trans Syst Man Cybern 1979, doi:10.1109/TSMC.1979.4310076), on 256 levels, as
    Saporta et al. did for heatmaps of chest radiographs (Nat Mach Intell 2022,
    doi:10.1038/s42256-022-00536-x). A heatmap that is zero everywhere has no hot region.
    """
    hot = np.zeros(heatmaps.shape, dtype=np.bool_)
    for inside, heatmap in zip(hot, heatmaps, strict=True):
        levels = (255 * heatmap).astype(np.uint8)
        threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
        inside[:] = levels > threshold
    return hot


def overlap(regions: Masks, lesions: Masks) -> Floats:
    """Return intersection over union (n,) of regions and lesions, (n, side, side) each.

    0 where both are empty.
    """
    shared, either = ((regions & lesions), (regions | lesions))
    n_either = either.sum(axis=(1, 2))
    return np.asarray(shared.sum(axis=(1, 2)) / np.maximum(n_either, 1), dtype=np.float64)


def overlap_by_chance(region: Masks, lesion: Masks) -> float:
    """Return the mean intersection over union if the region lay anywhere on the film.

    That is the mean over all its shifts, pixel by pixel in both directions; what leaves the film
    on one side enters it on the other. So the region keeps its size and form, and knows nothing
    of the lesion. All intersections together are a circular correlation.
    """
    spectra = [fft.rfft2(mask.astype(np.float64)) for mask in (lesion, region)]
    shared = np.rint(fft.irfft2(spectra[0] * spectra[1].conj(), s=lesion.shape))
    either = int(region.sum()) + int(lesion.sum()) - shared
    return float((shared / np.maximum(either, 1)).mean())


def is_boxed(lesion: Masks) -> bool:
    """Tell whether all connected parts of a lesion (side, side) are full rectangles.

    Then it was most likely drawn from boxes, of which the store keeps nothing but the pixels. Boxes
    that overlap each other, or were turned, are not told from a mask, nor is a mask that happens to
    be a rectangle told from a box.
    """
    parts, _ = ndimage.label(lesion)
    rectangles = ndimage.find_objects(parts)
    return bool(rectangles) and all(bool(lesion[place].all()) for place in rectangles)


def tell_overlap(
    judged: Judged, radiographs: Sequence[str], heatmaps: Heatmaps, lesions: Masks
) -> Scores:
    """Tell the mean overlap of hot regions and lesions beside chance.

    Parameters
    ----------
    radiographs
        (n,) in the order of the test films.

    Returns
    -------
    Films, ``iou`` and ``chance``, and the same ``by`` what is known of the lesions, told by their
    shape alone, as ``is_boxed`` does: ``boxes`` are rectangles, ``lesions`` all other shapes.
    """
    if not len(radiographs):
        return dict(NONE)
    hot = find_hot(heatmaps)
    found = overlap(hot, lesions)
    chances = np.array([overlap_by_chance(*pair) for pair in zip(hot, lesions, strict=True)])
    boxed = np.array([is_boxed(lesion) for lesion in lesions])
    names = np.array(radiographs)

    def tell(of: Masks) -> Scores:
        """Tell of some of the films."""
        if not of.any():
            return dict(NONE)
        part = take(judged, names[of])
        estimates = {"iou": estimate(part, found[of]), "chance": estimate(part, chances[of])}
        return count_films(part) | estimates

    return tell(np.ones_like(boxed)) | {"by": {"lesions": tell(~boxed), "boxes": tell(boxed)}}
