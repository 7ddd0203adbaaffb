"""What a user's folder of films tells: findings, subsets, patients, sizes; seen or guessed."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cxrpipe.beginning.describing import describe, read_films
from cxrpipe.beginning.folder import Folder, list_folder, stem_of
from cxrpipe.beginning.layout import Layout, read_layout
from cxrpipe.beginning.patients import FEWEST_PATIENTS, guess_patients
from cxrpipe.beginning.sample import Sample, look_at_some
from cxrpipe.beginning.sheet import Sheet, find_sheet
from cxrpipe.catalogue import Films
from cxrpipe.data.adapters.described import Described, Dropped
from cxrpipe.data.adapters.labels import refuse_ambiguous_labels, translate
from cxrpipe.runtime import UserError

NORMAL = re.compile(r"normal|healthy|no_findings?|controls?|negative")


@dataclass(frozen=True)
class Look:
    """What was seen of a folder.

    Attributes
    ----------
    settings
        How the index is to read its films.
    described, dropped
        The films that it then reads, and those that it does not, with the reason.
    is_patient_guessed
        Whether the patients were guessed from the names of films.
    """

    folder: Folder
    layout: Layout
    sheet: Sheet | None
    sample: Sample
    settings: Films
    described: list[Described]
    dropped: Dropped
    is_patient_guessed: bool

    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        """The findings of every film, none, one or several, as the index translates its label."""
        return [translate(label, {}) if label else () for label in map(_label, self.described)]

    @cached_property
    def groups(self) -> dict[str, Counter[str]]:
        """Of every finding, a normal one first, its patients with their films of it alone.

        A film whose patient nothing tells counts as a patient.
        """
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for film, findings in zip(self.described, self.labels, strict=True):
            if len(findings) == 1:
                found[findings[0]][film.told.get("patient", "") or film.file] += 1
        order = sorted(found, key=lambda finding: (not NORMAL.fullmatch(finding), finding))
        return {finding: found[finding] for finding in order}

    @property
    def counts(self) -> dict[str, int]:
        """Films of every finding that has enough patients for all subsets."""
        groups = self.groups.items()
        return {finding: of.total() for finding, of in groups if len(of) >= FEWEST_PATIENTS}

    @property
    def rare(self) -> list[str]:
        """The findings that have not."""
        return [finding for finding in self.groups if finding not in self.counts]

    @property
    def subsets(self) -> Counter[str]:
        """Films of each published subset."""
        return Counter(told for film in self.described if (told := film.told.get("published", "")))

    @property
    def is_published(self) -> bool:
        """Whether a test set is published, which is then kept."""
        return "test" in self.subsets


def _label(film: Described) -> str:
    return film.told.get("finding", "")


def look(path: Path) -> Look:
    """Look at a folder of films: at its names, its tables, and the headers of some films.

    Raises
    ------
    UserError
        If it is no folder, holds no film, or nothing tells two findings of them.
    """
    folder = list_folder(path)
    layout = read_layout(folder.films)
    sheet = _choose_sheet(layout, find_sheet(folder), path)
    sample = look_at_some(folder.path, folder.films)
    if sample.n_named or (sheet and sheet.table.patient):
        layout = layout.without("patient")
    settings = describe(folder, layout, sheet, "")
    seen = Look(folder, layout, sheet, sample, settings, *read_films(folder, settings), False)
    _refuse_one_finding(seen)
    is_told = "patient" in layout.roles or (sheet and sheet.table.patient) or sample.n_named
    guessed = None if is_told else _guess_patients(seen)
    return guessed or seen


def _choose_sheet(layout: Layout, sheet: Sheet | None, path: Path) -> Sheet | None:
    """Let a table tell the findings if a column is called so, else folders, else the table.

    Returns
    -------
    The table with the columns that are to be read, or None.
    """
    by_folder, by_table = "finding" in layout.roles, bool(sheet and sheet.table.finding)
    if by_table and not (by_folder and sheet and "finding" in sheet.guessed):
        return sheet
    if not by_folder:
        why = f" ({sheet.unread[0]})" if sheet and sheet.unread else ""
        raise UserError(
            f"{path}: nothing tells the findings of its films{why}; put them into a folder for "
            "each finding, or add a table (CSV, Excel) that names films and their findings"
        )
    if sheet and (sheet.table.patient or sheet.named == 1):
        table = sheet.table.model_copy(update={"finding": ""})
        return replace(sheet, table=table)
    return None


def _guess_patients(seen: Look) -> Look | None:
    """Return the look with patients guessed from the names of films, or None.

    Numbers that begin anew in every subset are none of patients: most would stand in two.
    """
    stems = [stem_of(film.file) for film in seen.described]
    guess = guess_patients(stems, [_label(film) for film in seen.described])
    if not guess:
        return None
    settings = describe(seen.folder, seen.layout, seen.sheet, guess)
    films = read_films(seen.folder, settings)
    guessed = replace(
        seen, settings=settings, described=films[0], dropped=films[1], is_patient_guessed=True
    )
    of: dict[str, set[str]] = defaultdict(set)
    for film in guessed.described:
        of[film.told.get("published", "")].add(film.told.get("patient", ""))
    return None if len(of["test"] & of["train"]) > len(of["test"]) / 2 else guessed


def _refuse_one_finding(seen: Look) -> None:
    """Raise a UserError unless the films show two findings that can be told apart."""
    path = seen.folder.path
    try:
        refuse_ambiguous_labels({_label(film) for film in seen.described}, str(path))
    except UserError as error:
        said = str(error).partition(";")[0]
        raise UserError(f"{said}; rename one of the two in the folder or its table") from error
    if len(seen.counts) < 2:
        found = (
            ", ".join(f"{of.total()} {name}" for name, of in seen.groups.items()) or "no finding"
        )
        raise UserError(
            f"{path}: films show {found}; a classifier needs two findings with films of "
            f"{FEWEST_PATIENTS} patients each: add a folder of others, such as normal"
        )
