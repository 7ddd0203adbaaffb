"""A recipe and the description of its collection, written from what was seen of a folder."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any

import yaml

from cxrpipe.beginning.entries import put_entry
from cxrpipe.beginning.looking import Look
from cxrpipe.config import NAME
from cxrpipe.recipes import load_recipe, load_sources, read_yaml
from cxrpipe.runtime import UserError, whole

SIDE_WITH_GPU, SIDE_WITHOUT, STEP, SMALLEST = 224, 128, 32, 64  # pixels
FEW_FILMS = 5000
FROM_IMAGENET = (
    "With so few films a start from ImageNet usually helps (weights: imagenet): timm fetches it, "
    "or weights_folder of params.yaml holds it."
)


@dataclass(frozen=True)
class Written:
    """The two files of a recipe, and what is to stand in them."""

    recipe: Path
    sources: Path
    recipe_text: str
    sources_text: str


def choose_name(wanted: str | None, folder: Path) -> str:
    """Return the name of a recipe: as wanted, or after its folder.

    Raises
    ------
    UserError
        If it is no name, or YAML would not read it as one.
    """
    name = wanted or re.sub(r"[^a-z0-9_.-]+", "-", folder.resolve().name.lower()).strip("-_.")
    if not NAME.fullmatch(name) or yaml.safe_load(name) != name:  # 2020 would be a number
        raise UserError(
            f"--name: '{name}' is no name; begin with a letter, and use lower case letters, "
            "digits, '-', '_' and '.'"
        )
    return name


def refuse_taken(name: str, config: Path) -> None:
    """Raise a UserError if a recipe or a collection has this name."""
    recipe, sources = config / "recipes" / f"{name}.yaml", config / "sources.yaml"
    taken = [str(recipe)] if recipe.exists() else []
    taken += [f"'{name}' in {sources}"] if name in read_yaml(sources, may_be_empty=True) else []
    if taken:
        raise UserError(
            f"{' and '.join(taken)} there already; give another --name, or --force to replace"
        )


def compose(look: Look, name: str, path: str, config: Path, has_gpu: bool) -> Written:
    """Compose a recipe and the new text of ``sources.yaml``, and check both as a run does.

    Parameters
    ----------
    path
        The folder of the films, as ``origin.path`` is to name it.
    config
        The folder ``config``.

    Raises
    ------
    UserError
        If one of the two would be refused.
    """
    recipe, sources = config / "recipes" / f"{name}.yaml", config / "sources.yaml"
    text = put_entry(sources, name, describe_source(look, name, path))
    written = Written(recipe, sources, describe_recipe(look, name, has_gpu), text)
    _refuse_unusable(written, name)
    return written


def _refuse_unusable(written: Written, name: str) -> None:
    """Load a draft of both files; what is wrong is told of the files that they are to be."""
    with TemporaryDirectory() as folder:
        draft = Path(folder)
        (draft / "recipes").mkdir()
        (draft / "recipes" / written.recipe.name).write_text(written.recipe_text, "utf-8")
        (draft / "sources.yaml").write_text(written.sources_text, "utf-8")
        try:
            load_sources(load_recipe({"recipe": name}, draft).sources, draft)
        except UserError as error:
            said = str(error).replace(folder, str(written.sources.parent))
            raise UserError(said) from error


def write(written: Written) -> None:
    """Write both files whole; the recipe last, since it is what a run is started by.

    Links stay links, and a file that is there keeps who may read and write it.
    """
    texts = {written.sources: written.sources_text, written.recipe: written.recipe_text}
    for path, text in texts.items():
        with whole(path.resolve()) as partial:
            partial.write_bytes(text.encode("utf-8"))  # no line end is translated
            if path.exists():
                shutil.copymode(path, partial)


def describe_source(look: Look, name: str, path: str) -> str:
    """Return the entry of a collection."""
    films = look.settings.model_dump(mode="json", exclude_defaults=True)
    said: dict[str, Any] = {"title": f"Films of {name}", "origin": {"path": path}}
    return _as_yaml({name: said | ({"films": _plain(films)} if films else {})})


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever settings hold
    """Return settings as a person writes them: one value is no list of one."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(each) for each in value]
    return value


class _Indented(yaml.SafeDumper):
    """Writes lists as the file has them: below their key, and further in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent, also before the items of a list."""
        super().increase_indent(flow, False)


def _as_yaml(content: object) -> str:
    return yaml.dump(content, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=10_000)


def describe_recipe(look: Look, name: str, has_gpu: bool) -> str:
    """Return a recipe, with the reasons for what it chooses."""
    return "\n".join(_recipe_lines(look, name, has_gpu)) + "\n"


def _recipe_lines(look: Look, name: str, has_gpu: bool) -> Iterator[str]:
    counts = ", ".join(f"{finding} {n:,}" for finding, n in look.counts.items())
    yield _comment(f"Begun by cxrpipe new, which saw {counts} films.")
    yield _line("title", f"Films of {name}")
    yield _line("sources", [name])
    yield _line("findings", list(look.counts))
    if look.is_published:
        yield _comment("As the collection divides its films.")
        yield _line("split", {"published": True})
    side = choose_side(look.sample.side, has_gpu)
    yield _comment(_reason_for(side, look.sample.side, has_gpu))
    yield _line("preprocess", {"side": side})
    yield _comment("From random weights, which needs nothing but the films.")
    if sum(look.counts.values()) < FEW_FILMS:
        yield _comment(FROM_IMAGENET)
    yield "models:"
    yield "  resnet18: {architecture: resnet18}"


def _comment(text: str) -> str:
    return fill(text, 100, initial_indent="# ", subsequent_indent="# ")


def _line(key: str, value: object) -> str:
    shown = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return f"{key}: {shown.splitlines()[0]}"


def choose_side(films: int, has_gpu: bool) -> int:
    """Return the side of the stored squares: what the machine can bear, and films can fill.

    Parameters
    ----------
    films
        The shorter side of the film in the middle, in pixels; 0 if it is not known.
    """
    side = SIDE_WITH_GPU if has_gpu else SIDE_WITHOUT
    return max(SMALLEST, min(side, films // STEP * STEP)) if films else side


def _reason_for(side: int, films: int, has_gpu: bool) -> str:
    if side < (SIDE_WITH_GPU if has_gpu else SIDE_WITHOUT):
        return f"The films have {films} pixels on their shorter side; more would be invented."
    if has_gpu:
        return "As most networks are pretrained on."
    return f"No GPU is here, and {SIDE_WITH_GPU} would take three times as long to train."
