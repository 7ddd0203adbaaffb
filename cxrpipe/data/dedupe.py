"""Find films that are in the collections more than once."""

import argparse
import logging
from pathlib import Path

import pandas as pd

from cxrpipe import tables
from cxrpipe.data.film import pixels_of
from cxrpipe.runtime import command

log = logging.getLogger(__name__)


def find_exact(index: pd.DataFrame) -> pd.DataFrame:
    """Pair every film with the first film that has the same decoded pixels and shape.

    Returns
    -------
    As ``tables.DUPLICATES`` promises, with kind ``exact`` and score 1; rows in the index's order.
    """
    first = index.groupby(pixels_of(index["radiograph"]))["radiograph"].transform("first")
    copies = index["radiograph"] != first
    return pd.DataFrame(
        {
            "first": first[copies],
            "second": index.loc[copies, "radiograph"],
            "kind": "exact",
            "score": 1.0,
        }
    )


@command
def main() -> None:
    """List the duplicates of an index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    duplicates = find_exact(tables.read(arguments.index, tables.INDEX))
    tables.write(duplicates, arguments.duplicates, tables.DUPLICATES)
    log.info(f"{len(duplicates):,} films are exact copies of another")


if __name__ == "__main__":
    main()
