"""The chapters: every number stands in the file, and at the place, that its table names."""

import re

import pytest
from judging import tell_localisations
from told import TIMING, Teller, tell_metrics, tell_run, tell_summary

from cxrpipe.reporting import published
from cxrpipe.reporting.drawing import names
from cxrpipe.reporting.page.blocks import Picture
from cxrpipe.reporting.page.chapters import (
    SHOWN_IN,
    choose_pictures,
    task_by_task,
    tell_ablation,
    tell_judgement,
    tell_literature,
    tell_settings,
)
from cxrpipe.reporting.page.chapters import (
    tell_summary as tell_first,
)
from cxrpipe.reporting.page.rendering import DRAWN_FROM, TITLES, find_numeric, say_rows
from cxrpipe.reporting.results import build_table

NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?%?")
KINDS = ("curves", "forest", "matrix", "confusion", "reliability", "gradcam-covid", "novelty")
EXPLAINED = ("gallery", "depth", "methods", "several", "localisation", "altered", "randomised")
EXPLAINED += ("confidence", "mistakes", "causes", "latent", "som", "neighbours", "filters")
FIGURES = [Picture(name, name, "Imaginary.", "data:,", 4, 4) for name in (*KINDS, *EXPLAINED)]


def table_of(metrics):
    models = metrics["models"]
    summaries = {name: tell_summary(name) for name in models}
    return build_table(metrics, summaries, tell_localisations(models))


def judge(metrics, figures=()):
    return tell_judgement(tell_run(metrics=metrics), table_of(metrics), figures)


def all_blocks(chapters):
    for chapter in chapters:
        yield from chapter.blocks
        yield from all_blocks(chapter.parts)


def look_up(told, keys):
    """Return what a file holds at a path of keys, each name or * for all."""
    if not keys:
        return [told]
    inside = told.values() if keys[0] == "*" else [told[keys[0]]]
    return [found for value in inside for found in look_up(value, keys[1:])]


