"""The split: nobody is in two subsets, shares hold, and nothing depends on the order of rows."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tabled import alone, index, pairs

from cxrpipe import tables
from cxrpipe.config import Dedupe, Split
from cxrpipe.data.certify import certify
from cxrpipe.data.dedupe import find_exact
from cxrpipe.data.split import main, refuse_empty_subsets, split_films
from cxrpipe.runtime import UserError

SOURCES = ["a", "b", "c"]


def split_and_rest(films, near=(), seed=0, **chosen):
    table = index(*films)
    duplicates = pd.concat([find_exact(table), pairs(*((*ends, "near", 0.99) for ends in near))])
    return split_films(table, duplicates, Split(**chosen), SOURCES, seed)


def split_of(films, **chosen):
    return split_and_rest(films, **chosen)[0]


def counted(split):
    """Count films by finding: in train, validation and test of the first fold."""
    first = split[split["fold"] == 0]
    shown = first.assign(finding=first["finding"].str.split("|")).explode("finding")
    counts = Counter(zip(shown["finding"], shown["subset"], strict=True))
    return {
        finding: tuple(counts[finding, subset] for subset in tables.SUBSETS)
        for finding in sorted(set(shown["finding"]))
    }


def subsets(split, fold=0):
    return split[split["fold"] == fold].set_index("radiograph")["subset"]


def of_subset(split, name):
    """List the films of a subset in the first fold."""
    subset = subsets(split)
    return set(subset.index[subset == name])


def published_as(films, name):
    return {film[0] for film in films if film[4] == name}


# Properties of every split


@st.composite
def cohorts(draw, **fixed):
    """An index with its duplicates, and settings; what is given as ``fixed`` is not drawn."""
    published = st.sampled_from(["", "", "train", "validation", "test"])
    findings = draw(st.sampled_from([["normal", "covid"], ["normal", "covid", "tb"]]))
    films = []
    for finding in findings:
        for source in "ab":
            sizes = draw(st.integers(5, 9)), draw(st.integers(1, 3))
            films += alone(finding, *sizes, source, draw(published))
    strays = st.tuples(
        st.sampled_from([f"m{number}" for number in range(20)]),
        st.sampled_from(["", "", "p1", "p2", "p1|p2", "p3|p4", "a/normal.a0", "b/covid.b1"]),
        st.sampled_from([*findings, "|".join(findings[:2]), ""]),
        st.sampled_from(SOURCES),
        published,
    )
    films += draw(st.lists(strays, max_size=12))
    table = index(*draw(st.permutations(films)))
    exact = find_exact(table)
    links = st.tuples(*[st.sampled_from(sorted(table["radiograph"]))] * 2)
    known = set(zip(exact["first"], exact["second"], strict=True))
    near = {tuple(sorted(pair)) for pair in draw(st.sets(links, max_size=3)) if len(set(pair)) > 1}
    near = pairs(*((*pair, "near", 0.97) for pair in sorted(near - known)))
    chosen = {
        "test": st.sampled_from([0, 0.1, 0.2, 0.4, 1, 3]),
        "validation": st.sampled_from([0.1, 0.2, 0.4, 1, 3]),
        "folds": st.sampled_from([1, 1, 2, 3]),
        "held_out": st.sampled_from([(), (), ("b",), ("c",)]),
        "published": st.booleans(),
        "truncate": st.sampled_from([0, 0, 12, "smallest"]),
        "conflicts": st.sampled_from(["exclude", "first"]),
    }
    drawn = {key: draw(value) for key, value in chosen.items() if key not in fixed}
    return table, pd.concat([exact, near]), Split(**drawn | fixed)


def splitted(cohort, seed=0):
    """Split a cohort; one that cannot be split is none of the test's. Only users err."""
    try:
        return split_films(*cohort, SOURCES, seed)
    except UserError:
        reject()


