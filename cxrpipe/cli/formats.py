"""How answers are written: for people, as CSV, or as a JSON object a line. One by one."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from cxrpipe.cli.main import printable
from cxrpipe.inference.answers import Answer, Refusal

Write = Callable[[Answer | Refusal], None]
Start = Callable[[Sequence[str], Sequence[Path], TextIO], Write]
WIDTHS = (30, 20, 6, 24)  # at most, of film, finding, probability and what is above its threshold


def table(findings: Sequence[str], films: Sequence[Path], out: TextIO) -> Write:
    """Write aligned lines that people read; refusals in their place."""
    names = sorted(map(len, ("finding", *findings)))
    needed = (max(len(str(film)) for film in films), names[-1], 6, sum(names[-2:]) + 2)
    widths = [max(5, min(pair)) for pair in zip(needed, WIDTHS, strict=True)]

    def line(film: str, *cells: str) -> None:
        """Write cells in their columns; the end of a long path is kept."""
        short = film if len(film) <= widths[0] else f"…{film[1 - widths[0] :]}"
        shown = map(printable, (short, *cells))
        padded = map(str.ljust, shown, (*widths, *[0] * len(cells)))
        out.write("  ".join(padded).rstrip() + "\n")

    line("film", "finding", " prob.", "above", "possible")
    return lambda answered: line(answered.film, *_cells(answered))


def _cells(answered: Answer | Refusal) -> list[str]:
    """Return likeliest finding, its probability, what is above and possible, and notes if any."""
    if isinstance(answered, Refusal):
        return [f"refused: {answered.reason}: {answered.detail}"]
    shares = answered.probabilities
    named = answered.finding or max(shares, key=lambda name: shares[name])
    possible = [name for name in answered.conformal if name in shares]
    notes = [f"{answered.agreement:.0%} agree"] if answered.agreement < 1 else []
    notes += [f"doubtful: {answered.doubt}"] if answered.doubt else []
    cells = [named, f"{shares[named]:>6.1%}", ", ".join(answered.above), ", ".join(possible)]
    return [cell or "-" for cell in cells] + notes


def as_csv(findings: Sequence[str], films: Sequence[Path], out: TextIO) -> Write:
    """Write a table with a column for the probability of each finding."""
    columns = ["film", "refused", "detail", "finding"]
    columns += [*(f"probability_{name}" for name in findings), "above", "possible"]
    columns += ["agreement", "doubt"]
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()

    def write(answered: Answer | Refusal) -> None:
        """Write one row."""
        if isinstance(answered, Refusal):
            row = {"film": answered.film, "refused": answered.reason, "detail": answered.detail}
            writer.writerow(row)
            return
        shares = {f"probability_{name}": f"{p:.6f}" for name, p in answered.probabilities.items()}
        told = {
            "film": answered.film,
            "finding": answered.finding,
            "above": "|".join(answered.above),
            "possible": "|".join(answered.conformal),
            "agreement": f"{answered.agreement:.3g}",
            "doubt": answered.doubt,
        }
        writer.writerow(told | shares)

    return write


def as_json(findings: Sequence[str], films: Sequence[Path], out: TextIO) -> Write:
    """Write an object a line; of films without an answer ``refused`` and ``detail``."""

    def write(answered: Answer | Refusal) -> None:
        """Write one line."""
        told = asdict(answered)
        if isinstance(answered, Refusal):
            told["refused"] = told.pop("reason")
        else:
            told["possible"] = told.pop("conformal")
        out.write(json.dumps(told) + "\n")

    return write


def say_refusal(refused: Refusal) -> str:
    """Say in a line which film has no answer, and why."""
    return printable(f"{refused.film}: {refused.reason}: {refused.detail}")


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, its cells under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


FORMATS: Mapping[str, Start] = {"table": table, "csv": as_csv, "json": as_json}
