"""The space that films lie in: their features, centred, in one unit, on their principal axes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from cxrpipe.preprocessing.radiograph import resample

SIDE = 64
COMPONENTS = 50  # that layouts start from (van der Maaten and Hinton, JMLR 2008, took 30)
ROUNDING = 1e-5  # of sums in float32: what varies by less, beside its size, is constant

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Space:
    """Films in the space of their features.

    Attributes
    ----------
    coordinates
        (n, min(n, d)) on all principal axes, around 0: distances are those of the features.
    dimensions
        d, the features that there are, also constant ones.
    features
        (n, d) float64, as they are.
    standardised
        Whether every feature was divided by its standard deviation.
    """

    coordinates: Floats
    dimensions: int
    features: Floats
    standardised: bool

    @property
    def varies(self) -> bool:
        """Whether any two films differ."""
        return bool(self.coordinates.size)

    @property
    def components(self) -> Floats:
        """(n, 2 to 50): the first axes, with a column of zeros if there is only one."""
        missing = max(0, 2 - self.coordinates.shape[1])
        return np.pad(self.coordinates[:, :COMPONENTS], ((0, 0), (0, missing)))

    @property
    def rest(self) -> Floats:
        """(n,): squared distance of every film from the first axes."""
        return np.asarray((self.coordinates[:, COMPONENTS:] ** 2).sum(axis=1))

    @property
    def variance(self) -> float:
        """Share of the variance that lies on the first axes, from 0 to 1; NaN if there is none."""
        if not self.varies:
            return float("nan")
        return float(1 - self.rest.sum() / (self.coordinates**2).sum())


class Scale(NamedTuple):
    """The centre and the unit of features.

    Attributes
    ----------
    varying
        (d,): which features are not constant.
    centre, unit
        Of those that are not.
    """

    varying: npt.NDArray[np.bool_]
    centre: Floats
    unit: Floats

    def place(self, features: Floats) -> Floats:
        """Return features (n, d) around the centre, in the unit, without the constant ones."""
        return np.asarray((features[:, self.varying] - self.centre) / self.unit)


def learn_scale(features: Floats, *, standardise: bool) -> Scale:
    """Learn the centre of features (n, d), and their standard deviations if these are the unit."""
    spread = features.std(axis=0)
    varying = spread > ROUNDING * np.abs(features).max(axis=0, initial=0)
    unit = spread[varying] if standardise else np.ones(int(varying.sum()))
    return Scale(varying, features.mean(axis=0)[varying], unit)


def span(features: npt.NDArray[np.floating], *, standardise: bool) -> Space:
    """Lay features (n, d) out on their principal axes.

    Parameters
    ----------
    standardise
        Divide every feature by its standard deviation over the films; those that are constant are
        left out. Greys have one unit already, and stay in it.
    """
    exact = features.astype(np.float64)
    placed = learn_scale(exact, standardise=standardise).place(exact)
    coordinates = PCA(svd_solver="full").fit_transform(placed) if placed.size else placed
    return Space(coordinates, features.shape[1], exact, standardise)


def shrink(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return films (n, side, side) as greys from 0 to 1 of 64 x 64 pixels: (n, 4096).

    A pixel is the mean over its area. Films that are smaller keep their side.
    """
    side = min(SIDE, grey.shape[-1])
    small = np.stack([resample(film, (side, side)) for film in grey])
    return (small.reshape(len(grey), -1) / 255).astype(np.float32)
