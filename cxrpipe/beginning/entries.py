"""The entries of ``sources.yaml`` as text: one is put in, and all other bytes stay."""

from pathlib import Path

import yaml

from cxrpipe.recipes import read_yaml
from cxrpipe.runtime import UserError


def put_entry(path: Path, name: str, entry: str) -> str:
    """Return the text of a YAML file with an entry; its line ends are kept, and nothing is written.

    Raises
    ------
    UserError
        If the file cannot be read, or other entries would then say something else.
    """
    wanted = read_yaml(path, may_be_empty=True) | yaml.safe_load(entry)
    text = replace_entry(path.read_bytes().decode("utf-8"), name, entry)
    if _load(text) != wanted:
        raise UserError(
            f"{path}: '{name}' cannot be put there without a change to what else it says: an "
            "anchor of others, a key twice, or braces around all; mend that, or give another --name"
        )
    return text


def _load(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def replace_entry(text: str, name: str, entry: str) -> str:
    """Put an entry at the end of a YAML file, or in the place of the one of this name."""
    newline = "\r\n" if "\r\n" in text else "\n"
    entry = entry.replace("\n", newline)
    lines = text.splitlines(keepends=True)
    if old := _find_lines(text, lines, name):
        return "".join([*lines[: old.start], entry, *lines[old.stop :]])
    if not text:
        return entry
    return f"{text}{'' if text.endswith(newline) else newline}{newline}{entry}"


def _find_lines(text: str, lines: list[str], name: str) -> range | None:
    """Return the lines of an entry; comments and empty lines below it belong to the next one."""
    document = yaml.compose(text, yaml.SafeLoader)
    for key, value in document.value if document else ():
        if key.value == name:
            start, end = key.start_mark.line, value.end_mark
            stop = end.line + (end.column > 0)  # what is indented ends where the next line begins
            while lines[stop - 1].strip()[:1] in ("", "#"):
                stop -= 1
            return range(start, stop)
    return None