@settings(max_examples=40)
@given(cohorts(), st.integers(0, 99))
def test_no_group_patient_or_copy_is_in_two_subsets_and_the_certificate_agrees(cohort, seed):
    table, duplicates, chosen = cohort
    split, left_out = splitted(cohort, seed)
    tables.check(split, tables.SPLIT, "split")
    tables.check(left_out, tables.LEFT_OUT, "left_out")
    patient = table.set_index("radiograph")["patient"].str.split("|")
    for _, fold in split.groupby("fold"):
        assert not fold[["group", "subset"]].drop_duplicates()["group"].duplicated().any()
        films = [set(of["radiograph"]) for _, of in fold.groupby("subset")]
        for one, two in combinations(films, 2):
            patients = ({who for film in side for who in patient[film]} for side in (one, two))
            assert set.intersection(*patients) <= {""}
            assert not {film.split("-")[0] for film in one} & {film.split("-")[0] for film in two}
            for pair in duplicates[["first", "second"]].to_numpy():
                assert not (one & set(pair) and two & set(pair))
    certify(table, duplicates, split, left_out, chosen, Dedupe())


@settings(max_examples=25)
@given(cohorts())
def test_every_film_is_in_every_fold_or_left_out_once(cohort):
    table, _, chosen = cohort
    split, left_out = splitted(cohort)
    assert list(split["fold"].unique()) == list(range(chosen.folds))
    for _, fold in split.groupby("fold"):
        both = [*fold["radiograph"], *left_out["radiograph"]]
        assert sorted(both) == sorted(table["radiograph"])
    told = table.set_index("radiograph")["findings"]
    assert (split["finding"] == split["radiograph"].map(told)).all()


