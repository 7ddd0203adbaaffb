"""What the columns of a table tell, by their names and by what stands in them."""

import re
from collections.abc import Collection, Sequence

import pandas as pd

from cxrpipe.beginning.layout import FINDING, MOST_FINDINGS, SUBSETS, VIEWS
from cxrpipe.beginning.patients import is_plausible
from cxrpipe.data.adapters.described import UNKNOWN
from cxrpipe.data.films.dicom_header import view_of

# Words that name a column, in the order in which they are looked for: the age of a patient is no
# patient.
WORDS = {
    "age": {"age"},
    "sex": {"sex", "gender"},
    "view": {"view", "projection", "position"},
    "patient": {"patient", "subject", "person", "patientid", "subjectid"},
    "finding": {
        *("finding", "findings", "diagnosis", "label", "labels", "class", "disease"),
        *("pathology", "category", "target", "dx"),
    },
}
CODED = {"label", "labels", "class", "target"}  # names of columns that may tell findings by numbers
MEASURED = {"width", "height", "size", "date", "time", "x", "y"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
IDENTIFIER = re.compile(r"(?=.*\d)[\w-]*(?:[A-Za-z][\w-]*|\d{4,})")
YES_OR_NO = {"0", "1", "0.0", "1.0", "-1", "-1.0"}
SHARE_FILLED = 0.5  # of the rows, of a column that tells findings


def words_of(column: str) -> set[str]:
    """Return the words of a column's name: ``Patient ID``, ``patient_id`` and ``patientId``."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column)
    return set(re.findall("[a-z]+", spaced.lower()))


def find_roles(table: pd.DataFrame, film: str) -> dict[str, str]:
    """Return which columns tell finding, patient, view, age and sex by their names.

    Parameters
    ----------
    film
        The column that names the films.
    """
    found: dict[str, list[str]] = {role: [] for role in WORDS}
    for column in map(str, table.columns.difference([film], sort=False)):
        words = words_of(column)
        role = next((role for role in WORDS if WORDS[role] & words), "")
        if role and _fits(role, words, known_of(table, column)):
            found[role].append(column)
    found["finding"].sort(key=lambda column: is_numeric(known_of(table, column)))
    return {role: columns[0] for role, columns in found.items() if columns}


def known_of(table: pd.DataFrame, column: str) -> list[str]:
    """List the different values of a column, without those that say that nothing is known."""
    return [value for value in table[column].unique() if value.lower() not in UNKNOWN]


def parts_of(labels: Sequence[str]) -> set[str]:
    """Return the findings of labels, which join several by ``|``."""
    return {part.strip() for label in labels for part in label.split("|")}


def is_numeric(values: Sequence[str]) -> bool:
    """Tell whether all values are numbers."""
    return all(map(NUMBER.fullmatch, values))


def _fits(role: str, words: set[str], known: Sequence[str]) -> bool:
    """Tell whether what stands in a column is what its name says."""
    if role == "view":
        return all(view_of(value) in VIEWS for value in known)
    if role != "finding":
        return bool(known)
    is_coded = is_numeric(known)
    return _are_findings(known) and (not is_coded or bool(words & CODED))


def _are_findings(known: Sequence[str]) -> bool:
    return 2 <= len(parts_of(known)) <= MOST_FINDINGS


def guess_finding(table: pd.DataFrame, taken: Collection[str]) -> str:
    """Return the column that tells findings by what stands in it, or nothing."""
    candidates = {}
    for column in table.columns.difference(list(taken), sort=False):
        known = known_of(table, column)
        is_filled = table[column].isin(known).mean() >= SHARE_FILLED
        others = is_numeric(known) or is_subset(known) or all(view_of(v) in VIEWS for v in known)
        if _are_findings(known) and is_filled and not others:
            candidates[column] = sum(bool(FINDING.search(part)) for part in parts_of(known))
    best = max(candidates, key=lambda column: candidates[column], default="")
    return best if candidates.get(best) else ""


def guess_patient(table: pd.DataFrame, taken: Collection[str], finding: str) -> str:
    """Return the column whose values group films as patients do, or nothing.

    Parameters
    ----------
    finding
        The column that tells findings; may be empty.
    """
    findings = list(table[finding]) if finding else [""] * len(table)
    for column in table.columns.difference(list(taken), sort=False):
        values = dict(enumerate(table[column]))
        are_names = all(map(IDENTIFIER.fullmatch, known_of(table, column)))
        if are_names and not MEASURED & words_of(column) and is_plausible(values, findings):
            return str(column)
    return ""


def is_subset(known: Sequence[str]) -> bool:
    """Tell whether values are names of subsets."""
    return bool(known) and all(value.lower() in SUBSETS for value in known)


def list_unread(table: pd.DataFrame) -> list[str]:
    """Say of columns what they tell that cannot be read of a column."""
    known = {column: known_of(table, column) for column in table.columns}
    answers = [column for column in known if known[column] and set(known[column]) <= YES_OR_NO]
    told = []
    if len(answers) > 1:
        told.append(
            f"columns {', '.join(answers[:3])} hold yes or no: one column has to tell the "
            "findings of a film, several joined by |"
        )
    for column, values in known.items():
        if is_subset(values):
            told.append(f"column {column} tells subsets: write their films to lists (films.lists)")
        strange = [value for value in values if view_of(value) not in VIEWS]
        if strange and WORDS["view"] & words_of(column):
            told.append(f"column {column}, with {strange[0]}: name its values in films.views")
    return told
