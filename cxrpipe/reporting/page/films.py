"""The films of a run: collections, who is in which subset, and what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe import tables
from cxrpipe.reporting.page import certificate
from cxrpipe.reporting.page.blocks import Block, Chapter, Picture, Pictures, Table, Words
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.wording import NOT_KNOWN

AT_A_GLANCE = ("classes", "sources")
FOLDED_AWAY = "Samples, sizes, ages, quality, augmentation, copies side by side"
EVERYONE = "all"


def collection_table(sources: Mapping[str, Mapping[str, Any]], split: pd.DataFrame) -> pd.DataFrame:
    """Return how many films of each source stand in the split, with its licence and citation."""
    counts = split["source"].value_counts()
    rows = [
        {"source": name, "radiographs": counts[name]}
        | {key: described[key] for key in ("title", "licence", "citation")}
        for name, described in sources.items()
        if name in counts
    ]
    return pd.DataFrame(rows)


def excluded_table(excluded: pd.DataFrame) -> pd.DataFrame:
    """Return how many files were not indexed, by source and reason."""
    counted = excluded.groupby(["source", "reason"]).agg(
        files=("file", "size"), example=("detail", "first")
    )
    return counted.reset_index()


def patient_table(films: pd.DataFrame) -> pd.DataFrame:
    """Return who is in each subset: films, known patients, age, sex and view.

    Parameters
    ----------
    films
        With ``subset``, ``patient``, ``age`` in years, ``sex`` and ``view``.
    """
    parts = [(subset, films[films["subset"] == subset]) for subset in tables.SUBSETS]
    rows = [
        {
            "subset": name,
            "films": len(part),
            "known patients": count_patients(part["patient"]),
            "age in years, median (quartiles)": say_ages(part["age"]),
            "films of women": say_part(part["sex"], "F"),
            "films of men": say_part(part["sex"], "M"),
            "PA": say_part(part["view"], "PA"),
            "AP": say_part(part["view"], "AP"),
        }
        for name, part in [*parts, (EVERYONE, films)]
    ]
    return pd.DataFrame(rows)


def count_patients(patients: "pd.Series[str]") -> int:
    """Count the known patients of films; a film of several, joined by ``|``, has them all."""
    return len(set(patients.str.split("|").explode()) - {""})


def say_ages(ages: "pd.Series[float]") -> str:
    """Write median and quartiles of the known ages, and of how many films they are known."""
    known = ages.dropna()
    if known.empty:
        return NOT_KNOWN
    lower, middle, upper = known.quantile([0.25, 0.5, 0.75])
    said = f"{middle:.0f} ({lower:.0f}-{upper:.0f})"
    return said if len(known) == len(ages) else f"{said}, known of {len(known):,}"


def say_part(values: "pd.Series[str]", wanted: str) -> str:
    """Write how many films have a value, as a share of those of which it is known."""
    known = values[values != ""]
    if known.empty:
        return NOT_KNOWN
    n = int((known == wanted).sum())
    said = f"{n:,} ({n / len(known):.0%})"
    return said if len(known) == len(values) else f"{said} of {len(known):,} known"


def tell_films(run: Run, exploration: Sequence[Picture]) -> Chapter:
    """Tell where the films come from, who is in which subset, and how the split is certified."""
    glance = [picture for picture in exploration if picture.name in AT_A_GLANCE]
    others = [picture for picture in exploration if picture.name not in AT_A_GLANCE]
    unread = excluded_table(run.excluded)
    blocks: list[Block] = [
        Table(
            "Collections",
            collection_table(run.sources, run.split),
            "split.csv; licences and citations: config/sources.yaml",
        ),
        Table("Who is in each subset", patient_table(run.films), "index.csv, split.csv", sums=1),
        Pictures(glance),
    ]
    seen: Block = (
        Words(["Every file that was seen is in the index."])
        if unread.empty
        else Table("Files by reason", unread, "excluded.csv")
    )
    parts = [Chapter("Seen, and not in the index", [seen])]
    parts += certificate.tell(run.certificate)
    parts.append(Chapter("Exploration", [Pictures(others, FOLDED_AWAY)]))
    return Chapter("Data and certificate", blocks, parts, "data")
