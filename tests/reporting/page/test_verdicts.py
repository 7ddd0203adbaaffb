"""The rules by which heatmaps are judged, each on numbers chosen by hand."""

import pytest
from judging import (
    NONE,
    around,
    est,
    tell_altered,
    tell_game,
    tell_localisation,
    tell_nothing,
    tell_randomised,
    tell_region,
    tell_shortcut,
)

from cxrpipe.reporting.page.standing import (
    bounds_of,
    chance_of,
    choose_lungs,
    part_of,
    stand,
    stand_inside,
)
from cxrpipe.reporting.page.verdicts import (
    FEW,
    NO_LESION,
    NO_LUNGS,
    NO_PIXELS,
    NO_WEIGHTS,
    judge_against_random,
    judge_altered,
    judge_heatmaps,
    judge_learnt,
    judge_lungs,
    judge_pointing,
)

LEVEL = 0.95


@pytest.mark.parametrize(
    ("score", "chance", "standing"),
    [
        (est(0.5, 0.41, 0.6), 0.4, "above"),
        (est(0.5, 0.4, 0.6), 0.4, "alike"),
        (est(0.5, 0.4, 0.6), 0.6, "alike"),
        (est(0.5, 0.4, 0.59), 0.6, "below"),
        (est(0.5, 0.41, 0.6), est(0.35, 0.3, 0.42), "alike"),
        (est(0.5, 0.43, 0.6), est(0.35, 0.3, 0.42), "above"),
        (est(0.5, 0.43, 0.6), est(0.7, 0.61, 0.8), "below"),
        (est(0.5, 0.43, 0.6), est(0.35), "above"),
        (est(0.5), 0.1, "unknown"),
        (est(0.5, 0.43, 0.6), est(None), "unknown"),
        (est(None), 0.1, "unknown"),
    ],
)
def test_a_score_is_above_chance_only_with_its_whole_interval(score, chance, standing):
    assert stand(score, chance) == standing


def test_a_part_that_is_not_there_has_no_film():
    told = tell_localisation(overlap=NONE, randomised=NONE)
    assert part_of(told, "overlap", "by", "boxes") == NONE
    assert part_of(told, "randomised", "pointing", "focal") == NONE
    assert part_of(told, "lungs", "mask")["n"] == 31


@pytest.mark.parametrize(
    ("game", "said"),
    [
        (tell_game(low=0.3), "point at lesions more often than chance"),
        (tell_game(low=0.29), "are not shown to point at lesions more often than chance"),
        (tell_game(40, 4, 0.03, 0.2), "point at lesions less often than chance"),
        (tell_game(12, 9, None, None), FEW.said),
        (tell_game(0), NO_LESION.said),
    ],
)
def test_the_pointing_game_is_judged_beside_its_better_chance(game, said):
    assert judge_pointing(game, LEVEL).said == said


def test_the_better_chance_may_be_that_of_the_film():
    assert chance_of(tell_game() | {"chance_film": 0.35}) == 0.35
    assert chance_of(tell_game()) == 0.29


@pytest.mark.parametrize(
    ("hits", "groups", "level", "off"),
    [
        (40, 30, 0.95, 0.0998577),  # ln 20 / 30
        (0, 30, 0.95, 0.0998577),
        (40, 30, 0.9, 0.0767528),  # ln 10 / 30
        (40, 30, 0.99, 0.1535057),  # ln 100 / 30
    ],
)
def test_the_rule_of_three_bounds_a_game_without_miss_or_hit_by_its_level(hits, groups, level, off):
    told = bounds_of(tell_game(40, hits, None, None) | {"groups": groups}, level)
    bounds = (1 - off, 1) if hits else (0, off)
    assert (told["low"], told["high"]) == pytest.approx(bounds)
    assert told["value"] == hits / 40


@pytest.mark.parametrize(("hits", "groups"), [(39, 30), (40, 19)])
def test_some_misses_or_too_few_patients_have_no_bounds(hits, groups):
    told = bounds_of(tell_game(40, hits, None, None) | {"groups": groups}, LEVEL)
    assert (told["low"], told["high"]) == (None, None)


def test_a_perfect_game_is_above_chance_although_it_has_no_interval():
    verdict = judge_pointing(tell_game(40, 40, None, None), LEVEL)
    assert verdict.said.startswith("point at lesions more often")


def test_focal_findings_are_judged_by_themselves():
    told = tell_localisation()
    assert judge_pointing(told, LEVEL, "focal") == FEW
    told["focal"] = tell_game(40, 12, 0.25, 0.4)
    assert judge_pointing(told, LEVEL, "focal").cell == "not shown"


@pytest.mark.parametrize(
    ("random", "said"),
    [
        (tell_game(40, 9, 0.11, 0.35), "point at lesions more often than those of random weights"),
        (
            tell_game(40, 26, 0.5, 0.8),
            "are not shown to point at lesions more often than those of random weights",
        ),
        (
            tell_game(40, 40, None, None),
            "point at lesions less often than those of random weights",
        ),
        (tell_game(12, 2, None, None), FEW.said),
        (NONE, NO_WEIGHTS.said),
    ],
)
def test_random_weights_must_be_cleared_with_both_intervals(random, said):
    told = tell_localisation(randomised=tell_randomised() | {"pointing": random})
    assert judge_against_random(told, LEVEL).said == said


