"""How often intervals hold the truth, and tests find a difference where there is none.

    python benchmarks/coverage.py strata answers end few delong

Films are drawn over and over from a made-up population, whose true scores are those of a thousand
times as many patients. A share of draws stands with its standard error. What cannot be estimated is
not counted; "estimable" says in which share of the draws there was something to count.

strata     intervals of accuracy, macro F1 and macro AUC of 300 films: one finding a film, which is
           chance, and three collections, of each of which so many patients are drawn; findings are
           about as common ("even": 40, 31, 29 %) or not ("rare": 61, 29, 11 %)
answers    the same where each of five findings is a yes or no
end        the same as strata, as cxrpipe draws, of nearly perfect models, where a finding is rare
few        intervals of an accuracy of 0.9 or 0.7 of few patients, in four times as many draws
delong     p below 0.05 of DeLong's test where both models are equally good, and few of 300 films
           show the finding, in four times as many draws
"""

import argparse
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from cxrpipe.evaluation.statistics.bootstrap import (
    Groups,
    draw_replicates,
    interval,
    name_strata,
)
from cxrpipe.evaluation.statistics.comparison import compare_auc, influences
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.measures import measure, weighted_mean
from cxrpipe.evaluation.statistics.metrics import Floats, Integers, macro

LEVEL = 0.95
FILMS = 300
OF_COLLECTIONS = np.array([0.5, 0.3, 0.2])  # share of the patients
NOISE = np.array([1.0, 0.9, 1.3])  # collections are not equally hard
OF_FINDINGS = {  # in each collection
    "even": np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.3, 0.2, 0.5]]),
    "rare": np.array([[0.7, 0.2, 0.1], [0.6, 0.35, 0.05], [0.4, 0.4, 0.2]]),
}
OF_ANSWERS = np.array([0.08, 0.15, 0.2, 0.3, 0.4])
COMMON = 0.6  # of the variance of logits, among the films of one patient
TRUTH = 1000  # times as many patients
SIGNAL = 1.4
SIGNAL_OF_ANSWERS = 1.8
NEARLY_PERFECT = (2.1, 3.35)  # signals that give a macro AUC of about 0.967 and 0.998
RIGHT = (0.9, 0.7)
FEW_PATIENTS = (5, 10, 15, 20, 30, 50)
FEW_FILMS = (2, 3, 5, 10, 20)
MORE = 4  # times the draws of what is drawn fast


class Films(NamedTuple):
    """What films show, what a model says, and which collections and patients they are of."""

    true: Integers
    logits: Floats
    sources: Integers
    groups: Integers


class Way(NamedTuple):
    """A way to draw samples: what is drawn as often as it is there, and what is drawn together."""

    labels: Callable[[Films], Integers]
    groups: Callable[[Films], Groups]


def of_patients(films: Films) -> Groups:
    """Draw whole patients."""
    return films.groups


def of_films(films: Films) -> Groups:
    """Draw every film by itself."""
    return np.arange(len(films.groups))


def of_findings(films: Films) -> Integers:
    """Name the finding of each film, or all its answers as one number."""
    return films.true if films.true.ndim == 1 else films.true @ 2 ** np.arange(len(OF_ANSWERS))


BY_COLLECTION = Way(lambda films: films.sources, of_patients)
WAYS = {
    "by collection": BY_COLLECTION,
    "without strata": Way(lambda films: np.zeros_like(films.sources), of_patients),
    "by finding": Way(of_findings, of_patients),
}
WAYS_OF_TWO = {"by patient": BY_COLLECTION, "film by film": BY_COLLECTION._replace(groups=of_films)}


def draw_findings(
    random: np.random.Generator, n_patients: int, n_films: int, shares: Floats, signal: float
) -> Films:
    """Draw films of one finding each, the same in all films of a patient."""
    sources = np.repeat(np.arange(3), np.rint(OF_COLLECTIONS * n_patients).astype(int))
    above = random.random((n_patients, 1)) > shares.cumsum(axis=1)[sources, :-1]
    findings = above.sum(axis=1)
    common = random.normal(scale=np.sqrt(COMMON), size=(n_patients, 1, 3))
    own = random.normal(scale=np.sqrt(1 - COMMON), size=(n_patients, n_films, 3))
    noise = NOISE[sources, None, None] * (common + own)
    logits = (signal * np.eye(3)[findings][:, None] + noise).reshape(-1, 3)
    of_film = np.repeat(np.arange(n_patients), n_films)
    return Films(findings[of_film], logits, sources[of_film], of_film)


def draw_answers(random: np.random.Generator, n_patients: int) -> Films:
    """Draw one film a patient, of findings that are there or not, whatever the others are."""
    sources = np.repeat(np.arange(3), np.rint(OF_COLLECTIONS * n_patients).astype(int))
    shown = (random.random((n_patients, len(OF_ANSWERS))) < OF_ANSWERS).astype(np.int64)
    noise = NOISE[sources, None] * random.normal(size=shown.shape)
    return Films(shown, SIGNAL_OF_ANSWERS * (shown - 0.5) + noise, sources, np.arange(n_patients))


