"""Files of imaginary runs, made by seed: what the page is told, without anything trained."""

from itertools import combinations

import numpy as np
import pandas as pd
from judging import tell_causes_of, tell_latent, tell_localisations
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Recipe
from cxrpipe.reporting.page.run import Run

FINDINGS = ("normal", "covid", "lung_opacity", "viral_pneumonia")
N_TEST = (41, 23, 29, 12)
MODELS = ("resnet10", "densenet", "resnet18")
SOURCES = {
    name: {
        "title": f"Imaginary hospital {name.title()}",
        "licence": "CC BY 4.0",
        "citation": f"{name.title()} et al., Films of an imaginary hospital, 2020. " * 3,
        "synthetic": False,
    }
    for name in ("north", "east", "south")
}
OVERALL = ("accuracy", "balanced_accuracy", "one_vs_rest_accuracy", "kappa", "mcc")
OF_FINDINGS = ("precision", "recall", "specificity", "f1", "auc", "ap")
NOTHING = {"value": None, "low": None, "high": None, "sd": None}
UNDECIDED = {"difference": None, "low": None, "high": None, "p": None, "p_adjusted": None}
FIGURES = {
    "forest": (900, 500),
    "confusion": (1600, 700),
    "curves": (1400, 600),
    "roc": (1200, 900),
    "reliability": (1000, 500),
    "decision": (700, 500),
    "gradcam-lung_opacity": (1400, 1100),
    "gallery": (900, 600),
    "localisation": (900, 400),
    "latent": (1200, 500),
    "som": (800, 500),
    "mistakes": (1000, 700),
    "causes": (700, 400),
    "filters": (900, 500),
}
EXPLORATION = {"classes": (800, 500), "sources": (800, 400), "samples-covid": (900, 900)}


