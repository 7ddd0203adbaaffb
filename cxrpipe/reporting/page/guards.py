"""Which films the input guard of each model refuses, and how often without need."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Chapter, Table, Words
from cxrpipe.reporting.page.wording import say_list

TOLD = (
    "When a trained model is used (cxrpipe classify), its guard refuses what is no frontal chest "
    "radiograph, or not like the films that trained the model: by the limits of quality of the "
    "index, by its distance from the training films as a picture, and by what the network sees of "
    "it. The limits of the two distances were fixed on validation films, of which they may refuse "
    "{wanted}, more where these are few. All films below are radiographs of the run, which they "
    "should let through: those of validation fixed the limits, those of test did not. How many "
    "other pictures are let through is not measured here."
)
SUBSETS = ("validation", "test")


def tell_guards(guards: Mapping[str, Mapping[str, Any]]) -> Chapter:
    """Tell what the guards refuse of films that they should let through.

    Parameters
    ----------
    guards
        By model, as ``guard.json`` of its first fold.
    """
    wanted = dict.fromkeys(f"{100 * guard['wanted']:g}%" for guard in guards.values())
    words = Words([TOLD.format(wanted=say_list(wanted))])
    table = Table("Films refused without need", guard_table(guards), "models/*/fold-0/guard.json")
    return Chapter("Input guard", [words, table], place="guard")


def guard_table(guards: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return how many films of validation and test the guard of every model refuses."""
    rows = []
    for name, guard in guards.items():
        row = {"model": name}
        for subset in SUBSETS:
            row[subset] = say_refused(guard[subset])
        told = guard["test"]
        row |= {
            "as pictures": f"{told['as_pictures']:,}",
            "by features": f"{told['by_features']:,}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def say_refused(told: Mapping[str, int]) -> str:
    """Write how many films are refused: ``3 of 229 (1.3%)``."""
    share = f" ({told['refused'] / told['n']:.1%})" if told["n"] else ""
    return f"{told['refused']:,} of {told['n']:,}{share}"
