"""The report: one page that needs nothing else, escapes what it is given, and says its use."""

import json
import re
from html.parser import HTMLParser

import pytest
from judging import (
    NO_FOCAL,
    NONE,
    tell_causes,
    tell_latent,
    tell_localisation,
    tell_nothing,
    tell_probe,
    tell_shortcut,
)
from told import (
    EXPLORATION,
    FIGURES,
    MODELS,
    SOURCES,
    change,
    tell_leakage,
    tell_metrics,
    tell_provenance,
    tell_recipe,
    with_every_score,
    without_intervals,
)
from writing import write_report

from cxrpipe.reporting import report
from cxrpipe.reporting.grid import build_grid
from cxrpipe.reporting.page.rendering import embed
from cxrpipe.runtime import RESEARCH_USE

EVIL = "<script>alert('title')</script> & more"
CHAPTERS = (
    *("summary", "data", "results", "comparisons", "subgroups", "curves", "confusion"),
    *("calibration", "guard", "explanations", "features", "errors", "settings", "provenance"),
    *("card", "claim"),
)
UNSAID = re.compile(r"\b(nan|NaN|None|null|inf|NaT|undefined)\b")


class Page(HTMLParser):
    """Collects the tags, the text and the cells of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.rows, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if {"script", "style"} & set(self.open):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def values(self, key):
        return [attributes[key] for _, attributes in self.tags if key in attributes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def text(folder):
    sources = SOURCES | {"north": SOURCES["north"] | {"title": "<b>North</b>"}}
    written = write_report(folder, sources=sources, recipe=tell_recipe(title=EVIL))
    return written.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def write(folder, *told, **more):
    return Page(write_report(folder, *told, **more).read_text(encoding="utf-8"))


def test_the_page_needs_nothing_but_itself(text, page):
    addresses = page.values("src") + page.values("href")
    assert len(addresses) >= 10
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert {tag for tag, _ in page.tags}.isdisjoint({"iframe", "object", "embed", "form"})
    assert "@import" not in text
    assert "url(" not in text
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(", text)


def test_links_inside_the_page_lead_somewhere(page):
    inside = {address[1:] for address in page.values("href") if address.startswith("#")}
    assert inside == set(CHAPTERS)
    assert inside <= set(page.values("id"))
    assert len(page.values("id")) == len(set(page.values("id")))


def test_every_figure_is_in_the_page_once_with_its_caption(page, folder):
    names = (*FIGURES, *EXPLORATION)
    shown = [attributes for tag, attributes in page.tags if tag == "img" and attributes["alt"]]
    expected = {embed(folder / "pictures" / f"{name}.png"): name for name in names}
    assert sorted(expected[image["src"]] for image in shown) == sorted(names)
    sizes = {expected[image["src"]]: (int(image["width"]), int(image["height"])) for image in shown}
    assert sizes == FIGURES | EXPLORATION
    assert page.text.count("Loss by epoch") == 1


def test_the_samples_can_be_folded_away(text):
    folded = text.partition("<summary>Samples")[2].partition("</details>")[0]
    assert "Samples: covid" in folded
    assert "Classes" not in folded


def test_html_in_titles_is_shown_and_not_run(text, page):
    assert text.count("<script") == 1
    assert "<b>North" not in text
    assert "<i>" not in text
    assert EVIL in page.text
    assert "<b>North</b>" in page.text


def test_the_page_says_that_it_is_for_research_before_anything_else(page):
    assert page.text.index(RESEARCH_USE) < page.text.index("Summary")
    assert page.text.count(RESEARCH_USE) >= 3


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_films_are_called_so_if_any_source_is(synthetic, tmp_path):
    east = SOURCES["east"] | {"synthetic": synthetic}
    text = write(tmp_path, sources=SOURCES | {"east": east}).text
    assert ("The radiographs of east are synthetic: drawn by a program." in text) is synthetic
    assert "no patient is shown" not in text


def test_no_patient_is_shown_where_all_films_were_drawn(tmp_path):
    drawn = {name: source | {"synthetic": True} for name, source in SOURCES.items()}
    text = write(tmp_path, sources=drawn).text
    assert "synthetic: drawn by a program; no patient is shown." in text.partition("Summary")[0]


def test_the_tables_of_the_page_are_those_of_the_run(page):
    rows = [[cell.strip() for cell in row] for row in page.rows]
    for row in (
        ["train and test", "0", "0", "0"],
        ["source", "radiographs", "title", "licence", "citation"],
        ["north", "view", "2", "lateral"],
        ["exact: the same pixels", "31"],
        ["north", "covid", "61", "67", "71", "2"],
        ["all", "", "237", "251", "263", "6"],
        ["near", "0.987", "north/<i>a.png", "covid", "east/b.png", "normal"],
        [
            "resnet10",
            "resnet10t",
            "0.80 M",
            "32",
            "14",
            "3.02",
            "228.5",
            "Abacus 9",
            "bf16",
            "2.11.0",
        ],
    ):
        assert row in rows


def test_every_count_of_the_certificate_stands_in_the_page(page):
    assert "210 radiographs in 190 groups of patients and copies" in page.text
    assert "For 21 of the 210 radiographs the patient is not known" in page.text
    assert "from a score of 0.93 on" in page.text
    assert "under two findings: 1. Handled (exclude): every copy is left out" in page.text
    counts = {row[0].strip(): row[1].strip() for row in page.rows if len(row) == 3}
    for reason, n in tell_leakage()["left_out"].items():
        assert counts[reason] == str(n)


def test_every_table_names_the_file_of_its_numbers(text):
    tables = text.count('<table class="sortable">')
    assert tables >= 25
    assert text.count('<span class="source">') >= tables


def test_every_file_whose_numbers_are_shown_is_listed_with_its_checksum(page, folder):
    listed = dict(row for row in page.rows if len(row) == 2)
    names = ["metrics.json", "table.csv", "leakage.json", "index.csv", "split.csv", "curves.csv"]
    ends = ("", "-timing", "-game", "-causes", "-guard")
    names += [f"{model}{end}.json" for model in MODELS for end in ends]
    names += ["findings-latent.json"]
    for name in names:
        assert listed[name] == report.checksum((folder / name).read_bytes())
    assert listed[str(folder / "SHA256SUMS")]


def absent():
    metrics = with_every_score(tell_metrics(counts=(41, 23, 29, 0)), 0.5)
    nothing = with_every_score(metrics, None)
    for name, model in metrics["models"].items():
        lost = nothing["models"][name]
        for part in ("test", "thresholds"):
            finding = lost[part]["findings"]["viral_pneumonia"]
            model[part]["findings"]["viral_pneumonia"] = finding
    return metrics


def one_patient():
    metrics = without_intervals(tell_metrics())
    metrics["tasks"]["findings"]["test"]["groups"] = 1
    return metrics


CASES = {
    "a finding absent from test": (absent(), "No test film shows viral"),
    "one patient only": (one_patient(), "The test films are in 1 group of patients"),
    "a perfect model": (
        without_intervals(with_every_score(tell_metrics(), 1.0)),
        "every sample gives the same score",
    ),
    "nothing estimable": (
        without_intervals(with_every_score(tell_metrics(), None)),
        "no test could be made between densenet and resnet10 and resnet18",
    ),
}


@pytest.mark.parametrize(("metrics", "said"), CASES.values(), ids=CASES)
def test_what_cannot_be_estimated_is_called_so_and_never_nan(metrics, said, tmp_path):
    page = write(tmp_path, metrics)
    assert said in page.text
    assert "not estimable" in page.text
    assert UNSAID.findall(page.text) == []


def not_estimable(told):
    """Tell that no score of features or causes can be estimated."""
    unknown = {"value", "low", "high", "chance", "p", "p_adjusted", "trustworthiness", "limit"}
    unknown |= {"quantisation_error", "relative_error", "topographic_error", "perplexity"}
    unknown |= {"chance_finding", "chance_source", "from_source", "from_finding"}
    return change(told, lambda key, value: None if key in unknown else value)


NO_MISTAKE = tell_causes(n_wrong=0) | {"causes": []}
EMPTY = {"films": 0, "groups": 0, "representations": [], "umap": "not installed"}
ONE_COLLECTION = {
    "finding": tell_probe(("covid",), from_source=1.0),
    "source": tell_probe(("east",), from_finding=1.0),
}
EXPLAINED = {
    "no film is scored": (
        (tell_nothing(), NO_MISTAKE, EMPTY),
        "densenet makes no mistake on 105 test films: no cause can be more frequent.",
    ),
    "nothing has an interval": (
        [
            without_intervals(told)
            for told in (tell_localisation(), tell_causes(), tell_latent("a"))
        ],
        "not judged, since there is no interval",
    ),
    "nothing is estimable": (
        (
            tell_localisation(focal=NO_FOCAL, altered=NONE),
            not_estimable(tell_causes()),
            not_estimable(tell_latent(MODELS, probe=ONE_COLLECTION)),
        ),
        "The films are of one collection, but for single patients",
    ),
}


@pytest.mark.parametrize(("told", "said"), EXPLAINED.values(), ids=EXPLAINED)
def test_what_explains_nothing_is_said_in_words_without_an_empty_table(told, said, tmp_path):
    localisation, causes, latent = told
    explained = {"localisations": dict.fromkeys(MODELS, localisation)}
    explained |= {"causes": dict.fromkeys(MODELS, causes), "latents": {"findings": latent}}
    page = write(tmp_path, explained=explained)
    assert said in page.text
    assert UNSAID.findall(page.text) == []
    assert not re.search(r"<tbody>\s*</tbody>", (tmp_path / "report.html").read_text("utf-8"))


def test_the_first_page_warns_of_a_shortcut_and_the_card_counts_it_as_a_limit(tmp_path):
    explained = {"localisations": dict.fromkeys(MODELS, tell_shortcut())}
    text = write(tmp_path, explained=explained).text
    warning = "A warning of a shortcut: heatmaps leave the lungs"
    places = [text.index(part) for part in ("Which one of normal", "Imaginary hospital")]
    assert warning in text[slice(*places)]
    assert text.count(warning) == 3


@pytest.mark.parametrize(
    ("association", "warning"),
    [
        (0.05, None),
        (0.4, "the scores of resnet10, densenet and resnet18 may rest on the collection."),
        (1.0, "finding and collection of the test films nearly determine each other"),
    ],
)
def test_the_first_page_warns_of_collections_that_features_tell(association, warning, tmp_path):
    finding = {"finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=0.39)}
    source = {"source": tell_probe(("east", "north"), from_finding=0.44)}
    latents = {"findings": tell_latent(MODELS, probe=finding | source, association=association)}
    text = write(tmp_path, explained={"latents": latents}).text
    warned = [f"A warning of a shortcut: {warning}"] * (warning is not None)
    first_page = text[text.index("Which one of normal") : text.index("Imaginary hospital")]
    assert all(said in first_page and text.count(said) == 4 for said in warned)
    assert ("collection" in first_page.partition("A warning of a shortcut: ")[2]) is bool(warned)


def test_every_task_has_a_file_of_its_features(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        report.read_each(["one"], [])


def test_several_folds_are_told_with_their_spread(tmp_path):
    page = write(tmp_path, tell_metrics(n_folds=3))
    assert "means over 3 folds" in page.text
    assert re.search(r"0\.\d{3} \(0\.\d{3}-\d\.\d{3}\) ± 0\.0\d\d", page.text)


@pytest.mark.parametrize("n_folds", [1, 2])
def test_the_ablation_is_shown_if_it_compares_anything(n_folds, tmp_path):
    metrics = tell_metrics(n_folds=n_folds)
    path = tmp_path / "ablation.csv"
    build_grid(metrics, list(metrics["models"]), {}).to_csv(path, index=False)
    page = write(tmp_path, metrics, ablation=path)
    assert ("ablation" in page.values("id")) is (n_folds > 1)
    assert ("ablation.csv" in dict(row for row in page.rows if len(row) == 2)) is True


def test_the_provenance_is_read_from_its_file(tmp_path):
    unknown = tell_provenance(code={"commit": None, "changed": None})
    assert "commit not known from these data" in write(tmp_path, provenance=unknown).text


def test_the_settings_are_those_of_the_recipe(page):
    settings = page.text.partition("The recipe, every default spelled out")[2]
    assert "seed: 7 sources: - north - east - south" in settings
    assert json.dumps(EVIL)[1:-1] in settings
