"""Sentences on heatmaps with their numbers, and warnings that come only where they should."""

import pytest
from judging import (
    NONE,
    around,
    est,
    tell_latent,
    tell_localisation,
    tell_nothing,
    tell_probe,
    tell_region,
    tell_shortcut,
)

from cxrpipe.reporting.page.shortcuts import (
    collections_differ,
    find_probe,
    sum_up_heatmaps,
    warn_of_collections,
    warn_of_lungs,
)


def test_the_sentence_has_every_verdict_with_its_numbers():
    assert sum_up_heatmaps("net", tell_localisation()) == (
        "Heatmaps of net point at lesions more often than chance (in 30 of 40 films, 75% "
        "(60%-88%); the better chance is 29%); they keep to the lungs: the share of mass inside "
        "them is above the lungs' share of the film (61% (56%-66%) beside 29% (28%-30%), in 31 "
        "films, by masks); they depend on what was learnt: with random weights they are no more "
        "alike than of two films (similarity 0.050 (0.010-0.090) beside 0.040 (-0.010-0.090), in "
        "40 films)."
    )


def test_what_is_not_known_follows_what_is():
    said = sum_up_heatmaps("net", tell_localisation(n=0, randomised=NONE))
    assert said.startswith("Heatmaps of net keep to the lungs: ")
    assert ". Not all is known: of lesions, not scored, since no rightly" in said
    assert said.endswith("not scored, since no two films have heatmaps to compare.")


def test_heatmaps_that_nothing_is_known_of_are_not_judged():
    said = sum_up_heatmaps("net", tell_nothing())
    assert said.startswith("Heatmaps of net were not judged: of lesions, not scored")
    assert "None" not in said


def test_heatmaps_that_leave_the_lungs_warn_with_both_shares():
    warning = warn_of_lungs("net", tell_shortcut())
    assert warning.startswith("A warning of a shortcut: heatmaps of net leave the lungs")
    assert "(19% (14%-24%) beside 29% (28%-30%), in 31 films, by masks)" in warning


@pytest.mark.parametrize(
    ("mask", "warns"),
    [
        (tell_region("share", 0.61, 0.29), False),
        (tell_region("share", 0.34, 0.31), True),
        (NONE, False),
        ({"n": 5, "groups": 5, "share": est(0.1), "chance": est(0.3)}, False),
    ],
)
def test_only_a_share_with_an_interval_warns(mask, warns):
    told = tell_localisation(lungs={"mask": mask, "stand_in": NONE})
    assert (warn_of_lungs("net", told) is not None) is warns


def probes(accuracy=0.8, by_finding=0.44, from_source=0.52):
    return {
        "finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=from_source),
        "source": tell_probe(("east", "north"), accuracy, 0.41, from_finding=by_finding),
    }


@pytest.mark.parametrize(
    ("probe", "warns"),
    [
        (probes(), True),
        (probes(accuracy=0.48), False),  # 0.42 to 0.54: no more than the finding alone tells
        (probes(by_finding=0.75), False),
        (probes(from_source=0.43), False),  # collections hardly differ
        (probes() | {"source": tell_probe(("east",), from_finding=0.4)}, False),
        (probes() | {"source": probes()["source"] | {"accuracy": est(0.9)}}, False),
        (probes() | {"finding": tell_probe(("covid",), from_source=0.4)}, False),
    ],
)
def test_collections_warn_if_features_tell_them_and_they_tell_the_finding(probe, warns):
    latent = tell_latent(["net"], probe=probe)
    warning = warn_of_collections("net", latent)
    assert (warning is not None) is warns
    assert warning is None or "scores of net may rest on the collection" in warning


def test_the_probe_is_that_after_training_of_the_model_asked_for():
    latent = tell_latent(["one", "two"])
    latent["representations"][3]["probe"] = probes(accuracy=0.123)  # before, of two
    latent["representations"][4]["probe"] = probes(accuracy=0.777)  # after
    assert find_probe(latent, "two", "source")["accuracy"]["value"] == 0.777
    assert find_probe(latent, "three", "source")["n"] == 0
    assert warn_of_collections("three", latent) is None


@pytest.mark.parametrize(("from_source", "differ"), [(0.45, True), (0.43, False), (0.39, False)])
def test_collections_differ_if_they_give_the_finding_away(from_source, differ):
    probe = tell_probe(("covid", "normal"), 0.7, 0.39, from_source=from_source)
    assert collections_differ(probe | {"accuracy": around(0.9)}) is differ
