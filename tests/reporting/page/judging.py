"""How imaginary models are judged: scores of heatmaps, what features tell, causes of mistakes."""

import numpy as np

NONE = {"n": 0}
NO_FOCAL = {"n": 0, "findings": [], "limit": 0.25}


def est(value, low=None, high=None):
    """Return an estimate as the files hold it."""
    return {"value": value, "low": low, "high": high}


def around(value, wide=0.05):
    """Return an estimate whose interval is so wide on either side."""
    return est(value, round(value - wide, 6), round(value + wide, 6))


# Heatmaps


def tell_game(n=40, hits=30, low=0.6, high=0.88, chance_lungs=0.29):
    """Return a pointing game; without films it has no other key."""
    if not n:
        return NONE
    told = {"n": n, "groups": n - 3, "hits": hits, "share": round(hits / n, 6)}
    told |= {"low": low, "high": high, "chance_film": 0.08, "chance_lungs": chance_lungs}
    return told | {"stand_in": 0}


def tell_focal(hits):
    """Return the game of focal findings, of too few patients for an interval."""
    return tell_game(18, hits, None, None) | {"findings": ["lung_opacity"], "limit": 0.25}


def tell_region(key, value, chance, n=31):
    """Return the share inside lungs, or the overlap with lesions."""
    return {"n": n, "groups": n - 2, key: around(value), "chance": around(chance, 0.01)}


def tell_altered(insertion=0.71, deletion=0.3):
    """Return insertion and deletion in three steps."""
    curve = [0.2, 0.6, 0.9]
    chance = {"curve": curve, "chance_curve": curve[::-1], "chance": around(0.52)}
    return {"n": 24, "groups": 22, "shares": [0.0, 0.5, 1.0]} | {
        "insertion": chance | {"area": around(insertion, 0.04)},
        "deletion": chance | {"area": around(deletion, 0.04)},
    }


def tell_randomised(similarity=0.05):
    """Return how much heatmaps of random weights resemble those of trained ones."""
    stages = [
        {"layer": "fc", "similarity": around(0.91, 0.03)},
        {"layer": "conv1", "similarity": around(similarity, 0.04)},
    ]
    pointing = tell_game(40, 9, 0.11, 0.35) | {"findings": {}, "focal": tell_focal(3)}
    told = {"n": 40, "groups": 37, "stages": stages, "pointing": pointing}
    return told | {"similarity_chance": around(0.04)}


def tell_localisation(**told):
    """Return the scores of imaginary heatmaps; what is told replaces what they are."""
    findings = {"covid": tell_game(22, 15, 0.45, 0.85)}
    findings["lung_opacity"] = tell_game(18, 15, None, None)
    boxes = {"n": 9, "groups": 7, "iou": est(0.18), "chance": est(0.06)}
    by = {"lesions": tell_region("iou", 0.24, 0.07), "boxes": boxes}
    stand_in = tell_region("share", 0.47, 0.27) | {"chance": est(0.27), "blank": 0}
    known = (
        {"said": "right"}
        | tell_game()
        | {
            "findings": findings,
            "focal": tell_focal(15),
            "lungs": {
                "mask": tell_region("share", 0.61, 0.29) | {"blank": 0},
                "stand_in": stand_in,
            },
            "overlap": tell_region("iou", 0.22, 0.068, 40) | {"by": by},
            "altered": tell_altered(),
            "randomised": tell_randomised(),
            "explained_by": "gradcam",
            "layer": "layer4",
        }
    )
    return known | told


def tell_nothing():
    """Return the scores of heatmaps of a run without any film to score."""
    return NONE | {
        "findings": {},
        "focal": NO_FOCAL,
        "lungs": {"mask": NONE | {"blank": 0}, "stand_in": NONE | {"blank": 0}},
        "overlap": NONE,
        "altered": NONE,
        "randomised": NONE | {"stages": [], "pointing": NONE},
        "explained_by": "gradcam",
        "layer": "layer4",
    }


