"""The CLAIM checklist of a run, answered as far as the run itself knows.

Items and their numbers are those of the 2024 update: Tejani et al., Radiology: Artificial
Intelligence 2024;6(4):e240300 (doi:10.1148/ryai.240300), of Mongan, Moy and Kahn 2020.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from cxrpipe.reporting.page.blocks import Chapter, Table, Words
from cxrpipe.reporting.page.facts import Facts
from cxrpipe.reporting.page.wording import NOT_KNOWN

SAID = (
    "CLAIM, the checklist for artificial intelligence in medical imaging, in its update of 2024 "
    "(Tejani et al., doi:10.1148/ryai.240300). What an item asks is said here in other words. "
    "{n} of {total} items are answered from the files of this run; the others are for the people "
    "who write about it."
)


def read_items() -> list[dict[str, Any]]:
    """Read the items: ``number``, ``section``, ``asks`` and, where a run knows it, ``answer``."""
    text = (files("cxrpipe.reporting.page") / "claim.yaml").read_text(encoding="utf-8")
    items: list[dict[str, Any]] = yaml.safe_load(text)
    return items


def answer(item: Mapping[str, Any], facts: Facts) -> str:
    """Answer an item; not known if it needs a fact that is not known."""
    if "answer" not in item:
        return NOT_KNOWN
    needed = {key: fact for key, fact in facts.items() if f"{{{key}}}" in item["answer"]}
    if any(fact is None for fact in needed.values()):
        return NOT_KNOWN
    said: str = item["answer"].format(**needed)
    return " ".join(said.split())


def claim_table(items: Sequence[Mapping[str, Any]], facts: Facts) -> pd.DataFrame:
    """Return the checklist, a row an item."""
    rows = [
        {
            "item": item["number"],
            "section": item["section"],
            "asks": item["asks"],
            "answer": answer(item, facts),
        }
        for item in items
    ]
    return pd.DataFrame(rows)


def tell_claim(facts: Facts) -> Chapter:
    """Fill the checklist."""
    table = claim_table(read_items(), facts)
    n = int((table["answer"] != NOT_KNOWN).sum())
    said = Words([SAID.format(n=n, total=len(table))])
    shown = Table("CLAIM 2024", table, "the files that the chapters above name")
    return Chapter("CLAIM checklist", [said, shown], place="claim")
