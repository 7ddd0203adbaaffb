"""What the input guards refuse without need."""

from told import tell_guard

from cxrpipe.reporting.page.guards import guard_table, say_refused, tell_guards


def test_refused_films_are_counted_of_each_subset():
    told = tell_guard(validation=(229, 6), test=(105, 4))
    [row] = guard_table({"small": told}).to_dict("records")
    assert row["validation"] == "6 of 229 (2.6%)"
    assert row["test"] == "4 of 105 (3.8%)"
    assert (row["as pictures"], row["by features"]) == ("3", "2")


def test_no_film_gives_no_share():
    assert say_refused({"n": 0, "refused": 0}) == "0 of 0"


def test_what_was_wanted_is_said_once():
    chapter = tell_guards({"a": tell_guard(), "b": tell_guard()})
    assert "of which they may refuse 3%," in chapter.blocks[0].lines[0]
