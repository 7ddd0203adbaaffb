"""The report: one page that needs nothing else, escapes what it is given, and says its use."""

import base64
import json
import logging
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.reporting.grid import build_grid
from cxrpipe.reporting.page.rendering import as_html, embed, read_captions, show
from cxrpipe.reporting.report import collection_table, excluded_table, main
from cxrpipe.reporting.results import build_table
from cxrpipe.runtime import RESEARCH_USE, UserError

EVIL = "<script>alert('title')</script> & more"
CITATION = "A long citation of many authors, " * 6 + "https://doi.org/10.1000/182"
SOURCES = {
    "unused": {"title": "Nothing", "licence": "-", "citation": "-", "synthetic": False},
    "north": {"title": "<b>North</b>", "licence": "CC0", "citation": CITATION, "synthetic": False},
    "east": {"title": "East", "licence": "CC BY", "citation": "me", "synthetic": False},
}
VALUES = {"n": 2, "precision": 0.5, "recall": 0.25, "f1": 0.625, "auc": 0.75}
SCORES = {"n": 4, "accuracy": 0.5, "macro": VALUES, "findings": {"normal": VALUES, "covid": VALUES}}
SCORES |= {"confusion": [[0]]}
TASK = {"kind": "single", "findings": ["normal", "covid"], "best": "small"}
METRICS = {
    "tasks": {"findings": TASK | {"majority": {"test": SCORES}}},
    "models": {"small": {"task": "findings", "folds": [{"test": SCORES}]}},
}
SUMMARY = {"architecture": "resnet10t", "head": "linear", "dropout": 0, "weights": "none"}
SUMMARY |= {"side": 64, "parameters": 372_691, "trainable": 5_130, "batch": 32, "epochs": 14}
SUMMARY |= {"best_epoch": 9, "kept": "best", "monitor": "loss", "size_bytes": 1}
GAME = {"n": 4, "hits": 2, "share": 0.5, "chance_film": 0.1, "chance_lungs": 0.2}
SECTIONS = ("results", "data", "certificate", "exploration", "explanations", "settings")
EXPLORATION = ("classes", "samples-covid")
FIGURES = ("curves", "confusion", "gradcam-covid")
CONFLICT = {"kind": "near", "score": 0.9871, "first_finding": "covid", "second_finding": "normal"}
CONFLICT |= {"first_file": "north/<i>a.png", "second_file": "east/b.png"}
LEAKAGE = {
    "shared": [
        {"fold": 0, "first": "train", "second": "test", "patients": 0, "exact": 0, "near": 0}
    ],
    "radiographs": 7,
    "groups": 6,
    "largest_group": 2,
    "without_patient": 5,
    "duplicates": {"exact": 31, "near": 29},
    "near_searched": True,
    "near_score": 0.93,
    "label_conflicts": 1,
    "label_conflicts_handled": "exclude",
    "conflicts": [CONFLICT],
    "left_out": {"conflict": 41, "copy": 43, "truncated": 47, "leak": 53},
    "films": [
        {"source": "east", "finding": "covid", "train": 61, "validation": 67, "test": 71}
        | {"left out": 73}
    ],
}
CAPTIONS = {
    "confusion": "Counts & shares.",
    "curves": "Loss.",
    "classes": "Films.",
    "samples": "Some films.",
    "gradcam": "Where it looks.",
}


def split():
    names = [f"film{n}" for n in range(7)]
    findings = ["normal", "covid", "covid", "covid", "normal", "covid", "normal"]
    rows = pd.DataFrame(
        {"radiograph": names, "group": names, "source": ["north"] * 5 + ["east"] * 2}
    )
    rows = rows.assign(finding=findings)
    return rows.assign(subset=["train"] * 3 + ["validation"] * 2 + ["test"] * 2, fold=0)


def excluded():
    rows = [
        ("north", "1.png", "view", "lateral"),
        ("north", "2.png", "view", "oblique"),
        ("east", "3.png", "unreadable", "broken"),
    ]
    return pd.DataFrame(rows, columns=list(tables.EXCLUDED.columns))


def picture(folder, name):
    folder.mkdir(exist_ok=True)
    Image.new("L", (4, 4), len(name)).save(folder / f"{name}.png")
    return folder / f"{name}.png"


def write_captions(folder):
    folder.mkdir()
    for kind, caption in CAPTIONS.items():
        (folder / f"{kind}.rst").write_text(caption.replace(" ", "\n") + "\n")
    return sorted(folder.iterdir())


