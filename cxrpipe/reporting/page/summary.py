"""The first page: what was asked, which model is best, how good it is, what speaks against it."""

from collections.abc import Callable, Mapping
from typing import Any

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Block, Facts, Words
from cxrpipe.reporting.page.comparisons import sum_up
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.shortcuts import sum_up_heatmaps, warn_of_collections, warn_of_lungs
from cxrpipe.reporting.page.subgroups import SCORE, models_of, say_held_out
from cxrpipe.reporting.page.wording import say_count, say_interval, say_list, say_number

ASKED = {
    "single": "Which one of {findings} does a frontal chest radiograph show?",
    "multi": "Which of {findings} does a frontal chest radiograph show, if any?",
    "binary": "Does a frontal chest radiograph show {findings}?",
}


def say_question(metrics: Mapping[str, Any], name: str) -> str:
    """Say what the models of a task were asked."""
    task = metrics["tasks"][name]
    findings = [readable(finding) for finding in task["findings"]]
    return ASKED[task["kind"]].format(findings=say_list(findings))


def say_inside(metrics: Mapping[str, Any], name: str) -> str:
    """Say that nothing is known of films of another hospital, where that is so."""
    if say_held_out(models_of(metrics, name)):
        return ""
    return "No collection was held out: how models do on films of another hospital is not known."


def say_outside(metrics: Mapping[str, Any], name: str) -> str:
    """Say whether films of a collection that did not train nor choose a model were tested."""
    if held_out := say_held_out(models_of(metrics, name)):
        return f"Tested on external films: {held_out}."
    return say_inside(metrics, name)


def say_tested(metrics: Mapping[str, Any], name: str) -> str:
    """Say how many films were tested, and how many of them are of collections held out."""
    test = metrics["tasks"][name]["test"]
    n, n_held_out = test["n"], test["n_held_out"]
    tested = f"{say_count(n, 'test film')} in {say_count(test['groups'], 'group')}"
    if not n_held_out:
        return f"{tested}, of collections that are in training or validation too."
    held_out = say_list(test["held_out"])
    if n_held_out == n:
        return f"{tested}, all of collections held out ({held_out}): there is no internal test."
    return f"{tested}, {n_held_out:,} of them of collections held out ({held_out})."


def sum_up_task(run: Run) -> Callable[[Mapping[str, Any], str], list[Block]]:
    """Return what sums a task up: its scores, and what its best model's heatmaps show."""

    def tell(metrics: Mapping[str, Any], name: str) -> list[Block]:
        """Sum up the results of a task."""
        best = metrics["tasks"][name]["best"]
        level = metrics["bootstrap"]["level"]
        heatmaps = sum_up_heatmaps(best, run.localisations[best], level)
        return [*sum_up_scores(metrics, name), Words([heatmaps, *warn(run, name)])]

    return tell


def warn(run: Run, name: str) -> list[str]:
    """Warn of shortcuts that models of a task may take, the best or another."""
    models = models_of(run.metrics, name)
    heatmaps = {model: run.localisations[model] for model in models}
    return [*warn_of_lungs(heatmaps), *warn_of_collections(models, run.latents[name])]


def sum_up_scores(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Sum up the scores of the best model of a task."""
    task = metrics["tasks"][name]
    best, score = task["best"], task["chosen_by"]
    test, tested = metrics["models"][best]["test"], task["test"]
    majority = task["majority"]["test"]
    pairs = [
        ("best model on validation", best),
        ("accuracy on test", say_interval(test["accuracy"])),
        (f"macro {SCORE[score]} on test", say_interval(test["macro"][score])),
        ("test films", f"{tested['n']:,} in {say_count(tested['groups'], 'group')}"),
        ("majority: accuracy", say_number(majority["accuracy"])),
        (f"majority: macro {SCORE[score]}", say_number(majority["macro"][score])),
    ]
    level = metrics["bootstrap"]["level"]
    drawn = (
        f"In brackets the {level:.0%} interval from {metrics['bootstrap']['replicates']:,} "
        "bootstrap samples of groups: a group is a patient with all films and copies. Majority is "
        "a model that always gives the commonest answer: the least that a model must beat."
    )
    where = f"metrics.json: models.{best}.test, tasks.{name}"
    said = [sum_up(task, level), say_tested(metrics, name), say_outside(metrics, name), drawn]
    return [Words([say_question(metrics, name)]), Facts(pairs, where, large=True), Words(said)]
