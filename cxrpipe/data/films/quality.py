"""Measures that tell a radiograph from what a folder of films holds by accident."""

from dataclasses import dataclass

import numpy as np

from cxrpipe.config import Index
from cxrpipe.data.films.grey import Film, Grey, UnusableFilmError, histogram

DARK, BRIGHT = 0.05, 0.95  # shares of the pixels between which contrast is measured
NEAR = 2  # grey levels that count as one grey: as far as JPEG changes an even area


@dataclass(frozen=True)
class Quality:
    """What is measured of a film: sides in pixels, and shares from 0 to 1."""

    width: int
    height: int
    tint: float
    contrast: float
    blank: float

    @property
    def side(self) -> int:
        """The shorter side, in pixels."""
        return min(self.width, self.height)

    @property
    def aspect(self) -> float:
        """The longer side by the shorter one."""
        return max(self.width, self.height) / self.side


def measure_quality(film: Film) -> Quality:
    """Measure a film."""
    height, width = film.size
    return Quality(width, height, film.tint, contrast(film.pixels), blank(film.pixels))


def contrast(pixels: Grey) -> float:
    """Return the 95th minus the 5th percentile of the greys, as a share of the scale.

    A percentile is the lowest grey that at least this share of the pixels does not exceed.
    """
    up_to = np.cumsum(histogram(pixels))
    dark, bright = np.searchsorted(up_to, np.array([DARK, BRIGHT]) * up_to[-1])
    return float(bright - dark) / 255


def blank(pixels: Grey) -> float:
    """Return the share of pixels within 2 grey levels of the commonest grey."""
    counts = histogram(pixels)
    commonest = int(counts.argmax())
    near = counts[max(commonest - NEAR, 0) : commonest + NEAR + 1]
    return float(near.sum() / pixels.size)


def refuse(quality: Quality, limits: Index) -> UnusableFilmError | None:
    """Return why a film is not used, or None.

    The reason is ``too_small``, ``extreme_aspect``, ``tinted``, ``low_contrast`` or ``blank``; the
    detail tells what was measured, the limit, and the setting to change.
    """
    checks = (
        ("too_small", quality.side, "below", "min_side", limits.min_side),
        ("extreme_aspect", quality.aspect, "over", "max_aspect", limits.max_aspect),
        ("tinted", quality.tint, "over", "max_tint", limits.max_tint),
        ("low_contrast", quality.contrast, "below", "min_contrast", limits.min_contrast),
        ("blank", quality.blank, "over", "max_blank", limits.max_blank),
    )
    for reason, measured, side, setting, limit in checks:
        if measured < limit if side == "below" else measured > limit:
            detail = f"{MEASURES[reason]} {measured:.3g}, {side} index.{setting} ({limit:g})"
            return UnusableFilmError(reason, detail)
    return None


MEASURES = {
    "too_small": "shorter side",
    "extreme_aspect": "longer side by shorter side",
    "tinted": "share of pixels in many colours",
    "low_contrast": "spread of the greys",
    "blank": "share of one grey",
}
