"""The heatmaps of a model in a sentence, and what warns of scores that rest on the wrong thing."""

from cxrpipe.reporting.page.verdicts import (
    NO_WEIGHTS,
    Standing,
    Told,
    chance_of,
    choose_lungs,
    judge_learnt,
    judge_lungs,
    judge_pointing,
    part_of,
    share_of,
    stand,
    stand_inside,
)
from cxrpipe.reporting.page.wording import say_count, say_interval, say_percent, say_share

# How much more often the commonest finding of its collection must be right of a film than the
# commonest of all, before collections are said to differ in findings; a rule of thumb.
DIFFER = 0.05
LUNGS = (
    "A warning of a shortcut: heatmaps of {model} {lungs}. The score may rest on what is not the "
    "lung, such as burned-in text, a device or the edge of the film."
)
# What a probe must beat: the key of what the other label alone gives away, by what it tells.
BY_OTHER = {"finding": "from_source", "source": "from_finding"}
MAY_REST = (
    "A warning of a shortcut: the scores of {model} may rest on the collection. Its features tell "
    "the collection more often than the finding alone would, and collections differ in findings."
)


def say_pointing(localisation: Told) -> str:
    """Say the verdict on the pointing game with its numbers."""
    game, verdict = part_of(localisation), judge_pointing(localisation)
    if not game["n"]:
        return verdict
    return (
        f"{verdict} (in {game['hits']} of {say_count(game['n'], 'film')}, "
        f"{say_percent(share_of(game))}; the better chance is {say_share(chance_of(game))})"
    )


def say_lungs(localisation: Told) -> str:
    """Say the verdict on the lungs with its numbers."""
    lungs, verdict = choose_lungs(localisation), judge_lungs(localisation)
    if not lungs["n"]:
        return verdict
    return (
        f"{verdict} ({say_percent(lungs['share'])} beside {say_percent(lungs['chance'])}, in "
        f"{say_count(lungs['n'], 'film')}, by {lungs['by']})"
    )


def say_learnt(localisation: Told) -> str:
    """Say the verdict on random weights with its numbers."""
    verdict, drawn = judge_learnt(localisation), part_of(localisation, "randomised")
    if verdict == NO_WEIGHTS:
        return verdict
    last, chance = drawn["stages"][-1]["similarity"], drawn["similarity_chance"]
    of = say_count(drawn["n"], "film")
    return f"{verdict} (similarity {say_interval(last)} beside {say_interval(chance)}, in {of})"


def sum_up_heatmaps(model: str, localisation: Told) -> str:
    """Sum the heatmaps of a model up in a sentence: lesions, lungs, and what was learnt."""
    parts = {
        "of lesions": say_pointing(localisation),
        "of the lungs": say_lungs(localisation),
        "of random weights": say_learnt(localisation),
    }
    known = [said for said in parts.values() if not said.startswith("not ")]
    unknown = [f"{name}, {said}" for name, said in parts.items() if said.startswith("not ")]
    if not known:
        return f"Heatmaps of {model} were not judged: {'; '.join(unknown)}."
    said = f"Heatmaps of {model} {'; they '.join(known)}"
    return f"{said}. Not all is known: {'; '.join(unknown)}." if unknown else f"{said}."


def warn_of_lungs(model: str, localisation: Told) -> str | None:
    """Warn where the mass inside the lungs is not above the lungs' share; None where it is."""
    if stand_inside(localisation) not in ("below", "alike"):
        return None
    return LUNGS.format(model=model, lungs=say_lungs(localisation))


def find_probe(latent: Told, model: str, target: str) -> Told:
    """Return the probe of the features of a model after training; one that is not there is empty.

    Parameters
    ----------
    target
        ``finding`` or ``source``.
    """
    probes: list[Told] = [
        told["probe"][target]
        for told in latent["representations"]
        if (told["features"], told["stage"]) == (model, "after")
    ]
    return probes[0] if probes and probes[0].get("n") else {"n": 0, "labels": []}


def stand_told(probe: Told, target: str) -> Standing:
    """Tell where a probe stands beside what the other label alone gives away.

    That is the commonest answer among the films of the same finding, or of the same collection; it
    is never less than the commonest of all.
    """
    by_other = probe[BY_OTHER[target]]
    return "unknown" if by_other is None else stand(probe["accuracy"], by_other)


def collections_differ(probe: Told) -> bool:
    """Tell whether the collection of a film tells something of its finding.

    Parameters
    ----------
    probe
        Of the finding: ``from_source`` is how often the commonest finding of a film's collection
        is right, ``chance`` how often the commonest of all.
    """
    known = probe["n"] and probe["from_source"] is not None and probe["chance"] is not None
    return bool(known and probe["from_source"] > probe["chance"] + DIFFER)


def warn_of_collections(model: str, latent: Told) -> str | None:
    """Warn where features tell the collection by itself, and collections differ in findings."""
    finding, source = (find_probe(latent, model, target) for target in BY_OTHER)
    if not source["n"] or stand_told(source, "source") != "above":
        return None
    return MAY_REST.format(model=model) if collections_differ(finding) else None
