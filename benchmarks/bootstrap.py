"""How long intervals take, beside a loop over samples with scikit-learn.

    python benchmarks/bootstrap.py single multi loop

Each part prints the median of several turns, and what the whole process has held of memory at most.

single     all scores of several models in every sample, one finding a film, and their intervals
multi      the same where each finding is a yes or no, and a film shows each with probability 0.1
loop       (single) over a loop of scikit-learn, of which only a few samples of one model are timed
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn import metrics as sklearn

from cxrpipe.evaluation.statistics.bootstrap import draw_replicates, interval, name_strata
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.evaluation.statistics.metrics import Floats, Integers
from cxrpipe.evaluation.statistics.ranking import log_odds

SOURCES = 3
FILMS_A_PATIENT = 2
LOOPED = 2  # samples in a turn of the loop


def draw_films(n: int, n_findings: int, kind: str) -> tuple[Integers, Floats, Integers]:
    """Draw what films show, logits that tell it with errors, and whose films they are."""
    random = np.random.default_rng(0)
    groups = np.arange(n) // FILMS_A_PATIENT
    logits = random.normal(size=(n, n_findings))
    if kind == "single":
        true = random.integers(0, n_findings, n)
        return true, logits + 1.5 * np.eye(n_findings)[true], groups
    true = (random.random((n, n_findings)) < 0.1).astype(np.int64)
    return true, logits + 1.5 * true - 1, groups


def bootstrap(options: argparse.Namespace, kind: str) -> None:
    """Draw samples, score all models in each, and take the intervals of every score."""
    true, logits, groups = draw_films(options.films, options.findings, kind)
    strata = name_strata(groups % SOURCES, groups)
    weights = draw_replicates(strata, groups, options.replicates, seed=0)
    for model in range(options.models):
        scores = measure(true, np.roll(logits, model, axis=0), kind, weights)
        for replicates in scores.values():
            interval(replicates, 0.95)


def loop(true: Integers, logits: Floats, weights: Weights) -> None:
    """Score every sample by itself with scikit-learn."""
    named, order = logits.argmax(axis=1), log_odds(logits)
    shown = true[:, None] == np.arange(logits.shape[1])
    for drawn in weights:
        said = {"sample_weight": drawn}
        for score in (
            sklearn.accuracy_score,
            sklearn.balanced_accuracy_score,
            sklearn.cohen_kappa_score,
            sklearn.matthews_corrcoef,
            sklearn.multilabel_confusion_matrix,  # specificity and one-vs-rest accuracy
            sklearn.precision_recall_fscore_support,
        ):
            score(true, named, **said)
        for score in (sklearn.roc_auc_score, sklearn.average_precision_score):
            score(shown, order, average=None, **said)


def take_turns(work: Callable[[], None], turns: int) -> list[float]:
    """Return the seconds of every turn."""
    seconds = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def tell(name: str, seconds: list[float]) -> None:
    """Print what the turns took, and the peak of memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:8} median {statistics.median(seconds):6.1f} s, best {min(seconds):6.1f} s "
        f"of {len(seconds)}; memory at most {peak:.2f} GiB",
        flush=True,
    )


def measure_kind(options: argparse.Namespace, kind: str) -> None:
    """Print the first two parts."""
    tell(kind, take_turns(partial(bootstrap, options, kind), options.turns))


def measure_loop(options: argparse.Namespace) -> None:
    """Print the third part: turns alternate, since machines are noisy."""
    true, logits, groups = draw_films(options.films, options.findings, "single")
    weights = draw_replicates(name_strata(groups % SOURCES, groups), groups, LOOPED, seed=0)
    times = options.models * options.replicates / LOOPED
    ratios = []
    for _ in range(options.turns):
        (ours,) = take_turns(partial(bootstrap, options, "single"), 1)
        (theirs,) = take_turns(partial(loop, true, logits, weights), 1)
        ratios.append(theirs * times / ours)
        print(
            f"loop     {theirs:.1f} s for {LOOPED} samples of one model; at that pace "
            f"{theirs * times:,.0f} s for all, {ratios[-1]:,.0f} times as long",
            flush=True,
        )
    print(f"loop     median {statistics.median(ratios):,.0f} times as long")


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "single": partial(measure_kind, kind="single"),
    "multi": partial(measure_kind, kind="multi"),
    "loop": measure_loop,
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--findings", type=int, default=15)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    print(
        f"{options.replicates:,} samples, {options.models} models, {options.films:,} films of "
        f"{options.films // FILMS_A_PATIENT:,} patients, {options.findings} findings"
    )
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
