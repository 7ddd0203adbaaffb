"""What a film may have that misleads a model, by measurement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxrpipe.data.splitting.groups import join_copies
from cxrpipe.explanation.mistakes.association import Bools
from cxrpipe.runtime import UserError

TENTH = 0.1  # of all test films: those that have most of a measure
FEWEST_FILMS = 20  # of a source that counts as a cause
COPY = "copy under another finding"
SOURCE = "source: "


class Kind(NamedTuple):
    """A measure, on which side of its films are unusual, and in words."""

    measure: str
    side: str
    meaning: str


KINDS = {
    "tint": Kind("tint", "over", "share of pixels in colours that do not follow from their grey"),
    "dark": Kind("dark", "over", "black share of the film's middle"),
    "bright": Kind("bright", "over", "white share of the film's middle"),
    "low contrast": Kind("contrast", "below", "spread of the greys"),
    "crop": Kind("crop", "over", "share of a lung's depth that is cut open by a border"),
    "text": Kind("text", "over", "share of the film under burned-in letters"),
    "devices": Kind("devices", "over", "share of the film under wires and tubes"),
}


@dataclass(frozen=True)
class Cause:
    """A cause.

    Attributes
    ----------
    limit
        Of its measure; None if it has none.
    has
        (n,) whether each film has it.
    """

    name: str
    meaning: str
    limit: float | None
    has: Bools


def list_causes(
    films: pd.DataFrame, measures: pd.DataFrame, contradicted: set[str], n_left_out: int
) -> list[Cause]:
    """List the causes that are looked for, and which films have each.

    Parameters
    ----------
    films
        Test films of a task, with ``radiograph`` and ``source``.
    measures
        As ``tables.MEASURES`` promises, of all test films of the run: the limits are those of all
        films, so that they are the same for every model.
    contradicted
        Films of which a copy stands under another finding.
    n_left_out
        Films that were left out for that before.

    Raises
    ------
    UserError
        If a film was not measured; names it.
    """
    unknown = sorted(set(films["radiograph"]) - set(measures["radiograph"]))
    if unknown:
        raise UserError(f"measures.csv lacks radiograph {unknown[0]}; measure anew")
    of_films = measures.set_index("radiograph").loc[films["radiograph"]]
    found = [_find_unusual(name, measures, of_films) for name in KINDS]
    meaning = f"a copy of the film has another finding; {n_left_out:,} were left out for it"
    has_copy = films["radiograph"].isin(contradicted).to_numpy(dtype=np.bool_)
    return [*found, Cause(COPY, meaning, None, has_copy), *_list_sources(films["source"])]


def _find_unusual(name: str, measures: pd.DataFrame, of_films: pd.DataFrame) -> Cause:
    """Find the films that have more (or less) of a measure than nine in ten test films.

    Where nine in ten have nothing of it, those with anything.
    """
    kind = KINDS[name]
    low = kind.side == "below"
    values = measures[kind.measure].to_numpy()
    limit = float(np.quantile(values, TENTH if low else 1 - TENTH)) if len(values) else 0.0
    of_each = of_films[kind.measure].to_numpy()
    has = of_each < limit if low else of_each > limit
    where = f"{'lowest' if low else 'highest'} tenth" if limit else "any"
    meaning = f"{kind.meaning} {kind.side} {limit:.3g} ({where})"
    return Cause(name, meaning, limit, np.asarray(has, dtype=np.bool_))


def _list_sources(sources: "pd.Series[str]") -> list[Cause]:
    """List the collections as causes, if there are several; those with a few films are not.

    Of two, one against the other is a single question, and counts once where p is adjusted.
    """
    counts = sources.value_counts()
    enough = [name for name in pd.unique(sources) if counts[name] >= FEWEST_FILMS]
    titles = {name: (name, "films of this collection") for name in enough if len(counts) > 1}
    if len(counts) == len(titles) == 2:
        first, second = titles
        titles = {first: (f"{first} against {second}", "films of the first of two collections")}
    return [
        Cause(f"{SOURCE}{title}", meaning, None, (sources == name).to_numpy())
        for name, (title, meaning) in titles.items()
    ]


def find_contradicted(index: pd.DataFrame, duplicates: pd.DataFrame) -> set[str]:
    """Return the films of which a copy, directly or by way of others, has another finding.

    Parameters
    ----------
    index, duplicates
        As ``tables.INDEX`` and ``tables.DUPLICATES`` promise.
    """
    copies = index.groupby(join_copies(index, duplicates).to_numpy())["findings"]
    return set(index.loc[(copies.transform("nunique") > 1).to_numpy(), "radiograph"])


def name_causes(causes: Sequence[Cause], n: int) -> list[str]:
    """Join the names of each film's causes by ``|``; its source, which every film has, is not."""
    named: Mapping[str, Bools] = {
        cause.name: cause.has for cause in causes if not cause.name.startswith(SOURCE)
    }
    return ["|".join(name for name, has in named.items() if has[film]) for film in range(n)]
