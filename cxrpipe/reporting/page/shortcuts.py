"""The heatmaps of a model in a sentence, and what warns of scores that rest on the wrong thing."""

from collections.abc import Iterable, Mapping
from typing import Literal

from cxrpipe.reporting.page.standing import (
    Standing,
    Told,
    chance_of,
    choose_lungs,
    part_of,
    share_of,
    stand,
    stand_inside,
)
from cxrpipe.reporting.page.verdicts import (
    NO_WEIGHTS,
    judge_learnt,
    judge_lungs,
    judge_pointing,
)
from cxrpipe.reporting.page.wording import (
    say_count,
    say_interval,
    say_list,
    say_percent,
    say_share,
)

Bond = Literal["none", "some", "nearly all", "unknown"]
# Cramer's V of finding and collection from which on collections differ in findings, and from which
# on the two nearly determine each other; rules of thumb (0.1 is a small effect, Cohen 1988).
DIFFER, DETERMINE = 0.1, 0.8
LUNGS = (
    "A warning of a shortcut: heatmaps leave the lungs, with less mass inside them than a uniform "
    "map has: those of {models}. The scores may rest on what is not the lung, such as burned-in "
    "text, a device or the edge of the film; or the finding lies outside the lungs, as a large "
    "heart, a hernia or an effusion does."
)
# What a probe must beat: the key of what the other label alone gives away, by what it tells.
BY_OTHER = {"finding": "from_source", "source": "from_finding"}
MAY_REST = (
    "A warning of a shortcut: the scores of {models} may rest on the collection. Features tell the "
    "collection more often than the finding alone would, and collections differ in findings."
)
BOUND = (
    "A warning of a shortcut: finding and collection of the test films nearly determine each other "
    "(Cramér's V {association:.2f}). Whether scores rest on the finding or on the collection "
    "cannot be told apart on these films, by this probe or another."
)


def say_pointing(localisation: Told, level: float) -> str:
    """Say the verdict on the pointing game with its numbers."""
    game, verdict = part_of(localisation), judge_pointing(localisation, level).said
    if not game["n"]:
        return verdict
    return (
        f"{verdict} (in {game['hits']} of {say_count(game['n'], 'film')}, "
        f"{say_percent(share_of(game))}; the better chance is {say_share(chance_of(game))})"
    )


def say_lungs(localisation: Told) -> str:
    """Say the verdict on the lungs with its numbers."""
    verdict = judge_lungs(localisation).said
    return (
        f"{verdict} ({compare_lungs(localisation)})" if choose_lungs(localisation)["n"] else verdict
    )


def compare_lungs(localisation: Told) -> str:
    """Write the share of mass inside the lungs beside that of a uniform map, of how many films."""
    lungs = choose_lungs(localisation)
    of = say_count(lungs["n"], "film")
    return f"{say_percent(lungs['share'])} beside {say_percent(lungs['chance'])}, in {of}"


def say_learnt(localisation: Told) -> str:
    """Say the verdict on random weights with its numbers."""
    verdict, drawn = judge_learnt(localisation).said, part_of(localisation, "randomised")
    if verdict == NO_WEIGHTS.said:
        return verdict
    last, chance = drawn["stages"][-1]["similarity"], drawn["similarity_chance"]
    of = say_count(drawn["n"], "film")
    return f"{verdict} (similarity {say_interval(last)} beside {say_interval(chance)}, in {of})"


def sum_up_heatmaps(model: str, localisation: Told, level: float) -> str:
    """Sum the heatmaps of a model up in a sentence: lesions, lungs, and what was learnt.

    Parameters
    ----------
    level
        Of all intervals, from 0 to 1.
    """
    parts = {
        "of lesions": say_pointing(localisation, level),
        "of the lungs": say_lungs(localisation),
        "of random weights": say_learnt(localisation),
    }
    known = [said for said in parts.values() if not said.startswith("not ")]
    unknown = [f"{name}, {said}" for name, said in parts.items() if said.startswith("not ")]
    if not known:
        return f"Heatmaps of {model} were not judged: {'; '.join(unknown)}."
    said = f"Heatmaps of {model} {'; they '.join(known)}"
    return f"{said}. Not all is known: {'; '.join(unknown)}." if unknown else f"{said}."


def warn_of_lungs(models: Mapping[str, Told]) -> list[str]:
    """Warn of the models whose mass inside the lungs is shown to be below the lungs' share."""
    leave = [
        f"{name} ({compare_lungs(told)}, by {choose_lungs(told)['by']})"
        for name, told in models.items()
        if stand_inside(told) == "below"
    ]
    return [LUNGS.format(models=say_list(leave))] if leave else []


def find_features(latent: Told, model: str) -> Told:
    """Return what the features of a model tell after training; empty if they are not there."""
    told: list[Told] = [
        told
        for told in latent["representations"]
        if (told["features"], told["stage"]) == (model, "after")
    ]
    return told[0] if told else {}


def find_probe(latent: Told, model: str, target: str) -> Told:
    """Return the probe of the features of a model after training; one that is not there is empty.

    Parameters
    ----------
    target
        ``finding`` or ``source``.
    """
    probe: Told = find_features(latent, model).get("probe", {}).get(target, {})
    return probe if probe.get("n") else {"n": 0}


def stand_told(probe: Told, target: str) -> Standing:
    """Tell where a probe stands beside what the other label alone gives away.

    That is the commonest answer among the films of the same finding, or of the same collection; it
    is never less than the commonest of all.
    """
    by_other = probe[BY_OTHER[target]]
    return "unknown" if by_other is None else stand(probe["accuracy"], by_other)


def bind(latent: Told) -> Bond:
    """Tell how far finding and collection of the films go together, by Cramér's V."""
    association = latent.get("association")
    if association is None:
        return "unknown"
    if association >= DETERMINE:
        return "nearly all"
    return "some" if association >= DIFFER else "none"


def warn_of_collections(models: Iterable[str], latent: Told) -> list[str]:
    """Warn where finding and collection cannot be told apart, or else of the models that may rest.

    These are those whose features tell the collection by itself, if collections differ in findings.
    """
    bond = bind(latent)
    if bond == "nearly all":
        return [BOUND.format(association=latent["association"])]
    probes = {name: find_probe(latent, name, "source") for name in models}
    may = [name for name, of in probes.items() if of["n"] and stand_told(of, "source") == "above"]
    return [MAY_REST.format(models=say_list(may))] if may and bond == "some" else []