class Page(HTMLParser):
    """Collects the tags, the text and the cells of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.rows = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.words.append(data)
        if data.strip() and self.tags[-1][0] in ("td", "th"):
            self.rows[-1][-1] += data

    def values(self, key):
        return [attributes[key] for _, attributes in self.tags if key in attributes]


def write_report(folder, sources, metrics=METRICS, **more):
    models = list(metrics["models"])
    summaries, games = dict.fromkeys(models, SUMMARY), dict.fromkeys(models, GAME)
    build_table(metrics, summaries, games).to_csv(folder / "t.csv", index=False)
    timing = {"seconds_per_epoch": 1.5, "device": "Abacus 9"}
    jsons = {"leakage": LEAKAGE, "metrics": metrics, "game": GAME, "timing": timing}
    for name, content in jsons.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    tables.write(split(), folder / "split.csv", tables.SPLIT)
    tables.write(excluded(), folder / "excluded.csv", tables.EXCLUDED)
    options = {
        "run": "demo",
        "recipe": json.dumps({"title": EVIL, "seed": 7}),
        "sources": json.dumps(sources),
        "table": folder / "t.csv",
        "report": folder / "report.html",
    }
    options |= {name: folder / f"{name}.csv" for name in ("split", "excluded")}
    options |= {name: folder / f"{name}.json" for name in ("leakage", "metrics")} | more
    flags = [part for key, value in options.items() for part in (f"--{key}", value)]
    flags += ["--models", *models, "--timings", *[folder / "timing.json"] * len(models)]
    flags += ["--localisations", *[folder / "game.json"] * len(models)]
    flags += ["--figures", *[picture(folder / "figures", name) for name in FIGURES]]
    flags += ["--exploration", *[picture(folder / "figures", name) for name in EXPLORATION]]
    flags += ["--captions", *write_captions(folder / "captions")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", *map(str, flags)])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        main()
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report"), SOURCES)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_needs_nothing_but_itself(text, page):
    addresses = page.values("src") + page.values("href")
    assert len(addresses) >= 10
    assert all(address.startswith(("data:", "#")) for address in addresses)
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "iframe", "object", "embed"})
    assert "@import" not in text
    assert "url(" not in text


def test_links_inside_the_page_lead_somewhere(page):
    inside = {address[1:] for address in page.values("href") if address.startswith("#")}
    assert inside == set(page.values("id")) == set(SECTIONS)


def test_every_figure_is_in_the_page_once_with_its_caption(page, tmp_path):
    shown = [attributes for tag, attributes in page.tags if tag == "img"]
    names = {name: name.replace("-", ": ") for name in (*FIGURES, *EXPLORATION)}
    expected = [(embed(picture(tmp_path, name)), title) for name, title in names.items()]
    assert sorted((image["src"], image["alt"]) for image in shown) == sorted(expected)
    words = "".join(page.words)
    for name, title in names.items():
        assert words.count(f"{title}. {CAPTIONS[name.partition('-')[0]]}") == 1


def test_the_samples_can_be_folded_away(text):
    folded = text.partition('id="exploration"')[2].partition("</details>")[0]
    assert "samples: covid" in folded
    assert "<summary>" in folded
    assert "classes" not in folded


def test_a_kind_of_figure_without_a_caption_is_named(tmp_path):
    with pytest.raises(UserError, match=r"workflow/report/gradcam\.rst"):
        show([picture(tmp_path, "gradcam-covid")], {"curves": "Loss."})


def test_captions_are_read_as_one_line(tmp_path):
    assert read_captions(write_captions(tmp_path / "captions")) == CAPTIONS


def test_an_embedded_picture_holds_the_bytes_of_the_file(tmp_path):
    path = picture(tmp_path, "classes")
    kind, _, data = embed(path).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == path.read_bytes()


def test_a_title_names_the_finding_as_people_write_it(tmp_path):
    (shown,) = show([picture(tmp_path, "gradcam-viral_pneumonia")], CAPTIONS)
    assert shown[:3] == ("gradcam-viral_pneumonia", "gradcam: viral pneumonia", "Where it looks.")


def test_html_in_titles_is_shown_and_not_run(text, page):
    assert "<script" not in text
    assert "<b>North" not in text
    assert "<i>" not in text
    assert EVIL in "".join(page.words)
    assert ("h1", {}) in page.tags


def test_the_page_says_that_it_is_for_research(page):
    assert RESEARCH_USE in page.words
    banner = page.words.index(RESEARCH_USE)
    assert banner < page.words.index("Results", page.words.index("Settings") + 1)


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_films_are_called_so_if_any_source_is(synthetic, tmp_path):
    east = SOURCES["east"] | {"synthetic": synthetic}
    text = write_report(tmp_path, SOURCES | {"east": east})
    assert ("were drawn by a program" in text) is synthetic


def test_the_tables_of_the_page_are_those_of_the_run(page):
    for row in (
        ["train and test", "0", "0", "0"],
        ["source", "radiographs", "title", "licence", "citation"],
        ["north", "5", "<b>North</b>", "CC0", CITATION],
        ["north", "view", "2", "lateral"],
        ["small", "1.5", "Abacus 9"],
        ["covid", "2", "0.625"],
    ):
        assert row in page.rows


def test_the_page_shows_whole_epochs(page):
    (row,) = (row for row in page.rows if row[0] == "small *")
    assert row[:4] == ["small *", "0.37 M", "0.01 M", "9 of 14"]


def test_every_number_of_the_certificate_stands_in_the_page(page):
    words = " ".join("".join(page.words).split())
    assert "7 radiographs in 6 groups of patients and copies" in words
    assert "the largest has 2 radiographs" in words
    assert "For 5 of the 7 radiographs the patient is not known" in words
    assert "from a score of 0.93 on" in words
    for row in (
        ["exact: the same pixels", "31"],
        ["near: the same exposure", "29"],
        ["east", "covid", "61", "67", "71", "73"],
    ):
        assert row in page.rows
    counts = dict(row[:2] for row in page.rows if len(row) == 3)
    for reason, n in LEAKAGE["left_out"].items():
        assert counts[reason] == str(n)


def test_a_conflict_is_listed_with_both_files_and_findings(page):
    assert ["near", "0.987", "north/<i>a.png", "covid", "east/b.png", "normal"] in page.rows
    words = " ".join("".join(page.words).split())
    assert "under two findings: 1. Handled (exclude): every copy is left out" in words


def test_films_of_each_source_are_counted_as_they_stand_in_the_split():
    counted = collection_table(SOURCES, split())
    assert counted[["source", "radiographs"]].to_numpy().tolist() == [["north", 5], ["east", 2]]
    assert counted["citation"].tolist() == [CITATION, "me"]


def test_files_left_out_are_counted_by_source_and_reason():
    assert excluded_table(excluded()).to_numpy().tolist() == [
        ["east", "unreadable", 1, "broken"],
        ["north", "view", 2, "lateral"],
    ]
    assert len(excluded_table(excluded().head(0))) == 0


def test_a_table_escapes_text_shows_it_whole_and_leaves_unknown_cells_empty():
    cells = Page(as_html(pd.DataFrame({"a": ["<i>", CITATION], "b": [1.5, None]}))).rows
    assert cells == [["a", "b"], ["<i>", "1.5"], [CITATION, ""]]


ONE = {"validation": SCORES, "test": SCORES}
BINARY = {"kind": "binary", "findings": ["covid"], "best": "yes"}
SEVERAL = {
    "tasks": METRICS["tasks"] | {"covid": BINARY | {"majority": ONE}},
    "models": METRICS["models"] | {"yes": {"task": "covid", "folds": [ONE, ONE]}},
}


def test_every_task_is_told_under_its_name(tmp_path):
    text = write_report(tmp_path, SOURCES, SEVERAL)
    first, second = text.partition("Task findings")[2].split("Task covid")
    assert "Best model small: macro F1 0.625" in first
    assert "Best model yes: macro AUC 0.750" in second
    assert "means over 2 folds" in second.partition('id="data"')[0]
    assert "means over" not in first


def test_one_task_has_no_name(text):
    assert "Task " not in text


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_ablation_is_shown_if_it_compares_anything(seeds, tmp_path):
    folds = {"small": [ONE] * seeds}
    metrics = {"models": {name: {"task": "t", "folds": runs} for name, runs in folds.items()}}
    build_grid(metrics, list(folds), {}).to_csv(tmp_path / "a.csv", index=False)
    text = write_report(tmp_path, SOURCES, ablation=tmp_path / "a.csv")
    assert ("Ablation" in text) is (seeds > 1)
    assert ("0.625 ± 0.000" in text) is (seeds > 1)
