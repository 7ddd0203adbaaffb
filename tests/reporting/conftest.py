"""What the tests of figures share: the style in which all are drawn, and models that never were.

Findings and logits are random; scores and curves come from scikit-learn, and intervals have the
width that they have of proportions.
"""

from importlib.resources import files

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as oracle

from cxrpipe import tables

GRID = np.linspace(0, 1, 101)
SOURCES = ("north", "south", "far_away")


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context(fname=str(files("cxrpipe.reporting.drawing") / "cxrpipe.mplstyle")):
        yield


@pytest.fixture
def judge():
    return judge_models


def known(value):
    return None if value is None or np.isnan(value) else round(float(value), 6)


def about(value, n):
    """Give a score from 0 to 1 the interval of a share of n; a perfect one does not vary."""
    if known(value) is None:
        return {"value": None, "low": None, "high": None, "sd": None}
    half = 1.96 * np.sqrt(value * (1 - value) / max(n, 1))
    ends = np.clip([value - half, value + half], 0, 1)
    low, high = map(known, ends) if half > 0 else (None, None)
    return {"value": known(value), "low": low, "high": high, "sd": None}


def judge_models(findings, models, kind="single", n=229, seed=0, **options):
    """Return ``metrics.json`` and ``curves.csv`` of models of one task, as evaluate would.

    Parameters
    ----------
    models
        Name: how well it tells the findings apart; 0 is chance, inf a perfect model.
    options
        ``trained_on``, by model; ``held_out``, the source that no training film comes from;
        ``task``, its name; ``ensembles``, whether there is one.
    """
    name = options.get("task", "findings")
    random = np.random.default_rng(seed)
    answers = draw_answers(random, len(findings), kind, n)
    source = random.choice(SOURCES, n)
    rows, told = [], {}
    for model, skill in models.items():
        logits = draw_logits(random, answers, skill)
        scores = score(answers, logits, findings, kind)
        train = draw_answers(random, len(findings), kind, 5 * n)
        of_train = score(train, draw_logits(random, train, 1.3 * skill + 0.1), findings, kind)
        rows += curves(model, answers, logits, findings, kind)
        told[model] = {
            "task": name,
            "trained_on": options.get("trained_on", {}).get(model, ""),
            "folds": [{"train": of_train, "validation": scores, "test": scores}],
            "test": estimates(scores, n),
            "calibration": calibration(rows, model, n),
            "subgroups": subgroups(answers, logits, kind, source, options),
        }
    best = max(told, key=lambda model: told[model]["folds"][0]["test"]["macro"]["f1"] or 0)
    task = describe_task(told, best, findings, kind, n, options)
    for row in rows:
        if row["model"] != best and row["curve"] in ("roc", "precision_recall"):
            row["low"] = row["high"] = np.nan
    rows += treat_all(answers, findings)
    table = pd.DataFrame([{"task": name} | row for row in rows], columns=[*tables.CURVES.columns])
    content = {"bootstrap": {"replicates": 2000, "level": 0.95}}
    return content | {"tasks": {name: task}, "models": told}, table


def draw_answers(random, k, kind, n):
    """Return (n, k) of 0 and 1; the later a finding stands, the rarer it is."""
    shares = 1 / np.arange(2, k + 2)
    if kind == "single":
        return np.eye(k, dtype=int)[random.choice(k, n, p=shares / shares.sum())]
    return (random.random((n, k)) < 0.7 * shares).astype(int)


def draw_logits(random, answers, skill):
    if np.isinf(skill):
        return np.where(answers == 1, 9.0, -9.0)
    return skill * (2 * answers - 1.2) + random.normal(size=answers.shape) * (skill > 0)


def probabilities(logits, kind):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) if kind == "single" else expit(logits)


def expit(logits):
    return 1 / (1 + np.exp(-logits))


def answer(logits, kind):
    """Return (n, k) of 0 and 1, what a model says."""
    if kind == "single":
        return np.eye(logits.shape[1], dtype=int)[logits.argmax(axis=1)]
    return (logits > 0).astype(int)


