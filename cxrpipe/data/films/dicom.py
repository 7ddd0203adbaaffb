"""Decoding DICOM films: bounded before it is decoded, grey as the film says it should be seen."""

import logging
import zlib
from os import SEEK_END
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.tag import BaseTag

from cxrpipe.data.films.dicom_grey import GREY_TAGS, greys_of
from cxrpipe.data.films.dicom_header import HEADER_TAGS, read_header, refuse_other_films, said
from cxrpipe.data.films.dicom_stream import refuse_broken_stream
from cxrpipe.data.films.grey import Film, Grey, UnusableFilmError, decoding, refuse_too_large
from cxrpipe.data.films.picture import ends_early, flatten, is_filled, tint_of

Stored = npt.NDArray[np.integer]

NEEDED_TAGS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
)
PIXEL_TAGS = (
    "PixelRepresentation",
    "PlanarConfiguration",
    "HighBit",
    "PixelData",
    *(
        f"{segmented}{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for segmented, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    ),
)
# A file without preamble begins with an element of group 2 or 8, in either order of bytes.
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
NO_PIXELS = "a DICOM file without pixels, such as a report, or cut off before them"
PREAMBLE = 132  # bytes, the last four of them DICM
MEBIBYTE = 2**20
BESIDE_PIXELS = 64 * MEBIBYTE  # what a header, a thumbnail and private fields may take
INFLATED = 128 * MEBIBYTE  # pydicom holds it three times
# Baseline JPEG as pictures are decoded; all else by the one family of decoders, so that the
# pixels do not depend on what else is installed.
PLUGINS = {uid.JPEGBaseline8Bit: "pillow"}


# Its notes on odd files would repeat, for every film, what is silenced as a warning.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def is_dicom(start: bytes) -> bool:
    """Tell from the first bytes of a file, at least 132, whether it is a DICOM file."""
    return start[128:132] == b"DICM" or start[:2] in FIRST_GROUPS


def read_dicom(file: BinaryIO, max_megapixels: float) -> Film:
    """Decode a DICOM film; see :func:`cxrpipe.data.films.film.read_film`.

    The header is read first, and only the tags that are needed; what it declares bounds what is
    read and decoded then. Of the person it reads number, sex and age, nothing else.
    """
    with decoding():
        _refuse_inflated(file)
        file.seek(0)
        header = pydicom.dcmread(
            file, stop_before_pixels=True, force=True, specific_tags=list(HEADER_TAGS)
        )
        _refuse_declared(header, file.seek(0, SEEK_END), max_megapixels)
        tags = [tag for tag in HEADER_TAGS if not tag.startswith("Patient")]
        file.seek(0)
        dataset = pydicom.dcmread(file, force=True, specific_tags=[*tags, *PIXEL_TAGS, *GREY_TAGS])
        _state_syntax(dataset)
        stored, photometric = _decoded(dataset)
        told = read_header(header)
    mode = f"{said(dataset, 'PhotometricInterpretation')} {dataset.BitsStored} bit"
    if photometric.startswith("MONOCHROME"):
        return Film(greys_of(stored, dataset), mode, 0.0, told)
    pixels, tint = _coloured(stored, dataset, photometric)
    return Film(pixels, mode, tint, told)


def _refuse_inflated(file: BinaryIO) -> None:
    """Refuse a deflated file that would fill the memory before its header is known."""
    file.seek(PREAMBLE if file.read(PREAMBLE)[128:] == b"DICM" else 0)
    meta = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_is_body)
    if meta.get("TransferSyntaxUID") != uid.DeflatedExplicitVRLittleEndian:
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    n_bytes = 0
    while content := inflate.unconsumed_tail or file.read(MEBIBYTE):
        n_bytes += len(inflate.decompress(content, MEBIBYTE))
        if n_bytes > INFLATED:
            raise UnusableFilmError("too_large", f"over {INFLATED // MEBIBYTE} MiB inflated")


def _is_body(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != 2


def _refuse_declared(header: Dataset, n_bytes: int, max_megapixels: float) -> None:
    """Refuse by what the header declares: other films, several frames, too many pixels."""
    if "SOPClassUID" not in header and "Rows" not in header:
        raise UnusableFilmError("unreadable", "no known image format")
    refuse_other_films(header)
    if "Rows" not in header:
        raise UnusableFilmError("no_pixels", NO_PIXELS)
    n_frames = int(header.get("NumberOfFrames") or 1)
    if n_frames > 1:
        raise UnusableFilmError("several_frames", f"{n_frames} frames; a film is one")
    missing = [tag for tag in NEEDED_TAGS if not said(header, tag)]
    if missing:
        raise UnusableFilmError("unreadable", f"{missing[0]} is missing")
    refuse_too_large(header.Columns, header.Rows, max_megapixels)
    if header.BitsAllocated not in (8, 16) or header.SamplesPerPixel not in (1, 3):
        raise UnusableFilmError(
            "unreadable",
            f"{header.SamplesPerPixel} samples of {header.BitsAllocated} bits a pixel; accepted "
            "are 1 or 3 of 8 or 16",
        )
    declared = header.Rows * header.Columns * header.SamplesPerPixel * header.BitsAllocated // 8
    if n_bytes > declared + BESIDE_PIXELS:
        raise UnusableFilmError(
            "too_large", f"a file of {n_bytes:,} bytes that declares {declared:,} of pixels"
        )


def _state_syntax(dataset: FileDataset) -> None:
    """Fill in the transfer syntax of a file without preamble: how pydicom found it to read."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little_endian = dataset.original_encoding
        explicit = uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _decoded(dataset: FileDataset) -> tuple[Stored, str]:
    """Decode the one frame; return stored values and their photometric interpretation."""
    if "PixelData" not in dataset:
        raise UnusableFilmError("unreadable", "the file ends before its pixels")
    syntax = dataset.file_meta.TransferSyntaxUID
    plugin = PLUGINS.get(syntax, "pylibjpeg") if syntax.is_encapsulated else ""
    if syntax.is_encapsulated and syntax != uid.RLELossless:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        refuse_broken_stream(frame, (dataset.Rows, dataset.Columns))
    stored, described = get_decoder(syntax).as_array(dataset, index=0, decoding_plugin=plugin)
    if syntax == uid.JPEGBaseline8Bit and is_filled(stored) and ends_early(frame):
        raise UnusableFilmError("unreadable", "the JPEG ends before its picture does")
    return stored, str(described["photometric_interpretation"])


def _coloured(stored: Stored, dataset: Dataset, photometric: str) -> tuple[Grey, float]:
    """Return a film in colour, or with a palette, as grey pixels and its tint."""
    with decoding():
        if photometric == "PALETTE COLOR":
            stored = apply_color_lut(stored, dataset)[..., :3]
            depth = 8 * stored.dtype.itemsize
        else:
            depth = dataset.BitsStored
        colours = (stored >> max(depth - 8, 0)).astype(np.uint8)
        picture = Image.fromarray(colours)
        return flatten(picture), tint_of(picture)
