"""Small phantom collections that are laid out as the films of the published systems are.

Folders, names, tables, lists and boxes are those of the originals; the films are drawn, 64 px.
"""

from pathlib import Path

import pandas as pd
from PIL import Image

from cxrpipe.catalogue import Phantom
from cxrpipe.data.download import write_checksums
from cxrpipe.data.phantoms.phantom import PlannedFilm, draw_film

HOSPITAL = Phantom(hospital="north", patients=24, side=64, seed=7)
NIH = ("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia")
NIH += ("Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening")
NIH += ("Hernia", "No Finding")
COHEN = (
    "Pneumonia/Viral/COVID-19",
    "Pneumonia/Viral/SARS",
    "Pneumonia/Bacterial/Streptococcus",
    "Pneumonia/Fungal/Pneumocystis",
    "Tuberculosis",
    "No Finding",
)
# How a phantom looks that is to show a finding which no phantom has.
LOOKS = ("lung_opacity", "covid", "viral_pneumonia", "tuberculosis")


def draw(path: Path, looks: str, mask: Path | None = None) -> None:
    """Draw a film, and its lung mask if asked; each name is another person."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = looks if looks in (*LOOKS, "normal") else LOOKS[len(looks) % len(LOOKS)]
    plan = PlannedFilm(path.name, "", "", path.stem, known, "PA", 50, "F", "", "")
    film = draw_film(HOSPITAL, plan)
    Image.fromarray(film.pixels).save(path)
    if mask:
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 * film.lungs.astype("uint8")).save(mask)


def lay_out_challenge(folder: Path) -> None:
    """Chest XR COVID-19: train and val by finding, a test set without labels."""
    for subset, n_films in {"train": 12, "val": 4}.items():
        for finding in ("normal", "covid", "pneumonia"):
            for number in range(n_films):
                draw(folder / subset / finding / f"{finding}-{subset}-{number}.jpg", finding)
    for number in range(2):
        draw(folder / "test_set" / f"{number}.jpg", "normal")


def lay_out_radiography(folder: Path) -> None:
    """COVID-19 Radiography Database: films and lung masks by finding, a sheet beside each."""
    root = folder / "COVID-19_Radiography_Dataset"
    counts = {"COVID": 12, "Lung_Opacity": 12, "Normal": 14, "Viral Pneumonia": 10}
    for finding, n_films in counts.items():
        for number in range(1, n_films + 1):
            name = f"{finding}-{number}.png"
            mask = root / finding / "masks" / name
            draw(root / finding / "images" / name, finding.lower().replace(" ", "_"), mask=mask)
        names = pd.DataFrame({"FILE NAME": [f"{finding}-{n + 1}" for n in range(n_films)]})
        names.to_excel(root / f"{finding}.metadata.xlsx", index=False)


def lay_out_tuberculosis(folder: Path) -> None:
    """TB Chest X-ray Database: normal and tuberculosis."""
    root = folder / "TB_Chest_Radiography_Database"
    for finding in ("Normal", "Tuberculosis"):
        for number in range(1, 11):
            path = root / finding / f"TB-{finding}-{number}.png"
            draw(path, finding.lower())


def lay_out_nih(folder: Path) -> None:
    """NIH ChestX-ray14: films by number of patient, one table, two lists, a table of boxes.

    Every finding is of four patients in the list for training and of one in that for the test; the
    last patient of each has a second film that also shows the next finding.
    """
    rows, lists = [], {"train_val_list.txt": [], "test_list.txt": []}
    for place, finding in enumerate(NIH):
        for number in range(5):
            patient = 5 * place + number + 1
            second = finding if finding == "No Finding" else f"{finding}|{NIH[(place + 1) % 14]}"
            for follow_up, labels in enumerate([finding, second] if number == 3 else [finding]):
                name = f"{patient:08}_{follow_up:03}.png"
                looks = "normal" if finding == "No Finding" else finding
                draw(folder / f"images_{1 + number:03}/images" / name, looks)
                rows.append((name, labels, follow_up, patient, "058", "MF"[number % 2], "PA"))
                lists["test_list.txt" if number == 4 else "train_val_list.txt"].append(name)
    columns = ("Image Index", "Finding Labels", "Follow-up #", "Patient ID")
    columns += ("Patient Age", "Patient Gender", "View Position")
    pd.DataFrame(rows, columns=columns).to_csv(folder / "Data_Entry_2017.csv", index=False)
    for name, films in lists.items():
        (folder / name).write_text("".join(f"{film}\n" for film in films))
    boxed = lists["test_list.txt"][0]
    (folder / "BBox_List_2017.csv").write_text(
        f"Image Index,Finding Label,Bbox [x,y,w,h],,,\n{boxed},Atelectasis,200,300,250,250,,,\n"
    )


def lay_out_cohen(folder: Path) -> None:
    """COVID-19 Image Data Collection: one table of films, lateral ones and CT among them."""
    rows = []
    for place, finding in enumerate(COHEN):
        for number in range(8 if "COVID" in finding else 5):
            patient, name = f"{place}{number:02}", f"film-{place}-{number}.png"
            views = {name: ("AP Supine", "X-ray"), f"lateral-{name}": ("L", "X-ray")}
            views |= {f"ct-{name}": ("Axial", "CT")} if number == 0 else {}
            for film, (view, modality) in views.items():
                draw(folder / "images" / film, "normal" if "No " in finding else finding)
                rows.append((patient, "M", 61, finding, view, modality, "images", film))
    draw(folder / "images/todo.png", "normal")
    rows.append(("todo", "F", 40, "todo", "PA", "X-ray", "images", "todo.png"))
    columns = ("patientid", "sex", "age", "finding", "view", "modality", "folder", "filename")
    pd.DataFrame(rows, columns=columns).to_csv(folder / "metadata.csv", index=False)


LAYOUTS = {
    "chest-xr-covid-19": lay_out_challenge,
    "covid-19-radiography": lay_out_radiography,
    "tb-chest-xray": lay_out_tuberculosis,
    "nih-chestxray14": lay_out_nih,
    "covid-chestxray-dataset": lay_out_cohen,
}


def make_mirror(folder: Path) -> Path:
    """Lay every collection out in a folder of its name, with its list of checksums."""
    for source, lay_out in LAYOUTS.items():
        (folder / source).mkdir(parents=True)
        lay_out(folder / source)
        write_checksums(folder / source)
    return folder