def numbers(told):
    """Yield every number within."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for value in told:
            yield from numbers(value)
    elif isinstance(told, int | float):
        yield told


def spellings(number):
    yield from (f"{number:.3f}", f"{number:+.3f}", f"{number:.2f}", f"{number:.0%}", f"{number:,}")
    if 0 <= number < 0.001:
        yield "0.001"


def places(source):
    """Return the paths of keys that the source of a table names."""
    return [path.split(".") for path in source.removeprefix("metrics.json: ").split(", ")]


METRICS = {
    "one task": tell_metrics(held_out=("south",), trained_on=("north",)),
    "yes or no of each": tell_metrics(1, kind="multi", models=("a", "b")),
}


@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
def test_every_number_of_a_table_stands_where_the_table_says(metrics):
    tables = [
        block
        for block in all_blocks(judge(metrics))
        if block.kind == "table" and block.source.startswith("metrics.json")
    ]
    assert len(tables) >= 12
    for table in tables:
        check_numbers(
            table, [part for keys in places(table.source) for part in look_up(metrics, keys)]
        )


def check_numbers(table, inside):
    """Check that every number of a table is within what its file holds."""
    known = {said for number in numbers(inside) for said in spellings(number)}
    for numeric, cells in zip(
        find_numeric(table.rows), zip(*say_rows(table.rows), strict=True), strict=True
    ):
        shown = {number for cell in cells for number in NUMBER.findall(cell) if numeric}
        # A hyphen between two ends of an interval is no minus.
        assert {number.lstrip("-+") for number in shown} <= {said.lstrip("-+") for said in known}


@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
def test_every_number_of_what_explains_stands_in_the_file_that_the_table_names(metrics):
    run = tell_run(metrics=metrics)
    files = {f"errors/{model}/fold-0.json": told for model, told in run.causes.items()}
    files |= {f"latent/{task}/latent.json": told for task, told in run.latents.items()}
    files["gradcam/*/fold-0.json"] = dict(run.localisations)
    tables = [
        block
        for block in all_blocks(judge(metrics))
        if block.kind == "table" and block.source in files
    ]
    assert len(tables) >= 8
    for table in tables:
        shares = [
            cause[f"{part}_with"] / cause[part]
            for cause in files[table.source].get("causes", ())
            for part in ("wrong", "right")
        ]
        check_numbers(table, [files[table.source], shares])


def test_the_first_page_has_the_numbers_of_metrics():
    metrics = METRICS["one task"]
    (facts,) = (
        block for block in tell_first(tell_run(metrics=metrics)).blocks if block.kind == "facts"
    )
    inside = [part for keys in places(facts.source) for part in look_up(metrics, keys)]
    known = {said for number in numbers(inside) for said in spellings(number)}
    shown = {
        number
        for name, said in facts.pairs
        if name != "best model on validation"
        for number in re.findall(r"\d+(?:\.\d+)?", said)
    }
    assert shown
    assert shown <= known


def test_figures_stand_in_their_chapter_and_new_kinds_among_curves():
    metrics = tell_metrics(trained_on=("north",))
    shown = {
        chapter.place: [
            picture.name
            for block in all_blocks([chapter])
            if block.kind == "pictures"
            for picture in block.shown
        ]
        for chapter in judge(metrics, FIGURES)
    }
    assert {place: names for place, names in shown.items() if names} == {
        "results": ["forest"],
        "matrix": ["matrix"],
        "curves": ["curves", "novelty"],
        "confusion": ["confusion"],
        "calibration": ["reliability"],
        "explanations": ["gradcam-covid", *EXPLAINED[:8], "filters"],
        "features": ["latent", "som", "neighbours"],
        "errors": ["mistakes", "causes"],
    }
    assert choose_pictures(FIGURES, "elsewhere") == []


def test_every_figure_that_explains_has_a_chapter_a_title_and_its_files():
    kinds = set(names.EXPLAINED)
    assert kinds == set(EXPLAINED)
    assert kinds <= set(SHOWN_IN)
    assert kinds <= set(TITLES)
    assert kinds <= set(DRAWN_FROM)


def test_a_chapter_without_anything_to_tell_is_left_out():
    assert [chapter.place for chapter in judge(tell_metrics())] == [
        *("results", "comparisons", "subgroups", "calibration", "guard", "explanations"),
        *("features", "errors"),
    ]
    assert tell_ablation(None) is None
    assert tell_literature(None) is None
    assert tell_literature(published.build_literature(tell_metrics(), ["densenet"], {})) is None


def two_tasks():
    first, second = tell_metrics(), tell_metrics(task="covid", models=("yes", "no"), kind="binary")
    return {
        "bootstrap": first["bootstrap"],
        "tasks": first["tasks"] | second["tasks"],
        "models": first["models"] | second["models"],
    }


def test_every_task_is_told_under_its_name_if_there_are_several():
    chapter = tell_first(tell_run(metrics=two_tasks()))
    assert [part.title for part in chapter.parts] == ["Task findings", "Task covid"]
    assert ("best model on validation", "no") in chapter.parts[1].blocks[1].pairs
    assert "Task" not in str(tell_first(tell_run()))


def test_models_of_every_task_are_explained_under_its_name():
    metrics = two_tasks()
    told = {chapter.place: chapter for chapter in judge(metrics, FIGURES)}
    for place, n_figures in (("explanations", 10), ("features", 3), ("errors", 2)):
        parts = told[place].parts
        assert [part.title for part in parts] == ["Task findings", "Task covid", "Figures"]
        assert len(parts[2].blocks[0].shown) == n_figures
    of_covid = told["features"].parts[1].blocks
    assert {block.source for block in of_covid if block.kind == "table"} == {
        "latent/covid/latent.json"
    }
    games = told["explanations"].parts[1].blocks[2].rows
    assert set(games.columns[1:]) == {"yes", "no"}


def test_figures_of_several_tasks_are_in_a_part_of_their_own():
    def tell(metrics, name):
        return [name] if name == "covid" else []

    chapter = task_by_task(two_tasks(), tell, "Curves", "curves", FIGURES[:1])
    assert [part.title for part in chapter.parts] == ["Task covid", "Figures"]
    assert task_by_task(two_tasks(), lambda *_: [], "Curves", "curves", FIGURES) is None


def test_scores_stand_beside_the_names_of_models():
    (results,) = (chapter for chapter in judge(tell_metrics()) if chapter.place == "results")
    assert list(results.blocks[0].rows)[:4] == ["model", "accuracy", "macro F1", "macro AUC"]
    assert str(TIMING["films_per_second"]) in say_rows(results.blocks[0].rows)[0]


def test_the_settings_hold_the_recipe():
    (block,) = tell_settings({"title": "Über", "seed": 7}).blocks
    assert block.text == "title: Über\nseed: 7\n"


def test_why_scores_are_missing_is_said_below_the_findings():
    metrics = tell_metrics()
    absent = Teller(counts=(41, 23, 29, 0)).measured()
    metrics["models"]["densenet"]["test"] = absent
    (results,) = (chapter for chapter in judge(metrics) if chapter.place == "results")
    lines = [line for block in results.blocks if block.kind == "words" for line in block.lines]
    assert any(line.startswith("No test film shows viral_pneumonia") for line in lines)
