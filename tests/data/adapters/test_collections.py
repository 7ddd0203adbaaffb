"""Every collection that sources.yaml describes: the mirror's real films, and official layouts.

The mirror's manifest is the oracle; the pipeline reads copies of the folders without it. Official
layouts are small trees with the names and tables of the originals.
"""

import gzip
import random

import pandas as pd
import pytest

from cxrpipe.catalogue import IndexSettings, Source
from cxrpipe.config import check
from cxrpipe.data.adapters.labels import label_record
from cxrpipe.data.adapters.sources import read_records
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.recipes import read_yaml
from cxrpipe.runtime import UserError

MIRRORED = (
    "covid-chestxray",
    "covid-cxnet",
    "covid-qu-ex",
    "hannover",
    "kermany",
    "kermany-copy",
    "kermany-fullsize",
    "nih-darkcovidnet",
    "oddities",
    "radiography",
    "radiography-masks",
    "radiography-samples",
    "radiography-subset",
    "tuberculosis",
)


@pytest.fixture(scope="session")
def described(request):
    values = read_yaml(request.config.rootpath / "config/sources.yaml")
    return {name: check(Source, value, name) for name, value in values.items()}


@pytest.fixture
def read(described, tmp_path):
    """Label a collection: rows of the index by file, and the reasons of what is left out."""

    def read(name, findings, data=tmp_path, **settings):
        films = described[name].films
        records, excluded = read_records(data, name, films)
        chosen = IndexSettings(findings=findings, films={name: films}, **settings)
        rows, reasons = {}, dict(zip(excluded["file"], excluded["reason"], strict=True))
        for record in records.to_dict("records"):
            row = label_record({"source": name} | record, films, chosen)
            if isinstance(row, UnusableFilmError):
                reasons[record["file"]] = row.reason
            else:
                rows[record["file"]] = row
        return rows, reasons

    return read