class Teller:
    """Draws the numbers of a run; the same seed tells the same run."""

    def __init__(self, seed=0, *, kind="single", findings=FINDINGS, counts=N_TEST, n_folds=1):
        self.random = np.random.default_rng(seed)
        self.kind, self.findings, self.counts = kind, tuple(findings), tuple(counts)
        self.n_folds = n_folds

    def number(self, low=0.6, high=0.98):
        return round(float(self.random.uniform(low, high)), 6)

    def estimate(self, low=0.6, high=0.98):
        value = self.number(low, high)
        below, above = self.random.uniform(0.005, 0.03, 2)
        ends = (round(value - below, 6), round(value + above, 6))
        sd = self.number(0.002, 0.02) if self.n_folds > 1 else None
        return {"value": value, "low": ends[0], "high": ends[1], "sd": sd}

    def scores(self, draw, **more):
        return {
            "n": sum(self.counts),
            **{key: draw() for key in OVERALL},
            "macro": {key: draw() for key in OF_FINDINGS},
            "findings": {
                finding: {"n": n} | {key: draw() for key in OF_FINDINGS}
                for finding, n in zip(self.findings, self.counts, strict=True)
            },
        } | more

    def plain(self, low=0.6, high=0.98):
        return self.scores(lambda: self.number(low, high), confusion=self.confusion())

    def confusion(self):
        k = len(self.findings)
        if self.kind != "single":
            return self.random.integers(0, 30, (k, 2, 2)).tolist()
        return [self.random.multinomial(n, np.full(k, 1 / k)).tolist() for n in self.counts]

    def mistakes(self):
        films = [f"{place:02x}" + "5feceb66ffc86f" for place in range(3)]
        said = self.findings[:2] if self.kind == "single" else ("effusion", "no effusion")
        return [
            {"radiograph": film, "source": "east", "true": said[0], "said": said[1]}
            | {"probability": round(0.99 - place / 7, 6)}
            for place, film in enumerate(films)
        ]

    def measured(self):
        return self.scores(self.estimate)

    def difference(self, p=None):
        middle = float(self.random.uniform(-0.06, 0.06))
        p = round(float(self.random.uniform(0, 0.4)), 6) if p is None else p
        ends = [round(middle + step, 6) for step in (0, -0.03, 0.03)]
        told = dict(zip(("difference", "low", "high"), ends, strict=True))
        return told | {"p": p, "p_adjusted": min(1.0, 3 * p)}

    def comparison(self):
        return {
            "accuracy": self.difference(),
            "macro_f1": self.difference() | {"p": None, "p_adjusted": None},
            "macro_auc": self.difference(),
            "findings": {
                finding: self.difference() | {"low": None, "high": None}
                for finding in self.findings
            },
        }

    def vote(self):
        macro = {key: self.estimate() for key in ("precision", "recall", "specificity", "f1")}
        against = self.comparison() | {"macro_auc": UNDECIDED, "findings": {}}
        told = {key: self.estimate() for key in OVERALL}
        return {"n": sum(self.counts)} | told | {"macro": macro, "against_best": against}

    def calibration(self):
        def when():
            return {
                "brier": self.estimate(0.1, 0.2),
                "log_loss": self.estimate(0.2, 0.4),
                "ece": self.number(0.02, 0.09),
            }

        return {
            "temperature": [self.number(0.8, 2.2) for _ in range(self.n_folds)],
            "n_validation": 97,
            "before": when(),
            "after": when(),
        }

    def thresholds(self):
        scores = ("sensitivity", "specificity", "precision", "npv")
        findings = {
            finding: {"threshold": [self.number(0.1, 0.6) for _ in range(self.n_folds)], "n": n}
            | {score: self.estimate() for score in scores}
            for finding, n in zip(self.findings, self.counts, strict=True)
        }
        return {"wanted": 0.95, "findings": findings}

    def part(self, n, **more):
        scores = {"accuracy": self.estimate()}
        scores["macro"] = {"f1": self.estimate(), "auc": self.estimate()}
        findings = min(n, len(self.findings))
        return more | {"n": n, "groups": max(1, n - 3), "n_findings": findings} | scores

    def subgroups(self, held_out):
        sources = enumerate(SOURCES)
        return {
            "source": {name: self.part(30 + n, held_out=name in held_out) for n, name in sources},
            "view": {"PA": self.part(60), "AP": self.part(33), "unknown": self.part(12)},
            "sex": {"F": self.part(52), "M": self.part(53)},
            "age": {"18-39": self.part(28), "80 and over": self.part(4)},
        }

    def model(self, task, trained_on, held_out):
        outside = [name for name in SOURCES if name != trained_on] if trained_on else held_out
        return {
            "task": task,
            "trained_on": trained_on,
            "held_out": list(outside),
            "folds": [
                {subset: self.plain() for subset in tables.SUBSETS} for _ in range(self.n_folds)
            ],
            "test": self.measured(),
            "calibration": self.calibration(),
            "thresholds": self.thresholds(),
            "conformal": {
                "wanted": 0.9,
                "coverage": self.estimate(),
                "size": self.number(1, 1.4),
                "single": self.number(),
                "empty": self.number(0, 0.04),
            },
            "selective": {
                "coverage": [0.5, 0.7, 0.8, 0.9, 1.0],
                "accuracy": [self.number() for _ in range(5)],
                "area": self.number(),
            },
            "subgroups": self.subgroups(outside),
        }


def tell_metrics(seed=0, models=MODELS, task="findings", held_out=(), trained_on=(), **told):
    """Tell the metrics of a run of one task, whose second model is the best."""
    teller = Teller(seed, **told)
    best = models[min(1, len(models) - 1)]
    alone = dict(zip(models, trained_on, strict=False))
    ensemble = {
        "models": list(models),
        "tie": "covid",
        "vote": teller.vote(),
        "mean": teller.measured() | {"against_best": teller.comparison()},
    }
    of_task = {
        "kind": teller.kind,
        "findings": list(teller.findings),
        "chosen_by": "f1" if teller.kind == "single" else "auc",
        "best": best,
        "test": {
            "n": sum(teller.counts),
            "groups": sum(teller.counts) - 9,
            "held_out": list(held_out),
            "n_held_out": 35 * len(held_out),
        },
        "mistakes": teller.mistakes(),
        "majority": {subset: teller.plain(0.1, 0.4) for subset in ("validation", "test")},
        "ensembles": {"everyone": ensemble} if len(models) > 1 else {},
        "comparisons": [
            {"first": first, "second": second} | teller.comparison()
            for first, second in combinations(models, 2)
        ],
    }
    return {
        "bootstrap": {"replicates": 2000, "level": 0.95},
        "tasks": {task: of_task},
        "models": {name: teller.model(task, alone.get(name, ""), held_out) for name in models},
    }


