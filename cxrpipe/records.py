"""What Snakemake noted of a run, kept among its files, so that they are trusted elsewhere, too.

Snakemake decides by its notes what to run: with which settings a file was made, and from inputs of
which checksums. The notes lie in ``.snakemake``, which stays where it is. A run that comes from
elsewhere, out of DVC's cache above all, would come without: newer settings would then pass for
those that it was made with. So the notes travel as ``records.json`` with the run, each beside the
checksum of the file that it is of, and count for files of these very bytes alone.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cxrpipe.runtime import UserError, read_json, write_json

NOTES = Path(".snakemake/metadata")
UNFINISHED = Path(".snakemake/incomplete")  # marks of jobs that run, or were stopped
# Checksums of what was last written, brought back or noticed here, by its place. That of a run's
# records goes when Snakemake begins to work on it, and comes back when it has ended.
SEEN = Path(".snakemake/seen")
# Files of known bytes get this time, 2001, older than any input: Snakemake compares the content
# of inputs that are newer than an output, and of these alone.
OLD = 1_000_000_000


def records_of(run: str) -> Path:
    """Return where the records of a run lie."""
    return Path("results", run, "records.json")


def list_notes() -> Iterator[tuple[str, Path]]:
    """Pass the path of each file that Snakemake made here, and where the note of it lies."""
    for folder, _, names in os.walk(NOTES):
        for name in names:
            note = Path(folder, name)
            yield _decode(note.relative_to(NOTES)), note


def _decode(place: Path) -> str:
    """Return of which file a note is: its name in base64, all parts but the last with an ``@``."""
    parts = "".join(part.removeprefix("@") for part in place.parts)
    return base64.urlsafe_b64decode(parts).decode()


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
    """Write the records of a run, of the files that are whole.

    Parameters
    ----------
    sources
        Collections that it is made from; the notes of these travel with it.
    contents
        What sums up a user's own folder, by collection: elsewhere the folder may not be there.
    """
    wanted = (f"results/{run}/", *(f"data/{source}/" for source in sources))
    files = {}
    for name, note in sorted(list_notes()):
        at = note.relative_to(NOTES)
        content = _read_note(note)
        if not content or not name.startswith(wanted) or (UNFINISHED / at).exists():
            continue
        if Path(name).exists():
            sha256 = checksum(Path(name))
            files[name] = {"sha256": sha256, "at": at.as_posix(), "note": content}
    write_json(records_of(run), {"contents": dict(contents), "files": files})
    _see(records_of(run))


def _read_note(note: Path) -> dict[str, Any]:
    """Read a note; one that a kill cut short is empty, as it is to Snakemake."""
    try:
        return read_json(note)
    except json.JSONDecodeError:
        return {}


def forget(run: str) -> None:
    """Forget that the records of a run were seen, since from now on they may not hold.

    Once a run has ended ``keep`` sees them again. After one that was killed, what DVC may have put
    in place of its files is then looked at.
    """
    (SEEN / records_of(run)).unlink(missing_ok=True)


def bring_back(run: str) -> list[str]:
    """Give Snakemake the notes of a run that came from elsewhere, and an old time to its files.

    After a run that was killed here, what it made keeps the newer notes, unless files came back
    since: then all that are as recorded get the notes of their records. A file of other bytes than
    recorded is moved aside to be made anew if Snakemake knows nothing of it, or has not run since
    the records came: nobody can tell how it was made. Raw data are left alone.

    Returns
    -------
    A line for people about each file that was moved aside.
    """
    if not _is_news(records_of(run)):
        return []
    files = _read(run)
    notes = dict(list_notes())
    found = [name for name in files if Path(name).exists()]
    whole = {name for name in found if checksum(Path(name)) == files[name]["sha256"]}
    ours = {name for name in found if name in notes and not _is_newer(Path(name), notes[name])}
    has_run_since = not (SEEN / records_of(run)).is_file()
    came_back = not has_run_since or any(name in notes for name in whole - ours)
    told = []
    for name in found:
        path, note = Path(name), NOTES / files[name]["at"]
        if name in whole:
            if not name.startswith("data/"):
                _stamp(path, OLD)
            if name in ours and not came_back:
                note.touch()  # or the new time would pass for a new file
                continue
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(files[name]["note"]))
            (UNFINISHED / files[name]["at"]).unlink(missing_ok=True)
        elif (UNFINISHED / files[name]["at"]).exists():
            continue  # Snakemake makes it anew by itself
        elif not (name.startswith("data/") or (name in ours and has_run_since)):
            aside = _find_free(path)
            path.replace(aside)
            told.append(f"{name} is not what run {run} recorded; made anew, and kept as {aside}")
    _see(records_of(run))
    return told


def _read(run: str) -> dict[str, Any]:
    """Read the records of a run, and refuse what would write elsewhere than these do."""
    path = records_of(run)
    mend = f"get it anew (dvc checkout --force), or remove it and run again: {path.parent}"
    try:
        files: dict[str, Any] = read_json(path)["files"]
        for name, record in files.items():
            inside = name.startswith((f"results/{run}/", "data/")) and ".." not in Path(name).parts
            if not inside or _decode(Path(record["at"])) != name:
                raise UserError(f"{path}: a record of {name} in {record['at']}; {mend}")
    except (json.JSONDecodeError, KeyError, TypeError, binascii.Error, UnicodeError) as error:
        raise UserError(f"{path}: cannot be read as records ({error}); {mend}") from error
    return files


def _find_free(path: Path) -> Path:
    """Return a name beside a file that nothing has yet."""
    number = 1
    while (aside := path.with_name(f"{path.name}.differs-{number}")).exists():
        number += 1
    return aside


def notice(sources: Iterable[str]) -> None:
    """Give raw data that changed since they were last seen here the time of now.

    A file that DVC links from its cache has the time at which it came there, which may be before
    that of results made from another version.
    """
    for source in sources:
        sums = Path("data", source, "SHA256SUMS")
        if _is_news(sums):
            if (SEEN / sums).is_file():
                sums.touch()
            _see(sums)


def recall_contents(source: str) -> str | None:
    """Return what summed up a user's own folder when a run was last recorded, where it was."""
    for path in sorted(Path("results").glob("*/records.json"), key=os.path.getmtime, reverse=True):
        contents: str | None = read_json(path)["contents"].get(source)
        if contents:
            return contents
    return None


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
