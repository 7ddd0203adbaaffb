"""Tables made by hand: an index of films, pairs of duplicates."""

import pandas as pd

from cxrpipe import tables
from cxrpipe.data.index import number_copies


def index(*films):
    """Make an index of films (pixels, patient, findings, source "a", published "")."""
    rows = [(*film, *("a", "")[len(film) - 3 :]) for film in films]
    pixels, patients, findings, sources, published = zip(*rows, strict=True)
    table = pd.DataFrame("", range(len(films)), list(tables.INDEX.columns))
    numbers = {name: 1 for name, kind in tables.INDEX.columns.items() if kind != "str"}
    table = table.assign(**numbers, radiograph=pixels, patient=patients, findings=findings)
    table = table.assign(
        source=sources, published=published, file=[f"{n}.png" for n in table.index]
    )
    return number_copies(table).astype(tables.INDEX.columns)


def pairs(*rows):
    """Make a table of duplicates from rows (first, second, kind, score)."""
    columns = tables.DUPLICATES.columns
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def alone(finding, n, films=1, source="a", published=""):
    """Make ``n`` patients of a finding with so many films each, who are in this source alone."""
    name = f"{finding}-{source}{published}".replace("-", ".").replace("|", ".")
    return [
        (f"{name}{patient:03}{film:02}", f"{source}/{name}{patient}", finding, source, published)
        for patient in range(n)
        for film in range(films)
    ]
