"""Writes the report of an imaginary run, with the command and the captions that a run has."""

import json
import logging
import sys
from pathlib import Path

import pytest
from judging import tell_causes_of, tell_latent, tell_localisations
from told import (
    EXPLORATION,
    FIGURES,
    SOURCES,
    TIMING,
    draw_picture,
    tell_excluded,
    tell_films,
    tell_guard,
    tell_leakage,
    tell_metrics,
    tell_provenance,
    tell_recipe,
    tell_summary,
)

from cxrpipe import tables
from cxrpipe.reporting.report import main
from cxrpipe.reporting.results import build_table

CAPTIONS = Path(__file__).parents[3] / "workflow/report"


def write_captions(folder, kinds):
    """Copy the captions of the workflow; a figure without one yet has its kind for a caption."""
    folder.mkdir(exist_ok=True)
    for kind in kinds:
        caption = CAPTIONS / f"{kind}.rst"
        said = caption.read_text(encoding="utf-8") if caption.exists() else f"Imaginary {kind}."
        (folder / f"{kind}.rst").write_text(said, encoding="utf-8")
    return sorted(folder.iterdir())


def write_tables(folder, metrics, summaries, games):
    """Write the tables of a run and return the options that name them."""
    index, split = tell_films()
    paths = {name: folder / f"{name}.csv" for name in ("index", "split", "excluded", "table")}
    tables.write(index, paths["index"], tables.INDEX)
    tables.write(split, paths["split"], tables.SPLIT)
    tables.write(tell_excluded(), paths["excluded"], tables.EXCLUDED)
    build_table(metrics, summaries, games).to_csv(paths["table"], index=False, float_format="%.6g")
    return paths


def write_jsons(folder, jsons):
    """Write JSON files and return their paths by name."""
    paths = {name: folder / f"{name}.json" for name in jsons}
    for name, path in paths.items():
        path.write_text(json.dumps(jsons[name]), encoding="utf-8")
    return paths


def write_explained(folder, metrics, explained):
    """Write what explains the models of a run and return the options that name its files."""
    models, tasks = list(metrics["models"]), list(metrics["tasks"])
    known = {
        "localisations": tell_localisations(models),
        "causes": tell_causes_of(models),
        "guards": {name: tell_guard() for name in models},
        "latents": {name: tell_latent(models) for name in tasks},
    } | explained
    ends = {"localisations": "-game", "causes": "-causes", "guards": "-guard"}
    ends |= {"latents": "-latent"}
    paths = {
        key: write_jsons(folder, {name + end: known[key][name] for name in known[key]})
        for key, end in ends.items()
    }
    return {key: list(each.values()) for key, each in paths.items()} | {"latent-tasks": tasks}


def write_report(
    folder,
    metrics=None,
    sources=SOURCES,
    recipe=None,
    leakage=None,
    explained=(),
    provenance=None,
    **options,
):
    """Write a report; return the path of its page.

    Parameters
    ----------
    explained
        Of each model ``localisations`` and ``causes``, of each task ``latents``; imaginary if not.
    """
    metrics = metrics or tell_metrics()
    models = list(metrics["models"])
    explained = dict(explained)
    summaries = {name: tell_summary(name) for name in models}
    jsons = {"metrics": metrics, "leakage": leakage or tell_leakage()}
    jsons["provenance"] = provenance or tell_provenance()
    games = explained.get("localisations", tell_localisations(models))
    paths = write_tables(folder, metrics, summaries, games)
    paths |= write_jsons(folder, jsons)
    each = write_jsons(folder, summaries)
    timings = write_jsons(folder, {f"{name}-timing": TIMING for name in models})
    paths["curves"] = folder / "curves.csv"
    paths["curves"].write_text("task,model,finding,curve,x,y,low,high,n\n", encoding="utf-8")
    checksums = folder / "SHA256SUMS"
    checksums.write_text("0" * 64 + "  films/1.png\n", encoding="utf-8")
    pictures = {
        name: draw_picture(folder / "pictures" / f"{name}.png", size)
        for name, size in (FIGURES | EXPLORATION).items()
    }
    kinds = {name.partition("-")[0] for name in pictures}
    told = {
        "run": "imaginary",
        "recipe": json.dumps(recipe or tell_recipe(models)),
        "sources": json.dumps(sources),
        "report": folder / "report.html",
    }
    several = {
        "models": models,
        "summaries": [each[name] for name in models],
        "timings": list(timings.values()),
        **write_explained(folder, metrics, explained),
        "checksums": [checksums],
        "figures": [pictures[name] for name in FIGURES],
        "exploration": [pictures[name] for name in EXPLORATION],
        "captions": write_captions(folder / "captions", kinds),
    }
    flags = [
        word for key, value in (told | paths | options).items() for word in (f"--{key}", value)
    ]
    flags += [word for key, values in several.items() for word in (f"--{key}", *values)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", *map(str, flags)])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        main()
    return told["report"]
