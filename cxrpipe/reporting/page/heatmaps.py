"""The scores of heatmaps as tables: a row a model and score, chance beside it."""

from collections.abc import Mapping

import pandas as pd

from cxrpipe.reporting.page.standing import Told, part_of, share_of
from cxrpipe.reporting.page.verdicts import judge_heatmaps
from cxrpipe.reporting.page.wording import say_interval, say_share

REGIONS = {
    ("lungs", "mask"): ("mass inside the lungs (masks)", "share"),
    ("lungs", "stand_in"): ("mass inside the lungs (stand-in)", "share"),
    ("overlap", "by", "lesions"): ("IoU with lesion masks", "iou"),
    ("overlap", "by", "boxes"): ("IoU with lesion boxes", "iou"),
}
Models = Mapping[str, Told]


def verdict_table(models: Models, level: float) -> pd.DataFrame:
    """Return the verdicts on heatmaps: a row a question, a column a model."""
    judged = {
        name: {question: verdict.cell for question, verdict in judge_heatmaps(told, level).items()}
        for name, told in models.items()
    }
    return pd.DataFrame(judged).rename_axis("do heatmaps").reset_index()


def game_cells(game: Told) -> dict[str, object]:
    """Return the cells of one pointing game."""
    return {
        "films": game["n"],
        "groups": game["groups"],
        "hits": f"{game['hits']} of {game['n']}",
        "share of hits": say_interval(share_of(game)),
        "random point of the lungs": say_share(game["chance_lungs"]),
        "random point of the film": say_share(game["chance_film"]),
    }


def pointing_table(models: Models) -> pd.DataFrame:
    """Return the pointing game of every model: over all lesions, focal ones, random weights."""
    parts = {
        "all": (),
        "all, random weights": ("randomised", "pointing"),
        "focal": ("focal",),
        "focal, random weights": ("randomised", "pointing", "focal"),
    }
    rows = [
        {"model": name, "lesions": lesions} | game_cells(game)
        for name, localisation in models.items()
        for lesions, keys in parts.items()
        if (game := part_of(localisation, *keys))["n"]
    ]
    return pd.DataFrame(rows)


def finding_table(models: Models) -> pd.DataFrame:
    """Return the pointing game of every model for each finding."""
    rows = [
        {"model": name, "finding": finding, "focal": _is_focal(localisation, finding)}
        | game_cells(game)
        for name, localisation in models.items()
        for finding, game in localisation.get("findings", {}).items()
        if game["n"]
    ]
    return pd.DataFrame(rows)


def _is_focal(localisation: Told, finding: str) -> bool:
    return finding in localisation["focal"].get("findings", ())


def region_table(models: Models) -> pd.DataFrame:
    """Return how much of the heatmaps is inside the lungs and on the lesion, beside chance."""
    rows = [
        {"model": name, "score": title, "films": part["n"], "groups": part["groups"]}
        | {"value": say_interval(part[key]), "chance": say_interval(part["chance"])}
        for name, localisation in models.items()
        for keys, (title, key) in REGIONS.items()
        if (part := part_of(localisation, *keys))["n"]
    ]
    return pd.DataFrame(rows)


def faith_table(models: Models) -> pd.DataFrame:
    """Return what happens to the score with a heatmap's pixels, and to it with random weights."""
    rows = []
    for name, localisation in models.items():
        for test, good in (("insertion", "above chance"), ("deletion", "below chance")):
            if (altered := part_of(localisation, "altered"))["n"]:
                area, chance = altered[test]["area"], altered[test]["chance"]
                rows.append(_faith(name, f"{test}: area", altered, area, chance, good))
        if (drawn := part_of(localisation, "randomised"))["n"] and drawn["stages"]:
            last, chance = drawn["stages"][-1]["similarity"], drawn["similarity_chance"]
            title = "similarity with random weights"
            rows.append(_faith(name, title, drawn, last, chance, "at chance"))
    return pd.DataFrame(rows)


def _faith(
    model: str, score: str, part: Told, value: Told, chance: Told, good: str
) -> dict[str, object]:
    counted = {"films": part["n"], "groups": part.get("groups")}
    estimated = {"value": say_interval(value), "chance": say_interval(chance)}
    return {"model": model, "score": score} | counted | estimated | {"good is": good}