def change(told, rule):
    """Return told numbers after a rule that gets the key of each and its value."""
    if isinstance(told, dict):
        return {key: change(rule(key, value), rule) for key, value in told.items()}
    return [change(rule("", value), rule) for value in told] if isinstance(told, list) else told


def without_intervals(metrics):
    """Tell that no interval and no test can be made."""
    unknown = {"low", "high", "p", "p_adjusted"}
    return change(metrics, lambda key, value: None if key in unknown else value)


def with_every_score(metrics, score):
    """Tell that every score has one value, which may be None; what was wanted stays."""
    kept = {"level", "wanted", "coverage"}

    def rule(key, value):
        return score if isinstance(value, float) and key not in kept else value

    changed = change(metrics, rule)
    for model in changed["models"].values():
        model["selective"]["coverage"] = [0.5, 0.7, 0.8, 0.9, 1.0]
        model["calibration"]["temperature"] = [1.0]
    return changed


def tell_recipe(models=MODELS, **more):
    """Return a recipe as its rule hands it over: every default spelled out."""
    settings = {"title": "Imaginary films", "seed": 7, "sources": list(SOURCES)}
    settings |= {"findings": list(FINDINGS)} | more
    settings["models"] = {name: {"architecture": "resnet10t"} for name in models}
    return Recipe.model_validate(settings).model_dump(mode="json")


def tell_summary(name):
    """Return the summary of a model, its size drawn from its name."""
    parameters = 100_000 * len(name) + 1_234
    told = {"architecture": "resnet10t", "head": "linear", "dropout": 0.0, "weights": "none"}
    told |= {"task": "findings", "side": 96, "trained": "all", "parameters": parameters}
    told |= {"trainable": parameters - 1000, "batch": 32, "epochs": 14, "best_epoch": 9}
    return told | {"kept": "best", "monitor": "loss", "size_bytes": 4 * parameters}


TIMING = {"seconds_per_epoch": 3.02, "films_per_second": 228.5, "device": "Abacus 9"}
TIMING |= {"precision": "bf16", "torch": "2.11.0"}


def tell_films(seed=0, n=210):
    """Return the index and the split of films of which age, sex or view is sometimes not known."""
    random = np.random.default_rng(seed)
    names = [f"{place:016x}" for place in range(n)]
    source = random.choice(list(SOURCES), n)
    patients = [f"{of}/p{random.integers(90)}" for of in source]
    ages = random.integers(18, 90, n).astype(float)
    ages[random.random(n) < 0.1] = np.nan
    finding = random.choice(FINDINGS, n)
    index = pd.DataFrame(
        {
            "radiograph": names,
            "source": source,
            "file": [f"films/{name}.png" for name in names],
            "patient": np.where(random.random(n) < 0.9, patients, ""),
            "view": random.choice(["PA", "AP", ""], n),
            "age": ages,
            "sex": random.choice(["F", "M"], n),
            **{"width": 256, "height": 256, "mode": "L", "tint": 0.0, "contrast": 0.7},
            **{"blank": 0.1, "findings": finding, "published": "", "lungs": "", "lesions": ""},
            "boxes": "",
        }
    )
    subset = random.choice(tables.SUBSETS, n, p=[0.6, 0.2, 0.2])
    split = pd.DataFrame({"radiograph": names, "group": names, "source": source})
    return index, split.assign(finding=finding, subset=subset, fold=0)