def write(folder, *films, **texts):
    """Write the list of a collection, and its files of text; a key names the file."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{'0' * 64}  {path}\n" for path in (*films, *texts)]
    (folder / "SHA256SUMS").write_text("".join(lines))


def column(rows, key):
    return {file: row[key] for file, row in rows.items()}


# The mirror


@pytest.fixture(scope="session")
def manifest(mirror):
    table = pd.read_csv(mirror / "manifest.tsv", sep="\t", dtype=str, keep_default_na=False)
    ours = {"pneumonia_nih": "pneumonia"}
    table["finding"] = table["finding"].replace(ours)
    pictures = table["path"].str.contains(r"\.(?:png|jpe?g|webp|dcm)$", case=False)
    table.loc[pictures & (table["source"] == "oddities"), "finding"] = "unlabelled"
    return table[pictures].set_index("path")


@pytest.fixture(scope="session")
def films_alone(mirror, tmp_path_factory):
    """The collections of the mirror, without its manifest beside them."""
    folder = tmp_path_factory.mktemp("mirror")
    for name in (*MIRRORED, "nih-labels"):
        (folder / name).symlink_to(mirror / name)
    return folder


@pytest.mark.mirror
@pytest.mark.parametrize("name", MIRRORED)
def test_real_films_have_the_findings_and_patients_established_by_hand(
    name, described, read, manifest, films_alone
):
    truth = manifest[manifest["source"] == name]
    told = {*described[name].films.findings.values(), *truth["finding"]} - {"not_labelled"}
    findings = tuple(sorted(finding for finding in told if ":" not in finding))
    rows, reasons = read(name, findings, films_alone, several="keep")

    rejected = truth["finding"].str.extract(r"reject:(.*)")[0].dropna()
    assert reasons == rejected.map({"CT": "modality", "lateral": "view"}).to_dict()

    masks = truth.index[truth["finding"].str.startswith("mask:")]
    joined = [row[key] for row in rows.values() for key in ("lungs", "lesions") if row[key]]
    assert sorted(joined) == sorted(masks)

    truth = truth.drop([*rejected.index, *masks])
    assert rows.keys() == set(truth.index)
    if name == "nih-darkcovidnet":  # several findings on a film, of which the manifest names one
        assert all(truth["finding"][film] in rows[film]["findings"].split("|") for film in rows)
    else:
        assert column(rows, "findings") == truth["finding"].to_dict()

    patients = {(row["patient"], truth["patient"][file]) for file, row in rows.items()}
    assert len({ours for ours, _ in patients}) == len(patients)
    assert len({theirs for _, theirs in patients}) == len(patients)
    assert all(bool(ours) == bool(theirs) for ours, theirs in patients)
    assert all(ours.startswith(f"{name}/") for ours, _ in patients if ours)


@pytest.mark.mirror
def test_real_collections_have_the_counts_of_the_mirrors_own_description(read, films_alone):
    counts = {}
    findings = ("normal", "covid", "bacterial_pneumonia", "viral_pneumonia", "tuberculosis")
    for name in ("kermany", "radiography", "hannover", "covid-chestxray", "tuberculosis"):
        rows, _ = read(name, findings, films_alone)
        found = pd.Series(column(rows, "findings")).value_counts()
        counts[name] = tuple(found.reindex(findings, fill_value=0))
    assert counts == {
        "kermany": (1341, 0, 2530, 1345, 0),
        "radiography": (430, 430, 0, 0, 0),
        "hannover": (0, 63, 0, 0, 0),
        "covid-chestxray": (8, 30, 12, 8, 0),
        "tuberculosis": (24, 0, 0, 0, 534),
    }


@pytest.mark.mirror
def test_real_boxes_lie_where_nihs_own_table_says(read, films_alone):
    rows, _ = read(
        "nih-darkcovidnet",
        ("pneumonia", "infiltration"),
        films_alone,
        several="keep",
        unlisted="ignore",
    )
    boxes = column(rows, "boxes")
    folder = "X-Ray Image DataSet/Pneumonia"
    # 00000193_019.png,Pneumonia,703.68...,616.97...: 703.68 / 1024 = 0.6872
    assert boxes[f"{folder}/00000193_019.png"] == "pneumonia:0.6872,0.6025,0.2133,0.2433"
    shares = [
        [float(share) for share in box.rsplit(":")[1].split(",")]
        for film in boxes.values()
        for box in filter(None, film.split("|"))
    ]
    assert len(shares) >= 22
    assert all(left + width <= 1 and top + height <= 1 for left, top, width, height in shares)


@pytest.mark.mirror
def test_nihs_whole_table_gives_the_counts_that_its_authors_publish(read, mirror, tmp_path):
    folder = tmp_path / "nih-chestxray14"
    table = (mirror / "nih-labels/Data_Entry_2017_v2020.csv.gz").read_bytes()
    names = [line.split(",")[0] for line in gzip.decompress(table).decode().splitlines()[1:]]
    texts = {
        "Data_Entry_2017_v2020.csv.gz": table,
        "BBox_List_2017.csv.gz": (mirror / "nih-labels/BBox_List_2017.csv.gz").read_bytes(),
        "train_val_list.txt": "\n".join(names[:86524]),
        "test_list.txt": "\n".join(names[86524:]),
    }
    write(folder, *(f"images/{name}" for name in names), **texts)
    fourteen = {
        "atelectasis": 11559,
        "cardiomegaly": 2776,
        "consolidation": 4667,
        "edema": 2303,
        "effusion": 13317,
        "emphysema": 2516,
        "fibrosis": 1686,
        "hernia": 227,
        "infiltration": 19894,
        "mass": 5782,
        "nodule": 6331,
        "pleural_thickening": 3385,
        "pneumonia": 1431,
        "pneumothorax": 5302,
    }
    keep_all = {"several": "keep", "unlisted": "ignore"}
    rows, reasons = read("nih-chestxray14", tuple(fourteen), **keep_all)
    table = pd.DataFrame(rows.values())
    assert (len(table), table["patient"].nunique(), len(reasons)) == (112_120, 30_805, 0)
    assert table["published"].value_counts().to_dict() == {"train": 86_524, "test": 25_596}
    found = table["findings"].str.get_dummies("|").sum()
    assert found.to_dict() == fourteen
    assert (table["findings"] == "").sum() == 60_361
    boxes = table["boxes"][table["boxes"] != ""].str.split("|")
    assert (len(boxes), boxes.map(len).sum()) == (880, 984)


@pytest.mark.mirror
@pytest.mark.parametrize("name", ["covid-chestxray", "covid-qu-ex", "kermany", "nih-darkcovidnet"])
def test_real_records_do_not_depend_on_the_order_of_the_list(name, described, mirror, tmp_path):
    (tmp_path / "nih-labels").symlink_to(mirror / "nih-labels")
    (tmp_path / name).mkdir()
    for child in (mirror / name).iterdir():
        (tmp_path / name / child.name).symlink_to(child)
    lines = (mirror / name / "SHA256SUMS").read_text().splitlines(keepends=True)
    random.Random(7).shuffle(lines)  # noqa: S311
    (tmp_path / name / "SHA256SUMS").unlink()
    (tmp_path / name / "SHA256SUMS").write_text("".join(lines))
    films = described[name].films
    for ours, shuffled in zip(
        read_records(mirror, name, films), read_records(tmp_path, name, films), strict=True
    ):
        pd.testing.assert_frame_equal(
            ours.sort_values("file", ignore_index=True),
            shuffled.sort_values("file", ignore_index=True),
        )


# Official layouts


def test_the_grand_challenge_leaves_out_its_unlabelled_test_set(read, tmp_path):
    write(
        tmp_path / "chest-xr-covid-19",
        "train/normal/normal-1.jpg",
        "train/covid/covid-1.JPG",
        "val/pneumonia/pneumonia-1.png",
        "test_set/1.jpg",
        "test_set/2.jpg",
        "sample/1.jpg",
    )
    rows, reasons = read("chest-xr-covid-19", ("normal", "covid", "pneumonia"))
    assert {file: (row["findings"], row["published"]) for file, row in rows.items()} == {
        "train/normal/normal-1.jpg": ("normal", "train"),
        "train/covid/covid-1.JPG": ("covid", "train"),
        "val/pneumonia/pneumonia-1.png": ("pneumonia", "validation"),
    }
    assert reasons == {
        "test_set/1.jpg": "unlabelled",
        "test_set/2.jpg": "unlabelled",
        "sample/1.jpg": "not_a_film",
    }


RADIOGRAPHY = "COVID-19_Radiography_Dataset"


def test_the_radiography_database_has_four_findings_with_lung_masks(read, tmp_path):
    names = ("COVID/{}/COVID-1", "Lung_Opacity/{}/Lung_Opacity-1", "Normal/{}/Normal-1")
    names = [
        f"{RADIOGRAPHY}/{name}.png" for name in (*names, "Viral Pneumonia/{}/Viral Pneumonia-1")
    ]
    write(
        tmp_path / "covid-19-radiography",
        *(name.format("images") for name in names),
        *(name.format("masks") for name in names[:3]),
        f"{RADIOGRAPHY}/Normal/masks/Normal-2.png",
        f"{RADIOGRAPHY}/Normal.metadata.xlsx",
        f"{RADIOGRAPHY}/README.md.txt",
    )
    findings = ("covid", "lung_opacity", "normal", "viral_pneumonia")
    rows, reasons = read("covid-19-radiography", findings)
    assert column(rows, "findings") == {
        name.format("images"): finding for name, finding in zip(names, findings, strict=True)
    }
    assert [row["lungs"] for row in rows.values()] == [
        *(name.format("masks") for name in names[:3]),
        "",
    ]
    assert {row["patient"] for row in rows.values()} == {""}
    assert reasons == {f"{RADIOGRAPHY}/Normal/masks/Normal-2.png": "mask"}


def test_sheets_of_the_radiography_database_name_films_in_another_case(described, tmp_path):
    folder = tmp_path / "sheets"
    films = [f"Normal/images/Normal-{number}.png" for number in (1, 2)]
    write(folder, *films, "COVID/images/COVID-1.png")
    for finding, names in {"Normal": ["NORMAL-1", "NORMAL-3"], "COVID": ["COVID-1"]}.items():
        sheet = {
            "FILE NAME": names,
            "FORMAT": "PNG",
            "SIZE": "256*256",
            "URL": f"https://{finding}",
        }
        pd.DataFrame(sheet).to_excel(folder / f"{finding}.metadata.xlsx", index=False)
    tables = [
        {"file": f"{finding}.metadata.xlsx", "film": "{FILE NAME}", "patient": "URL"}
        for finding in ("Normal", "COVID")
    ]
    films = described["covid-19-radiography"].films.model_dump() | {"table": tables}
    records, excluded = read_records(tmp_path, "sheets", type(described["kermany"].films)(**films))
    assert dict(zip(records["file"], records["patient"], strict=True)) == {
        "Normal/images/Normal-1.png": "sheets/https://Normal",
        "COVID/images/COVID-1.png": "sheets/https://COVID",
    }
    assert list(excluded["reason"]) == ["not_in_table"]


NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
    "00000001_000.png,Cardiomegaly,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
    "00000001_001.png,Cardiomegaly|Emphysema,1,1,58,M,PA,2894,2729,0.143,0.143,\n"
    "00000003_000.png,Hernia,0,3,414,F,AP,2582,2991,0.143,0.143,\n"
    "00000002_000.png,No Finding,0,2,81,M,PA,2500,2048,0.171,0.171,\n"
)
NIH_BOXES = (
    "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    "00000001_001.png,Cardiomegaly,256,512,128,64,,,\n"
    "00000001_001.png,Infiltrate,0,0,1024,1024,,,\n"
)
NIH_FINDINGS = ("cardiomegaly", "emphysema", "hernia", "infiltration")


@pytest.mark.parametrize(
    ("folder", "tables"),
    [
        ("images_001/images", {"Data_Entry_2017.csv": NIH, "BBox_List_2017.csv": NIH_BOXES}),
        (
            "images",
            {
                "Data_Entry_2017_v2020.csv.gz": gzip.compress(NIH.encode()),
                "BBox_List_2017.csv.gz": gzip.compress(NIH_BOXES.encode()),
            },
        ),
    ],
)
def test_nih_has_several_findings_patients_boxes_and_published_lists(
    folder, tables, read, tmp_path
):
    names = ["00000001_000", "00000001_001", "00000002_000", "00000003_000", "00000009_000"]
    files = [f"{folder}/{name}.png" for name in names]
    lists = {
        "train_val_list.txt": "00000001_000.png\n00000001_001.png\n",
        "test_list.txt": "00000002_000.png\n00000003_000.png",
    }
    write(tmp_path / "nih-chestxray14", *files, **tables, **lists)
    rows, reasons = read("nih-chestxray14", NIH_FINDINGS, several="keep", unlisted="ignore")
    keys = ("findings", "patient", "view", "sex", "published", "boxes")
    box = "cardiomegaly:0.2500,0.5000,0.1250,0.0625|infiltration:0.0000,0.0000,1.0000,1.0000"
    assert [tuple(rows[file][key] for key in keys) for file in files[:4]] == [
        ("cardiomegaly", "nih-chestxray14/1", "PA", "M", "train", ""),
        ("cardiomegaly|emphysema", "nih-chestxray14/1", "PA", "M", "train", box),
        ("", "nih-chestxray14/2", "PA", "M", "test", ""),
        ("hernia", "nih-chestxray14/3", "AP", "F", "test", ""),
    ]
    ages = pd.Series(column(rows, "age"))[files[:4]]
    pd.testing.assert_series_equal(ages, pd.Series([58, 58, 81, None], ages.index, dtype=float))
    assert reasons == {files[4]: "not_in_table"}


def test_nih_without_its_lists_is_refused(read, tmp_path):
    tables = {"Data_Entry_2017.csv": NIH, "BBox_List_2017.csv": NIH_BOXES}
    write(tmp_path / "nih-chestxray14", "images/00000001_000.png", **tables)
    with pytest.raises(UserError, match=r"train_val_list.txt: missing; it lists the films of"):
        read("nih-chestxray14", NIH_FINDINGS)


COHEN = (
    "patientid,offset,sex,age,finding,RT_PCR_positive,view,modality,folder,filename\n"
    "2,0,M,65,Pneumonia/Viral/COVID-19,Y,PA,X-ray,images,a_1.jpeg\n"
    "2,3,M,65,Pneumonia/Viral/COVID-19,Y,L,X-ray,images,a_2.jpeg\n"
    "3,0,F,74,Pneumonia/Viral/SARS,,AP Supine,X-ray,images,b.JPG\n"
    "4,0,,,Pneumonia/Viral/COVID-19,Y,Axial,CT,images,c.png\n"
    "5,0,F,,Unknown,,PA,X-ray,images,d.png\n"
    "6,0,F,,Pneumonia/Viral/Herpes ,,AP Erect,X-ray,images,e.png\n"
    "7,0,F,,Pneumonia/Viral/COVID-19,Y,PA,X-ray,volumes,f.nii.gz\n"
)


def test_the_covid_image_data_collection_tells_patients_views_and_lung_masks(read, tmp_path):
    masks = "annotations/lungVAE-masks"
    films = [
        f"images/{name}" for name in ("a_1.jpeg", "a_2.jpeg", "b.JPG", "c.png", "d.png", "e.png")
    ]
    folder = tmp_path / "covid-chestxray-dataset"
    texts = {"metadata.csv": COHEN, "annotations/covid-severity-scores.csv": "filename\n"}
    write(folder, *films, f"{masks}/a_1_mask.png", f"{masks}/gone_mask.png", **texts)
    rows, reasons = read("covid-chestxray-dataset", ("covid", "viral_pneumonia"))
    keys = ("findings", "patient", "view", "age", "sex", "lungs")
    source = "covid-chestxray-dataset"
    told = [tuple(row[key] for key in keys) for row in rows.values()]
    assert told[0] == ("covid", f"{source}/2", "PA", 65, "M", f"{masks}/a_1_mask.png")
    assert told[1] == ("viral_pneumonia", f"{source}/3", "AP", 74, "F", "")
    assert told[2][:3] == ("viral_pneumonia", f"{source}/6", "AP")
    assert list(rows) == [films[0], films[2], films[5]]
    assert reasons == {
        films[1]: "view",
        films[3]: "modality",
        films[4]: "other_finding",
        f"{masks}/gone_mask.png": "mask",
    }


ACTUALMED = (
    "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,imagename,"
    "artifacts/distortion,notes\n"
    'ANON196,,,,,,,,PA,X-ray,CR.1.png,,"Inconclusive, date taken (YYYYMMDD): 20200313"\n'
    "ANON56,,,,No finding,,,,PA,X-ray,CR.2.png,,\n"
    "ANON196,,,,COVID-19,,,,AP,X-ray,CR.3.png,,\n"
)


def test_actualmed_leaves_out_what_is_inconclusive(read, tmp_path):
    files = [f"images/CR.{number}.png" for number in (1, 2, 3)]
    write(tmp_path / "actualmed", *files, **{"metadata.csv": ACTUALMED})
    rows, reasons = read("actualmed", ("normal", "covid"))
    assert column(rows, "findings") == {files[1]: "normal", files[2]: "covid"}
    assert column(rows, "patient") == {files[1]: "actualmed/ANON56", files[2]: "actualmed/ANON196"}
    assert column(rows, "view") == {files[1]: "PA", files[2]: "AP"}
    assert reasons == {files[0]: "unlabelled"}


FIGURE1 = (
    "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,"
    "artifacts/distortion,notes\n"
    "COVID-00001,13,M,33,COVID-19,,,58,AP erect,X-ray,,\n"
    "COVID-00002,,M,50+,,,,,AP erect,X-ray,,\n"
    "COVID-00003a,8,M,28,COVID-19,,,,PA,X-ray,,\n"
    "COVID-00003b,8,M,28,COVID-19,,,,L,X-ray,,\n"
    "COVID-00004,8,F,28,Pneumonia,,,,PA,X-ray,,\n"
)


def test_figure1_names_films_without_suffix_and_patients_without_letter(read, tmp_path):
    names = ("00001.jpg", "00002.jpg", "00003a.png", "00003b.jpg", "00004.jpg")
    files = [f"images/COVID-{name}" for name in names]
    write(tmp_path / "figure1", *files, **{"metadata.csv": FIGURE1})
    rows, reasons = read("figure1", ("covid", "pneumonia"), views=("PA", "AP", "lateral"))
    assert column(rows, "patient") == {
        files[0]: "figure1/COVID-00001",
        files[2]: "figure1/COVID-00003",
        files[3]: "figure1/COVID-00003",
        files[4]: "figure1/COVID-00004",
    }
    assert [row["view"] for row in rows.values()] == ["AP", "PA", "lateral", "PA"]
    assert [row["findings"] for row in rows.values()] == ["covid", "covid", "covid", "pneumonia"]
    assert reasons == {files[1]: "unlabelled"}


def test_hannover_tells_patient_sex_and_projection(read, tmp_path):
    table = "patient_id,image_id,sex,age,modality,projection\n024e7871,fff13f3a,f,,CR,pa\n"
    write(tmp_path / "hannover", "png/fff13f3a.png", "LICENSE", **{"data.csv": table})
    rows, reasons = read("hannover", ("covid", "normal"))
    row = rows["png/fff13f3a.png"]
    assert (row["patient"], row["sex"], row["view"]) == ("hannover/024e7871", "F", "PA")
    assert row["findings"] == "covid"
    assert reasons == {}


def test_kermanys_archive_tells_subset_cause_and_patient_once(read, tmp_path):
    films = [
        "chest_xray/train/NORMAL/IM-0115-0001.jpeg",
        "chest_xray/train/NORMAL/NORMAL2-IM-1427-0001.jpeg",
        "chest_xray/train/PNEUMONIA/person9_bacteria_38.jpeg",
        "chest_xray/val/PNEUMONIA/person9_virus_1.jpeg",
        "chest_xray/test/PNEUMONIA/person100_bacteria_475.jpeg",
    ]
    again = ["chest_xray/chest_xray/train/NORMAL/IM-0115-0001.jpeg"]
    again += ["chest_xray/__MACOSX/chest_xray/train/NORMAL/._IM-0115-0001.jpeg"]
    write(tmp_path / "chest-xray-pneumonia", *films, *again)
    rows, reasons = read(
        "chest-xray-pneumonia", ("normal", "bacterial_pneumonia", "viral_pneumonia")
    )
    keys = ("findings", "patient", "published")
    scope = "chest-xray-pneumonia"
    assert [tuple(rows[film][key] for key in keys) for film in films] == [
        ("normal", f"{scope}/IM-0115", "train"),
        ("normal", f"{scope}/NORMAL2-IM-1427", "train"),
        ("bacterial_pneumonia", f"{scope}/person9_bacteria", "train"),
        ("viral_pneumonia", f"{scope}/person9_virus", "validation"),
        ("bacterial_pneumonia", f"{scope}/person100_bacteria", "test"),
    ]
    assert reasons == dict.fromkeys(again, "not_a_film")


def test_montgomery_has_masks_of_two_files_and_readings(read, tmp_path):
    folder = "MontgomerySet"
    names = ("MCUCXR_0001_0", "MCUCXR_0104_1")
    masks = [
        [f"{folder}/ManualMask/{side}Mask/{name}.png" for side in ("left", "right")]
        for name in names
    ]
    told = ("Sex: F\nPatient's Age: 027Y\nnormal\n", "Sex: M\r\nPatient's Age: 061Y\r\nTB\r\n")
    readings = {
        f"{folder}/ClinicalReadings/{name}.txt": f"Patient's {text}"
        for name, text in zip(names, told, strict=True)
    }
    films = [f"{folder}/CXR_png/{name}.png" for name in names]
    write(tmp_path / "montgomery", *films, *masks[0], masks[1][0], **readings)
    rows, reasons = read("montgomery", ("normal", "tuberculosis"))
    keys = ("findings", "patient", "sex", "age", "lungs")
    assert [tuple(rows[film][key] for key in keys) for film in films] == [
        ("normal", "montgomery/MCUCXR_0001", "F", 27, "|".join(masks[0])),
        ("tuberculosis", "montgomery/MCUCXR_0104", "M", 61, ""),
    ]
    assert reasons == {masks[1][0]: "mask"}


def test_shenzhen_readings_are_read_however_they_are_written(read, tmp_path):
    readings = {
        "0001_0": ("male 45yrs\nnormal", "M", 45),
        "0327_1": ("female, 30yrs \nbilateral PTB", "F", 30),
        "0330_1": ("Male  6 months\n", "M", 0.5),
        "0335_1": ("", "", None),
    }
    texts = {
        f"ChinaSet_AllFiles/ClinicalReadings/CHNCXR_{name}.txt": text
        for name, (text, _, _) in readings.items()
    }
    films = [f"ChinaSet_AllFiles/CXR_png/CHNCXR_{name}.png" for name in readings]
    write(tmp_path / "shenzhen", *films, **texts)
    rows, _ = read("shenzhen", ("normal", "tuberculosis"))
    assert list(column(rows, "findings").values()) == ["normal"] + ["tuberculosis"] * 3
    assert list(column(rows, "sex").values()) == [sex for _, sex, _ in readings.values()]
    ages = [None if row["age"] != row["age"] else row["age"] for row in rows.values()]
    assert ages == [age for _, _, age in readings.values()]
    assert rows[films[0]]["patient"] == "shenzhen/CHNCXR_0001"


def test_the_tb_chest_xray_database_is_told_by_folders(read, tmp_path):
    root = "TB_Chest_Radiography_Database"
    films = [f"{root}/Normal/Normal-1.png", f"{root}/Tuberculosis/Tuberculosis-1.png"]
    write(tmp_path / "tb-chest-xray", *films, f"{root}/Normal.metadata.xlsx")
    rows, reasons = read("tb-chest-xray", ("normal", "tuberculosis"))
    assert column(rows, "findings") == {films[0]: "normal", films[1]: "tuberculosis"}
    assert reasons == {}


def test_covid_qu_ex_has_lung_and_infection_masks_and_published_subsets(read, tmp_path):
    lung = "Lung Segmentation Data/Lung Segmentation Data"
    infection = "Infection Segmentation Data/Infection Segmentation Data"
    films = {
        f"{lung}/Train/Non-COVID/images/non_COVID (1).png": ("non_covid_pneumonia", "train"),
        f"{lung}/Val/COVID-19/images/covid_1.png": ("covid", "validation"),
        f"{infection}/Test/Normal/images/Normal (1).png": ("normal", "test"),
    }
    lungs = [film.replace("/images/", "/lung masks/") for film in films]
    lesions = [film.replace("/images/", "/infection masks/") for film in list(films)[2:]]
    write(tmp_path / "covidqu", *films, *lungs, *lesions)
    rows, reasons = read("covidqu", ("covid", "non_covid_pneumonia", "normal"))
    told = {file: (row["findings"], row["published"]) for file, row in rows.items()}
    assert told == films
    assert list(column(rows, "lungs").values()) == lungs
    assert list(column(rows, "lesions").values()) == ["", "", *lesions]
    assert reasons == {}


def test_five_findings_come_together_from_two_collections(read, tmp_path):
    write(
        tmp_path / "covid-19-radiography",
        *(
            f"{RADIOGRAPHY}/{finding}/images/{finding}-1.png"
            for finding in ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
        ),
    )
    write(tmp_path / "tb-chest-xray", "Normal/Normal-1.png", "Tuberculosis/Tuberculosis-1.png")
    five = ("normal", "covid", "lung_opacity", "tuberculosis", "viral_pneumonia")
    found = [
        row["findings"]
        for name in ("covid-19-radiography", "tb-chest-xray")
        for row in read(name, five)[0].values()
    ]
    assert sorted(found) == sorted((*five, "normal"))


@pytest.mark.parametrize(
    ("films", "texts"),
    [
        ({}, {}),
        (
            {"table": {"file": "films.csv", "film": "{file}", "finding": "finding"}},
            {"films.csv": "file,finding\ncovid/1.png,covid\n2.png,tb\n"},
        ),
    ],
)
def test_a_folder_of_ones_own_or_a_table_takes_a_short_entry(films, texts, tmp_path):
    source = check(Source, {"origin": {"path": "films"}, "films": films}, "mine")
    write(tmp_path / "mine", "covid/1.png", "2.png", **texts)
    records, _ = read_records(tmp_path, "mine", source.films)
    told = dict(zip(records["file"], records["label"], strict=True))
    assert told == {"covid/1.png": "covid", "2.png": "tb" if films else ""}


def test_settings_of_every_collection_survive_the_way_to_the_command(described):
    films = {name: source.films for name, source in described.items()}
    settings = IndexSettings(findings=("normal", "covid"), films=films)
    assert IndexSettings.model_validate_json(settings.model_dump_json()) == settings
