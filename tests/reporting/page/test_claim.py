"""The CLAIM checklist: every item, and no answer that nobody knows."""

import re

import pytest
from told import tell_metrics, tell_run

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
    assert answers[32].endswith("no choice has seen: 105 films in 96 groups.")
    assert answers[33] == "Test films of east are external: no training film is from there."
    assert "2,000 bootstrap samples" in answers[29]
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


def test_answers_are_counted():
    chapter = tell_claim(gather_facts(tell_run()))
    assert "38 of 44 items are answered" in chapter.blocks[0].lines[0]
