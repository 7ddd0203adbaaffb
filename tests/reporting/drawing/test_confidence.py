"""Films beside probabilities: which films, which bars, and what is marked."""

import numpy as np
import pandas as pd
import pytest
from explaining import Fakes
from matplotlib.colors import to_hex

from cxrpipe.reporting.drawing.confidence import choose_answers, choose_bars, draw_confidence

FINDINGS = ("normal", "covid", "tuberculosis")


def test_films_of_all_findings_are_chosen_in_turn():
    films = pd.DataFrame(
        {
            "radiograph": ["e", "d", "c", "b", "a", "x"],
            "true": ["covid", "covid", "covid", "normal", "covid", "normal"],
            "right": [1, 1, 1, 1, 1, 0],
        }
    )
    assert choose_answers(films, right=True, n=3) == ["a", "c", "b"]
    assert choose_answers(films, right=False, n=3) == ["x"]


def test_true_findings_are_shown_however_unlikely():
    shares = {f"f{number}": number / 20 for number in range(12)}
    assert choose_bars(shares, ["f0"]) == ["f0", *(f"f{number}" for number in range(5, 12))]


def test_bars_are_the_calibrated_probabilities_and_the_true_one_is_marked():
    fakes = Fakes(FINDINGS, ["a"])
    explained = fakes.explained()
    figure = draw_confidence(explained)
    film, bars = figure.axes[:2]
    chosen = choose_answers(explained.answers.films, right=True)[0]
    number = fakes.names.index(chosen)
    np.testing.assert_array_equal(film.images[0].get_array(), fakes.pixels[number])
    powers = np.exp(fakes.logits["a"].loc[chosen] / explained.temperature)
    widths = [bar.get_width() for bar in bars.patches]
    assert widths == pytest.approx(list(powers / powers.sum()))
    true = FINDINGS.index(fakes.true[chosen])
    colours = [to_hex(bar.get_facecolor()) for bar in bars.patches]
    assert [colour == "#0072b2" for colour in colours] == [place == true for place in range(3)]
    labels = bars.get_yticklabels()
    assert labels[true].get_text() == f"{fakes.true[chosen]} ✓"
    assert labels[true].get_fontweight() == "bold"  # a right answer: said is true


def test_a_wrong_answer_is_named_in_words():
    said = [text.get_text() for text in draw_confidence(Fakes(FINDINGS, ["a"]).explained()).texts]
    assert sum("(WRONG)" in text for text in said) == 4
    assert sum("(right)" in text for text in said) == 4
