"""What explains models that never were, made by seeded draws.

Every number is drawn; only the shapes, names and ranges are those of the contracts.
"""

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.evaluation.statistics.metrics import probabilities
from cxrpipe.explanation.excited import Excited
from cxrpipe.explanation.heatmaps import PURPOSES
from cxrpipe.reporting.drawing.explained import Answers, Explained, Heat, Latent, Model

SOURCES = ("north", "south")
METHODS = ("gradcam", "gradcam++", "cam", "integrated")
LAYERS = ("layer2", "layer4")
CAUSES = ("dark", "bright", "text", "devices", "source")


def est(random, low=0.0, high=1.0):
    """Draw an estimate with its interval."""
    value = random.uniform(low, high)
    half = 0.1 * (high - low)
    ends = max(low, value - half), min(high, value + half)
    return dict(zip(("value", "low", "high"), (round(x, 6) for x in (value, *ends)), strict=True))


def draw_films(n, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side), dtype=np.uint8)


def draw_heat(random, side, *, signed=False):
    """Return a blob somewhere, 1 at most; below zero on the left where it is signed."""
    row, column, width = *random.uniform(0.2, 0.8, 2) * side, random.uniform(0.1, 0.25) * side
    y, x = np.mgrid[:side, :side]
    heat = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    return (heat / heat.max() * np.where(signed & (x < side / 2), -1, 1)).astype(np.float32)


