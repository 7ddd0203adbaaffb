"""What the folders of a collection tell: finding, published subset, view, patient."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from cxrpipe.catalogue import Subset
from cxrpipe.data.films.dicom_header import view_of

SUBSETS: dict[str, Subset] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
VIEWS = ("PA", "AP", "lateral", "oblique")
MOST_FINDINGS = 30
# What findings are called where nothing else tells which level of folders they are.
FINDING = re.compile(
    r"(?i)normal|healthy|control|finding|covid|pneumon|tubercul|opaci|effusion|nodule|edema|"
    r"cardiomegaly|atelect|pneumothorax|disease|positive|negative|(?:^|[^a-z])tb(?:$|[^a-z])"
)
FILMS_OF_A_NUMBERED_FINDING = 20  # patient1, patient2, ... hold fewer films than class1, class2


@dataclass(frozen=True)
class Layout:
    """The levels of folders above most of the films, from the outermost one.

    Attributes
    ----------
    levels
        Of each level: folder to number of films below.
    roles
        What each level tells: ``subset``, ``view``, ``finding``, ``patient`` or nothing.
    is_sure
        Whether no other level could be that of the findings, or words on it are names of findings.
    """

    levels: tuple[Counter[str], ...]
    roles: tuple[str, ...]
    is_sure: bool

    def names(self, role: str) -> list[str]:
        """Return the folders that have a role."""
        return sorted(self.levels[self.roles.index(role)]) if role in self.roles else []

    def without(self, role: str) -> Self:
        """Return the layout without a role, which something else tells better."""
        return replace(self, roles=tuple("" if role == own else own for own in self.roles))


def read_layout(films: Sequence[str]) -> Layout:
    """Tell what each level of folders means, by the names on it."""
    depths = Counter(film.count("/") for film in films)
    depth = max(depths, key=lambda depth: (depths[depth], -depth))
    folders = [film.split("/")[:-1] for film in films if film.count("/") == depth]
    levels = tuple(Counter(names) for names in zip(*folders, strict=True))
    roles = [_certain_role(level) for level in levels]
    candidates = [n for n, level in enumerate(levels) if not roles[n] and may_be_findings(level)]
    chosen = max(candidates, key=lambda n: (_n_known(levels[n]) > 0, n), default=None)
    if chosen is not None:
        roles[chosen] = "finding"
    roles = [_patient_or(role, level) for role, level in zip(roles, levels, strict=True)]
    first_alone = tuple("" if role in roles[:n] else role for n, role in enumerate(roles))
    is_sure = chosen is not None and (len(candidates) == 1 or _n_known(levels[chosen]) > 0)
    return Layout(levels, first_alone, is_sure and not is_numbered(levels[chosen or 0]))


def _patient_or(role: str, level: Counter[str]) -> str:
    """Return the role of a level, which is patient if it has none and may be of patients."""
    return role or ("patient" if may_be_patients(level) else "")


def _certain_role(level: Counter[str]) -> str:
    """Return the role that the words of a level leave no doubt of."""
    if len(level) > 1 and all(name.lower() in SUBSETS for name in level):
        return "subset"
    return "view" if all(_is_view(name) for name in level) else ""


def _is_view(name: str) -> bool:
    return len(name) > 1 and name.isalpha() and view_of(name) in VIEWS


def may_be_findings(level: Counter[str]) -> bool:
    """Tell whether the folders of a level may be findings: few, and not a numbered row of them."""
    few_films = level.total() < FILMS_OF_A_NUMBERED_FINDING * len(level)
    return 2 <= len(level) <= MOST_FINDINGS and not (is_numbered(level) and few_films)


def may_be_patients(level: Counter[str]) -> bool:
    """Tell whether the folders of a level may be patients: a numbered row, or very many."""
    return len(level) > MOST_FINDINGS or is_numbered(level)


def is_numbered(level: Counter[str]) -> bool:
    """Tell whether folders differ by their numbers alone."""
    return len(level) > 1 and len({re.sub(r"\d+", "", name) for name in level}) == 1


def _n_known(level: Counter[str]) -> int:
    return sum(bool(FINDING.search(name)) for name in level)


def folder_pattern(layout: Layout) -> str:
    """Return the regular expression of the folders above a film, with a group for each role."""
    return "".join(
        f"{_level_pattern(level, role)}/"
        for level, role in zip(layout.levels, layout.roles, strict=True)
    )


def _level_pattern(level: Counter[str], role: str) -> str:
    listed = "|".join(map(escape, sorted(level)))
    if role in ("subset", "view"):
        return f"(?P<{role}>{listed})"
    if role:
        return f"(?P<{role}>[^/]+)"
    return listed if len(level) == 1 else "[^/]+"


def escape(text: str) -> str:
    """Return the regular expression of a text, readable where it can be."""
    return re.sub(r"\\([-\s&~#])", r"\1", re.escape(text))