def tell_shortcut():
    """Return the scores of heatmaps that leave the lungs and hardly depend on what was learnt."""
    return tell_localisation(
        lungs={
            "mask": tell_region("share", 0.19, 0.29) | {"blank": 2},
            "stand_in": NONE | {"blank": 1},
        },
        altered=tell_altered(0.5, 0.55),
        randomised=tell_randomised(0.72),
    )


def tell_localisations(models):
    """Return the scores of the heatmaps of each model: bad, good and unknown ones in turn."""
    kinds = (tell_shortcut, tell_localisation, tell_nothing)
    return {name: kinds[place % 3]() for place, name in enumerate(models)}


# Features


def tell_probe(labels, value=0.8, chance=0.41, n=96, **told):
    """Return a linear probe, as sure of its accuracy as 96 films make it; null of one label."""
    if len(labels) < 2:
        nothing = {"n": 0, "groups": 0, "labels": [], "accuracy": est(None), "chance": None}
        return nothing | dict.fromkeys(told)
    known = {"n": n, "groups": n - 8, "labels": list(labels)}
    return known | {"accuracy": around(value, 0.06), "chance": chance} | told


def tell_representation(seed, features="pixels", stage="", **told):
    """Return what features tell of films; what is told replaces what they do."""
    random = np.random.default_rng(seed)
    draw = [round(float(number), 6) for number in random.uniform(0.3, 0.9, 6)]
    keys = ("quantisation_error", "relative_error", "topographic_error")
    known = {
        "features": features,
        "stage": stage,
        "layer": "" if features == "pixels" else "network.fc",
        "dimensions": 4096 if features == "pixels" else 512,
        "components": 50,
        "variance": 0.87,
        "som": {"side": 15} | dict(zip(keys, draw, strict=False)),
        "tsne": {"perplexity": 25, "trustworthiness": draw[3]},
        "neighbours": {
            **{"n": 96, "groups": 88, "listed": 5},
            **{"same_finding": around(draw[4]), "chance_finding": 0.31},
            **{"same_source": around(draw[5]), "chance_source": 0.34},
        },
        "probe": {
            "finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=0.52),
            "source": tell_probe(("east", "north"), from_finding=0.44),
        },
    }
    return known | told


def tell_latent(models, umap="not installed; install cxrpipe[umap]", association=0.31, **told):
    """Return what features of each model tell, before and after training, and those of pixels."""
    described = [tell_representation(0, **told)]
    described += [
        tell_representation(2 * place + later, name, stage, **told)
        for place, name in enumerate(models, start=1)
        for later, stage in enumerate(("before", "after"))
    ]
    told = {"films": 96, "groups": 88, "association": association}
    return told | {"representations": described, "umap": umap}


# Causes of mistakes


def tell_cause(name, wrong_with, right_with, p, **told):
    """Return a cause that so many of 21 mistakes and of 84 right answers have."""
    known = {"cause": name, "meaning": f"imaginary {name}", "limit": 0.25, "wrong": 21, "right": 84}
    known |= {"wrong_with": wrong_with, "right_with": right_with}
    known["odds_ratio"] = est(None) if p is None else est(2.5, 1.2, 5.25)
    adjusted = None if p is None else min(1.0, round(3 * p, 6))
    return known | {"p": p, "p_adjusted": adjusted} | told


def tell_causes(*causes, n_wrong=21, **told):
    """Return the causes of the mistakes of a model on 105 films."""
    causes = list(causes) or [
        tell_cause("text", 9, 11, 0.004),
        tell_cause("crop", 3, 15, 0.21),
        tell_cause("tint", 0, 0, None, limit=None),
    ]
    films = ["5feceb66ffc86f"] * (n_wrong > 0)
    known = {"n": 105, "n_wrong": n_wrong, "groups": 96, "causes": causes, "surest": films}
    return known | {"drawn": {"normal": films, "covid": films, "lung_opacity": []}} | told


def tell_causes_of(models):
    """Return the causes of each model: of the third, which makes no mistake, there are none."""
    none = tell_causes(n_wrong=0) | {"causes": []}
    return {name: none if place == 2 else tell_causes() for place, name in enumerate(models)}