def lungs(mask, stand_in=NONE):
    return tell_localisation(lungs={"mask": mask, "stand_in": stand_in})


@pytest.mark.parametrize(
    ("share", "chance", "cell", "said"),
    [
        (0.61, 0.29, "yes, 39% outside", "keep to the lungs, by masks: most mass is inside"),
        (0.54, 0.29, "yes, 46% outside", "favour the lungs, by masks: more mass is inside than"),
        (0.37, 0.29, "yes, 63% outside", "favour the lungs, by masks: more mass is inside than"),
        (0.34, 0.31, "not shown", "are not shown to favour the lungs, by masks: the mass"),
        (0.19, 0.29, "no, 81% outside", "leave the lungs, by masks: less mass is inside than"),
    ],
)
def test_heatmaps_keep_to_the_lungs_only_with_most_of_their_mass(share, chance, cell, said):
    """The interval is 0.05 wide on either side, so that 0.54 is not shown to be most."""
    verdict = judge_lungs(lungs(tell_region("share", share, chance)))
    assert verdict.cell == cell
    assert verdict.said.startswith(said)
    assert cell == "not shown" or verdict.said.endswith(f"{cell[-11:]}")


def test_a_stand_in_that_decides_is_named_in_the_cell_and_in_the_sentence():
    verdict = judge_lungs(lungs(NONE, tell_region("share", 0.5, 0.27)))
    assert verdict.cell == "yes, 50% outside, by a stand-in"
    assert verdict.said.startswith("favour the lungs, by a geometric stand-in: ")


def test_masks_decide_if_they_give_an_interval():
    few = {"n": 5, "groups": 5, "share": est(0.9), "chance": est(0.3)}
    stand_in = tell_region("share", 0.2, 0.27)
    both = lungs(tell_region("share", 0.61, 0.29), stand_in)
    assert choose_lungs(both)["by"] == "masks"
    assert stand_inside(both) == "above"
    assert choose_lungs(lungs(few, stand_in))["by"] == "a geometric stand-in"
    assert stand_inside(lungs(few, stand_in)) == "below"
    assert judge_lungs(lungs(few)) == FEW
    assert judge_lungs(lungs(NONE)) == NO_LUNGS


@pytest.mark.parametrize(
    ("insertion", "deletion", "cell", "said"),
    [
        (0.7, 0.3, "yes", "more than pixels at random when put in and taken away"),
        (0.7, 0.5, "in part", "at random when put in; when taken away that is not shown"),
        (0.5, 0.3, "in part", "at random when taken away; when put in that is not shown"),
        (0.7, 0.7, "in part", "at random when put in; when taken away they move it less"),
        (0.5, 0.5, "not shown", "are not shown to mark pixels that the score rests on"),
        (0.3, 0.7, "no", "mark the wrong pixels: pixels at random move the score more when put in"),
        (0.3, 0.5, "no", "pixels at random move the score more when put in"),
        (0.5, 0.7, "no", "pixels at random move the score more when taken away"),
    ],
)
def test_pixels_of_a_heatmap_must_move_the_score_more_than_others(insertion, deletion, cell, said):
    verdict = judge_altered(tell_localisation(altered=tell_altered(insertion, deletion)))
    assert verdict.cell == cell
    assert said in verdict.said


def test_altered_films_without_an_interval_are_not_judged():
    altered = tell_altered()
    altered["insertion"] |= {"area": est(0.7)}
    assert judge_altered(tell_localisation(altered=altered)) == FEW
    assert judge_altered(tell_nothing()) == NO_PIXELS


@pytest.mark.parametrize(
    ("similarity", "chance", "cell"),
    [
        (around(0.05, 0.04), around(0.04), "yes"),
        (around(0.3, 0.04), around(0.04), "in part"),
        (around(0.52, 0.04), around(0.04), "in part"),
        (around(0.72, 0.04), around(0.04), "no"),
        (around(-0.4, 0.04), around(0.04), "yes"),
        (est(0.3, -0.05, 0.49), est(0.05, -0.1, 0.2), "not shown"),  # a wide interval
        (around(0.7), around(0.7), "not shown"),  # films that are all alike
        (around(0.7), around(0.9), "not shown"),
        (est(0.9), around(0.04), "not judged"),
        (est(None), around(0.04), "not judged"),
    ],
)
def test_heatmaps_depend_on_what_was_learnt_only_if_shown(similarity, chance, cell):
    randomised = tell_randomised() | {"similarity_chance": chance}
    randomised["stages"][-1]["similarity"] = similarity
    verdict = judge_learnt(tell_localisation(randomised=randomised))
    assert verdict.cell == cell
    assert verdict.said.startswith("depend on what was learnt") is (cell == "yes")


def test_what_was_not_scored_is_called_so_for_every_question():
    assert list(judge_heatmaps(tell_nothing(), LEVEL).values()) == [
        *(NO_LESION, NO_LESION, NO_LESION, NO_LUNGS, NO_PIXELS, NO_WEIGHTS),
    ]
    nothing = {NO_LESION, NO_LUNGS, NO_PIXELS, NO_WEIGHTS}
    assert set(judge_heatmaps(NONE, LEVEL).values()) == nothing


def test_a_shortcut_fails_where_it_should():
    verdicts = list(judge_heatmaps(tell_shortcut(), LEVEL).values())
    assert [verdict.cell for verdict in verdicts[3:]] == ["no, 81% outside", "not shown", "no"]
