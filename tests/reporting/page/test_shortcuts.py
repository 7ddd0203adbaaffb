"""Sentences on heatmaps with their numbers, and warnings that come only where they should."""

import pytest
from judging import (
    NONE,
    est,
    tell_latent,
    tell_localisation,
    tell_nothing,
    tell_probe,
    tell_region,
    tell_shortcut,
)

from cxrpipe.reporting.page.shortcuts import (
    bind,
    find_probe,
    sum_up_heatmaps,
    warn_of_collections,
    warn_of_lungs,
)


def test_the_sentence_has_every_verdict_with_its_numbers():
    assert sum_up_heatmaps("net", tell_localisation(), 0.95) == (
        "Heatmaps of net point at lesions more often than chance (in 30 of 40 films, 75% "
        "(60%-88%); the better chance is 29%); they keep to the lungs, by masks: most mass is "
        "inside, 39% outside (61% (56%-66%) beside 29% (28%-30%), in 31 films); they depend on "
        "what was learnt: with random weights they are hardly alike (similarity 0.050 "
        "(0.010-0.090) beside 0.040 (-0.010-0.090), in 40 films)."
    )


def test_what_is_not_known_follows_what_is():
    said = sum_up_heatmaps("net", tell_localisation(n=0, randomised=NONE), 0.95)
    assert said.startswith("Heatmaps of net keep to the lungs, by masks: ")
    assert ". Not all is known: of lesions, not scored, since no film of" in said
    assert said.endswith("not scored, since no two films have heatmaps to compare.")


def test_heatmaps_that_nothing_is_known_of_are_not_judged():
    said = sum_up_heatmaps("net", tell_nothing(), 0.95)
    assert said.startswith("Heatmaps of net were not judged: of lesions, not scored")
    assert "None" not in said


def test_every_model_whose_heatmaps_leave_the_lungs_is_warned_of_with_its_shares():
    models = {"good": tell_localisation(), "one": tell_shortcut(), "two": tell_shortcut()}
    (warning,) = warn_of_lungs(models)
    assert warning.startswith("A warning of a shortcut: heatmaps leave the lungs")
    shares = "(19% (14%-24%) beside 29% (28%-30%), in 31 films, by masks)"
    assert f"those of one {shares} and two {shares}." in warning
    assert "good" not in warning
    assert "or the finding lies outside the lungs" in warning


@pytest.mark.parametrize(
    ("mask", "warns"),
    [
        (tell_region("share", 0.61, 0.29), False),
        (tell_region("share", 0.34, 0.31), False),  # not shown to differ is no warning
        (tell_region("share", 0.19, 0.31), True),
        (NONE, False),
        ({"n": 5, "groups": 5, "share": est(0.1), "chance": est(0.3)}, False),
    ],
)
def test_only_a_share_that_is_shown_to_be_below_warns(mask, warns):
    told = tell_localisation(lungs={"mask": mask, "stand_in": NONE})
    assert bool(warn_of_lungs({"net": told})) is warns


def probes(accuracy=0.8, by_finding=0.44):
    return {
        "finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=0.39),
        "source": tell_probe(("east", "north"), accuracy, 0.41, from_finding=by_finding),
    }


@pytest.mark.parametrize(
    ("probe", "association", "warns"),
    [
        (probes(), 0.31, True),
        (probes(accuracy=0.48), 0.31, False),  # 0.42 to 0.54: no more than the finding alone tells
        (probes(by_finding=0.75), 0.31, False),
        (probes(), 0.09, False),  # collections hardly differ
        (probes(), None, False),  # of one finding
        (probes() | {"source": tell_probe(("east",), from_finding=0.4)}, 0.31, False),
        (probes() | {"source": probes()["source"] | {"accuracy": est(0.9)}}, 0.31, False),
    ],
)
def test_collections_warn_if_features_tell_them_and_they_differ_in_findings(
    probe, association, warns
):
    """The commonest answer is the same in both collections: it does not tell that they differ."""
    latent = tell_latent(["one", "two"], probe=probe, association=association)
    warning = warn_of_collections(["one", "two"], latent)
    assert len(warning) == warns
    assert not warns or "scores of one and two may rest on the collection" in warning[0]


@pytest.mark.parametrize("accuracy", [0.99, 0.5])
def test_a_finding_of_one_collection_alone_warns_whatever_a_probe_tells(accuracy):
    latent = tell_latent(["net"], probe=probes(accuracy, by_finding=1.0), association=0.97)
    (warning,) = warn_of_collections(["net"], latent)
    assert "nearly determine each other (Cramér's V 0.97)" in warning
    assert "cannot be told apart" in warning


def test_the_probe_is_that_after_training_of_the_model_asked_for():
    latent = tell_latent(["one", "two"])
    latent["representations"][3]["probe"] = probes(accuracy=0.123)  # before, of two
    latent["representations"][4]["probe"] = probes(accuracy=0.777)  # after
    assert find_probe(latent, "two", "source")["accuracy"]["value"] == 0.777
    assert find_probe(latent, "three", "source") == NONE
    assert warn_of_collections(["three"], latent) == []


@pytest.mark.parametrize(
    ("association", "bond"),
    [
        *((None, "unknown"), (0.0, "none"), (0.099, "none"), (0.1, "some"), (0.799, "some")),
        *((0.8, "nearly all"), (1.0, "nearly all")),
    ],
)
def test_findings_and_collections_are_bound_by_their_association(association, bond):
    assert bind({"association": association}) == bond
    assert bind({}) == "unknown"
