"""The first page: what was asked, which model is best, how good it is, what speaks against it."""

from collections.abc import Mapping
from typing import Any

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Block, Facts, Words
from cxrpipe.reporting.page.comparisons import sum_up
from cxrpipe.reporting.page.subgroups import SCORE
from cxrpipe.reporting.page.wording import say_count, say_interval, say_list, say_number

ASKED = {
    "single": "Which one of {findings} does a frontal chest radiograph show?",
    "multi": "Which of {findings} does a frontal chest radiograph show, if any?",
    "binary": "Does a frontal chest radiograph show {findings}?",
}


def say_question(task: Mapping[str, Any]) -> str:
    """Say what the models of a task were asked."""
    findings = [readable(finding) for finding in task["findings"]]
    return ASKED[task["kind"]].format(findings=say_list(findings))


def say_inside(task: Mapping[str, Any]) -> str:
    """Say that nothing is known of films of another hospital, where that is so."""
    if task["test"]["held_out"]:
        return ""
    return "No collection was held out: how models do on films of another hospital is not known."


def say_outside(task: Mapping[str, Any]) -> str:
    """Say whether films of a collection that trained no model were tested."""
    if held_out := task["test"]["held_out"]:
        return f"Test films of {say_list(held_out)} are external: no training film is from there."
    return say_inside(task)


def sum_up_task(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Sum up the results of a task."""
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
    said = [sum_up(task, level), say_outside(task), drawn]
    return [Words([say_question(task)]), Facts(pairs, where, large=True), Words(said)]
