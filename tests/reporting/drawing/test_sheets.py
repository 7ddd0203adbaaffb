"""The sheets of films: which films are chosen, and what stands beside them."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from cxrpipe.reporting.drawing import sheets
from cxrpipe.reporting.drawing.sheets import PAIRS, RED, Pair, choose_pairs, choose_samples, shorten


def film(seed):
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def test_samples_are_training_films_of_every_finding_and_source():
    split = pd.DataFrame({"radiograph": [f"{n:02}" for n in range(24)], "finding": "normal"})
    split["subset"] = ["train"] * 20 + ["test"] * 4
    split.loc[3, "finding"] = "normal|covid"
    split["source"] = ["a"] * 14 + ["b"] * 4 + ["c"] * 2 + ["d"] * 4
    chosen = choose_samples(split, split[["radiograph"]][::-1])
    normal = chosen[chosen["finding"] == "normal"]
    assert {source: len(films) for source, films in normal.groupby("source")} == {
        "a": 8,
        "b": 4,
        "c": 2,
    }
    assert dict(zip(normal["source"], normal["all"], strict=True)) == {"a": 14, "b": 4, "c": 2}
    assert list(normal["source"].unique()) == ["c", "b", "a"]
    assert sorted(normal.loc[normal["source"] == "a", "radiograph"]) == [
        f"{n:02}" for n in range(8)
    ]
    covid = chosen[chosen["finding"] == "covid"]
    assert covid[["radiograph", "source", "all"]].to_numpy().tolist() == [["03", "a", 1]]


def test_each_row_of_samples_has_its_title_and_its_films():
    figure = sheets.draw_samples("covid", {"a: 2": [film(0), film(1)], "b: 1": [film(2)]})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a: 2", "", "b: 1", ""]
    for axes, seed in zip(figure.axes[:3], range(3), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), film(seed))
    assert not figure.axes[3].images


def test_a_finding_without_training_films_says_so():
    figure = sheets.draw_samples("lung_opacity", {})
    assert [text.get_text() for text in figure.texts] == ["No training film shows lung opacity."]


def test_versions_stand_beside_their_film():
    stack = np.stack([film(0), film(1), film(2)])
    axes = sheets.draw_augmented({"covid": stack}).axes
    assert [place.get_title(loc="left") for place in axes] == ["covid", "version 1", "version 2"]
    for place, pixels in zip(axes, stack, strict=True):
        np.testing.assert_array_equal(place.images[0].get_array(), pixels)


def pairs(n_near, n_exact):
    """Near pairs of scores from 0.95 upwards in no order; the second films are covid if odd."""
    order = np.random.default_rng(0).permutation(n_near)
    rows = [(f"n{k:02}", f"m{k:02}", "near", 0.95 + k / 1000) for k in order]
    rows += [(f"e{k:02}", f"e{k:02}-2", "exact", 1.0) for k in range(n_exact)]
    duplicates = pd.DataFrame(rows, columns=["first", "second", "kind", "score"])
    seconds = {f"m{k:02}": "covid" if k % 2 else "normal" for k in range(n_near)}
    findings = dict.fromkeys([*duplicates["first"], *duplicates["second"]], "normal") | seconds
    return duplicates, pd.DataFrame(findings.items(), columns=["radiograph", "findings"])


def test_the_near_pairs_of_lowest_score_come_first_and_no_pair_is_sampled_twice():
    chosen = choose_pairs(*pairs(40, 0), seed=1)
    title, lowest = chosen["duplicates-lowest"]
    assert title == "12 of 40 pairs of near copies, the lowest scores"
    assert list(lowest["first"]) == [f"n{k:02}" for k in range(PAIRS)]
    title, others = chosen["duplicates-sample"]
    assert title == "12 of 28 further pairs of near copies, a sample"
    assert len(set(others["first"]) - set(lowest["first"])) == PAIRS
    assert others["score"].is_monotonic_increasing


def test_every_conflict_has_another_finding_and_the_lowest_scores_come_first():
    title, conflicts = choose_pairs(*pairs(40, 3), seed=1)["conflicts"]
    assert title == "12 of 20 pairs of copies under two findings"
    assert list(conflicts["first"]) == [f"n{k:02}" for k in range(1, 24, 2)]


def test_the_sample_depends_on_the_seed_alone():
    duplicates, index = pairs(60, 60)
    for name in ("duplicates-sample", "duplicates-exact"):
        one, same, other = (
            list(choose_pairs(table, index, seed)[name][1]["first"])
            for table, seed in ((duplicates, 1), (duplicates[::-1], 1), (duplicates, 2))
        )
        assert one == same != other


def test_sheets_without_pairs_say_so():
    titles = {name: title for name, (title, _) in choose_pairs(*pairs(0, 0), seed=1).items()}
    assert titles == {
        "duplicates-lowest": "No pairs of near copies are known.",
        "duplicates-sample": "No further pairs of near copies are known.",
        "duplicates-exact": "No pairs with the same pixels are known.",
        "conflicts": "No pairs of copies under two findings are known.",
    }
    figure = sheets.draw_pairs([], "None.")
    assert [text.get_text() for text in figure.texts] == ["None."]


def test_a_pair_shows_both_films_files_and_findings_and_a_conflict_is_red():
    agreed = Pair("near", 0.9512, (film(0), film(1)), ("a/x/1.png", "b/2.png"), ("covid", "covid"))
    conflict = replace(agreed, kind="exact", findings=("covid", "lung_opacity"))
    figure = sheets.draw_pairs([agreed, conflict], "2 of 2")
    titles = [part.get_suptitle() for part in figure.subfigs]
    assert titles == ["near, score 0.951", "same pixels: TWO FINDINGS"]
    left, right = figure.subfigs[1].axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("a\n1.png\ncovid", "b\n2.png\nlung opacity")
    np.testing.assert_array_equal(right.images[0].get_array(), film(1))
    for part, red in zip(figure.subfigs, (False, True), strict=True):
        spines = [spine for axes in part.axes for spine in axes.spines.values()]
        assert {spine.get_visible() for spine in spines} == {red}
        assert {to_hex(spine.get_edgecolor()) for spine in spines} == {RED.lower()}


def test_long_names_of_files_keep_their_end():
    assert shorten("north/films/covid/1.png") == "north\n1.png"
    source, name = shorten(f"north/{'x' * 50}-98-later.jpeg").split("\n")
    assert (source, len(name)) == ("north", sheets.LETTERS)
    assert name.startswith("…x")
    assert name.endswith("-98-later.jpeg")
