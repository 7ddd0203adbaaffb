"""How answers are written: for people, as CSV, or as a JSON object a line. One by one."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TextIO

from cxrpipe.inference.answers import Answer, Refusal

Write = Callable[[Answer | Refusal], None]
WIDTH = 36  # of the column of films


def table(findings: Sequence[str], out: TextIO) -> Write:
    """Write lines that people read; refusals in their place."""
    said = max(len("finding"), *map(len, findings))
    out.write(f"{'film':<{WIDTH}}  {'finding':<{said}}  {'prob.':>6}  above; possible\n")

    def write(answered: Answer | Refusal) -> None:
        """Write one line."""
        film = shorten(answered.film)
        if isinstance(answered, Refusal):
            out.write(f"{film:<{WIDTH}}  refused: {answered.reason}: {answered.detail}\n")
            return
        sure = max(answered.probabilities, key=lambda name: answered.probabilities[name])
        named = answered.finding or sure
        told = f"{', '.join(answered.above) or '-'}; {', '.join(answered.conformal) or 'none'}"
        agreed = f"; {answered.agreement:.0%} agree" if answered.agreement < 1 else ""
        doubt = f"; doubtful: {answered.doubt}" if answered.doubt else ""
        share = answered.probabilities[named]
        out.write(f"{film:<{WIDTH}}  {named:<{said}}  {share:>6.1%}  {told}{agreed}{doubt}\n")

    return write


def as_csv(findings: Sequence[str], out: TextIO) -> Write:
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


def as_json(findings: Sequence[str], out: TextIO) -> Write:
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


def shorten(film: str) -> str:
    """Keep the end of a long path."""
    return film if len(film) <= WIDTH else f"…{film[1 - WIDTH :]}"


FORMATS: Mapping[str, Callable[[Sequence[str], TextIO], Write]] = {
    "table": table,
    "csv": as_csv,
    "json": as_json,
}
