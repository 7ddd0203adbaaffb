"""A guess at the patient in the names of films."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

# Of a name without folders and suffix, the surest first: p17_2 and covid-patient3-pa; 00000001_000
# and 12_left; IM-0115-0001.
GUESSES = (
    r"(?:[^/]*[^/A-Za-z])?(?P<patient>(?i:patient|person|subject|pat|sub|pt|p)[-_]?\d+)"
    r"(?:[^/\d][^/]*)?",
    r"(?P<patient>[^/_-]*\d[^/_-]*)[-_][^/]+",
    r"(?P<patient>[^/]*\d[^/]*)[-_]\d+",
)
SHARE_THAT_FITS, SHARE_OF_SEVERAL = 0.9, 0.05
# A group of more films is no patient, but a series of numbers.
MOST_FILMS, MOST_SHARE = 10, 0.05
FEWEST_PATIENTS = 3  # of a finding: one for each subset


def guess_patients(stems: Sequence[str], findings: Sequence[str]) -> str:
    """Return the first regular expression by which names group films as patients do, or nothing.

    Parameters
    ----------
    stems
        Names of films, without folders and suffix.
    findings
        The finding of each.
    """
    for guess in GUESSES:
        matches = [re.fullmatch(guess, stem) for stem in stems]
        told = {
            number: match["patient"] for number, match in enumerate(matches) if match is not None
        }
        if len(told) >= SHARE_THAT_FITS * len(stems) and is_plausible(told, findings):
            return guess
    return ""


def is_plausible(patients: Mapping[int, str], findings: Sequence[str]) -> bool:
    """Tell whether groups of films may be patients.

    Some have several films and none has very many, and every finding has enough of them.

    Parameters
    ----------
    patients
        Number of a film: its patient.
    findings
        The finding of every film.
    """
    sizes = Counter(patients.values())
    n_of_several = sum(size for size in sizes.values() if size > 1)
    of_findings: dict[str, set[str]] = defaultdict(set)
    for number, patient in patients.items():
        of_findings[findings[number]].add(patient)
    return (
        n_of_several >= SHARE_OF_SEVERAL * len(patients)
        and max(sizes.values()) <= max(MOST_FILMS, MOST_SHARE * len(patients))
        and min(map(len, of_findings.values())) >= FEWEST_PATIENTS
    )
