"""The page in a browser: no request, no error, tables sort, figures enlarge, nothing overflows."""

from pathlib import Path

import pytest
from browsing import (
    WIDTHS,
    cells,
    check_a_figure_enlarges,
    check_models_sort,
    check_nothing_overflows,
    needs_chromium,
    start_browser,
    visits,
)
from playwright.sync_api import expect
from told import FINDINGS, N_TEST, tell_metrics
from writing import write_report

RESULTS = Path(__file__).parents[3] / "results"
RUNS = [RESULTS / run / "report.html" for run in ("demo", "open")]

pytestmark = needs_chromium

# Luminance and contrast as WCAG 2.2 defines them.
CONTRAST = """() => {
  const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => channel(Number(value) / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
    return element.parentElement ? ground(element.parentElement) : "rgb(255, 255, 255)";
  };
  const ratios = {};
  for (const element of document.querySelectorAll("main *, header *, nav *, footer *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const pair = [getComputedStyle(element).color, ground(element)];
    const [light, dark] = pair.map(luminance).sort((a, b) => b - a);
    ratios[pair] = (light + 0.05) / (dark + 0.05);
  }
  return ratios;
}"""


@pytest.fixture(scope="module")
def browser():
    with start_browser() as started:
        yield started


@pytest.fixture(scope="module")
def imaginary(tmp_path_factory):
    metrics = tell_metrics(held_out=("south",), trained_on=("north",))
    metrics["models"]["densenet"]["test"]["findings"]["covid"]["f1"] = dict.fromkeys(
        ("value", "low", "high", "sd")
    )
    return write_report(tmp_path_factory.mktemp("browser"), metrics)


@pytest.fixture(params=["imaginary", *RUNS], ids=["imaginary", "demo", "open"])
def written(request, imaginary):
    """Give the page of the imaginary run, and those of the runs that were made here."""
    if request.param == "imaginary":
        return imaginary
    if not request.param.is_file():
        pytest.skip(f"needs {request.param}, which make run writes")
    return request.param


@pytest.fixture
def visit(browser):
    with visits(browser) as visit:
        yield visit


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_the_page_sideways(visit, written, width):
    check_nothing_overflows(visit(written, width))


def test_the_models_sort_by_accuracy(visit, written):
    check_models_sort(visit(written))


def test_a_table_of_findings_sorts_by_number_and_what_is_missing_stays_last(visit, imaginary):
    page = visit(imaginary)
    table = page.get_by_role("region", name="Each finding on the test films: densenet")
    names = [finding.replace("_", " ") for finding in FINDINGS]
    films = table.get_by_role("columnheader", name="n", exact=True)
    films.get_by_role("button").click()
    assert films.get_attribute("aria-sort") == "ascending"
    by_films = [name for _, name in sorted(zip(N_TEST, names, strict=True))]
    assert cells(table, 1) == by_films
    films.get_by_role("button").click()
    assert films.get_attribute("aria-sort") == "descending"
    assert cells(table, 1) == by_films[::-1]

    f1 = table.get_by_role("columnheader", name="F1")
    told = tell_metrics(held_out=("south",), trained_on=("north",))["models"]["densenet"]["test"]
    known = [name for name in FINDINGS if name != "covid"]
    rising = sorted(known, key=lambda name: told["findings"][name]["f1"]["value"])
    rising = [name.replace("_", " ") for name in rising]
    f1.get_by_role("button").click()
    assert cells(table, 1) == [*rising, "covid"]
    f1.get_by_role("button").click()
    assert cells(table, 1) == [*rising[::-1], "covid"]
    assert films.get_attribute("aria-sort") == "none"


def test_sorting_works_from_the_keyboard_and_leaves_sums_below(visit, imaginary):
    page = visit(imaginary)
    table = page.get_by_role("region", name="Films", exact=True)
    table.get_by_role("button", name="train").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert cells(table, 3) == ["97", "79", "61"]
    assert table.locator("tfoot td").all_text_contents()[0] == "all"


MEASURED = [
    ("0.931 (0.912-0.948)", 0.931),
    ("1.26 M", 1.26e6),
    ("12,345", 12345),
    ("75%", 75),
    ("-0.012 (-0.030 to +0.006)", -0.012),
    ("+0.5", 0.5),
    ("<0.001", 0.0005),
    ("9 of 14", 9),
    ("5 Minor", 5),
    ("0.358, 0.402", 0.358),
    ("not estimable", None),
    ("not known from these data", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "value"), MEASURED)
def test_what_a_cell_is_sorted_by(visit, imaginary, text, value):
    assert visit(imaginary).evaluate("measure", text) == value


@pytest.mark.parametrize("name", ["resnet18", "18-39", "5feceb66ff", "2.11.0"])
def test_names_bands_and_checksums_are_no_numbers(visit, imaginary, name):
    assert visit(imaginary).evaluate("(name) => Number.isNaN(measure(name))", name)


def test_a_column_of_names_is_sorted_as_text(visit, imaginary):
    page = visit(imaginary)
    table = page.get_by_role("region", name="Models on the test films")
    table.get_by_role("button", name="model").click()
    names = [name.strip() for name in cells(table, 1)]
    assert names == ["densenet *", "everyone: mean", "everyone: vote", "majority", *names[4:]]
    assert names[4:] == ["resnet10", "resnet18"]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_figure_is_enlarged_and_closed_with_esc(visit, written, width):
    check_a_figure_enlarges(visit(written, width))


def test_an_enlarged_figure_is_closed_with_a_click(visit, imaginary):
    page = visit(imaginary)
    page.locator("main button.enlarge:visible").first.click()
    page.locator("dialog img").click()
    assert page.locator("dialog").is_hidden()


def test_text_stands_out_from_its_ground(visit, imaginary):
    page = visit(imaginary)
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) >= 4
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_parts_of_the_page_have_their_landmarks_and_names(visit, imaginary):
    page = visit(imaginary)
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.locator("h1").count() == 1
    assert page.locator("img:not([alt])").count() == 0
    places = page.locator("main > section").evaluate_all("(all) => all.map((each) => each.id)")
    links = page.locator("nav a").evaluate_all("(all) => all.map((each) => each.hash.slice(1))")
    assert links == places


def test_the_contents_stay_in_sight_and_tell_where_the_reader_is(visit, imaginary):
    page = visit(imaginary)
    page.get_by_role("link", name="Calibration", exact=True).click()
    here = page.locator("nav a[aria-current]")
    expect(here).to_have_text("Calibration")
    assert here.bounding_box()["y"] < 900


def test_the_contents_of_a_phone_follow_the_reader(visit, imaginary):
    page = visit(imaginary, WIDTHS[1])
    page.evaluate("document.getElementById('claim').scrollIntoView()")
    here = page.locator("nav a[aria-current]")
    expect(here).to_have_text("CLAIM checklist")
    expect(here).to_be_in_viewport()


def test_paper_shows_what_is_folded_and_no_contents(visit, imaginary):
    page = visit(imaginary)
    folded = page.locator("details:not([open])").count()
    assert folded > 5
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.get_by_text("rotation: 10").first.is_visible()
    assert page.get_by_role("navigation").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded
    assert page.pdf().startswith(b"%PDF")
