"""The random order: seeded, and the same of fewer films."""

from cxrpipe.explanation.chance import order_by_chance

NAMES = [f"{number:024x}" for number in range(30)]


def test_the_order_depends_on_the_seed_and_not_on_the_films_beside():
    ordered = [NAMES[place] for place in order_by_chance(NAMES, 1)]
    assert sorted(ordered) == NAMES
    assert ordered != NAMES
    fewer = NAMES[::-3]
    assert [fewer[place] for place in order_by_chance(fewer, 1)] == [
        name for name in ordered if name in fewer
    ]
    assert order_by_chance(NAMES, 2) != order_by_chance(NAMES, 1)


def test_equal_films_keep_their_order():
    assert order_by_chance(["a", "a", "a"], 0) == [0, 1, 2]
    assert order_by_chance([], 0) == []