@settings(max_examples=25)
@given(cohorts(), st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(cohort, seed, order):
    split, left_out = splitted(cohort, seed)
    shuffled = (
        table.iloc[order.sample(range(len(table)), len(table))].reset_index(drop=True)
        for table in cohort[:2]
    )
    again, rest = split_films(*shuffled, cohort[2], SOURCES, seed)
    pd.testing.assert_frame_equal(split, again)
    pd.testing.assert_frame_equal(left_out, rest)


@settings(max_examples=20)
@given(st.sampled_from([2, 3, 4]).flatmap(lambda folds: cohorts(folds=folds)))
def test_the_test_set_is_the_same_in_all_folds_and_each_other_film_validates_once(cohort):
    split, _ = splitted(cohort)
    first = subsets(split)
    for fold in range(1, cohort[2].folds):
        assert (subsets(split, fold).eq("test") == first.eq("test")).all()
    validating = split.loc[split["subset"] == "validation", "radiograph"]
    assert sorted(validating) == sorted(first.index[first != "test"])


@settings(max_examples=20)
@given(st.sampled_from(["b", "c"]).flatmap(lambda name: cohorts(held_out=(name,), test=0)))
def test_the_films_of_a_source_held_out_are_the_test_set(cohort):
    table, _, chosen = cohort
    split, left_out = splitted(cohort)
    source = table.set_index("radiograph")["source"]
    held_out = subsets(split).index.map(source).isin(chosen.held_out)
    assert (subsets(split)[held_out] == "test").all()
    if not chosen.published:
        assert (subsets(split)[~held_out] != "test").all()
    leaks = left_out.loc[left_out["reason"] == "leak", "radiograph"]
    assert not leaks.map(source).isin(chosen.held_out).any()


@settings(max_examples=25)
@given(cohorts(published=True, held_out=(), folds=1))
def test_published_subsets_are_kept(cohort):
    split, left_out = splitted(cohort)
    published = cohort[0].set_index("radiograph")["published"]
    subset = subsets(split)
    told = published[subset.index]
    for name in ("test", "validation"):
        assert (subset[told == name] == name).all()
    if told.eq("test").any():
        assert (subset[told == "train"] != "test").all()
    source = cohort[0].set_index("radiograph")["source"]
    validating = set(source[told.index][told == "validation"])
    trained = (told == "train") & source[told.index].isin(validating)
    assert (subset[trained] != "validation").all()
    leaks = left_out.loc[left_out["reason"] == "leak", "radiograph"]
    assert not leaks.map(published).eq("test").any()


@settings(max_examples=20)
@given(st.sampled_from([12, 14]).flatmap(lambda limit: cohorts(truncate=limit)))
def test_no_finding_has_more_films_than_it_is_truncated_to(cohort):
    table, _, chosen = cohort
    split, left_out = splitted(cohort)
    films = table.set_index("radiograph")
    fixed = films["source"].isin(chosen.held_out) & True
    if chosen.published:
        whole = ["test"] if chosen.folds > 1 else ["validation", "test"]
        fixed |= films["published"].isin(whole)
    free = split[~split["radiograph"].map(fixed)]
    counts = {finding: sum(of) for finding, of in counted(free).items() if finding}
    assert max(counts.values(), default=0) <= chosen.truncate
    truncated = left_out.loc[left_out["reason"] == "truncated", "radiograph"]
    assert not truncated.map(fixed).any()


# Shares and counts


def test_equal_patients_are_divided_exactly():
    split = split_of([*alone("normal", 50, films=2), *alone("covid", 10)])
    assert counted(split) == {"normal": (60, 20, 20), "covid": (6, 2, 2)}


def test_every_source_keeps_the_share_of_every_finding():
    films = [
        film
        for finding in ("normal", "covid")
        for source, n in zip(SOURCES, (50, 20, 10), strict=True)
        for film in alone(finding, n, source=source)
    ]
    split = split_of(films)
    source = index(*films).set_index("radiograph")["source"]
    for name, n in zip(SOURCES, (50, 20, 10), strict=True):
        of_source = split[split["radiograph"].map(source) == name]
        assert counted(of_source) == dict.fromkeys(("covid", "normal"), (n * 0.6, n / 5, n / 5))


@pytest.mark.parametrize("seed", range(3))
def test_system_p_takes_sixty_films_of_every_finding_for_test_and_for_validation(seed):
    films = alone("normal", 301) + alone("normal", 211, source="c") + alone("covid", 97)
    films += alone("covid", 103, source="b") + alone("tb", 57, source="b")
    films += alone("tb", 133, source="c")
    assert counted(split_of(films, seed=seed, test=60, validation=60)) == {
        "normal": (512 - 120, 60, 60),
        "covid": (200 - 120, 60, 60),
        "tb": (190 - 120, 60, 60),
    }


def test_a_count_of_films_of_whole_patients_is_met_to_one_patient():
    films = alone("normal", 100, films=3) + alone("covid", 60, films=4)
    for finding, largest in (("normal", 3), ("covid", 4)):
        _, validation, test = counted(split_of(films, test=50, validation=40))[finding]
        assert abs(test - 50) < largest
        assert abs(validation - 40) < largest


def test_more_films_wanted_than_a_finding_has_are_refused_by_name():
    films = alone("normal", 200) + alone("covid", 70)
    with pytest.raises(UserError, match="finding 'covid' has no film in train of fold 0"):
        split_of(films, test=60, validation=60)


def test_system_f_truncates_every_finding_to_the_smallest():
    films = alone("covid", 300) + alone("normal", 900) + alone("viral", 120, source="b")
    split, left_out = split_and_rest(films, truncate="smallest")
    assert counted(split) == dict.fromkeys(("covid", "normal", "viral"), (72, 24, 24))
    assert Counter(left_out["detail"]) == {
        "over 120 films of covid": 180,
        "over 120 films of normal": 780,
    }


def test_five_folds_divide_what_a_fixed_test_set_leaves():
    split = split_of(alone("normal", 100) + alone("covid", 50), folds=5, test=0.2)
    for fold in range(5):
        of_fold = split[split["fold"] == fold].assign(fold=0)
        assert counted(of_fold) == {"covid": (32, 8, 10), "normal": (64, 16, 20)}


def test_another_seed_gives_another_split_with_the_same_counts():
    films = [*alone("normal", 50), *alone("covid", 50)]
    one, two = (split_of(films, seed=seed) for seed in (0, 1))
    assert counted(one) == counted(two)
    assert list(one["subset"]) != list(two["subset"])


def test_films_without_patients_and_copies_are_divided_one_by_one():
    split = split_of([(f"{finding}{n}", "", finding) for finding in "ab" for n in range(5)])
    assert list(split["group"]) == list(split["radiograph"])
    assert counted(split) == {"a": (3, 1, 1), "b": (3, 1, 1)}


def test_films_with_several_findings_count_for_each():
    counts = counted(split_of(alone("edema", 50) + alone("mass", 50) + alone("edema|mass", 50)))
    for finding in ("edema", "mass"):
        assert sum(counts[finding]) == 100
        np.testing.assert_allclose(counts[finding], (60, 20, 20), atol=2)


def test_films_without_a_finding_are_divided_too():
    counts = counted(split_of(alone("edema", 50) + alone("mass", 50) + alone("", 20)))
    assert counts == {"": (12, 4, 4), "edema": (30, 10, 10), "mass": (30, 10, 10)}


# Few patients


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 1), (9, 1, 1), (5, 5, 1), (3, 3, 3)])
@pytest.mark.parametrize("shares", [(0.2, 0.2), (0.4, 0.05), (1, 1)])
def test_three_patients_of_a_finding_are_enough_whatever_their_films(sizes, shares):
    films = [
        (f"c{patient}{film}", f"c{patient}", "covid")
        for patient, n in enumerate(sizes)
        for film in range(n)
    ]
    for seed in range(3):
        split = split_of(
            [*films, *alone("normal", 30)], seed=seed, validation=shares[0], test=shares[1]
        )
        found = split[split["finding"] == "covid"].groupby("group")["subset"].first()
        assert sorted(found) == ["test", "train", "validation"]


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (5, 1, 1, 1), (5, 5, 5, 1)])
def test_three_folds_and_a_test_set_need_four_patients(sizes):
    films = [
        (f"c{patient}{film}", f"c{patient}", "covid")
        for patient, n in enumerate(sizes)
        for film in range(n)
    ]
    split = split_of([*films, *alone("normal", 40)], folds=3, test=0.4)
    covid = split[split["finding"] == "covid"]
    patients = covid.drop_duplicates(["group", "subset", "fold"])
    assert Counter(zip(patients["subset"], patients["fold"], strict=True)) == {
        (subset, fold): n
        for fold in range(3)
        for subset, n in (("train", 2), ("validation", 1), ("test", 1))
    }


