"""Numbers as people read them; what is null is called not estimable, never NaN."""

from collections.abc import Iterable, Mapping
from typing import Any

NOT_ESTIMABLE = "not estimable"
NOT_KNOWN = "not known from these data"
SMALLEST_P = 0.001
WHY_NONE = (
    "(no interval) stands where there are fewer than 20 patients, where more than 5% of the "
    "bootstrap samples lack the score, as of a finding of a handful of patients, or where every "
    "sample gives the same score."
)

Estimate = Mapping[str, float | None]


def say_number(value: float | None, said: str = "{:.3f}") -> str:
    """Write a number, or that it cannot be estimated."""
    return NOT_ESTIMABLE if value is None else said.format(value)


def say_interval(estimate: Estimate) -> str:
    """Write an estimate: ``0.931 (0.912-0.948)``, with ``± sd`` over folds if there are several.

    Parameters
    ----------
    estimate
        ``value``, ``low`` and ``high``, any of which may be None; ``sd`` where there are folds.
    """
    if estimate["value"] is None:
        return NOT_ESTIMABLE
    said = say_number(estimate["value"])
    if estimate["low"] is not None and estimate["high"] is not None:
        said += f" ({estimate['low']:.3f}-{estimate['high']:.3f})"
    else:
        said += " (no interval)"
    sd = estimate.get("sd")
    return said if sd is None else f"{said} ± {sd:.3f}"


def say_difference(difference: Estimate) -> str:
    """Write the first minus the second: ``+0.012 (-0.003 to +0.027)``; the interval if known."""
    said = say_number(difference["difference"], "{:+.3f}")
    if difference["low"] is None or difference["high"] is None:
        return said
    return f"{said} ({difference['low']:+.3f} to {difference['high']:+.3f})"


def say_p(p: float | None) -> str:
    """Write a probability under the null hypothesis with three digits."""
    return "<0.001" if p is not None and p < SMALLEST_P else say_number(p)


def say_share(share: float | None) -> str:
    """Write a share as a percentage."""
    return say_number(share, "{:.0%}")


def say_percent(estimate: Estimate) -> str:
    """Write a share with its interval: ``75% (60%-88%)``."""
    if estimate["value"] is None:
        return NOT_ESTIMABLE
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['value']:.0%} (no interval)"
    return f"{estimate['value']:.0%} ({estimate['low']:.0%}-{estimate['high']:.0%})"


def say_list(names: Iterable[str]) -> str:
    """Join names as a sentence does: ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def say_count(n: int, one: str, several: str = "") -> str:
    """Write a count with its noun: ``1 film``, ``1,234 films``."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def every_null(values: Iterable[Any]) -> bool:
    """Tell whether nothing is known."""
    return all(value is None for value in values)
