"""Write the report: one page that holds everything and needs nothing else to be read.

Every number in it is read from a file of the run, which stands below it. The files of the numbers
in its text and tables are listed with their checksums under provenance; a figure names below it
those that it draws. ``--index`` tells who is in each subset, ``--summaries`` what
the models are, ``--checksums`` which films they learnt from. ``--curves`` is not read for the page:
its checksum is listed since figures were drawn from it. Where the run comes from is read from
``provenance.json``.
"""

import argparse
import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxrpipe import tables
from cxrpipe.reporting import grid, published
from cxrpipe.reporting.page import chapters
from cxrpipe.reporting.page.blocks import Chapter
from cxrpipe.reporting.page.card import tell_card
from cxrpipe.reporting.page.claim import tell_claim
from cxrpipe.reporting.page.facts import gather_facts
from cxrpipe.reporting.page.films import tell_films
from cxrpipe.reporting.page.provenance import checksum, tell_provenance
from cxrpipe.reporting.page.rendering import read_captions, render, show
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.results import read_table
from cxrpipe.runtime import RESEARCH_USE, command, read_json, whole

NUMBERS = ["metrics", "curves", "table", "ablation", "literature"]
NUMBERS += ["leakage", "index", "split", "excluded"]
NUMBERS_OF_EACH = ("summaries", "timings", "localisations", "causes", "guards", "latents")
log = logging.getLogger(__name__)


def read_each(names: Iterable[str], files: Iterable[Path]) -> Mapping[str, Mapping[str, Any]]:
    """Read a JSON file of every model, or of every task."""
    return dict(zip(names, map(read_json, files), strict=True))


def read_run(arguments: argparse.Namespace) -> Run:
    """Read what the page is told of a run."""
    models = arguments.models
    return Run(
        name=arguments.run,
        recipe=json.loads(arguments.recipe),
        sources=json.loads(arguments.sources),
        metrics=read_json(arguments.metrics),
        certificate=read_json(arguments.leakage),
        index=tables.read(arguments.index, tables.INDEX),
        split=tables.read(arguments.split, tables.SPLIT).query("fold == 0"),
        excluded=tables.read(arguments.excluded, tables.EXCLUDED),
        summaries=read_each(models, arguments.summaries),
        timings=read_each(models, arguments.timings),
        localisations=read_each(models, arguments.localisations),
        causes=read_each(models, arguments.causes),
        guards=read_each(models, arguments.guards),
        latents=read_each(arguments.latent_tasks, arguments.latents),
        provenance=read_json(arguments.provenance),
    )


def list_numbers(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the checksum of every file of numbers of the text, by its path from the page."""
    files = [path for name in NUMBERS if (path := getattr(arguments, name))]
    files += [path for name in NUMBERS_OF_EACH for path in getattr(arguments, name)]
    page = arguments.report.parent
    return {
        Path(os.path.relpath(path, page)).as_posix(): checksum(path.read_bytes()) for path in files
    }


def tell(run: Run, arguments: argparse.Namespace) -> list[Chapter]:
    """Tell the run, chapter by chapter."""
    captions = read_captions(arguments.captions)
    figures = show(arguments.figures, captions)
    ablation = grid.read_grid(arguments.ablation) if arguments.ablation else None
    literature = published.read_literature(arguments.literature) if arguments.literature else None
    facts = gather_facts(run)
    told = [
        chapters.tell_summary(run),
        tell_films(run, show(arguments.exploration, captions)),
        *chapters.tell_judgement(run, read_table(arguments.table), figures),
        chapters.tell_ablation(ablation),
        chapters.tell_literature(literature),
        chapters.tell_settings(run.recipe),
        tell_provenance(
            run,
            list_numbers(arguments),
            {str(path): checksum(path.read_bytes()) for path in arguments.checksums},
        ),
        tell_card(facts),
        tell_claim(facts),
    ]
    return [chapter for chapter in told if chapter]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the recipe")
    parser.add_argument("--recipe", required=True, help="Recipe, as JSON")
    parser.add_argument("--sources", required=True, help="title, licence, citation, as JSON")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--excluded", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--leakage", type=Path, required=True, help="JSON to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--curves", type=Path, help="curves.csv, which figures were drawn from")
    parser.add_argument("--table", type=Path, required=True, help="table.csv to read")
    parser.add_argument("--ablation", type=Path, help="ablation.csv to read")
    parser.add_argument("--literature", type=Path, help="literature.csv to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--timings", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--causes", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--guards", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--latent-tasks", nargs="+", required=True, help="tasks with a model")
    parser.add_argument("--latents", nargs="+", type=Path, required=True, help="one a task")
    parser.add_argument("--checksums", nargs="+", type=Path, required=True, help="SHA256SUMS")
    parser.add_argument("--provenance", type=Path, required=True, help="JSON to read")
    parser.add_argument("--exploration", nargs="+", type=Path, required=True, help="PNGs to read")
    parser.add_argument("--figures", nargs="+", type=Path, required=True, help="PNGs to read")
    parser.add_argument("--captions", nargs="+", type=Path, required=True, help="one a kind")
    parser.add_argument("--report", type=Path, required=True, help="page to write")
    return parser.parse_args()


@command
def main() -> None:
    """Write the report of a run."""
    arguments = parse_arguments()
    run = read_run(arguments)
    page = render(
        {
            "run": run.name,
            "title": run.recipe["title"],
            "synthetic": run.synthetic,
            "research_use": RESEARCH_USE,
            "version": run.versions["cxrpipe"],
            "chapters": tell(run, arguments),
        }
    )
    with whole(arguments.report) as partial:
        partial.write_text(page, encoding="utf-8")
    log.info(f"{len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
