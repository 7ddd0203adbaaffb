"""What a model's probabilities are worth: calibration, thresholds, conformal sets, selection."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.evaluation.statistics.calibration import HOTTEST
from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.subgroups import models_of
from cxrpipe.reporting.page.wording import (
    NOT_ESTIMABLE,
    say_interval,
    say_list,
    say_number,
    say_share,
)

TEMPERATURE = (
    "The logits of a model are divided by its temperature, which makes the likelihood of its "
    "validation films largest (Guo et al. 2017); above 1 it makes a model less sure. It is kept "
    "with the weights, in calibration.json. All scores below are of test films, before and after; "
    "less is better. ECE is the expected calibration error in 15 bins of equal width, Brier's "
    "score and the log loss are means over films. At its bound, {coolest:g} or {hottest:g}, a "
    "temperature is no estimate: a better one lies beyond."
)
THRESHOLDS = (
    "Each threshold was fixed on validation for a sensitivity of {wanted:.0%} and used on test as "
    "it was: what test shows is what such a threshold gives on new films of the same kind. n is "
    "the number of test films with the finding. Predictive values (PPV, NPV) hold for the shares "
    "of findings in the test films, not for those of a clinic."
)
SETS_OF_FINDINGS = (
    "A conformal set holds every finding that cannot be ruled out, so that about {wanted:.0%} of "
    "new films of the same kind have the truth in their set (split conformal prediction, Vovk et "
    "al. 2005). Small sets of the wanted coverage are good; an empty one says that no finding is "
    "likely enough."
)
SETS_OF_ANSWERS = (
    "Every finding has a conformal set by itself, of yes, no, both or neither, so that about "
    "{wanted:.0%} of new films of the same kind have the true answer in the set of that finding "
    "(split conformal prediction, Vovk et al. 2005); nothing is promised of all findings of a film "
    "together. Coverage and sizes are means over films and findings."
)
CONFORMAL = {"single": SETS_OF_FINDINGS, "multi": SETS_OF_ANSWERS, "binary": SETS_OF_ANSWERS}
CAVEAT = (
    "This is about what to expect, and no guarantee: the validation films also chose the epoch, "
    "and several films of a patient are not independent."
)
ALONE = (
    "Temperature, thresholds and sets of {names} were fixed on validation films of one collection "
    "alone: of the others, nothing is to be expected of them."
)
SELECTIVE = (
    "If the model gives only the {answers} of which it is surest, so large a share of them is "
    "right. The area is that under accuracy by coverage; 1 is best."
)
ANSWERS = {
    "single": "answers",
    "multi": "answers (yes or no to a finding of a film, not whole films)",
    "binary": "answers (yes or no)",
}


def say_folds(values: Iterable[float | None], said: str = "{:.3f}") -> str:
    """Write a value of each fold, joined by commas."""
    each = [say_number(value, said) for value in values]
    return NOT_ESTIMABLE if set(each) == {NOT_ESTIMABLE} else ", ".join(each)


def say_temperatures(temperatures: Iterable[float]) -> str:
    """Write the temperature of each fold, marked where no better one was to be found."""
    return ", ".join(
        f"{value:.3f}" + (" (at its bound)" if _is_at_bound(value) else "")
        for value in temperatures
    )


def _is_at_bound(temperature: float) -> bool:
    return any(math.isclose(temperature, bound) for bound in (HOTTEST, 1 / HOTTEST))


def temperature_table(models: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return how good the probabilities of every model are, before and after calibration."""
    rows = []
    for name, model in models.items():
        told = model["calibration"]
        for when, temperature in (("before", ""), ("after", say_temperatures(told["temperature"]))):
            rows.append(
                {
                    "model": name,
                    "validation films": told["n_validation"],
                    "probabilities": f"{when} calibration",
                    "temperature": temperature,
                    "ECE": say_number(told[when]["ece"]),
                    "Brier score": say_interval(told[when]["brier"]),
                    "log loss": say_interval(told[when]["log_loss"]),
                }
            )
    return pd.DataFrame(rows)


def threshold_table(thresholds: Mapping[str, Any]) -> pd.DataFrame:
    """Return the threshold of every finding, and what it gives on the test films."""
    rows = []
    for finding, told in thresholds["findings"].items():
        row = {"finding": finding, "threshold": say_folds(told["threshold"]), "n": told["n"]}
        row |= {
            title: say_interval(told[score])
            for score, title in (
                ("sensitivity", "sensitivity"),
                ("specificity", "specificity"),
                ("precision", "PPV"),
                ("npv", "NPV"),
            )
        }
        rows.append(row)
    return pd.DataFrame(rows)


def conformal_table(models: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return how often the conformal sets of every model hold the truth, and how large they are."""
    rows = [
        {
            "model": name,
            "wanted": say_share(model["conformal"]["wanted"]),
            "coverage on test": say_interval(model["conformal"]["coverage"]),
            "mean size": say_number(model["conformal"]["size"], "{:.2f}"),
            "of exactly one": say_share(model["conformal"]["single"]),
            "empty": say_share(model["conformal"]["empty"]),
        }
        for name, model in models.items()
    ]
    return pd.DataFrame(rows)


def selective_table(models: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the accuracy of every model among the answers of which it is surest."""
    rows = []
    for name, model in models.items():
        told = model["selective"]
        row = {"model": name}
        for coverage, accuracy in zip(told["coverage"], told["accuracy"], strict=True):
            row[f"surest {coverage:.0%}"] = say_number(accuracy)
        rows.append(row | {"area": say_number(told["area"])})
    return pd.DataFrame(rows)


def threshold_tables(models: Mapping[str, Mapping[str, Any]], best: str) -> Sequence[Block]:
    """Return the thresholds of the best model, then, folded, those of the others."""
    return [
        Table(
            f"Thresholds on test: {name}",
            threshold_table(models[name]["thresholds"]),
            f"metrics.json: models.{name}.thresholds",
            folded=name != best,
        )
        for name in sorted(models, key=lambda name: name != best)
    ]


def tell_calibration(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell what the probabilities of the models of a task are worth."""
    task, models = metrics["tasks"][name], models_of(metrics, name)
    best, kind = task["best"], task["kind"]
    told = models[best]
    alone = [model for model in models if models[model]["trained_on"]]
    caveats = [CAVEAT, *([ALONE.format(names=say_list(alone))] if alone else [])]
    where = "metrics.json: models.*.{}"
    return [
        Words([TEMPERATURE.format(coolest=1 / HOTTEST, hottest=HOTTEST)]),
        Table("Calibration", temperature_table(models), where.format("calibration")),
        Words([THRESHOLDS.format(wanted=told["thresholds"]["wanted"])]),
        *threshold_tables(models, best),
        Words([CONFORMAL[kind].format(wanted=told["conformal"]["wanted"]), *caveats]),
        Table("Conformal sets", conformal_table(models), where.format("conformal")),
        Words([SELECTIVE.format(answers=ANSWERS[kind])]),
        Table("Selective prediction", selective_table(models), where.format("selective")),
    ]
