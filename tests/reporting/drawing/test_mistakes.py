"""Mistakes: which films stand in which row, and what is said of each."""

from dataclasses import replace

import numpy as np
from explaining import Fakes

from cxrpipe.reporting.drawing.explained import Answers
from cxrpipe.reporting.drawing.mistakes import draw_mistakes

FINDINGS = ("normal", "covid", "tuberculosis")


def test_every_drawn_mistake_says_what_it_was_taken_for_and_what_is_unusual():
    fakes = Fakes(FINDINGS, ["a"])
    explained = fakes.explained()
    figure = draw_mistakes(explained)
    drawn = explained.answers.told["drawn"]
    order = [name for finding in FINDINGS for name in drawn[finding]]
    rows = explained.answers.films.set_index("radiograph")
    for name, axes in zip(order, figure.axes, strict=False):
        number = fakes.names.index(name)
        np.testing.assert_array_equal(axes.images[0].get_array(), fakes.pixels[number])
        above = axes.get_title().replace("\n", " ")
        said = rows.loc[name, "said"].replace("_", " ")
        assert above.startswith(f"true: {fakes.true[name]} {fakes.sources[name]} said: {said}, ")
        assert above.endswith(f"{rows.loc[name, 'probability']:.0%}")
        causes = rows.loc[name, "causes"].replace("|", ", ") or "nothing unusual"
        assert axes.get_xlabel().replace("\n", " ") == causes


def test_mistakes_are_counted_and_the_surest_come_last():
    fakes = Fakes(FINDINGS, ["a"], n=90)
    explained = fakes.explained()
    headings = [text.get_text() for text in draw_mistakes(explained).texts[1:]]
    wrong = explained.answers.films.query("right == 0")
    n = (wrong["true"] == "covid").sum()
    assert headings[1] == f"covid: {min(n, 10)} of {n} mistakes on 30 test films"
    assert headings[-1] == f"the surest mistakes of all findings: 10 of {len(wrong)}"


def test_a_finding_without_mistakes_and_a_model_without_any():
    explained = Fakes(FINDINGS, ["a"]).explained()
    films = explained.answers.films.assign(right=1)
    told = explained.answers.told | {"drawn": {"normal": []}, "n_wrong": 1}
    headings = draw_mistakes(replace(explained, answers=Answers(films, told))).texts
    assert headings[1].get_text() == "normal: no mistake on 14 test films"
    perfect = replace(explained, answers=Answers(films, told | {"n_wrong": 0}))
    assert draw_mistakes(perfect).texts[0].get_text() == "a answered all 40 test films rightly."


def test_mistakes_on_films_of_no_finding_have_a_row_too():
    figure = draw_mistakes(Fakes(FINDINGS, ["a"], "multi", n=30).explained())
    headings = [text.get_text() for text in figure.texts[1:]]
    assert any(heading.startswith("none of them: ") for heading in headings)
    assert "of the surest wrong answer" in figure.texts[0].get_text().replace("\n", " ")
