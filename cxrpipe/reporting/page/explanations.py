"""Where heatmaps point and what they rest on, for every model, beside chance and random weights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cxrpipe.reporting.drawing.heatmaps import METHODS
from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.heatmaps import (
    REGIONS,
    Models,
    faith_table,
    finding_table,
    pointing_table,
    region_table,
    verdict_table,
)
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.shortcuts import sum_up_heatmaps
from cxrpipe.reporting.page.standing import part_of
from cxrpipe.reporting.page.subgroups import models_of
from cxrpipe.reporting.page.summary import warn
from cxrpipe.reporting.page.verdicts import MOST, SIMILAR, UNLIKE
from cxrpipe.reporting.page.wording import say_count, say_list

WHERE = "gradcam/*/fold-0.json"
SEEN = (
    "A heatmap shows which places of a film raised the score of one finding in one model, in the "
    "cells of one layer, which are coarse: {drawn}. It does not show why they did. A heatmap on a "
    "lesion can be there for a wrong reason, and one beside it can come of coarse cells alone. "
    "Heatmaps of networks that have learnt nothing can look as good (Adebayo et al. 2018): so "
    "every score stands beside chance, and the pointing game also beside the same network with its "
    "weights in random order. Other methods are drawn and not scored."
)
RULES = (
    "The verdicts follow fixed rules. A score is above chance if its whole interval is above that "
    "of chance, below if it is below, and otherwise not shown to differ; without an interval "
    "nothing is said, but where all films hit, or none, the rule of three gives the bound. Of the "
    "two chances of the pointing game the better one counts; of the lungs masks, if they give an "
    "interval, else the stand-in; heatmaps keep to the lungs if the whole interval of the share "
    f"inside is above {MOST:g}. They do not depend on what was learnt if the whole interval of "
    f"their similarity with random weights is above chance and {SIMILAR:g}, and depend on it if it "
    f"is not above chance and below {UNLIKE:g}: rules of thumb. Random weights are one draw, which "
    "no interval counts. Nothing is adjusted for the number of questions and models: of many "
    "verdicts some come by chance."
)
OWN_SIZE = (
    "Heatmaps over the surest right films at the films' own resolution lie in "
    "explanations/<model>/fold-0/."
)
GAME = (
    "Pointing game (Zhang et al. 2018): a heatmap hits if its maximum lies inside the known lesion "
    "of the film: of rightly classified films, or, where each finding is a yes or no, of all films "
    "that show it. Chance is a random point of the film, or of the lungs. Random weights are those "
    "of the same network on the same films, the values of every weight in random order."
)
FOCAL = (
    "Focal findings are those whose median lesion covers at most {limit:.0%} of the lungs: {names}."
)
BLANK = "{n} of {model} show nothing, and so have no share inside the lungs."
STOOD_IN = "In {n} of the films of {model} the lungs of that chance are a geometric stand-in."
LIE = (
    "Inside the lungs: the share of a heatmap's mass, beside the lungs' share of the film, which "
    "is what a heatmap of one value everywhere would have; of test films at random, right or "
    "wrong, and the finding that the model holds most probable. Lungs are masks where the "
    "collection gives them, else a geometric stand-in, the same on every film, which outlines no "
    "lung. Findings that are not in the lungs, such as a large heart, a hernia or an effusion, and "
    "films without a finding give no reason to favour them. IoU: intersection over union of the "
    "known lesion and the hot region of the heatmap, by Otsu's threshold, on the films of the "
    "pointing game; chance is the same region anywhere."
)
REST = (
    "Insertion and deletion (Petsiuk et al. 2018): the area under the probability as pixels are "
    "put into an empty film, or taken away, the hottest first; chance is cells in random order. A "
    "film with holes is like none that the model has seen: only the distance from chance counts. "
    "Similarity is Spearman's rank correlation with the heatmap of the same film when all weights "
    "are in random order (Adebayo et al. 2018); chance is that with the heatmap of another film."
)
ABSENT = {
    (): "No film of the game has a known lesion: the pointing game was not played",
    ("focal",): "No film of the game has a focal finding with a known lesion",
    ("lungs", "mask"): "No scored film has masks of its lungs",
    ("lungs", "stand_in"): "No film was scored with a stand-in for the lungs",
    ("overlap", "by", "lesions"): "No scored film has a mask of its lesion: no IoU with masks",
    ("overlap", "by", "boxes"): "No scored film has a box of its lesion: no IoU with boxes",
    ("altered",): "No film was altered: there is no insertion and no deletion",
    ("randomised",): "Fewer than two films have a heatmap to compare: no random weights were tried",
}


def explain_absent(models: Models, parts: Iterable[Sequence[str]]) -> list[str]:
    """Say which scores there are not, of which models, and why."""
    lines = []
    for keys in parts:
        lacking = [name for name in models if not part_of(models[name], *keys)["n"]]
        if lacking:
            whose = "" if len(lacking) == len(models) else f", for {say_list(lacking)}"
            lines.append(f"{ABSENT[tuple(keys)]}{whose}.")
    return lines


def say_drawn(models: Models) -> str:
    """Say which method drew the heatmaps that are scored, at which layer of which model."""
    known = {name: told for name, told in models.items() if "layer" in told}
    if not known:
        return "nothing was drawn"
    method = next(iter(known.values()))["explained_by"]
    layers = [f"{told['layer']} of {name}" for name, told in known.items()]
    return f"{METHODS.get(method, method)} at {say_list(layers)}"


def say_focal(models: Models) -> list[str]:
    """Say which findings are focal."""
    focal = [part for told in models.values() if (part := part_of(told, "focal"))["n"]]
    names = dict.fromkeys(readable(name) for part in focal for name in part["findings"])
    return [FOCAL.format(limit=focal[0]["limit"], names=say_list(names))] if names else []


def say_stood_in(models: Models) -> list[str]:
    """Say where the lungs of a random point are not known."""
    return [
        STOOD_IN.format(n=n, model=name)
        for name, told in models.items()
        if (n := part_of(told).get("stand_in"))
    ]


def say_blank(models: Models) -> list[str]:
    """Say how many heatmaps are zero everywhere."""
    blank = {
        name: sum(told.get("lungs", {}).get(by, {}).get("blank", 0) for by in ("mask", "stand_in"))
        for name, told in models.items()
    }
    return [BLANK.format(n=say_count(n, "heatmap"), model=name) for name, n in blank.items() if n]


def tell_explanations(run: Run) -> Callable[[Mapping[str, Any], str], list[Block]]:
    """Return what tells the heatmaps of the models of a task."""

    def tell(metrics: Mapping[str, Any], name: str) -> list[Block]:
        """Tell where heatmaps point, by the verdicts first and then by every score."""
        best, level = metrics["tasks"][name]["best"], metrics["bootstrap"]["level"]
        names = sorted(models_of(metrics, name), key=lambda model: model != best)
        models = {model: run.localisations[model] for model in names}
        return [
            Words([SEEN.format(drawn=say_drawn(models))]),
            Words([sum_up_heatmaps(best, models[best], level), *warn(run, name)]),
            Table("Verdicts on heatmaps", verdict_table(models, level), WHERE),
            Words([RULES, OWN_SIZE]),
            *_with_words(
                [Table("Where heatmaps point", pointing_table(models), WHERE)],
                [
                    *(GAME, *say_focal(models), *say_stood_in(models)),
                    *explain_absent(models, [(), ("focal",)]),
                ],
            ),
            *_with_words(
                [Table("Pointing by finding", finding_table(models), WHERE, folded=True)], []
            ),
            *_with_words(
                [Table("Heatmaps, lungs and lesions", region_table(models), WHERE)],
                [LIE, *say_blank(models), *explain_absent(models, REGIONS)],
            ),
            *_with_words(
                [Table("What heatmaps rest on", faith_table(models), WHERE)],
                [REST, *explain_absent(models, [("altered",), ("randomised",)])],
            ),
        ]

    return tell


def _with_words(tables: Sequence[Table], lines: Sequence[str]) -> list[Block]:
    shown: list[Block] = [table for table in tables if len(table.rows)]
    return [*shown, Words(lines)] if lines else shown