class Fakes:
    """One task with its films, models and all that explains them."""

    def __init__(self, findings, models, kind="single", n=40, side=16, seed=0, films=None):
        self.random = np.random.default_rng(seed)
        self.task = Task(kind=kind, findings=tuple(findings), sources=SOURCES)
        self.names = [f"{seed:08x}{number:016x}" for number in range(n)]
        self.pixels = draw_films(n, side, seed) if films is None else films
        self.side = self.pixels.shape[-1]
        self.findings = [self.draw_true(number) for number in range(n)]
        self.true = dict(zip(self.names, self.findings, strict=True))
        self.sources = {name: SOURCES[number % 2] for number, name in enumerate(self.names)}
        self.logits = {model: self.draw_logits() for model in models}
        self.best = models[-1]

    def draw_true(self, number):
        if self.task.kind == "single":
            return self.task.findings[number % len(self.task.findings)]
        shown = self.random.random(len(self.task.findings)) < 0.4
        return "|".join(np.array(self.task.findings)[shown])

    def draw_logits(self):
        marks = [[name in true.split("|") for name in self.task.findings] for true in self.findings]
        logits = 1.5 * np.array(marks) - 0.5 + self.random.normal(size=np.shape(marks))
        return pd.DataFrame(logits, index=self.names, columns=list(self.task.findings))

    def said(self, model):
        """Return of each film what a model says, joined by |, and how sure it is."""
        shares = probabilities(self.logits[model].to_numpy(), self.task.kind)
        if self.task.kind == "single":
            return [self.task.findings[place] for place in shares.argmax(1)], shares.max(1)
        names = np.array(self.task.findings)
        return ["|".join(names[row > 0.5]) for row in shares], shares.max(1)

    def heats(self, model, purpose):
        """Draw the heatmaps of one purpose: a film for each finding, in several ways."""
        said, _ = self.said(model)
        made = []
        if purpose == "several":
            names = [name for name, true in self.true.items() if "|" in true][:4]
            return [heat for name in names for heat in self.explain(name, "", purpose)]
        for finding in self.task.findings:
            own = [name for name, true in self.true.items() if finding in true.split("|")]
            right = [name for name in own if finding in said[self.names.index(name)].split("|")]
            chosen = {"panel": own[:2]}.get(purpose, right[:1])
            for name in chosen:
                made += self.explain(name, finding, purpose)
            if purpose == "depth":
                wrong = [name for name in own if name not in right and said[self.names.index(name)]]
                for name in wrong[:2]:
                    made += self.explain(name, said[self.names.index(name)].split("|")[0], purpose)
        return made

    def explain(self, name, finding, purpose):
        """Draw the heatmaps of one film and finding; several: of all that it shows."""
        true = self.true[name]
        ways = {
            "depth": [("gradcam", layer) for layer in LAYERS],
            "methods": [(method, LAYERS[-1]) for method in METHODS],
        }.get(purpose, [("gradcam", LAYERS[-1])])
        explained = [finding] if purpose != "several" else true.split("|")
        return [
            Heat(
                name, true, each, way, layer, draw_heat(self.random, self.side, signed=way == "cam")
            )
            for each in explained
            for way, layer in ways
        ]

    def localisation(self):
        """Draw the scores of a model's heatmaps, as ``localise`` writes them."""

        def game():
            told = est(self.random)
            scores = {"n": 80, "groups": 60, "hits": round(80 * told["value"])}
            ends = {"low": told["low"], "high": told["high"]}
            return scores | {
                "share": told["value"],
                **ends,
                "chance_film": 0.1,
                "chance_lungs": 0.3,
            }

        def region(key):
            return {
                "n": 50,
                "groups": 40,
                key: est(self.random),
                "chance": est(self.random, 0, 0.3),
            }

        def curve(falling):
            curve = np.sort(self.random.random(11))[:: -1 if falling else 1]
            ends = {
                "curve": list(curve),
                "chance_curve": list(np.linspace(curve[0], curve[-1], 11)),
            }
            return ends | {"area": est(self.random), "chance": est(self.random)}

        stages = [{"layer": layer, "similarity": est(self.random)} for layer in LAYERS[::-1]]
        return game() | {
            "findings": {finding: game() for finding in self.task.findings},
            "focal": game() | {"findings": list(self.task.findings[:2]), "limit": 0.25},
            "lungs": {"mask": region("share"), "stand_in": region("share")},
            "overlap": region("iou") | {"by": {"lesions": region("iou"), "boxes": region("iou")}},
            "altered": {"n": 16, "groups": 16, "shares": list(np.linspace(0, 1, 11))}
            | {"insertion": curve(falling=False), "deletion": curve(falling=True)},
            "randomised": {"n": 16, "stages": stages, "pointing": game() | {"focal": game()}}
            | {"similarity_chance": est(self.random, 0, 0.1)},
            "explained_by": "gradcam",
            "layer": LAYERS[-1],
        }

    def layout(self, side=15):
        """Draw where films lie: the pixels' map, and of each model all maps before and after."""
        kinds = [("pixels", "", "som")]
        kinds += [
            (model, stage, method)
            for model in self.logits
            for stage in ("before", "after")
            for method in ("tsne", "som")
        ]
        rows = []
        for features, stage, method in kinds:
            for name, true in self.true.items():
                middle = hash_of(true) * (stage == "after")
                x, y = self.random.normal(size=2) + 4 * np.array([np.cos(middle), np.sin(middle)])
                if method == "som":
                    x, y = (int(np.clip(round(side / 2 + 1.3 * z), 0, side - 1)) for z in (x, y))
                row = (
                    name,
                    self.sources[name],
                    true or "none",
                    features,
                    stage,
                    method,
                    float(x),
                    float(y),
                )
                rows.append(row)
        return pd.DataFrame(rows, columns=list(tables.LAYOUT.columns))

    def neighbours(self, k=5):
        rows = []
        for model in self.logits:
            for stage in ("before", "after"):
                for name in self.names:
                    others = [other for other in self.names if other != name]
                    chosen = self.random.choice(others, min(k, len(others)), replace=False)
                    rows += [
                        (name, model, stage, rank, other, 0.1 * rank)
                        for rank, other in enumerate(chosen, 1)
                    ]
        return pd.DataFrame(rows, columns=list(tables.NEIGHBOURS.columns))

    def latent(self):
        """Draw the scores of features, as ``project`` writes them."""

        def told(features, stage):
            near = {"same_finding": est(self.random), "chance_finding": 0.23}
            near |= {"same_source": est(self.random), "chance_source": 0.5}
            som = {"side": 15, "quantisation_error": 1.234}
            som |= {"relative_error": 0.456, "topographic_error": 0.056}
            own = {"features": features, "stage": stage, "dimensions": 512, "som": som}
            return own | {"neighbours": near}

        stages = [(model, stage) for model in self.logits for stage in ("before", "after")]
        return {"representations": [told("pixels", ""), *(told(*kind) for kind in stages)]}

    def errors(self, model):
        """Return the answers of a model as ``errors`` writes them; causes are drawn."""
        said, sure = self.said(model)
        table = pd.DataFrame({"radiograph": self.names, "group": self.names})
        table["source"] = [self.sources[name] for name in self.names]
        table["true"] = [true or "none" for true in self.findings]
        table["said"], table["probability"] = [named or "none" for named in said], sure
        table["right"] = (table["true"] == table["said"]).astype(int)
        table["causes"] = ["|".join(CAUSES[: number % 4]) for number in range(len(self.names))]
        table["shown"] = np.where(table["right"] == 0, "drawn", "")
        return table

    def causes(self, model):
        errors = self.errors(model)
        wrong = errors[errors["right"] == 0]
        shown = {finding: [] for finding in (*self.task.findings, "none")}
        for name, true in zip(wrong["radiograph"], wrong["true"], strict=True):
            for finding in true.split("|"):
                shown[finding].append(name)
        if self.task.kind == "single":
            del shown["none"]
        drawn = {finding: names[:10] for finding, names in shown.items()}
        causes = [
            {"cause": cause, "meaning": f"{cause} of the film is far from usual", "limit": 0.1}
            | {"wrong_with": 5, "wrong": len(wrong), "right_with": 7, "right": 100}
            | {"odds_ratio": est(self.random, 0.2, 6), "p": 0.01, "p_adjusted": 0.04}
            for cause in CAUSES
        ]
        surest = list(wrong.sort_values("probability", ascending=False)["radiograph"][:10])
        told = {"n": len(errors), "n_wrong": len(wrong), "groups": len(errors), "causes": causes}
        return told | {"drawn": drawn, "surest": surest}

    def filters(self, layers=2, per_layer=4, side=24):
        n = layers * per_layer
        return Excited(
            self.random.integers(0, 256, (n, 2, side, side), dtype=np.uint8),
            self.random.random((n, 2)).astype(np.float32),
            list(np.repeat(LAYERS[:layers], per_layer)),
            list(range(n)),
            "random weights",
        )

    def explained(self, lesions=(), level=0.95):
        """Return all of it, as ``illustrate`` reads it."""
        place = {name: number for number, name in enumerate(self.names)}
        models = {
            model: Model(
                self.task,
                logits,
                {purpose: self.heats(model, purpose) for purpose in PURPOSES}.__getitem__,
                self.localisation(),
            )
            for model, logits in self.logits.items()
        }
        return Explained(
            task=self.task,
            models=models,
            numbers={model: number for number, model in enumerate(models)},
            best=self.best,
            level=level,
            films=lambda names: self.pixels[[place[name] for name in names]],
            lesions=dict(lesions),
            sources=self.sources,
            latent=Latent(self.layout(), self.neighbours(), self.latent()),
            answers=Answers(self.errors(self.best), self.causes(self.best)),
            filters=self.filters(),
            temperature=1.5,
        )


def hash_of(text):
    """Return an angle that belongs to a text."""
    return sum(map(ord, text)) % 7