def test_a_finding_of_fewer_patients_than_parts_is_named():
    films = [*alone("normal", 9), *alone("covid", 2, films=20)]
    message = r"^split: finding 'covid' has films of 2 patients; 3 parts need at least 3"
    with pytest.raises(UserError, match=message):
        split_of(films)
    films = [*alone("normal", 9), *alone("covid", 4)]
    with pytest.raises(UserError, match=r"'covid' has films of 4 patients; 5 parts"):
        split_of(films, folds=4)


def test_copies_do_not_count_as_patients():
    films = [*alone("normal", 9), ("a", "x", "covid"), ("b", "y", "covid"), ("a", "z", "covid")]
    with pytest.raises(UserError, match="finding 'covid' has films of 2 patients"):
        split_of(films)


@pytest.mark.parametrize("known", [9, 0])
def test_a_finding_that_conflicts_remove_entirely_is_named(known):
    films = alone("normal", known) + alone("covid", known)
    films += [(f"t{n}", "", finding) for finding in ("normal", "tuberculosis") for n in range(5)]
    with pytest.raises(UserError, match=r"finding '(tuberculosis|normal)' has films of 0 patients"):
        split_of(films)


def test_a_finding_that_lacks_a_subset_is_named_with_it():
    rows = [("normal", subset, 0) for subset in tables.SUBSETS]
    rows += [("covid", "train", 0), ("covid", "test", 0)]
    split = pd.DataFrame(rows, columns=["finding", "subset", "fold"])
    with pytest.raises(UserError, match="finding 'covid' has no film in validation of fold 0"):
        refuse_empty_subsets(split, Split())
    refuse_empty_subsets(split[split["finding"] == "normal"], Split())


