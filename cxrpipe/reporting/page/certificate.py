"""The certificate of the split as sentences and tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Bullets, Chapter, Table, Words

SOURCE = "leakage.json"
CONFLICTS_SHOWN = 50
REASONS = {
    "conflict": "a copy of the film stands under another finding",
    "copy": "has the same pixels as a film that stays",
    "truncated": "over the number of films that the recipe takes of a finding",
    "leak": "patient or copy of a film whose place in validation or test is fixed",
}
HANDLED = {
    "exclude": "every copy is left out, since nobody knows which finding is right",
    "first": "the copies that agree with the recipe's first source stay, the others are left out",
    "stop": "a run with a conflict stops",
}


def tell(certificate: Mapping[str, Any]) -> list[Chapter]:
    """Tell what is certified, what is not, and how copies and conflicts were handled."""
    conflicts = conflict_table(certificate)
    listed = [Table("Copies under two findings", conflicts, SOURCE, folded=True)]
    return [
        Chapter(
            "Certificate of the split",
            [
                Words([certified(certificate)]),
                Table("What subsets share", shared_table(certificate), SOURCE),
                Words(["Not certified:"]),
                Bullets(not_certified(certificate)),
            ],
        ),
        Chapter(
            "Copies found",
            [
                Table("Pairs of copies", copies_table(certificate), SOURCE),
                Words([conflict_note(certificate)]),
                *(listed if len(conflicts) else []),
            ],
        ),
        Chapter(
            "In the index, and not in the split",
            [Table("Films by reason", left_out_table(certificate), SOURCE)],
        ),
        Chapter(
            "Films of each collection, finding and subset",
            [Table("Films", film_table(certificate), SOURCE, sums=1)],
        ),
    ]


def certified(certificate: Mapping[str, Any]) -> str:
    """Say what is certified."""
    films = "no identical film"
    if certificate["near_searched"]:
        films = "no identical film, no known near copy"
    return (
        f"Certified by counting: no known patient, {films} stands in two subsets. "
        f"The split holds {certificate['radiographs']:,} radiographs in {certificate['groups']:,} "
        "groups of patients and copies; whole groups are dealt, the largest has "
        f"{certificate['largest_group']:,} radiographs."
    )


def not_certified(certificate: Mapping[str, Any]) -> Sequence[str]:
    """Say what is not certified, a sentence for each gap."""
    gaps = []
    if unknown := certificate["without_patient"]:
        gaps.append(
            f"For {unknown:,} of the {certificate['radiographs']:,} radiographs the patient is not "
            "known: different films of one such patient can stand in two subsets."
        )
    if len({row["source"] for row in certificate["films"]}) > 1:
        gaps.append("Patients of different collections are taken for different people.")
    if certificate["near_searched"]:
        gaps.append(
            "Near copies (another size, encoding or grey scale, a small crop or turn) were "
            "searched among thumbnails, and count as such from a score of "
            f"{certificate['near_score']:g} on. The recall of that search is measured, and not "
            "perfect: a copy that was changed much can stand in two subsets."
        )
    else:
        gaps.append(
            "Near copies (another size, encoding or grey scale, a crop) were not searched: subsets "
            "may share some."
        )
    return gaps


def conflict_note(certificate: Mapping[str, Any]) -> str:
    """Say how many copies stand under two findings, what became of them, how many are shown."""
    n = certificate["label_conflicts"]
    if not n:
        return "No pair of copies stands under two findings."
    handled = certificate["label_conflicts_handled"]
    shown = f"; the first {CONFLICTS_SHOWN} are shown" if n > CONFLICTS_SHOWN else ""
    found = f"Pairs of copies under two findings: {n:,}{shown}."
    return f"{found} Handled ({handled}): {HANDLED[handled]}."


def shared_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each pair of subsets shares; the fold is told where there are several."""
    shared = pd.DataFrame(certificate["shared"])
    table = pd.DataFrame(
        {
            "fold": shared["fold"],
            "subsets": shared["first"] + " and " + shared["second"],
            "shared patients": shared["patients"],
            "identical films": shared["exact"],
            "known near copies": shared["near"],
        }
    )
    return table if table["fold"].max() > 0 else table.drop(columns="fold")


def copies_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Return how many pairs of copies of each kind were found."""
    found = certificate["duplicates"]
    near = found["near"] if certificate["near_searched"] else "not searched"
    rows = {"exact: the same pixels": found["exact"], "near: the same exposure": near}
    return pd.DataFrame({"copies": rows.keys(), "pairs": rows.values()})


def left_out_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Return how many indexed films the split leaves out, by reason, with what it means."""
    rows = [
        {"reason": reason, "radiographs": n, "meaning": REASONS[reason]}
        for reason, n in certificate["left_out"].items()
    ]
    return pd.DataFrame(rows)


def conflict_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Return the first pairs of copies under two findings: files and findings of both."""
    rows = [
        {
            "kind": pair["kind"],
            "score": f"{pair['score']:.3f}",
            "file": pair["first_file"],
            "finding": pair["first_finding"],
            "other file": pair["second_file"],
            "other finding": pair["second_finding"],
        }
        for pair in certificate["conflicts"][:CONFLICTS_SHOWN]
    ]
    return pd.DataFrame(rows)


def film_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Return the films of each source and finding in every subset, with sums below."""
    films = pd.DataFrame(certificate["films"])
    sums = films.drop(columns=["source", "finding"]).sum()
    return pd.concat([films, pd.DataFrame([{"source": "all", "finding": ""} | sums.to_dict()])])
