"""The file of a challenge: ``case,class``, a line for every film with the class that is named."""

import csv
from collections.abc import Sequence
from pathlib import Path

from cxrpipe.config import nearest
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError, whole

HEADER = ("case", "class")


def name_cases(films: Sequence[Path], whole_name: bool = False) -> list[str]:
    """Name the case of every film: the name of its file, without what tells the format.

    Parameters
    ----------
    whole_name
        With it.

    Raises
    ------
    UserError
        If two films have one name; names both. If a name is no text, which no file of a challenge
        can hold.
    """
    cases: dict[str, Path] = {}
    for film in films:
        case = film.name if whole_name or film.suffix.lower() not in SUFFIXES else film.stem
        if not is_text(case):
            raise UserError(f"{film}: its name is no UTF-8 text; rename it")
        if case in cases:
            told = f"{cases[case]} and {film} are both case '{case}'"
            raise UserError(f"{told}; name every case once, or give --suffix if that tells them")
        cases[case] = film
    return list(cases)


def is_text(name: str) -> bool:
    """Tell whether UTF-8 can hold a name; one whose bytes were none holds surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def name_classes(findings: Sequence[str], told: str = "") -> dict[str, str]:
    """Return the class that stands for each finding: its name, or what is told of it.

    Parameters
    ----------
    told
        As ``covid=COVID-19,normal=0``. Several findings may be one class.

    Raises
    ------
    UserError
        If it is not written so, or names what is no finding, or one twice.
    """
    classes: dict[str, str] = {}
    for pair in filter(None, told.split(",")):
        finding, _, name = map(str.strip, pair.partition("="))
        if finding not in findings:
            raise UserError(f"--names: no finding '{finding}'; {nearest(finding, findings)}")
        if not name:
            raise UserError(f"--names: '{pair}' gives no class; write {finding}=<class>")
        if finding in classes:
            raise UserError(f"--names: '{finding}' is named twice; give it one class")
        classes[finding] = name
    return {finding: classes.get(finding, finding) for finding in findings}


def write_submission(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    """Write case and class of every film; the file appears once it is read back the same."""
    with whole(path) as partial:
        with partial.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
        if read_submission(partial) != list(rows):
            raise RuntimeError(f"{partial} does not hold a row for every film")


def read_submission(path: Path) -> list[tuple[str, str]]:
    """Read case and class of every row."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[HEADER[0]], row[HEADER[1]]) for row in csv.DictReader(file)]
