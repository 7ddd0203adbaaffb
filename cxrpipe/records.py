"""What Snakemake noted of a run, kept among its files, so that they are trusted elsewhere, too.

Snakemake decides by its notes what to run: with which settings a file was made, and from inputs of
which checksums. The notes lie in ``.snakemake``, which stays where it is. A run that comes from
elsewhere, out of DVC's cache above all, would come without: newer settings would then pass for
those that it was made with. So the notes travel as ``records.json`` with the run, each beside the
checksum of the file that it is of, and count for files of these very bytes alone.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cxrpipe.runtime import read_json, write_json

NOTES = Path(".snakemake/metadata")
UNFINISHED = Path(".snakemake/incomplete")  # marks of jobs that run, or were stopped
# Checksums of what was last written, brought back or noticed here, by its place.
SEEN = Path(".snakemake/seen")


def records_of(run: str) -> Path:
    """Return where the records of a run lie."""
    return Path("results", run, "records.json")


def list_notes() -> Iterator[tuple[str, Path]]:
    """Pass the path of each file that Snakemake made here, and where the note of it lies.

    A note's name is the path in base64, in parts of which all but the last begin with ``@``.
    """
    for folder, _, names in os.walk(NOTES):
        for name in names:
            note = Path(folder, name)
            parts = (part.removeprefix("@") for part in note.relative_to(NOTES).parts)
            yield base64.urlsafe_b64decode("".join(parts)).decode(), note


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder with their names."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    listed = [(file.relative_to(path).as_posix(), checksum(file)) for file in list_files(path)]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def list_files(path: Path) -> list[Path]:
    """List the files of a folder, or the file itself."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def keep(run: str, sources: Iterable[str], contents: Mapping[str, str]) -> None:
    """Write the records of a run.

    Parameters
    ----------
    sources
        Collections that it is made from; the notes of these travel with it.
    contents
        What sums up a user's own folder, by collection: elsewhere the folder may not be there.
    """
    wanted = (f"results/{run}/", *(f"data/{source}/" for source in sources))
    notes = {name: note for name, note in list_notes() if name.startswith(wanted)}
    files = {
        name: {"sha256": checksum(Path(name)), "at": at, "note": json.loads(note.read_text())}
        for name, note in sorted(notes.items())
        if Path(name).exists() and (at := note.relative_to(NOTES).as_posix())
    }
    write_json(records_of(run), {"contents": dict(contents), "files": files})
    _see(records_of(run))


def forget(run: str) -> None:
    """Forget that the records of a run were seen, since from now on they may not hold.

    Once a run has ended well ``keep`` sees them again. After one that was stopped, what DVC may
    have put in place of its files is then looked at.
    """
    (SEEN / records_of(run)).unlink(missing_ok=True)


def bring_back(run: str) -> list[str]:
    """Give Snakemake the notes of a run that came from elsewhere, and one time to its files.

    A file that Snakemake made here since, as in a run that was stopped, keeps the note of that. One
    that is not what its record says, and of which Snakemake knows nothing here, is moved aside to
    be made anew: nobody can tell how it was made. What differs and is known, and raw data of
    another version, get a later time than the others: what is made from them is made anew.

    Returns
    -------
    A line for people about each file that was moved aside.
    """
    if not _is_news(records_of(run)):
        return []
    notes = dict(list_notes())
    files = read_json(records_of(run))["files"]
    found = [name for name in files if Path(name).exists()]
    whole = {name for name in found if checksum(Path(name)) == files[name]["sha256"]}
    ours = {name for name in found if name in notes and not _is_newer(Path(name), notes[name])}
    now = time.time()
    _stamp(records_of(run).parent, now)
    told = []
    for name in found:
        path, note = Path(name), NOTES / files[name]["at"]
        if name in whole and name in ours:
            note.touch()
        elif name in whole:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(files[name]["note"]))
            (UNFINISHED / files[name]["at"]).unlink(missing_ok=True)
        elif name in notes or name.startswith("data/"):
            _stamp(path, now + 1)
        else:
            aside = path.with_name(f"{path.name}.differs")
            path.replace(aside)
            told.append(f"{name} is not what run {run} recorded; made anew, and kept as {aside}")
    _see(records_of(run))
    return told


def notice(sources: Iterable[str]) -> None:
    """Give raw data that changed since they were last seen here the time of now.

    A file that DVC links from its cache has the time at which it came there, which may be before
    that of results made from another version.
    """
    for source in sources:
        sums = Path("data", source, "SHA256SUMS")
        if _is_news(sums):
            sums.touch()
            _see(sums)


def recall_contents(run: str, source: str) -> str | None:
    """Return what summed up a user's own folder when the run was recorded, where it was."""
    if not records_of(run).is_file():
        return None
    contents: str | None = read_json(records_of(run))["contents"].get(source)
    return contents


def _is_news(path: Path) -> bool:
    """Tell whether a file is there, and not as it was last seen."""
    seen = SEEN / path
    return path.is_file() and not (seen.is_file() and seen.read_text() == checksum(path))


def _see(path: Path) -> None:
    seen = SEEN / path
    seen.parent.mkdir(parents=True, exist_ok=True)
    seen.write_text(checksum(path))


def _is_newer(path: Path, note: Path) -> bool:
    """Tell whether a file was put in its place after the note of it was written.

    The time of change tells it, which a link into a cache also has of its own.
    """
    noted = note.stat().st_mtime
    return any(file.lstat().st_ctime > noted for file in list_files(path))


def _stamp(path: Path, when: float) -> None:
    for file in list_files(path):
        os.utime(file, (when, when))
