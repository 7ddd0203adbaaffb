"""All that is told of films by one representation: where they lie, what is near, what it tells."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from cxrpipe import tables
from cxrpipe.config import Latent
from cxrpipe.evaluation.judging.scores import known
from cxrpipe.explanation.latent.neighbours import find_neighbours, list_neighbours, tell_neighbours
from cxrpipe.explanation.latent.probe import tell_probe
from cxrpipe.explanation.latent.sample import Sample
from cxrpipe.explanation.latent.scatter import Scatter, find_umap, lay_tsne, lay_umap
from cxrpipe.explanation.latent.som import Map, organise
from cxrpipe.explanation.latent.space import Floats, Space, span
from cxrpipe.runtime import derive_seed

DECIMALS = 4  # of places in a plane some tens wide
TARGETS = ("finding", "source")


class Representation(NamedTuple):
    """What describes films: the features of a model at a stage, or their greys.

    Attributes
    ----------
    features, stage
        As ``tables.LAYOUT`` names them.
    values
        (n, d) float32.
    layer
        That takes them, if they are of a model.
    """

    features: str
    stage: str
    values: npt.NDArray[np.float32]
    layer: str = ""


class Planes(NamedTuple):
    """Where films lie; None where too few of them, or films all alike, cannot be laid out."""

    som: Map | None
    tsne: Scatter | None
    umap: Scatter | None

    def places(self) -> dict[str, Floats]:
        """Return (n, 2) of every method: x and y, of a map column and row of the cell."""
        scatters = {"tsne": self.tsne, "umap": self.umap}
        places = {
            name: scatter.places.round(DECIMALS) for name, scatter in scatters.items() if scatter
        }
        if self.som:
            places["som"] = np.column_stack([self.som.columns, self.som.rows]).astype(np.float64)
        return places


class Told(NamedTuple):
    """What is told of a representation.

    Attributes
    ----------
    layout, neighbours
        Rows as ``tables`` promises them.
    summary
        Its entry among the representations of latent.json.
    """

    layout: pd.DataFrame
    neighbours: pd.DataFrame
    summary: dict[str, Any]


def tell(representation: Representation, sample: Sample, settings: Latent, seed: int) -> Told:
    """Lay films out in every way, list their neighbours, and score what the features tell.

    It computes on one core: the same films give the same bytes however many there are.
    """
    with threadpool_limits(1):
        space = span(representation.values, standardise=bool(representation.stage))
        planes = lay_out(space, settings, seed)
        found, distances = find_neighbours(space, sample.groups, settings.neighbours)
        summary = {
            "features": representation.features,
            "stage": representation.stage,
            "layer": representation.layer,
            "dimensions": space.dimensions,
            "components": space.components.shape[1] if space.varies else 0,
            "variance": known(space.variance),
            **tell_planes(planes, settings.som),
            "neighbours": tell_neighbours(found, sample),
            "probe": {target: tell_probe(space, sample, target) for target in TARGETS},
        }
    named = {"features": representation.features, "stage": representation.stage}
    layout = list_places(planes.places(), sample, named)
    neighbours = list_neighbours(found, distances, sample.radiographs, named)
    return Told(layout, neighbours, summary)


def lay_out(space: Space, settings: Latent, seed: int) -> Planes:
    """Lay films out by every method; the same seed for all representations."""
    som, tsne, umap = (derive_seed(seed, method) for method in ("som", "tsne", "umap"))
    return Planes(
        organise(space, settings.som, som) if space.varies else None,
        lay_tsne(space, settings.perplexity, settings.neighbours, tsne),
        lay_umap(space, settings.neighbours, umap),
    )


def tell_planes(planes: Planes, side: int) -> dict[str, Any]:
    """Tell how true the planes are to the space; null where films could not be laid out."""
    som = planes.som
    told: dict[str, Any] = {
        "som": {
            "side": side,
            "quantisation_error": known(som.quantisation_error) if som else None,
            "relative_error": known(som.relative_error) if som else None,
            "topographic_error": known(som.topographic_error) if som else None,
        },
        "tsne": _tell_scatter(planes.tsne, "perplexity"),
    }
    has_umap = find_umap()[0] is not None
    return told | ({"umap": _tell_scatter(planes.umap, "neighbours")} if has_umap else {})


def _tell_scatter(scatter: Scatter | None, minded: str) -> dict[str, float | None]:
    if scatter is None:
        return {minded: None, "trustworthiness": None}
    return {minded: known(scatter.minded), "trustworthiness": known(scatter.trustworthiness)}


def list_places(
    places: Mapping[str, Floats], sample: Sample, named: Mapping[str, str]
) -> pd.DataFrame:
    """List where every film lies by every method, as ``tables.LAYOUT`` promises."""
    films = {
        "radiograph": sample.radiographs,
        "source": sample.sources,
        "finding": sample.findings,
        **named,
    }
    planes = [
        pd.DataFrame(films | {"method": method, "x": plane[:, 0], "y": plane[:, 1]})
        for method, plane in places.items()
    ]
    return join(planes, tables.LAYOUT)


def join(parts: Sequence[pd.DataFrame], contract: tables.Contract) -> pd.DataFrame:
    """Join the rows of a table; without any, its columns are those that it promises."""
    filled = [part for part in parts if len(part)]
    columns = list(contract.columns)
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def say(summary: Mapping[str, Any]) -> str:
    """Say in one line what linear probes read from a representation, beside chance."""
    probes = [
        f"{target} {probe['accuracy']['value']:.3f} (chance {probe['chance']:.3f})"
        for target, probe in summary["probe"].items()
        if probe["n"]
    ]
    named = " ".join(filter(None, (summary["features"], summary["stage"])))
    return (
        f"{named}: linear probes tell {', '.join(probes) or 'nothing: too few films, or all alike'}"
    )