def tell_excluded():
    """Return what was seen and not indexed."""
    rows = [
        ("north", "1.png", "view", "lateral"),
        ("north", "2.png", "view", "oblique"),
        ("east", "3.png", "unreadable", "broken"),
    ]
    return pd.DataFrame(rows, columns=list(tables.EXCLUDED.columns))


def tell_leakage():
    """Return a certificate in which no two counts are the same."""
    conflict = {"kind": "near", "score": 0.9871, "first_finding": "covid"}
    conflict |= {"second_finding": "normal", "first_file": "north/<i>a.png"}
    films = [
        {"source": "north", "finding": "covid", "train": 61, "validation": 67, "test": 71},
        {"source": "north", "finding": "normal", "train": 79, "validation": 83, "test": 89},
        {"source": "east", "finding": "normal", "train": 97, "validation": 101, "test": 103},
    ]
    return {
        "shared": [
            {"fold": 0, "first": "train", "second": "test", "patients": 0, "exact": 0, "near": 0}
        ],
        "radiographs": 210,
        "groups": 190,
        "largest_group": 4,
        "without_patient": 21,
        "duplicates": {"exact": 31, "near": 29},
        "near_searched": True,
        "near_score": 0.93,
        "label_conflicts": 1,
        "label_conflicts_handled": "exclude",
        "conflicts": [conflict | {"second_file": "east/b.png"}],
        "left_out": {"conflict": 41, "copy": 43, "truncated": 47, "leak": 53},
        "films": [row | {"left out": 2} for row in films],
    }


def tell_provenance(**told):
    """Return an imaginary ``provenance.json``; what is told replaces what it has."""
    known = {
        "run": "imaginary",
        "code": {"commit": "0a1b", "changed": []},
        "data": {"pin": "5a6b.dir", "collections": {"north": "7c8d"}},
        "packages": {
            "lock": 64 * "9",
            "installed": {"python": "3.12.1", "cxrpipe": "1.2.3", "torch": "2.11.0"},
        },
        "machine": {
            "system": "Linux 6.1 x86_64",
            "processor": "Imaginary CPU",
            "cores": 2,
            "memory_gib": 23.5,
            "gpus": [],
        },
        "seeds": {"recipe": 0},
        "started": "2026-11-21T10:00:00+00:00",
        "ended": "2026-11-21T10:05:00+00:00",
        "outputs": {"table.csv": 64 * "e"},
    }
    return known | told


def tell_guard(validation=(200, 5), test=(105, 4)):
    """Return what an imaginary guard refuses: films, and those refused."""
    return {"wanted": 0.03} | {
        subset: {"n": n, "refused": refused, "as_pictures": refused - 1, "by_features": 2}
        for subset, (n, refused) in {"validation": validation, "test": test}.items()
    }


def tell_run(**told):
    """Return an imaginary run; what is told replaces what it has."""
    metrics = told.get("metrics", tell_metrics())
    models = list(metrics["models"])
    index, split = tell_films()
    known = {
        "name": "imaginary",
        "recipe": tell_recipe(models),
        "sources": SOURCES,
        "metrics": metrics,
        "certificate": tell_leakage(),
        "index": index,
        "split": split,
        "excluded": tell_excluded(),
        "summaries": {name: tell_summary(name) for name in models},
        "timings": dict.fromkeys(models, TIMING),
        "localisations": tell_localisations(models),
        "causes": tell_causes_of(models),
        "guards": {name: tell_guard() for name in models},
        "latents": {name: tell_latent(models) for name in metrics["tasks"]},
        "provenance": tell_provenance(),
    }
    return Run(**(known | told))


def draw_picture(path, size):
    """Write a picture of a slope, as steep as its name is long, so that no two are the same."""
    width, height = size
    rising = np.linspace(0, 100 + len(path.stem), width).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(rising, (height, 1))).save(path)
    return path