def test_a_fixed_test_set_may_lack_a_finding_but_not_be_empty():
    rows = [(finding, subset, 0) for finding in "ab" for subset in ("train", "validation")]
    split = pd.DataFrame([*rows, ("a", "test", 0)], columns=["finding", "subset", "fold"])
    with pytest.raises(UserError, match="finding 'b' has no film in test"):
        refuse_empty_subsets(split, Split())
    refuse_empty_subsets(split, Split(published=True))
    refuse_empty_subsets(split, Split(held_out=("c",)))
    with pytest.raises(UserError, match=r"^split.test: no film is for the test"):
        refuse_empty_subsets(split[:4], Split(published=True))


# Published subsets and sources held out


def nih():
    films = alone("normal", 60, films=2, published="train")
    films += alone("covid", 40, published="train")
    films += alone("normal", 15, films=2, published="test")
    return films + alone("covid", 10, published="test")


@pytest.mark.parametrize("test", [0, 0.2])
def test_nihs_lists_are_replayed_and_validation_is_carved_from_the_first(test):
    # 160 films stand in train_val_list: 20 % of them are for validation.
    films = nih()
    split = split_of(films, published=True, test=test)
    assert counted(split) == {"normal": (96, 24, 30), "covid": (32, 8, 10)}
    assert of_subset(split, "test") == published_as(films, "test")


def test_nihs_lists_are_replayed_in_folds():
    split = split_of(nih(), published=True, folds=4)
    for fold in range(4):
        of_fold = split[split["fold"] == fold].assign(fold=0)
        assert counted(of_fold) == {"normal": (90, 30, 30), "covid": (30, 10, 10)}


def test_a_published_subset_counts_for_nothing_unless_asked_for():
    split = split_of(nih())
    assert counted(split) == {"normal": (90, 30, 30), "covid": (30, 10, 10)}
    assert published_as(nih(), "test") & of_subset(split, "train")


def test_the_grand_challenges_folders_are_replayed_with_a_test_set_from_train():
    # The challenge keeps the labels of its test films: a share of train has to stand in for them.
    films = alone("normal", 100, published="train") + alone("covid", 50, published="train")
    films += alone("normal", 20, published="validation") + alone(
        "covid", 10, published="validation"
    )
    split = split_of(films, published=True)
    assert counted(split) == {"normal": (80, 20, 20), "covid": (40, 10, 10)}
    assert of_subset(split, "validation") == published_as(films, "validation")


def test_all_three_published_subsets_are_replayed_whole():
    films = [
        film
        for subset, n in (("train", 30), ("validation", 4), ("test", 9))
        for finding in ("normal", "covid")
        for film in alone(finding, n, films=2, published=subset)
    ]
    assert counted(split_of(films, published=True)) == dict.fromkeys(
        ("covid", "normal"), (60, 8, 18)
    )


def test_films_that_leak_into_a_published_test_set_are_left_out_and_it_stays_whole():
    films = nih()
    test = [film for film in films if film[4] == "test"]
    leaking = [
        ("x", test[0][1], "normal", "a", "train"),  # a patient of the test set
        (test[2][0], "", "normal", "b", ""),  # a copy in a collection without subsets
        ("y", "", "normal", "a", "train"),  # a near copy
        ("z", "q", "normal", "a", "validation"),  # a patient of such a film
        ("w", "q", "normal", "a", "train"),
    ]
    split, left_out = split_and_rest(
        [*films, *leaking], near=[(test[4][0], "y"), ("z", test[6][0])], published=True
    )
    assert dict(zip(left_out["radiograph"], left_out["reason"], strict=True)) == dict.fromkeys(
        ["x", f"{test[2][0]}-2", "y", "z", "w"], "leak"
    )
    assert set(left_out["detail"]) == {"patient or copy of a film that is fixed in test"}
    assert of_subset(split, "test") == {film[0] for film in test}


def test_a_copy_of_a_film_of_a_source_held_out_leaves_training():
    films = alone("normal", 20) + alone("covid", 20)
    outside = alone("normal", 3, source="b") + alone("covid", 3, source="b")
    inside = (outside[0][0], "somebody", "normal", "a")
    split, left_out = split_and_rest([*films, *outside, inside], held_out=("b",), test=0)
    assert left_out.to_numpy().tolist() == [
        [f"{inside[0]}-2", "leak", "patient or copy of a film that is fixed in test"]
    ]
    assert counted(split) == {"normal": (16, 4, 3), "covid": (16, 4, 3)}


