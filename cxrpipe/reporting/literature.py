"""Write the literature table: published scores beside this run's, marked as other data."""

import argparse
import json
import logging
from pathlib import Path

from cxrpipe.config import check
from cxrpipe.reporting import published
from cxrpipe.reporting.page.rendering import as_markdown
from cxrpipe.reporting.page.wording import say_count
from cxrpipe.runtime import RESEARCH_USE, command, read_json, whole
from cxrpipe.studies import Study

log = logging.getLogger(__name__)


@command
def main() -> None:
    """Write the literature table of a run as CSV and as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--studies", required=True, help="Study by name, as JSON")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    parser.add_argument("--markdown", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    studies = {
        name: check(Study, study, f"--studies: {name}")
        for name, study in json.loads(arguments.studies).items()
    }
    literature = published.build_literature(read_json(arguments.metrics), arguments.models, studies)
    with whole(arguments.csv) as partial:
        literature.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    parts = ["# Beside published scores"]
    if studies:
        parts.append(as_markdown(published.for_people(literature)))
        for heading, table in published.tables_by_finding(literature).items():
            parts += [heading, as_markdown(table)]
        parts += [f"- {said}" for said in published.describe_studies(literature)]
        parts += published.NOTES
    else:
        parts.append(published.NONE_NAMED)
    parts.append(RESEARCH_USE)
    with whole(arguments.markdown) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    log.info(say_count(len(studies), "published study", "published studies"))


if __name__ == "__main__":
    main()
