"""How much of a film is too dark or too bright to tell anything."""

from cxrpipe.data.films.film import Grey

DARK, BRIGHT = 0.1, 0.9  # shares of the scale: below the one and above the other nothing is told
MIDDLE = 0.7  # of both sides: the thorax without the air beside it


def measure_exposure(film: Grey) -> tuple[float, float]:
    """Return the shares of black and of white pixels in the middle of a film, each from 0 to 1.

    Black is the lowest tenth of the scale and white the highest, where a film tells nothing of the
    lungs. The middle is 0.7 of both sides: air beside the body is black on any film.
    """
    top, left = (round(side * (1 - MIDDLE) / 2) for side in film.shape)
    middle = film[top : film.shape[0] - top, left : film.shape[1] - left]
    return float((middle <= 255 * DARK).mean()), float((middle >= 255 * BRIGHT).mean())
