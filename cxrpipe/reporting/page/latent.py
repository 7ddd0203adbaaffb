"""What features tell of films: maps, neighbours, and whether they tell the collection."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.shortcuts import (
    BY_OTHER,
    DETERMINE,
    DIFFER,
    Bond,
    bind,
    find_features,
    find_probe,
    stand_told,
    warn_of_collections,
)
from cxrpipe.reporting.page.standing import Standing, Told
from cxrpipe.reporting.page.subgroups import models_of
from cxrpipe.reporting.page.wording import (
    say_count,
    say_interval,
    say_number,
    say_percent,
    say_share,
)

STAGES = {"": "", "before": "before training", "after": "after training"}
BESIDE: Mapping[Standing, str] = {
    "above": "above",
    "below": "below",
    "alike": "not shown to differ",
    "unknown": "not judged",
}
WHAT = (
    "Features are what the last layer of a model takes of a film; before training they are those "
    "of the network as it started. Pixels are the greys themselves. Laid out are {counted} of the "
    "test. {umap}"
)
MAPS = (
    "A self-organising map (Kohonen 1982) lays films on a grid of cells: the quantisation error is "
    "the mean distance of a film to its cell, relative where divided by that to the centre of all, "
    "so that features can be compared; the topographic error is the share of films whose two "
    "nearest cells do not touch. Trustworthiness (Venna and Kaski 2001) is 1 where neighbours in "
    "the plane are neighbours among the features too. Distances between clusters of t-SNE or UMAP, "
    "their sizes and gaps prove nothing: the methods make them, and other seeds make others."
)
TELLING = (
    "Neighbours alike: the share of a film's nearest films of other patients that have its "
    "finding, or its collection, beside that of all films of other patients. A linear probe (Alain "
    "and Bengio 2017) is a straight cut through the features, judged on films of patients that it "
    "was not fitted on. By the other alone: the commonest answer among films of the same "
    "collection, or of the same finding, which a probe must beat before it tells anything by "
    "itself. What features tell a model may have used; that it has, is not shown. Pixels and "
    "networks before training show what is told untaught."
)
TOLD = (
    "From the features of {model} after training a linear probe tells the collection of {share} of "
    "{films}; the commonest answer is right for {chance}, the commonest among films of the same "
    "finding for {by}."
)
NOT_TOLD = "That is not shown to be more than the finding alone tells."
UNKNOWN = (
    "Whether that is more than the finding alone tells was not judged, since there is no interval: "
    "too few patients, or all of them score alike."
)
MORE_OR_NOT: Mapping[Standing, str] = {
    "above": "That is more than the finding alone tells.",
    "alike": NOT_TOLD,
    "below": NOT_TOLD,
    "unknown": UNKNOWN,
}
# How far collections differ in findings, which decides what there is to gain from telling them.
BONDS: Mapping[Bond, str] = {
    "none": "The collections of these films hardly differ in findings (Cramér's V {association}, "
    "below {differ:g}, a rule of thumb), so that there is little to gain from telling them.",
    "some": "The collections of these films differ in findings (Cramér's V {association}, at least "
    "{differ:g}, a rule of thumb). Films of a collection that no training has seen can tell what "
    "that is worth (External validation and subgroups).",
    "nearly all": "Finding and collection of these films nearly determine each other (Cramér's V "
    "{association}, at least {determine:g}, a rule of thumb): a probe can hardly beat the finding.",
    "unknown": "How far the collections of these films differ in findings is not estimable, as "
    "where all of them show one finding.",
}
ONE = (
    "The films are of one collection, but for single patients: whether a score rests on the "
    "collection cannot be asked of them."
)
CONSTANT = "The features of {model} after training are the same of all films: they tell nothing."


def name_features(told: Told) -> dict[str, object]:
    """Return whose features these are, and of which stage, as cells."""
    return {"features": told["features"], "stage": STAGES[told["stage"]]}


def map_table(latent: Told) -> pd.DataFrame:
    """Return how faithful the maps of every set of features are."""
    rows = []
    for told in latent["representations"]:
        som, tsne = told["som"], told["tsne"]
        row = name_features(told) | {
            "dimensions": told["dimensions"],
            "SOM side": som["side"],
            "quantisation error": say_number(som["quantisation_error"]),
            "relative": say_number(som["relative_error"]),
            "topographic error": say_number(som["topographic_error"]),
            "t-SNE: perplexity": say_number(tsne["perplexity"], "{:.3g}"),
            "trustworthiness": say_number(tsne["trustworthiness"]),
        }
        if "umap" in told:
            row["UMAP: trustworthiness"] = say_number(told["umap"]["trustworthiness"])
        rows.append(row)
    return pd.DataFrame(rows)


def telling_table(latent: Told) -> pd.DataFrame:
    """Return how well every set of features tells findings and collections, beside chance."""
    rows = []
    for told in latent["representations"]:
        for key, title in (("finding", "finding"), ("source", "collection")):
            near = told["neighbours"]
            row = name_features(told) | {
                "they tell": title,
                "neighbours alike": say_interval(near[f"same_{key}"]),
                "of all films": say_number(near[f"chance_{key}"]),
            }
            rows.append(row | probe_cells(told["probe"][key], key))
    return pd.DataFrame(rows)


def probe_cells(probe: Told, target: str) -> dict[str, object]:
    """Return the cells of a linear probe."""
    return {
        "probe: films": probe["n"],
        "probe: accuracy": say_interval(probe["accuracy"]),
        "commonest answer": say_number(probe["chance"]),
        "by the other alone": say_number(probe[BY_OTHER[target]]),
        "beside that": BESIDE[stand_told(probe, target)],
    }


def check_shortcut(model: str, latent: Told) -> list[str]:
    """Say whether the features of a model tell the collection, and what there is to gain."""
    source = find_probe(latent, model, "source")
    if find_features(latent, model).get("components") == 0:
        return [CONSTANT.format(model=model)]
    if not source["n"]:
        return [ONE]
    told = TOLD.format(
        model=model,
        share=say_percent(source["accuracy"]),
        films=say_count(source["n"], "film"),
        chance=say_share(source["chance"]),
        by=say_share(source["from_finding"]),
    )
    association = say_number(latent.get("association"), "{:.2f}")
    gain = BONDS[bind(latent)].format(association=association, differ=DIFFER, determine=DETERMINE)
    return [told, MORE_OR_NOT[stand_told(source, "source")], gain]


def say_umap(umap: str) -> str:
    """Say which UMAP laid films out, or why none did."""
    return f"UMAP: {umap.rstrip('.')}."


def tell_latent(run: Run) -> Callable[[Mapping[str, Any], str], list[Block]]:
    """Return what tells the features of the models of a task."""

    def tell(metrics: Mapping[str, Any], name: str) -> list[Block]:
        """Tell the shortcut check of the best model first, then the maps and what they tell."""
        latent, best = run.latents[name], metrics["tasks"][name]["best"]
        warnings = warn_of_collections(models_of(metrics, name), latent)
        counted = say_count(latent["films"], "film")
        if latent.get("groups"):
            counted += f" in {say_count(latent['groups'], 'group')}"
        words = Words([WHAT.format(counted=counted, umap=say_umap(latent["umap"]))])
        if not latent["representations"]:
            return [words]
        where = f"latent/{name}/latent.json"
        return [
            words,
            Words([*check_shortcut(best, latent), *warnings]),
            Table("What features tell", telling_table(latent), where),
            Words([TELLING]),
            Table("How films are laid out", map_table(latent), where),
            Words([MAPS]),
        ]

    return tell
