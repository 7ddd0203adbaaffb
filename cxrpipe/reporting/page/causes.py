"""Which measured causes are more frequent among the mistakes of a model than elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.reporting.drawing.mistakes import FILMS
from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.wording import (
    NOT_ESTIMABLE,
    say_count,
    say_interval,
    say_list,
    say_p,
    say_share,
)

Told = Mapping[str, Any]
SAID = (
    "Measured on every test film, without any model: a film has a cause if it is in the outermost "
    "tenth of all by that measure, is of that collection, or has a copy under another finding. A "
    "cause is more frequent among mistakes if its odds ratio is above 1 and its p, adjusted by "
    "Holm's method over the causes of a model, below {alpha:g}; films of a patient are not taken "
    "as independent, and causes of fewer than five patients are not tested. What is more frequent "
    "need not be the reason: films of one collection share much."
)
NO_MISTAKE = "{model} makes no mistake on {films}: no cause can be more frequent."
NOTHING_RIGHT = "{model} is wrong on every one of {films}: no cause can be more frequent."


def find_alpha(metrics: Told) -> float:
    """Return the adjusted p below which a cause is called more frequent."""
    return round(1 - float(metrics["bootstrap"]["level"]), 6)


def say_part(part: int, of: int) -> str:
    """Write a count beside what it is of: ``5 of 20 (25%)``."""
    return f"{part:,} of {of:,} ({say_share(part / of)})" if of else NOT_ESTIMABLE


def cause_table(causes: Told) -> pd.DataFrame:
    """Return every cause, how frequent it is among mistakes and right answers, and the test."""
    rows = [
        {
            "cause": cause["cause"],
            "what it is": cause["meaning"],
            "mistakes": say_part(cause["wrong_with"], cause["wrong"]),
            "right answers": say_part(cause["right_with"], cause["right"]),
            "odds ratio": say_interval(cause["odds_ratio"]),
            "p": say_p(cause["p"]),
            "adjusted p": say_p(cause["p_adjusted"]),
        }
        for cause in causes["causes"]
    ]
    return pd.DataFrame(rows)


def _named(causes: Sequence[Told], alpha: float, *, more: bool) -> list[str]:
    return [
        f"{cause['cause']} (odds ratio {say_interval(cause['odds_ratio'])}, adjusted p "
        f"{say_p(cause['p_adjusted'])})"
        for cause in causes
        if cause["p_adjusted"] is not None
        and cause["p_adjusted"] < alpha
        and is_more_frequent(cause) is more
    ]


def is_more_frequent(cause: Told) -> bool:
    """Tell whether the share of films with a cause is larger among mistakes; no test."""
    return bool(cause["wrong_with"] * cause["right"] > cause["right_with"] * cause["wrong"])


def sum_up_causes(model: str, causes: Told, alpha: float) -> str:
    """Say which causes are more frequent among the mistakes of a model, or that none is shown."""
    films = say_count(causes["n"], "test film")
    if not causes["n_wrong"]:
        return NO_MISTAKE.format(model=model, films=films)
    if causes["n_wrong"] == causes["n"]:
        return NOTHING_RIGHT.format(model=model, films=films)
    tested = [cause for cause in causes["causes"] if cause["p_adjusted"] is not None]
    if not tested:
        return f"No cause of the {causes['n_wrong']:,} mistakes of {model} could be tested."
    counted = f"the {say_count(causes['n_wrong'], 'mistake')} of {model} on {films}"
    more, rarer = (_named(tested, alpha, more=more) for more in (True, False))
    said = (
        f"More frequent among {counted} than among right answers: {say_list(more)}."
        if more
        else f"Of {say_count(len(tested), 'measured cause')} none is shown to be more frequent "
        f"among {counted} than among right answers."
    )
    return f"{said} Rarer: {say_list(rarer)}." if rarer else said


def say_drawn(causes: Told) -> list[str]:
    """Say how many mistakes of each finding are drawn, and how many the figure shows."""
    parts = [f"{readable(name)} {len(films)}" for name, films in causes["drawn"].items() if films]
    if not parts:
        return []
    most = max(len(films) for films in causes["drawn"].values())
    shown = f", of each of which the figure shows {FILMS} at most" if most > FILMS else ""
    return [f"Mistakes drawn by seed{shown}: {say_list(parts)}."]


def tell_causes(models: Mapping[str, Told], best: str, alpha: float) -> list[Block]:
    """Tell the causes of the mistakes of every model, the best first and open.

    Parameters
    ----------
    alpha
        Adjusted p below which a cause is called more frequent.
    """
    names = sorted(models, key=lambda name: name != best)
    summed = [sum_up_causes(name, models[name], alpha) for name in names]
    blocks: list[Block] = [Words([*summed, *say_drawn(models[best])])]
    for name in names:
        if models[name]["causes"] and models[name]["n_wrong"]:
            caption, where = f"Measured causes: {name}", f"errors/{name}/fold-0.json"
            shown = Table(caption, cause_table(models[name]), where, folded=name != best)
            blocks.append(shown)
    tables = len(blocks) > 1
    return [*blocks, Words([SAID.format(alpha=alpha)])] if tables else blocks
