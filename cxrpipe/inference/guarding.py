"""What a model may answer to: frontal chest radiographs like those that it was trained on."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from cxrpipe.config import Index
from cxrpipe.data.films.film import Grey, UnusableFilmError
from cxrpipe.data.films.quality import refuse
from cxrpipe.inference.cloud import Cloud
from cxrpipe.inference.describing import DESCRIPTION, describe_pictures, find_directions
from cxrpipe.inference.films import Ready
from cxrpipe.inference.network import Matrix
from cxrpipe.runtime import UserError, whole

CLOUDS = ("pictures", "features")


@dataclass(frozen=True)
class Guard:
    """What tells films that a model knows from others; fixed on validation films.

    Attributes
    ----------
    weights
        SHA-256 of the weights that see the features.
    index
        By which films were taken into the run: their quality and their views.
    pictures, features
        Training films as pictures, and by the directions of what the network's head sees.
    """

    weights: str
    index: Index
    pictures: Cloud
    features: Cloud

    def doubt(self, films: Sequence[Ready], features: Matrix) -> list[UnusableFilmError | None]:
        """Return why each film is doubted, or None.

        Parameters
        ----------
        features
            (n, d) as the network has them of these films.
        """
        pictures = self.pictures.measure(describe_pictures(np.stack([it.square for it in films])))
        seen = self.features.measure(find_directions(features))
        return [self._doubt(*each) for each in zip(films, pictures, seen, strict=True)]

    def _doubt(self, film: Ready, picture: float, seen: float) -> UnusableFilmError | None:
        if doubt := refuse(film.quality, self.index):
            return doubt
        if film.view and film.view not in self.index.views:
            views = " or ".join(filter(None, self.index.views))
            return UnusableFilmError("view", f"{film.view}, not {views}")
        if is_far(picture):
            [inverse] = self.pictures.measure(describe_pictures(negative(film)[None]))
            if not is_far(inverse):
                return UnusableFilmError("inverted", "light where films are dark; invert it")
            return UnusableFilmError("no_frontal_chest", f"as a picture {say_far(picture)}")
        if is_far(seen):
            return UnusableFilmError("unlike", f"to the network {say_far(seen)}")
        return None

    def refuse_others(self, weights: str, path: Path) -> None:
        """Raise a UserError if the guard, read from a path, was fitted with other weights."""
        if self.weights != weights:
            raise UserError(
                f"{path}: fitted with weights of SHA-256 {self.weights[:12]}, and these have "
                f"{weights[:12]}; give the guard beside these weights, or fit it anew"
            )


def is_far(distance: float) -> bool:
    """Tell whether a distance is beyond the limit, or no number."""
    return not distance <= 1


def say_far(distance: float) -> str:
    """Say how far a film is from the training films, beside the limit."""
    return f"{distance:.3g} times as far from the training films as the limit"


def negative(film: Ready) -> Grey:
    """Return the negative of a film in its square (side, side); what is around it stays black."""
    place = film.place
    inside = np.s_[place.top : place.top + place.height, place.left : place.left + place.width]
    return place.lay(np.asarray(255 - film.square[inside]))


def write_guard(path: Path, guard: Guard) -> None:
    """Write a guard as safetensors; equal ones give equal bytes."""
    with whole(path) as partial:
        partial.write_bytes(pack_guard(guard))


def pack_guard(guard: Guard) -> bytes:
    """Return what the file of a guard holds."""
    index = guard.index.model_dump(mode="json")
    told = {"description": DESCRIPTION, "weights": guard.weights, "index": index}
    arrays = {"told": np.frombuffer(json.dumps(told).encode(), np.uint8)}
    for name in CLOUDS:
        cloud = asdict(getattr(guard, name))
        arrays |= {f"{name}.{key}": np.asarray(value) for key, value in cloud.items()}
    return save(arrays)


def read_guard(path: Path) -> Guard:
    """Read a guard from its file; see ``parse_guard``."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: no guard here ({error.strerror}); fit it anew") from error
    return parse_guard(content, path)


def parse_guard(content: bytes, where: Path) -> Guard:
    """Read a guard from the bytes of its file.

    Raises
    ------
    UserError
        If they are none, or of another version of cxrpipe.
    """
    try:
        arrays = load(content)
        told = json.loads(arrays["told"].tobytes())
        if told["description"] != DESCRIPTION:
            raise ValueError("of another version")
        clouds = {
            name: Cloud(
                arrays[f"{name}.mean"], arrays[f"{name}.whitening"], float(arrays[f"{name}.limit"])
            )
            for name in CLOUDS
        }
        return Guard(str(told["weights"]), Index.model_validate(told["index"]), **clouds)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{where}: not readable as a guard; fit it anew") from error