def main_scores(films: Films, weights: Weights | None = None) -> Floats:
    """Return (n_samples, 3): accuracy, macro F1, macro AUC."""
    kind = "single" if films.true.ndim == 1 else "multi"
    scores = measure(films.true, films.logits, kind, weights)
    return np.stack([scores["accuracy"], macro(scores["f1"]), macro(scores["auc"])], axis=1)


def draw_intervals(films: Films, way: Way, n_replicates: int, seed: int) -> Floats:
    """Return (2, 3): low and high end of the three scores."""
    groups = way.groups(films)
    weights = draw_replicates(name_strata(way.labels(films), groups), groups, n_replicates, seed)
    return np.stack(interval(main_scores(films, weights), LEVEL))


def say_share(counted: Floats) -> str:
    """Tell the share of draws, of those that are not NaN, with its standard error, in %."""
    known = counted[~np.isnan(counted)]
    if not len(known):
        return "     none     "
    share = known.mean()
    return f"{100 * share:5.1f} (SE {100 * np.sqrt(share * (1 - share) / len(known)):.1f})"


def say_coverage(ends: Floats, truth: float) -> str:
    """Tell how often intervals (n_draws, 2) hold the truth, and on which side they miss it."""
    low, high = ends.T
    unknown = np.isnan(low)
    held, below, above = (
        np.where(unknown, np.nan, side)
        for side in ((low <= truth) & (truth <= high), truth < low, truth > high)
    )
    return (
        f"holds {say_share(held)}; truth below {say_share(below)}, above {say_share(above)}; "
        f"estimable {say_share(1.0 - unknown)}"
    )


def cover(
    options: argparse.Namespace,
    title: str,
    draw: Callable[[np.random.Generator, int], Films],
    n_patients: int,
    ways: dict[str, Way],
) -> None:
    """Print how often the intervals of each way of drawing hold the truth; films are the same."""
    random = np.random.default_rng(1)
    truth = main_scores(draw(random, TRUTH * n_patients))[0]
    ends = np.empty((len(ways), options.draws, 2, 3))
    for seed in range(options.draws):
        films = draw(random, n_patients)
        for place, way in enumerate(ways.values()):
            ends[place, seed] = draw_intervals(films, way, options.replicates, seed)
    for name, of_way in zip(ways, ends, strict=True):
        for place, score in enumerate(("accuracy", "macro F1", "macro AUC")):
            told = say_coverage(of_way[:, :, place], truth[place])
            print(f"{title} | {name:14} | {score:9} {truth[place]:.3f} | {told}", flush=True)


def cover_strata(options: argparse.Namespace) -> None:
    """Print the first part: patients of one film, and half as many of two."""
    designs = ((1, WAYS), (2, WAYS_OF_TWO))
    for (findings, shares), (n_films, ways) in product(OF_FINDINGS.items(), designs):
        n_patients = FILMS // n_films
        draw = partial(draw_findings, n_films=n_films, shares=shares, signal=SIGNAL)
        cover(options, f"strata | {findings} | {n_patients} x {n_films}", draw, n_patients, ways)


def cover_answers(options: argparse.Namespace) -> None:
    """Print the second part."""
    cover(options, f"answers | {FILMS} x 1", draw_answers, FILMS, WAYS)


def cover_end(options: argparse.Namespace) -> None:
    """Print the third part."""
    for signal in NEARLY_PERFECT:
        draw = partial(draw_findings, n_films=1, shares=OF_FINDINGS["rare"], signal=signal)
        cover(options, f"end | rare | {FILMS} x 1", draw, FILMS, {"by collection": BY_COLLECTION})


def cover_few(options: argparse.Namespace) -> None:
    """Print the fourth part."""
    random = np.random.default_rng(1)
    for share, n in product(RIGHT, FEW_PATIENTS):
        groups, ends = np.arange(n), np.empty((MORE * options.draws, 2))
        for seed in range(len(ends)):
            right = (random.random(n) < share).astype(np.float64)
            weights = draw_replicates(np.zeros_like(groups), groups, options.replicates, seed)
            ends[seed] = interval(weighted_mean(right, weights), LEVEL)
        print(f"few | {share} right of {n:2} patients | {say_coverage(ends, share)}", flush=True)


def reject_delong(options: argparse.Namespace) -> None:
    """Print the fifth part: draws are tested at once, as if they were findings of the same films.

    Of the noise of both models, half of the variance is that of the film.
    """
    random = np.random.default_rng(1)
    films = np.arange(FILMS)
    for n_shown in FEW_FILMS:
        shown = np.broadcast_to(films[:, None] < n_shown, (FILMS, MORE * options.draws))
        shared, *own = random.normal(scale=np.sqrt(0.5), size=(3, *shown.shape))
        models = (influences(shown, (SIGNAL * shown + shared + each)[None], films) for each in own)
        p = compare_auc(*models).p
        below = np.where(np.isnan(p), np.nan, p < 1 - LEVEL)
        print(
            f"delong | {n_shown:2} of {FILMS} films | p below 0.05 in {say_share(below)}; "
            f"estimable {say_share(1.0 - np.isnan(p))}",
            flush=True,
        )


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "strata": cover_strata,
    "answers": cover_answers,
    "end": cover_end,
    "few": cover_few,
    "delong": reject_delong,
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=500)
    options = parser.parse_args()
    print(f"{options.draws:,} draws, {options.replicates:,} samples of each; shares in %")
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
