"""What has arrived of a file that is being fetched, and how to ask for the rest (RFC 9110, 14)."""

import json
import re
from collections.abc import Mapping
from pathlib import Path


class Partial:
    """What has arrived of a file, and the mark by which its host knows that version of it.

    Both outlive the process, so that the next one can ask for the rest alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note = path.with_name(f"{path.name}.json")
        self.continued = False

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def range(self, name: str) -> dict[str, str]:
        """Return the headers that ask for the rest; none where it has to start over."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        if note["name"] != name or not note["mark"] or not self.size:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": note["mark"]}

    def restart(self, name: str, mark: str) -> None:
        """Forget what has arrived, and note what comes now."""
        self.clear()
        self.note.write_text(json.dumps({"name": name, "mark": mark}), encoding="utf-8")

    def fits(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a partial answer continues just this file."""
        note = json.loads(self.note.read_text(encoding="utf-8")) if self.note.is_file() else {}
        start = re.match(rf"bytes {self.size}-", headers.get("Content-Range", ""))
        return bool(start) and note.get("mark") == (version_mark(headers) or note.get("mark"))

    def clear(self) -> None:
        """Remove what has arrived."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        self.continued = False


def version_mark(headers: Mapping[str, str]) -> str:
    """Return what names this version of a file: a strong ETag, or the time of its last change."""
    etag = headers.get("ETag", "")
    return headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
