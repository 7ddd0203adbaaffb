"""All collections of the mirror in one index, and the copies among them.

The mirror's manifest is the oracle; the pipeline reads the folders without it.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxrpipe.catalogue import IndexSettings, Source
from cxrpipe.config import Dedupe, check
from cxrpipe.data.dedupe import find_exact, find_near
from cxrpipe.data.index import first_of_each, index_films
from cxrpipe.data.splitting.groups import find_conflicts, join_copies
from cxrpipe.recipes import read_yaml

pytestmark = pytest.mark.mirror
FOLDERS = (
    "kermany",
    "kermany-fullsize",
    "kermany-copy",
    "radiography",
    "radiography-subset",
    "radiography-samples",
    "radiography-masks",
    "nih-darkcovidnet",
    "tuberculosis",
    "hannover",
    "covid-chestxray",
    "covid-cxnet",
    "covid-qu-ex",
    "oddities",
)


@pytest.fixture(scope="session")
def manifest(mirror):
    """Every picture, by ``source/path``."""
    table = pd.read_csv(mirror / "manifest.tsv", sep="\t", dtype=str, keep_default_na=False)
    pictures = table["path"].str.contains(r"\.(?:png|jpe?g|webp|dcm)$", case=False)
    table["finding"] = table["finding"].replace({"pneumonia_nih": "pneumonia"})
    table.loc[table["source"] == "oddities", "finding"] = "unlabelled"
    return table[pictures].assign(film=table["source"] + "/" + table["path"]).set_index("film")


@pytest.fixture(scope="session")
def indexed(mirror, request, manifest, tmp_path_factory):
    """The index of all folders, what is excluded, and the duplicates, under ``source/path``."""
    data = tmp_path_factory.mktemp("mirror")
    for name in (*FOLDERS, "nih-labels"):
        (data / name).symlink_to(mirror / name)
    described = read_yaml(request.config.rootpath / "config/sources.yaml")
    films = {name: check(Source, described[name], name).films for name in FOLDERS}
    findings = tuple(sorted(name for name in set(manifest["finding"]) if ":" not in name))
    settings = IndexSettings(findings=findings, films=films, several="keep", unlisted="ignore")
    index, excluded, thumbnails = index_films(data, settings, 2)
    radiographs, firsts = first_of_each(index, thumbnails)
    near = find_near(np.array(radiographs), np.stack(firsts), Dedupe().score, 2)
    duplicates = pd.concat([find_exact(index), near], ignore_index=True)
    index = index.assign(film=index["source"] + "/" + index["file"])
    cluster = join_copies(index, duplicates).set_axis(index["film"])
    film = index.set_index("radiograph")["film"]
    named = duplicates.assign(one=duplicates["first"].map(film), two=duplicates["second"].map(film))
    return SimpleNamespace(
        index=index, excluded=excluded, duplicates=named, cluster=cluster, film=film
    )


def test_every_picture_is_used_or_joined_or_excluded_with_its_reason(indexed, manifest):
    rejected = manifest["finding"].str.extract(r"reject:(.*)")[0].dropna()
    expected = rejected.map({"CT": "modality", "lateral": "view"}).to_dict()
    expected |= {
        "oddities/COVID19(460).jpg": "unreadable",
        "oddities/anon_apct.dcm": "modality",
        "oddities/dog.jpg": "tinted",
        "oddities/person1642_bacteria_4352.jpeg": "extreme_aspect",
        "oddities/test_jpeg.dcm": "modality",
        "oddities/tuberculosis-9592.jpg": "tinted",
    }
    excluded = indexed.excluded
    films = excluded["source"] + "/" + excluded["file"]
    assert dict(zip(films, excluded["reason"], strict=True)) == expected
    masks = [
        f"{source}/{mask}"
        for source, *joined in indexed.index[["source", "lungs", "lesions"]].to_numpy()
        for mask in filter(None, "|".join(joined).split("|"))
    ]
    planned = manifest.index[manifest["finding"].str.startswith("mask:")]
    assert sorted(masks) == sorted(planned)
    assert set(indexed.index["film"]) == set(manifest.index) - set(expected) - set(planned)


def test_counts_of_every_source_and_finding_are_the_manifests(indexed, manifest):
    index = indexed.index
    truth = manifest.loc[index["film"], "finding"].to_numpy()
    nih = index["source"] == "nih-darkcovidnet"  # several findings, of which one is in the manifest
    assert (index["findings"][~nih] == truth[~nih]).all()
    told = index["findings"][nih].str.split("|")
    assert all(finding in several for finding, several in zip(truth[nih], told, strict=True))
    usable = manifest[~manifest["finding"].str.contains("reject:|mask:|unlabelled")]
    counts = usable.groupby(["source", "finding"]).size()
    ours = index[index["source"] != "oddities"].assign(finding=truth[index["source"] != "oddities"])
    pd.testing.assert_series_equal(ours.groupby(["source", "finding"]).size(), counts)
    assert (index["source"] == "oddities").sum() == 5


def twins(manifest, one, other):
    """Pair the films of two collections that have the same name."""
    name = manifest.index.to_series().str.rpartition("/")[2]
    first, second = (
        pd.Series(name.index[manifest["source"] == source], name[manifest["source"] == source])
        for source in (one, other)
    )
    common = first.index.intersection(second.index)
    return list(zip(first[common], second[common], strict=True))


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [
        ("kermany", "kermany-fullsize", 54),
        ("kermany", "kermany-copy", 12),
        ("kermany-copy", "kermany-fullsize", 12),
        ("radiography", "radiography-subset", 4),
    ],
)
def test_known_twins_are_in_one_cluster(one, other, n, indexed, manifest):
    pairs = twins(manifest, one, other)
    assert len(pairs) == n
    found = [indexed.cluster[first] == indexed.cluster[second] for first, second in pairs]
    assert np.mean(found) >= 0.99


def test_films_with_the_same_bytes_are_in_one_cluster(indexed, manifest):
    sums = manifest["sha256"][indexed.cluster.index]
    assert sums.duplicated().sum() > 100
    assert (indexed.cluster.groupby(sums).nunique() == 1).all()  # noqa: PD101, by group


@pytest.mark.parametrize(
    ("note", "n"),
    [
        ("same bytes under two findings", 48),
        ("near-identical to a normal film elsewhere: mislabelled", 30),
    ],
)
def test_the_label_conflicts_of_the_manifest_surface(note, n, indexed, manifest):
    conflicts = find_conflicts(indexed.index, indexed.duplicates)
    told = manifest.index[manifest["note"] == note]
    assert len(told) == n
    assert set(told) <= {*conflicts["one"], *conflicts["two"]}


def test_a_family_with_its_turned_and_mirrored_copies_is_one_cluster(indexed):
    covid = indexed.cluster[indexed.cluster.index.str.contains("/Viral-COVID19/")]
    name = covid.index.str.rpartition("/").get_level_values(2)
    family = name.str.replace(r"^(?:\d+Rotated|(?:horizontal|vertical)Flipped)_", "", regex=True)
    families = covid.groupby(family)
    assert dict(families.size()) == dict.fromkeys(set(family), 6)
    assert len(families) == 4
    assert families.nunique().tolist() == [1] * 4
    assert covid.nunique() == 4


def test_copies_recorded_as_copied_are_found_elsewhere(indexed, manifest):
    copied = manifest.index[manifest["note"] == "copied from another collection"]
    ends = pd.concat([indexed.duplicates["one"], indexed.duplicates["two"]])
    assert len(copied) == 22
    assert set(copied) <= set(ends)


def test_no_two_patients_of_a_collection_are_paired(indexed, manifest):
    patient = manifest["patient"]
    pairs = indexed.duplicates
    one, two = (pairs[end].map(patient) for end in ("one", "two"))
    source = manifest["source"]
    same = pairs["one"].map(source) == pairs["two"].map(source)
    assert not pairs[same & (one != "") & (two != "") & (one != two)].to_dict("records")


def test_scores_of_copies_are_far_above_the_threshold(indexed):
    """Of all pairs none lies between the threshold and 0.99: nothing hangs on its exact place."""
    assert len(indexed.duplicates) > 400
    assert indexed.duplicates["score"].min() > 0.99
