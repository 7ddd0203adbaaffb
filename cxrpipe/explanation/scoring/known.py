"""Where lesions and lungs lie on films, as far as that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.explanation.scoring.lungs import stand_in
from cxrpipe.explanation.scoring.pointing import Masks, list_focal, play


@dataclass(frozen=True)
class Extents:
    """How many pixels the masks of films have, by their radiograph; none has none.

    Attributes
    ----------
    side
        Of the films, in pixels.
    """

    side: int
    lesions: Mapping[str, int]
    lungs: Mapping[str, int]

    def with_lesions(self, films: pd.DataFrame) -> pd.DataFrame:
        """Return those of the films whose lesion is known."""
        return films[films["radiograph"].isin(set(self.lesions))]

    def list_focal(self, films: pd.DataFrame) -> list[str]:
        """Name the focal ones among the findings of films, by those whose lesions are known."""
        known, instead = self.with_lesions(films), int(stand_in(self.side).sum())
        sizes = [self.lesions[name] / self.lungs.get(name, instead) for name in known["radiograph"]]
        return list_focal(list(known["finding"]), np.array(sizes, dtype=np.float64))


@dataclass(frozen=True)
class Known:
    """Masks (side, side) of films by their radiograph, all of one side; none is empty."""

    side: int
    lesions: Mapping[str, Masks]
    lungs: Mapping[str, Masks]

    def lesions_of(self, films: pd.DataFrame) -> Masks:
        """Return the lesions (n, side, side) of films that all have them known."""
        return self._stack([self.lesions[radiograph] for radiograph in films["radiograph"]])

    def lungs_of(self, films: pd.DataFrame) -> Masks:
        """Return the lungs (n, side, side) of films, or what stands in for them."""
        instead = stand_in(self.side)
        return self._stack([self.lungs.get(name, instead) for name in films["radiograph"]])

    def stood_in(self, films: pd.DataFrame) -> pd.DataFrame:
        """Return the films with a column that tells whose lungs are a stand-in."""
        return films.assign(stand_in=~films["radiograph"].isin(set(self.lungs)))

    def play(self, films: pd.DataFrame, heatmaps: Heatmaps) -> pd.DataFrame:
        """Play the pointing game on films with known lesions; rows as ``tell_pointing`` wants."""
        played = play(heatmaps, self.lesions_of(films), self.lungs_of(films))
        return pd.concat([self.stood_in(films).reset_index(drop=True), played], axis=1)

    def _stack(self, masks: Sequence[Masks]) -> Masks:
        return np.array(masks, dtype=np.bool_).reshape(len(masks), self.side, self.side)