def tell_apart(answers, logits, kind):
    """Return accuracy, and of each finding F1 and AUC; NaN where there is none."""
    said = answer(logits, kind)
    right = (answers == said).all(axis=1) if kind == "single" else answers == said
    shown = answers.sum(axis=0)
    f1 = 2 * (answers * said).sum(axis=0) / np.where(shown > 0, shown + said.sum(axis=0), np.nan)
    areas = [area(*pair) for pair in zip(answers.T, probabilities(logits, kind).T, strict=True)]
    return right.mean(), f1, np.array(areas)


def area(shown, order):
    """Return the share of pairs in the right order, ties half."""
    pairs = np.subtract.outer(order[shown == 1], order[shown == 0])
    return ((pairs > 0) + (pairs == 0) / 2).mean() if pairs.size else np.nan


def average(values):
    """Return the mean of what can be estimated."""
    there = values[~np.isnan(values)]
    return known(there.mean()) if len(there) else None


def score(answers, logits, findings, kind):
    """Return plain scores; those that there are not are None."""
    accuracy, f1, areas = tell_apart(answers, logits, kind)
    pairs = zip(answers.T, probabilities(logits, kind).T, strict=True)
    precisions = [
        oracle.average_precision_score(*pair) if pair[0].any() else np.nan for pair in pairs
    ]
    each = {"f1": f1, "auc": areas, "ap": np.array(precisions)}
    told = {
        finding: {"n": int(answers[:, place].sum())}
        | {name: known(values[place]) for name, values in each.items()}
        for place, finding in enumerate(findings)
    }
    return {
        "n": len(answers),
        "accuracy": known(accuracy),
        "macro": {name: average(values) for name, values in each.items()},
        "findings": told,
        "confusion": count(answers, answer(logits, kind), kind).tolist(),
    }


def count(answers, said, kind):
    if kind == "single":
        return answers.T @ said
    pairs = zip(answers.T, said.T, strict=True)
    return np.array([oracle.confusion_matrix(*pair, labels=(0, 1)) for pair in pairs])


def estimates(scores, n):
    """Give every score its interval."""
    each = {
        finding: {"n": row["n"]} | {key: about(row[key], n) for key in ("f1", "auc", "ap")}
        for finding, row in scores["findings"].items()
    }
    macro = {key: about(value, n) for key, value in scores["macro"].items()}
    told = {"n": n, "accuracy": about(scores["accuracy"], n), "macro": macro}
    return told | {"findings": each}


def curves(model, answers, logits, findings, kind):
    rows = []
    chances = probabilities(logits, kind)
    for place, finding in enumerate(findings):
        shown, order = answers[:, place], chances[:, place]
        own = {"model": model, "finding": finding}
        if 0 < shown.sum() < len(shown):
            alarms, found, _ = oracle.roc_curve(shown, order)
            rows += points(own | {"curve": "roc"}, GRID, np.interp(GRID, alarms, found), 0.04)
        if shown.any():
            precision, recall, _ = oracle.precision_recall_curve(shown, order)
            drawn = [precision[recall >= wanted - 1e-9][-1] for wanted in GRID[1:]]
            rows += points(own | {"curve": "precision_recall"}, GRID[1:], drawn, 0.06)
        net = [net_benefit(shown, order >= share, share) for share in GRID[1:-1]]
        rows += points(own | {"curve": "decision"}, GRID[1:-1], net)
    sure, right = confidence(answers, chances, kind)
    rows += reliability(model, "reliability", sure, right)
    rows += reliability(model, "reliability_calibrated", 0.3 * sure + 0.7 * right.mean(), right)
    falling = np.argsort(-np.abs(sure - 0.5), kind="stable")
    hit = right if kind == "single" else (sure > 0.5) == right
    coverage = GRID[5::5]
    kept = [hit[falling][: int(np.ceil(share * len(hit)))].mean() for share in coverage]
    own = {"model": model, "finding": "", "curve": "selective"}
    return rows + points(own, coverage, kept)


