"""The neighbourhoods in which films are measured."""

import numpy as np

from cxrpipe.data.films.film import Grey


def square(side: int) -> Grey:
    """Return a neighbourhood of (side, side) pixels."""
    return np.ones((side, side), np.uint8)


def odd(length: float) -> int:
    """Return the odd number of pixels, three at least, that is nearest to a length."""
    return max(3, 2 * round((length - 1) / 2) + 1)
