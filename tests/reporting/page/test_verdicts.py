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

from cxrpipe.reporting.page.verdicts import (
    FEW,
    NO_LESION,
    NO_LUNGS,
    NO_PIXELS,
    NO_WEIGHTS,
    bounds_of,
    chance_of,
    choose_lungs,
    judge_against_random,
    judge_altered,
    judge_heatmaps,
    judge_learnt,
    judge_lungs,
    judge_pointing,
    part_of,
    stand,
    stand_inside,
)


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
        (tell_game(12, 9, None, None), FEW),
        (tell_game(0), NO_LESION),
    ],
)
def test_the_pointing_game_is_judged_beside_its_better_chance(game, said):
    assert judge_pointing(game) == said


def test_the_better_chance_may_be_that_of_the_film():
    assert chance_of(tell_game() | {"chance_film": 0.35}) == 0.35
    assert chance_of(tell_game()) == 0.29


@pytest.mark.parametrize(
    ("hits", "groups", "bounds"),
    [
        (40, 30, (0.9, 1.0)),
        (0, 30, (0.0, 0.1)),
        (39, 30, (None, None)),
        (40, 19, (None, None)),
    ],
)
def test_the_rule_of_three_bounds_a_game_without_miss_or_without_hit(hits, groups, bounds):
    told = bounds_of(tell_game(40, hits, None, None) | {"groups": groups})
    assert (told["low"], told["high"]) == bounds
    assert told["value"] == hits / 40


def test_a_perfect_game_is_above_chance_although_it_has_no_interval():
    assert judge_pointing(tell_game(40, 40, None, None)).startswith("point at lesions more often")


def test_focal_findings_are_judged_by_themselves():
    told = tell_localisation()
    assert judge_pointing(told, "focal") == FEW
    told["focal"] = tell_game(40, 12, 0.25, 0.4)
    assert judge_pointing(told, "focal").startswith("are not shown")


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
        (tell_game(12, 2, None, None), FEW),
        (NONE, NO_WEIGHTS),
    ],
)
def test_random_weights_must_be_cleared_with_both_intervals(random, said):
    told = tell_localisation(randomised=tell_randomised() | {"pointing": random})
    assert judge_against_random(told) == said


def lungs(mask, stand_in=NONE):
    return tell_localisation(lungs={"mask": mask, "stand_in": stand_in})


@pytest.mark.parametrize(
    ("share", "chance", "said"),
    [
        (0.61, 0.29, "keep to the lungs"),
        (0.34, 0.31, "are not shown to keep to the lungs"),
        (0.19, 0.29, "leave the lungs"),
    ],
)
def test_heatmaps_keep_to_the_lungs_or_leave_them(share, chance, said):
    told = lungs(tell_region("share", share, chance))
    assert judge_lungs(told).partition(":")[0] == said


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
    ("insertion", "deletion", "said"),
    [
        (0.7, 0.3, "than pixels at random, put in or taken away"),
        (0.7, 0.5, "raise the score more than pixels at random when put in; for taking away"),
        (0.5, 0.3, "lower the score more than pixels at random when taken away; for putting"),
        (0.5, 0.5, "are not shown to mark pixels that the score rests on"),
        (0.3, 0.7, "are not shown to mark pixels that the score rests on"),
    ],
)
def test_pixels_of_a_heatmap_must_move_the_score_more_than_others(insertion, deletion, said):
    assert said in judge_altered(tell_localisation(altered=tell_altered(insertion, deletion)))


def test_altered_films_without_an_interval_are_not_judged():
    altered = tell_altered()
    altered["insertion"] |= {"area": est(0.7)}
    assert judge_altered(tell_localisation(altered=altered)) == FEW
    assert judge_altered(tell_nothing()) == NO_PIXELS


@pytest.mark.parametrize(
    ("similarity", "said"),
    [
        (around(0.05, 0.04), "depend on what was learnt"),
        (around(0.3, 0.04), "depend only in part on what was learnt"),
        (around(0.52, 0.04), "depend only in part on what was learnt"),
        (around(0.72, 0.04), "do not depend on what was learnt"),
        (around(-0.4, 0.04), "depend on what was learnt"),
        (est(0.9), FEW),
        (est(None), FEW),
    ],
)
def test_heatmaps_that_stay_similar_do_not_depend_on_what_was_learnt(similarity, said):
    randomised = tell_randomised()
    randomised["stages"][-1]["similarity"] = similarity
    verdict = judge_learnt(tell_localisation(randomised=randomised))
    assert verdict.partition(": with")[0] == said


def test_what_was_not_scored_is_called_so_for_every_question():
    assert list(judge_heatmaps(tell_nothing()).values()) == [
        *(NO_LESION, NO_LESION, NO_LESION, NO_LUNGS, NO_PIXELS, NO_WEIGHTS),
    ]
    assert set(judge_heatmaps(NONE).values()) == {NO_LESION, NO_LUNGS, NO_PIXELS, NO_WEIGHTS}


def test_a_shortcut_fails_where_it_should():
    verdicts = list(judge_heatmaps(tell_shortcut()).values())
    assert verdicts[3].startswith("leave the lungs")
    assert verdicts[4].startswith("are not shown to mark")
    assert verdicts[5].startswith("do not depend")
