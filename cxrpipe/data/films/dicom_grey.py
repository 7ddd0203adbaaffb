"""From the values that a DICOM film stores to the greys that it is meant to be seen in.

The way of the standard (PS3.4, N.2): stored values, modality table, window, inversion. A value
has one grey wherever it lies, so the way is gone once for every value, not for every pixel.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from cxrpipe.data.films.grey import (
    N_LEVELS,
    Grey,
    Levels,
    UnusableFilmError,
    decoding,
    histogram,
    look_up,
    ramp,
    usual_range,
)

Values = npt.NDArray[np.float64]

LARGEST = 1e100  # sums and differences of such values are still finite

GREY_TAGS = (
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ModalityLUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
)


def greys_of(stored: npt.NDArray[np.generic], dataset: Dataset) -> Grey:
    """Return the greys of stored values of at most 16 bits (height, width).

    What the film says decides: its first VOI table, else its first window, else the range of its
    values, a thousandth at each end left out. MONOCHROME1, where the lowest value is white, is
    inverted. (Presentation LUT Shape says the same a second time, and is not applied.) Padding is
    black and does not count for the range.

    Raises
    ------
    UnusableFilmError
        With reason ``unreadable``, if a table of the film is broken.
    """
    levels, stored_values = _levels(stored)
    with decoding():
        padding = _padding(stored_values, dataset)
        values = np.asarray(apply_modality_lut(stored_values, dataset), dtype=np.float64)
        if not np.abs(values).max() < LARGEST:  # nor for what is not a number
            raise UnusableFilmError("unreadable", "rescaled values are not finite")
        table = _from_voi_table(values, dataset)
        if table is None:
            table = _from_window(values, dataset)
    if table is None:
        table = _from_range(values, np.where(padding, 0, histogram(levels)))
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        table = 255 - table
    table[padding] = 0
    return look_up(table, levels)


def _levels(stored: npt.NDArray[np.generic]) -> tuple[Levels, npt.NDArray[np.int64]]:
    """Return the film as levels from 0, and the (65536,) stored value that each one means."""
    if np.issubdtype(stored.dtype, np.signedinteger):
        shifted = stored.astype(np.int16).view(np.uint16) ^ np.uint16(0x8000)
        return shifted, np.arange(N_LEVELS) - N_LEVELS // 2
    return stored.astype(np.uint16), np.arange(N_LEVELS)


def _padding(stored_values: npt.NDArray[np.int64], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Tell for every stored value whether it stands for no measurement (PS3.3, C.7.5.1.1.2)."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(N_LEVELS, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    other = limit if isinstance(limit, int) else value
    return (stored_values >= min(value, other)) & (stored_values <= max(value, other))


def _from_voi_table(values: Values, dataset: Dataset) -> Grey | None:
    """Apply the first VOI table; its darkest entry is black and its brightest white.

    The number of bits that the table declares is often more than its entries use, and is not
    relied on.
    """
    if not dataset.get("VOILUTSequence"):
        return None
    entries, first, _ = dataset.VOILUTSequence[0].LUTDescriptor
    seen = apply_voi(np.round(values).astype(np.int64), dataset)
    table = apply_voi(first + np.arange(entries or N_LEVELS), dataset)
    return ramp(seen.astype(np.float64), float(table.min()), float(table.max()))


def _linear(values: Values, centre: float, width: float) -> Values:
    return (values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5


def _linear_exact(values: Values, centre: float, width: float) -> Values:
    return (values - centre) / width + 0.5


def _sigmoid(values: Values, centre: float, width: float) -> Values:
    return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))


# PS3.3, C.11.2.1.2 and C.11.2.1.3: share of the grey scale, to be clipped to 0 and 1.
WINDOWS: dict[str, Callable[[Values, float, float], Values]] = {
    "LINEAR": _linear,
    "LINEAR_EXACT": _linear_exact,
    "SIGMOID": _sigmoid,
}


def _from_window(values: Values, dataset: Dataset) -> Grey | None:
    """Apply the first window; one whose width the standard forbids counts as none."""
    centre, width = _first(dataset, "WindowCenter"), _first(dataset, "WindowWidth")
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if function not in WINDOWS:
        raise UnusableFilmError("unreadable", "unknown VOI LUT function")
    narrowest = 1 if function == "LINEAR" else 1e-6
    if centre is None or width is None or not width >= narrowest:
        return None
    return ramp(WINDOWS[function](values, centre, width), 0, 1)


def _first(dataset: Dataset, keyword: str) -> float | None:
    value = dataset.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    return None if value in (None, "") else float(value)


def _from_range(values: Values, counts: npt.NDArray[np.int64]) -> Grey:
    if not counts.any():
        return np.zeros(N_LEVELS, np.uint8)  # a film of padding only
    return ramp(values, *usual_range(values, counts))
