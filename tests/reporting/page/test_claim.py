"""The CLAIM checklist: every item, and no answer that nobody knows."""

import re

import pytest
from told import tell_metrics, tell_recipe, tell_run

from cxrpipe.reporting.page.claim import answer, claim_table, read_items, tell_claim
from cxrpipe.reporting.page.facts import gather_facts

NOT_KNOWN = "not known from these data"


def test_the_items_are_those_of_2024_in_order():
    items = read_items()
    assert [item["number"] for item in items] == list(range(1, 45))
    assert len({item["asks"] for item in items}) == 44
    assert all(item["asks"].endswith("?") for item in items)


def test_every_name_in_an_answer_is_a_fact():
    answers = " ".join(item.get("answer", "") for item in read_items())
    assert set(re.findall(r"{(.*?)}", answers)) <= set(gather_facts(tell_run()))


def test_what_a_run_cannot_know_is_not_answered():
    table = claim_table(read_items(), gather_facts(tell_run())).set_index("item")
    unknown = table.index[table["answer"] == NOT_KNOWN].tolist()
    assert unknown == [11, 15, 16, 18, 34, 44]


def test_answers_hold_the_numbers_of_the_run():
    table = claim_table(
        read_items(), gather_facts(tell_run(metrics=tell_metrics(held_out=["east"])))
    )
    answers = dict(zip(table["item"], table["answer"], strict=True))
    assert "3 of 213 files were not taken" in answers[8]
    assert answers[32].endswith(
        "seen: 105 test films in 96 groups, 35 of them of collections held out (east)."
    )
    assert answers[33] == (
        "Tested on external films: no film of east has trained or chosen any model."
    )
    assert "2,000 bootstrap samples" in answers[29]
    assert "Heatmaps of densenet point at lesions more often than chance (in 30 of" in answers[31]
    assert "of which Grad-CAM is scored beside chance" in answers[31]
    assert "among the 21 mistakes of densenet on 105 test films" in answers[39]
    assert "commit 0a1b" in answers[42]
    assert "{" not in "".join(answers.values())


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({}, NOT_KNOWN),
        ({"answer": "Trained on\n  {device}."}, "Trained on Abacus."),
        ({"answer": "Paid by {funder}, on {device}."}, NOT_KNOWN),
    ],
)
def test_an_answer_needs_every_fact_that_it_names(item, said):
    assert answer(item, {"device": "Abacus", "funder": None}) == said


def answers_of(**recipe):
    table = claim_table(read_items(), gather_facts(tell_run(recipe=tell_recipe(**recipe))))
    return dict(zip(table["item"], table["answer"], strict=True))


def test_augmentation_that_is_off_is_not_claimed():
    assert answers_of()[9].endswith("Training films alone are augmented.")
    off = dict.fromkeys(("flip", "rotation", "translation", "zoom", "contrast", "brightness"), 0)
    assert answers_of(training={"augmentation": off})[9].endswith("No film is augmented.")


def test_films_that_a_task_leaves_out_are_told():
    assert answers_of()[10].startswith("Films of a finding: all. ")
    tasks = {"all": {}, "few": {"truncate": 12}}
    assert answers_of(tasks=tasks, split={"truncate": "smallest"})[10].startswith(
        "Films of a finding at most: smallest in the split and 12 to train in task few. "
    )


def test_a_number_of_test_films_is_told_as_asked_for():
    assert answers_of()[21].startswith("No size was fixed beforehand. Tested: 105 films")
    assert answers_of(split={"test": 30})[21].startswith(
        "Asked for 30 films of each finding for the test. Tested"
    )


def test_answers_are_counted():
    chapter = tell_claim(gather_facts(tell_run()))
    assert "38 of 44 items are answered" in chapter.blocks[0].lines[0]