def test_a_source_held_out_may_be_the_test_set_with_a_share_of_the_others():
    films = alone("normal", 20) + alone("covid", 20)
    films += alone("normal", 7, source="b") + alone("covid", 3, source="b")
    assert counted(split_of(films, held_out=("b",), test=0.2)) == {
        "normal": (12, 4, 4 + 7),
        "covid": (12, 4, 4 + 3),
    }


# Conflicts, copies and the command


def test_a_dropped_copy_still_joins_its_patients():
    films = [*alone("normal", 9), *alone("covid", 9)]
    films += [("z", "a/covid.a0", "covid"), ("z", "a/covid.a1", "covid")]
    split, left_out = split_and_rest(films)
    group = split.set_index("radiograph")["group"]
    assert group["covid.a00000"] == group["covid.a00100"] == group["z"] == "covid.a00000"
    assert left_out.to_numpy().tolist() == [["z-2", "copy", "same pixels as z"]]


@pytest.mark.parametrize(("conflicts", "kept"), [("exclude", set()), ("first", {"x", "z"})])
def test_a_chain_of_copies_under_two_findings_is_handled_as_told(conflicts, kept):
    films = alone("normal", 9) + alone("covid", 9)
    films += [("x", "", "normal"), ("y", "", "covid", "b"), ("z", "", "normal", "c")]
    near = [("x", "y"), ("y", "z")]
    split, left_out = split_and_rest(films, near, conflicts=conflicts)
    assert set("xyz") & set(split["radiograph"]) == kept
    assert set("xyz") & set(left_out["radiograph"]) == set("xyz") - kept
    assert set(left_out["reason"]) == {"conflict"}
    assert len(set(subsets(split)[list(kept)])) <= 1
    with pytest.raises(UserError, match=r"^split.conflicts: 2 pairs"):
        split_and_rest(films, near, conflicts="stop")


def write(folder, films):
    table = index(*films)
    tables.write(table, folder / "index.csv", tables.INDEX)
    tables.write(find_exact(table), folder / "duplicates.csv", tables.DUPLICATES)
    names = ("index", "duplicates", "split", "left_out")
    files = {name.replace("_", "-"): folder / f"{name}.csv" for name in names}
    return files | {"sources": "a", "seed": 3, "settings": Split().model_dump_json()}


def test_the_command_writes_the_split_that_its_tables_and_seed_give(tmp_path, run, capsys):
    films = alone("normal", 10) + alone("covid", 10) + [("normal.a00000", "", "normal")]
    run(main, **write(tmp_path, films))
    split, left_out = split_and_rest(films, seed=3)
    pd.testing.assert_frame_equal(tables.read(tmp_path / "split.csv", tables.SPLIT), split)
    written = tables.read(tmp_path / "left_out.csv", tables.LEFT_OUT)
    pd.testing.assert_frame_equal(written, left_out)
    log = capsys.readouterr().err
    assert "train 12, validation 4, test 4" in log
    assert "left out: 1 copy" in log


def test_the_command_refuses_in_one_line(tmp_path, refusal):
    line = refusal(main, **write(tmp_path, alone("normal", 10) + alone("covid", 1)))
    assert "finding 'covid' has films of 1 patients" in line
    assert not (tmp_path / "split.csv").exists()


def test_sources_held_out_are_tested_alone_unless_a_share_is_given():
    assert Split(held_out=("b",)).test == 0
    assert Split(held_out=("b",), test=0.1).test == 0.1
    assert Split().test == 0.2


def test_a_source_that_publishes_no_validation_set_gives_some_of_its_training_films():
    films = [
        *alone("normal", 10, source="a", published="train"),
        *alone("normal", 5, source="a", published="validation"),
        *alone("normal", 5, source="a", published="test"),
        *alone("hernia", 10, source="b", published="train"),
        *alone("hernia", 5, source="b", published="test"),
    ]
    split = split_of(films, published=True, test=0)
    assert counted(split) == {"hernia": (8, 2, 5), "normal": (10, 5, 5)}
