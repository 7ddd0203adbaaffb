"""Pictures that move chosen filters of a network most, before and after training."""

import numpy as np
from matplotlib.figure import Figure

from cxrpipe.explanation.excited import Excited
from cxrpipe.reporting.drawing.explained import Explained
from cxrpipe.reporting.drawing.photos import Photo, Row, draw_sheet
from cxrpipe.reporting.drawing.style import draw_nothing

IN_ROW = 8  # filters of a layer
SIDE = 1.2  # inches of a picture


def draw_filters(explained: Explained) -> Figure:
    """Draw for each layer of the best model pictures of its filters before and after training."""
    filters = explained.filters
    if not len(filters.layer):
        return draw_nothing(f"No filter of {explained.best} was chosen.")
    sheet = [row for layer in dict.fromkeys(filters.layer) for row in _rows(filters, layer)]
    said = (
        f"{explained.best}: pictures found by ascent that move a filter most, of the filters "
        f"that training changed most, layers shallow to deep. Before: {filters.before}. Below a "
        "picture: how much the filter is moved."
    )
    return draw_sheet(sheet, SIDE, said)


def _rows(filters: Excited, layer: str) -> list[Row]:
    of_layer = np.flatnonzero(np.array(filters.layer) == layer)
    places = of_layer[:IN_ROW]
    counted = f"{len(places)} of {len(of_layer)} filters"
    return [
        Row(
            [
                Photo(
                    filters.pictures[place, stage],
                    f"filter {filters.channel[place]}" if stage == 0 else "",
                    f"{filters.activations[place, stage]:.3g}",
                )
                for place in places
            ],
            f"{layer}, {when}: {counted}",
        )
        for stage, when in enumerate(("before training", "after training"))
    ]
