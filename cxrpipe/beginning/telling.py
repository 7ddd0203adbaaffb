"""What was seen of a folder, guessed and left open, in words."""

from collections import Counter
from collections.abc import Iterator

from cxrpipe.beginning.folder import suffix_of
from cxrpipe.beginning.looking import Look
from cxrpipe.beginning.patients import FEWEST_PATIENTS
from cxrpipe.beginning.told import Mark, Told
from cxrpipe.config import Index
from cxrpipe.data.adapters.described import TOLD

FEW = 30  # films of a finding; about six of them are tested, and each is a sixth of its recall
KEEP_SEVERAL = "index: {several: keep} and a task of kind multi keep them (config/README.md)"
TELL_PATIENTS = (
    "if names or a table tell them, say how (films.pattern or films.table, config/README.md): else "
    "a patient may be in training and test at once"
)
CORRECT = "correct films: of config/sources.yaml if that is wrong"
ORDER: tuple[Mark, ...] = ("seen", "guess", "note", "wrong")


def tell(look: Look) -> list[Told]:
    """Tell what a look at a folder brought: the certain first, then guesses, then the rest."""
    told = [
        *_tell_films(look),
        *_tell_findings(look),
        *_tell_subsets(look),
        *_tell_patients(look),
        *_tell_masks(look),
        *_tell_sizes(look),
    ]
    return sorted(told, key=lambda each: ORDER.index(each.mark))


def _tell_films(look: Look) -> Iterator[Told]:
    kinds = Counter(suffix_of(film).removeprefix(".") or "DICOM" for film in look.folder.films)
    listed = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common())
    yield Told("seen", "films", f"{len(look.folder.films):,} ({listed})")
    for file, (_, detail) in list(look.dropped.items())[:1]:
        yield Told("note", "films", f"{len(look.dropped):,} are not read, such as {file}: {detail}")
    if look.sheet:
        table = look.sheet.table
        columns = [f"{role} in {column}" for role in TOLD if (column := getattr(table, role))]
        yield Told("seen", "table", f"{table.file[0]}: {', '.join(columns)}")
        yield from (Told("note", "table", note) for note in look.sheet.unread)
    read = look.sheet.table.file if look.sheet else ()
    for name in [name for name in look.folder.tables if name not in read][:1]:
        found = f"{name} is not read: no column names the films, or none tells anything of them"
        yield Told("note", "table", found)


def _tell_findings(look: Look) -> Iterator[Told]:
    by_table = look.sheet and look.sheet.table.finding
    is_sure = (
        "finding" not in look.sheet.guessed if look.sheet and by_table else look.layout.is_sure
    )
    counts = ", ".join(f"{finding} {n:,}" for finding, n in look.counts.items())
    found = f"{counts}; by {'the table' if by_table else 'folders'}"
    yield Told("seen" if is_sure else "guess", "findings", found, "" if is_sure else CORRECT)
    several = sum(len(labels) > 1 for labels in look.labels)
    unlabelled = sum(not labels for labels in look.labels)
    if several:
        yield Told("note", "findings", f"{several:,} films show several: left out", KEEP_SEVERAL)
    if unlabelled:
        yield Told("note", "findings", f"of {unlabelled:,} films nothing tells it: left out")
    if look.rare:
        found = f"not in the recipe: {', '.join(look.rare)}"
        yield Told("note", "findings", f"{found}; fewer than {FEWEST_PATIENTS} patients each")
    if few := [finding for finding, n in look.counts.items() if n < FEW]:
        found = f"fewer than {FEW} films of {', '.join(few)}: scores of them will say little"
        yield Told("note", "findings", found)


def _tell_subsets(look: Look) -> Iterator[Told]:
    if not look.subsets:
        return
    counts = ", ".join(f"{subset} {n:,}" for subset, n in sorted(look.subsets.items()))
    yield Told("seen", "subsets", f"{counts}; {'kept' if look.is_published else 'not kept'}")
    n_validated = look.subsets["validation"]
    if look.is_published and 0 < n_validated < FEW * len(look.counts):
        mend = "let training films validate: train in place of validation in films.subsets"
        found = f"{n_validated} films to choose epoch and thresholds by: few"
        yield Told("note", "subsets", found, mend)


def _tell_patients(look: Look) -> Iterator[Told]:
    film = next((film for film in look.described if film.told.get("patient", "")), None)
    if film:
        is_named = look.sheet and look.sheet.table.patient and "patient" not in look.sheet.guessed
        found = f"{film.file} is of patient {film.told['patient']}"
        yield (
            Told("seen", "patients", found)
            if is_named
            else Told("guess", "patients", found, CORRECT)
        )
    elif look.sample.n_named:
        yield Told("seen", "patients", "the headers of DICOM films tell them")
    else:
        yield Told("note", "patients", "nothing seen tells them", TELL_PATIENTS)


def _tell_masks(look: Look) -> Iterator[Told]:
    if not look.folder.masks:
        return
    found = f"{len(look.folder.masks):,}, such as {look.folder.masks[0]}"
    templates = {"lungs": look.settings.lungs, "lesions": look.settings.lesions}
    if not any(templates.values()):
        mend = "films.lungs or films.lesions: a template of their paths (config/README.md)"
        yield Told("note", "masks", f"{found}: named as no film is", mend)
    for structure, paths in templates.items():
        if paths:
            n_films = sum(bool(film.told.get(structure)) for film in look.described)
            found = f"of {structure}, for {n_films:,} films: {' and '.join(paths)}"
            yield Told("guess", "masks", found, CORRECT)


def _tell_sizes(look: Look) -> Iterator[Told]:
    sample, limit = look.sample, Index().min_side
    n_seen = len(sample.sizes) + len(sample.unusable)
    if sample.sizes:
        sides = sorted(map(min, sample.sizes))
        found = f"shorter side {sides[0]:,} to {sides[-1]:,} pixels, in {n_seen} films looked at"
        yield Told("seen", "sizes", found)
        if n_small := sum(side < limit for side in sides):
            mend = f"index: {{min_side: {sides[0]}}} of the recipe takes them"
            yield Told("note", "sizes", f"{n_small} of them are below {limit}: left out", mend)
    for film, detail in sample.unusable[:1]:
        found = f"{len(sample.unusable)} of {n_seen} films looked at, such as {film}: {detail}"
        yield Told("note", "unusable", f"{found}; left out, each with its reason")
