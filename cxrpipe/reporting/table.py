"""Write the results table: one row a model, the majority baseline below, and notes."""

import argparse
import logging
from pathlib import Path

from cxrpipe.reporting.page.rendering import as_markdown
from cxrpipe.reporting.page.sections import closing_notes, describe_tasks
from cxrpipe.reporting.results import build_table
from cxrpipe.runtime import command, read_json, whole

log = logging.getLogger(__name__)


@command
def main() -> None:
    """Write the table of a run as CSV and as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True)
    parser.add_argument("--synthetic", type=int, choices=(0, 1), required=True)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    parser.add_argument("--markdown", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    metrics = read_json(arguments.metrics)
    summaries, localisations = (
        dict(zip(arguments.models, map(read_json, paths), strict=True))
        for paths in (arguments.summaries, arguments.localisations)
    )
    table = build_table(metrics, summaries, localisations)
    with whole(arguments.csv) as partial:
        table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    parts = [f"# {arguments.title}"]
    for section in describe_tasks(metrics, table, localisations):
        if len(metrics["tasks"]) > 1:
            parts.append(f"## {section.task}")
        parts += [as_markdown(section.scores), *section.notes, as_markdown(section.findings)]
        log.info(f"{section.task}: best on validation: {metrics['tasks'][section.task]['best']}")
    parts += closing_notes(bool(arguments.synthetic))
    with whole(arguments.markdown) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
