"""Write the ablation table: what each point of the recipe's grid scores, all else equal."""

import argparse
import json
import logging
from pathlib import Path

from cxrpipe.reporting.grid import NOTES, build_grid, for_people
from cxrpipe.reporting.page.rendering import as_markdown
from cxrpipe.runtime import command, read_json, whole

log = logging.getLogger(__name__)


@command
def main() -> None:
    """Write the ablation table of a run as CSV and as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--points", required=True, help="settings of each model, as JSON")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    parser.add_argument("--markdown", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    metrics, points = read_json(arguments.metrics), json.loads(arguments.points)
    grid = build_grid(metrics, arguments.models, points)
    with whole(arguments.csv) as partial:
        grid.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    parts = ["# Ablation", as_markdown(for_people(grid)), *NOTES]
    with whole(arguments.markdown) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    log.info(f"{len(grid)} points of {int(grid['n_runs'].sum())} runs")


if __name__ == "__main__":
    main()