def confidence(answers, chances, kind):
    """Return the probability of what is said, and whether it is so."""
    if kind == "single":
        return chances.max(axis=1), answers.argmax(axis=1) == chances.argmax(axis=1)
    return chances.ravel(), answers.ravel() == 1


def points(own, places, values, half=np.nan):
    """Return the rows of a curve, with a band around it."""
    low, high = (np.clip(np.add(values, sign * half), 0, 1) for sign in (-1, 1))
    columns = zip(places, values, low, high, strict=True)
    return [own | {"x": x, "y": y, "low": a, "high": b, "n": np.nan} for x, y, a, b in columns]


def net_benefit(shown, treated, share):
    hits, alarms = (treated & (shown == 1)).mean(), (treated & (shown == 0)).mean()
    return hits - alarms * share / (1 - share)


def treat_all(answers, findings):
    rows = []
    for place, finding in enumerate(findings):
        shown = answers[:, place]
        net = [net_benefit(shown, np.full(len(shown), True), share) for share in GRID[1:-1]]
        rows += points({"model": "", "finding": finding, "curve": "decision"}, GRID[1:-1], net)
    return rows


def reliability(model, curve, sure, right):
    rows = []
    places = np.minimum((sure * 15).astype(int), 14)
    for place in np.unique(places):
        inside = places == place
        n, share = inside.sum(), right[inside].mean()
        middle = (share + 1.92 / n) / (1 + 3.84 / n)
        half = 1.96 / (1 + 3.84 / n) * np.sqrt(share * (1 - share) / n + 0.96 / n**2)
        own = {"model": model, "finding": "", "curve": curve, "x": sure[inside].mean()}
        rows.append(own | {"y": share, "low": middle - half, "high": middle + half, "n": int(n)})
    return rows


def calibration(rows, model, n):
    told = {"temperature": [1.43], "n_validation": n}
    for when, curve in (("before", "reliability"), ("after", "reliability_calibrated")):
        bins = [row for row in rows if row["model"] == model and row["curve"] == curve]
        gaps = sum(row["n"] * abs(row["x"] - row["y"]) for row in bins)
        told[when] = {"ece": known(gaps / sum(row["n"] for row in bins))}
    return told


def subgroups(answers, logits, kind, source, options):
    n = len(answers)
    kinds = {
        "source": source,
        "view": np.full(n, "unknown"),
        "sex": np.resize(["F", "M", "F", "unknown"], n),
        "age": np.resize(["0-17", "18-39", "40-59", "60-79", "80 and over"], n),
    }
    told = {}
    for kind_of_part, parts in kinds.items():
        told[kind_of_part] = {}
        for part in np.unique(parts):
            inside = parts == part
            accuracy, f1, areas = tell_apart(answers[inside], logits[inside], kind)
            few = {"n": int(inside.sum()), "groups": int(inside.sum())}
            if kind_of_part == "source":
                few["held_out"] = str(part) == options.get("held_out")
            few["accuracy"] = about(accuracy, few["n"])
            macro = {"f1": average(f1), "auc": average(areas)}
            few["macro"] = {name: about(value, few["n"]) for name, value in macro.items()}
            told[kind_of_part][str(part)] = few
    return told


def describe_task(models, best, findings, kind, n, options):
    measured = models[best]["test"]
    ensembles = {}
    if options.get("ensembles"):
        macro = {"f1": measured["macro"]["f1"]}
        vote = {"n": n, "accuracy": measured["accuracy"], "macro": macro}
        ensembles["all"] = {"models": list(models), "tie": "", "vote": vote, "mean": measured}
    commonest = max(row["n"] for row in measured["findings"].values()) / n
    majority = {"n": n, "accuracy": commonest}
    majority["macro"] = {"f1": known(2 * commonest / (1 + commonest) / len(findings)), "auc": 0.5}
    held_out = options.get("held_out")
    return {
        "kind": kind,
        "findings": list(findings),
        "chosen_by": "f1" if kind == "single" else "auc",
        "best": best,
        "test": {"n": n, "groups": n - n // 9, "held_out": [held_out] if held_out else []},
        "majority": {"test": majority},
        "ensembles": ensembles,
    }
