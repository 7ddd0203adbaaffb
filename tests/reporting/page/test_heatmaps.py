"""The scores of heatmaps as tables: every row that there is, and none that there is not."""

from judging import NONE, tell_game, tell_localisation, tell_localisations, tell_nothing

from cxrpipe.reporting.page.heatmaps import (
    faith_table,
    finding_table,
    pointing_table,
    region_table,
    verdict_table,
)

TWO = {"net": tell_localisation(), "none": tell_nothing()}


def test_the_pointing_game_stands_beside_both_chances_and_random_weights():
    rows = pointing_table(TWO).to_numpy().tolist()
    chances = ["29%", "8%"]
    assert rows == [
        ["net", "all", 40, 37, "30 of 40", "0.750 (0.600-0.880)", *chances],
        ["net", "all, random weights", 40, 37, "9 of 40", "0.225 (0.110-0.350)", *chances],
        ["net", "focal", 18, 15, "15 of 18", "0.833 (no interval)", *chances],
        ["net", "focal, random weights", 18, 15, "3 of 18", "0.167 (no interval)", *chances],
    ]


def test_every_finding_says_whether_it_is_focal():
    shown = finding_table(TWO)
    assert shown["finding"].tolist() == ["covid", "lung_opacity"]
    assert shown["focal"].tolist() == [False, True]
    assert shown["hits"].tolist() == ["15 of 22", "15 of 18"]


def test_regions_without_a_film_have_no_row():
    shown = region_table(TWO)
    assert shown["score"].tolist() == [
        "mass inside the lungs (masks)",
        "mass inside the lungs (stand-in)",
        "IoU with lesion masks",
        "IoU with lesion boxes",
    ]
    assert shown["value"].tolist()[2:] == ["0.240 (0.190-0.290)", "0.180 (no interval)"]
    assert shown["chance"][1] == "0.270 (no interval)"
    boxes = tell_localisation()
    boxes["overlap"]["by"]["boxes"] = NONE
    assert "IoU with lesion boxes" not in set(region_table({"net": boxes})["score"])


def test_what_heatmaps_rest_on_says_what_would_be_good():
    shown = faith_table(TWO)
    assert shown["model"].tolist() == ["net"] * 3
    assert shown.iloc[:, 1:].to_numpy().tolist() == [
        ["insertion: area", 24, 22, "0.710 (0.670-0.750)", "0.520 (0.470-0.570)", "above chance"],
        ["deletion: area", 24, 22, "0.300 (0.260-0.340)", "0.520 (0.470-0.570)", "below chance"],
        [
            *("similarity with random weights", 40, 37),
            *("0.050 (0.010-0.090)", "0.040 (-0.010-0.090)", "at chance"),
        ],
    ]


def test_tables_of_nothing_are_empty():
    nothing = {"none": tell_nothing(), "old": {"n": 0}}
    for build in (pointing_table, finding_table, region_table, faith_table):
        assert build(nothing).empty


def test_every_question_has_a_row_and_every_model_a_short_verdict():
    shown = verdict_table(tell_localisations(["one", "two", "three"]), 0.95)
    assert list(shown) == ["do heatmaps", "one", "two", "three"]
    assert shown.to_numpy().tolist() == [
        ["point at lesions?", "yes", "yes", "not scored"],
        ["point at focal lesions?", "not judged", "not judged", "not scored"],
        ["point more often than with random weights?", "yes", "yes", "not scored"],
        ["favour the lungs?", "no, 81% outside", "yes, 39% outside", "not scored"],
        ["mark what the score rests on?", "not shown", "yes", "not scored"],
        ["depend on what was learnt?", "no", "yes", "not scored"],
    ]


def test_a_finding_without_a_film_has_no_row():
    told = tell_localisation(findings={"covid": tell_game(0), "lung_opacity": tell_game()})
    assert finding_table({"net": told})["finding"].tolist() == ["lung_opacity"]
