"""What is known of a run in sentences, for its model card and its checklist.

A fact that these data do not tell is None, and stays so: nothing is made up.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.causes import find_alpha, sum_up_causes
from cxrpipe.reporting.page.certificate import not_certified
from cxrpipe.reporting.page.comparisons import sum_up
from cxrpipe.reporting.page.provenance import describe_code, list_seeds
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.shortcuts import sum_up_heatmaps
from cxrpipe.reporting.page.subgroups import SCORE
from cxrpipe.reporting.page.summary import (
    say_inside,
    say_outside,
    say_question,
    say_tested,
    warn,
)
from cxrpipe.reporting.page.wording import say_count, say_interval, say_list, say_share

Facts = dict[str, str | None]
STARTS = {"none": "random weights", "imagenet": "weights trained on ImageNet"}
NEITHER = "Neither before nor after."
RETROSPECTIVE = "Retrospective: the films lay in their collections before any model was trained."
FEW = 30  # test films of a finding, below which an interval is wide; a rule of thumb


def gather_facts(run: Run) -> Facts:
    """Gather what is known of a run, by name."""
    return {
        **films(run),
        **preparation(run.recipe),
        **learning(run),
        **judgement(run),
        "tasks": each_task(run, say_question),
        "tested": each_task(run, say_tested),
        "external": each_task(run, say_outside),
        "internal": each_task(run, say_inside),
        "versions": ", ".join(f"{name} {number}" for name, number in run.versions.items()),
        "cxrpipe": run.versions["cxrpipe"],
        "run": run.name,
        "commit": describe_code(run.provenance["code"]),
        "seeds": list_seeds(run.recipe),
    }


def each_task(run: Run, say: Callable[[Mapping[str, Any], str], str]) -> str:
    """Say the same of every task; what is said twice is said once."""
    return " ".join(dict.fromkeys(say(run.metrics, name) for name in run.metrics["tasks"]))


def films(run: Run) -> Facts:
    """Tell the films: whence, how many, of whom."""
    found, certificate, index = run.films, run.certificate, run.index
    sources = [f"{source['title']} ({name})" for name, source in run.used.items()]
    unknown = {
        "patient": certificate["without_patient"],
        **{key: int((found[key] == "").sum()) for key in ("view", "sex")},
        "age": int(found["age"].isna().sum()),
    }
    lost = [f"{key} of {n:,}" for key, n in unknown.items() if n]
    views = found["view"].replace("", "unknown").value_counts()
    return {
        "sources": say_list(sources),
        "synthetic": run.synthetic,
        "design": f"{NEITHER if run.all_synthetic else RETROSPECTIVE} {run.synthetic}".strip(),
        "n_seen": f"{len(index) + len(run.excluded):,}",
        "n_excluded": f"{len(run.excluded):,}",
        "n_indexed": f"{len(index):,}",
        "n_left_out": f"{sum(certificate['left_out'].values()):,}",
        "n_films": f"{certificate['radiographs']:,}",
        "n_groups": f"{certificate['groups']:,}",
        "missing": f"Not known: {say_list(lost)}. Such films stay; in subgroups they are a part of "
        "their own. No value is filled in."
        if lost
        else "Patient, view, sex and age of every film are known.",
        "views": ", ".join(f"{view} {n:,}" for view, n in views.items()),
        "conflicts": f"{certificate['label_conflicts']:,}",
        "patients": _patients(certificate),
        "gaps": " ".join(not_certified(certificate)),
    }


def _patients(certificate: Mapping[str, Any]) -> str:
    near = "near copies" if certificate["near_searched"] else "copies that are not pixel for pixel"
    searched = "were searched" if certificate["near_searched"] else "were not searched"
    n = certificate["without_patient"]
    known = f"the patient of {say_count(n, 'film')} is not known" if n else "every patient is known"
    return f"Patients and identical films are in one subset only; {near} {searched}; {known}."


def preparation(recipe: Mapping[str, Any]) -> Facts:
    """Tell how films are chosen, divided and stored."""
    index, split, stored = recipe["index"], recipe["split"], recipe["preprocess"]
    views = say_list([view or "unknown" for view in index["views"]])
    parts = {
        "blur": f"Gaussian blur of {stored['blur']} px",
        "clahe": f"CLAHE with clip limit {stored['clahe']:g}",
    }
    filters = [said for key, said in parts.items() if stored[key]]
    held_out = split["held_out"]
    return {
        "criteria": f"Views {views}; the shorter side has at least {index['min_side']} px and is "
        f"not below 1/{index['max_aspect']:g} of the longer; limits of tint, contrast and blank "
        "pixels stand under Settings",
        "preprocessing": f"Grey, 8 bits, {stored['side']} px ({stored['fit']})"
        + (f"; {say_list(filters)}" if filters else "; no filter"),
        "truncated": _truncated(recipe),
        "augmented": _augmented(recipe["models"]),
        "wanted_size": f"Asked for {_amount(split['test'])} for the test."
        if split["test"] >= 1
        else "No size was fixed beforehand.",
        "assignment": "By seed, whole groups at a time, stratified by finding and collection; test "
        f"{_amount(split['test'])}, validation {_amount(split['validation'])}"
        + (f"; held out for the test: {say_list(held_out)}" if held_out else "")
        + ("; published subsets are kept" if split["published"] else "")
        + (f"; {split['folds']} folds of training and validation" if split["folds"] > 1 else ""),
    }


def _truncated(recipe: Mapping[str, Any]) -> str:
    limits = {"in the split": recipe["split"]["truncate"]} | {
        f"to train in task {name}": task["truncate"] for name, task in recipe["tasks"].items()
    }
    said = [f"{limit} {where}" for where, limit in limits.items() if limit]
    return f"Films of a finding at most: {say_list(said)}" if said else "Films of a finding: all"


def _augmented(models: Mapping[str, Mapping[str, Any]]) -> str:
    plain = [name for name in models if not any(models[name]["training"]["augmentation"].values())]
    if len(plain) == len(models):
        return "No film is augmented."
    said = f", those of {say_list(plain)} are not" if plain else ""
    return f"Training films alone are augmented{said}."


def _amount(amount: float) -> str:
    return say_share(amount) if amount < 1 else f"{amount:,.0f} films of each finding"


def learning(run: Run) -> Facts:
    """Tell what the models are and how they were trained."""
    summaries, recipe = run.summaries, run.recipe
    bests = [task["best"] for task in run.metrics["tasks"].values()]
    described = [
        f"{name}: {summary['architecture']}, head {summary['head']}, {summary['side']} px, "
        f"{summary['parameters']:,} parameters, {summary['trainable']:,} of them trained"
        for name, summary in summaries.items()
    ]
    starts = [
        f"{name}: {STARTS.get(summary['weights'], summary['weights'])}"
        for name, summary in summaries.items()
    ]
    trained = [_training(name, recipe["models"][name]["training"]) for name in bests]
    monitors = dict.fromkeys(summaries[name]["monitor"].replace("_", " ") for name in bests)
    chosen = {task["chosen_by"] for task in run.metrics["tasks"].values()}
    return {
        "models": "; ".join(described),
        "best": say_list(dict.fromkeys(bests)),
        "starts": "; ".join(starts),
        "training": "; ".join(dict.fromkeys(trained)),
        "selection": f"The epoch by validation {say_list(monitors)}; the model by macro "
        f"{say_list(SCORE[score] for score in sorted(chosen))} on validation",
        "devices": say_list(dict.fromkeys(timing["device"] for timing in run.timings.values())),
    }


def _training(name: str, settings: Mapping[str, Any]) -> str:
    return (
        f"{name}: {settings['optimiser']}, learning rate {settings['learning_rate']:g} "
        f"({settings['schedule']}), batch {settings['batch']}, at most {settings['epochs']} "
        f"epochs, {settings['loss'].replace('_', ' ')}, sampler {settings['sampler']}"
    )


def judgement(run: Run) -> Facts:
    """Tell how the models were judged, and what came out."""
    metrics, tasks = run.metrics, run.metrics["tasks"]
    bootstrap = metrics["bootstrap"]
    ensembles = [name for task in tasks.values() for name in task["ensembles"]]
    few = [
        f"{readable(finding)} ({row['n']})"
        for task in tasks.values()
        for finding, row in metrics["models"][task["best"]]["test"]["findings"].items()
        if row["n"] < FEW
    ]
    warned = [warning for name in tasks for warning in warn(run, name)]
    return {
        "n_test": say_list(
            f"{task['test']['n']:,} films in {task['test']['groups']:,} groups"
            for task in tasks.values()
        ),
        "statistics": f"{bootstrap['level']:.0%} intervals from {bootstrap['replicates']:,} "
        "bootstrap samples of groups, drawn within collections; McNemar for accuracy and DeLong "
        "for AUC, both for clustered films; p of accuracy and macro AUC adjusted together by Holm "
        "over all pairs of models and both scores, those of findings over pairs and findings",
        "ensembles": f"Vote and mean probability of {say_list(ensembles)}" if ensembles else "none",
        "performance": " ".join(_performance(metrics, name) for name in tasks),
        "differences": " ".join(sum_up(task, bootstrap["level"]) for task in tasks.values()),
        "heatmaps": " ".join(
            sum_up_heatmaps(task["best"], run.localisations[task["best"]], bootstrap["level"])
            for task in tasks.values()
        ),
        "shortcuts": " ".join(warned) if warned else None,
        "causes": " ".join(
            sum_up_causes(task["best"], run.causes[task["best"]], find_alpha(metrics))
            for task in tasks.values()
        ),
        "few": say_list(dict.fromkeys(few)) if few else None,
        "one_collection": _one_collection(run.certificate),
    }


def _performance(metrics: Mapping[str, Any], name: str) -> str:
    task = metrics["tasks"][name]
    best, score = task["best"], task["chosen_by"]
    test = metrics["models"][best]["test"]
    return (
        f"{best}: accuracy {say_interval(test['accuracy'])}, macro {SCORE[score]} "
        f"{say_interval(test['macro'][score])}, n = {test['n']:,}."
    )


def _one_collection(certificate: Mapping[str, Any]) -> str | None:
    """Name the findings whose training films are all of one collection."""
    rows = [row for row in certificate["films"] if row["train"]]
    if len({row["source"] for row in rows}) < 2:
        return None
    sources: dict[str, set[str]] = {}
    for row in rows:
        sources.setdefault(row["finding"], set()).add(row["source"])
    alone = [f"{readable(name)} ({min(of)})" for name, of in sources.items() if len(of) == 1]
    return say_list(alone) if alone else None
