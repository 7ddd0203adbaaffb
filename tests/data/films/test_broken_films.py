"""Five hundred broken files: every one is decoded or refused with one word, soon, in little memory.

Run as a program by its test, so that a crash of a decoder or its memory is seen from outside.
"""

import io
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

from cxrpipe.data.films.film import UnusableFilmError, read_film

SEED = 20
N_FILES = 500
MAX_MEBIBYTES = 1000
MAX_SECONDS = 120
REASONS = {
    *("unreadable", "too_large", "several_frames"),
    *("modality", "body_part", "no_pixels"),
}


def radiograph():
    """A film with structure and noise, 96 x 80 pixels of 12 bits."""
    rows, columns = np.mgrid[:96, :80]
    noise = np.random.default_rng(SEED).integers(0, 200, rows.shape)
    return (rows * 20 + columns * 20 + noise).astype(np.uint16)


def encoded(values, file_format, **options):
    content = io.BytesIO()
    Image.fromarray(values).save(content, file_format, **options)
    return content.getvalue()


def dicom(values, syntax, stream=b""):
    """A DICOM radiograph, compressed by pydicom unless its stream is given."""
    film = Dataset()
    film.SOPClassUID, film.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    film.Modality, film.PatientID, film.PatientAge = "DX", "p1", "045Y"
    film.Rows, film.Columns = values.shape
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
    film.BitsAllocated = film.BitsStored = 8 * values.dtype.itemsize
    film.HighBit, film.PixelRepresentation = film.BitsStored - 1, 0
    film.RescaleSlope, film.RescaleIntercept = 1, -1000
    film.WindowCenter, film.WindowWidth = 1000, 2000
    film.PixelData = encapsulate([stream]) if stream else values.tobytes()
    film["PixelData"].VR = "OB" if stream else "OW"
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    if stream or not syntax.is_compressed or syntax == uid.DeflatedExplicitVRLittleEndian:
        film.file_meta.TransferSyntaxUID = syntax
    else:
        film.compress(syntax, encoding_plugin="pylibjpeg")
    content = io.BytesIO()
    film.save_as(content, enforce_file_format=True)
    return content.getvalue()


# The example of ISO/IEC 14495-1 (JPEG-LS), annex H.3: 4 x 4 pixels.
JPEG_LS = bytes.fromhex(
    "FFD8 FFF7000B080004000401011100 FFDA0008010100000000"
    "C000006C80208E01C00000574000006EE6000001BC18000005D8000091 60FFD9"
)


def whole_films():
    """Every format that a film comes in."""
    deep = radiograph()
    grey = (deep >> 4).astype(np.uint8)
    colour = np.dstack([grey, grey, grey])
    native = (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
    )
    return [
        encoded(grey, "PNG"),
        encoded(deep, "PNG"),
        encoded(np.dstack([colour, grey]), "PNG"),
        encoded(grey, "JPEG"),
        encoded(colour, "JPEG", progressive=True),
        encoded(grey, "WEBP"),
        encoded(colour, "WEBP", lossless=True),
        encoded(grey, "GIF"),
        encoded(deep, "TIFF"),
        encoded(grey, "TIFF", compression="tiff_lzw"),
        encoded(colour, "TIFF", compression="jpeg"),
        encoded(colour, "TIFF", compression="tiff_deflate"),
        encoded(grey, "BMP"),
        *(dicom(deep, syntax) for syntax in native),
        dicom(deep, uid.RLELossless),
        dicom(deep, uid.JPEG2000Lossless),
        dicom(grey, uid.JPEGBaseline8Bit, encoded(grey, "JPEG")),
        dicom(grey[:4, :4], uid.JPEGLSLossless, JPEG_LS),
    ]


def cut(content, random):
    return content[: random.integers(1, len(content))]


def flip_bits(content, random):
    broken = bytearray(content)
    for place in random.integers(0, len(content), random.integers(1, 30)):
        broken[place] ^= 1 << random.integers(8)
    return bytes(broken)


def spoil_header(content, random):
    """Write numbers that are as large as they can be, or none, where sizes and lengths stand."""
    broken = bytearray(content)
    for place in random.integers(0, min(len(content) - 4, 700), random.integers(1, 4)):
        number = random.choice([0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
        order = random.choice(["<", ">"])
        number = struct.pack(f"{order}{'I' if number > 0xFFFF else 'H'}", number)
        broken[place : place + len(number)] = number
    return bytes(broken)


def move_block(content, random):
    """Leave out a block, or write it twice: all lengths after it are wrong."""
    first, last = np.sort(random.integers(0, len(content), 2))
    return content[:first] + content[last:] if random.random() < 0.5 else content[:last] * 2


BREAKERS = (cut, flip_bits, spoil_header, move_block)


def broken_films():
    films = whole_films()
    for number in range(N_FILES):
        random = np.random.default_rng([SEED, number])
        breaker = BREAKERS[number // len(films) % len(BREAKERS)]
        yield breaker(films[number % len(films)], random)


def peak_mebibytes():
    """Return the most memory that this process took; ru_maxrss would count the parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def main():
    """Read every broken film; print outcomes, the slowest time, and the largest memory."""
    outcomes, slowest = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        for content in broken_films():
            path.write_bytes(content)
            start = time.monotonic()
            try:
                outcomes.append(["film", str(read_film(path).pixels.shape)])
            except UnusableFilmError as error:
                outcomes.append([error.reason, error.detail])
            slowest = max(slowest, time.monotonic() - start)
    mebibytes = peak_mebibytes()
    print(json.dumps({"outcomes": outcomes, "slowest": slowest, "mebibytes": mebibytes}))  # noqa: T201


@pytest.fixture(scope="module")
def report():
    ended = subprocess.run(
        [sys.executable, "-W", "error", __file__],
        capture_output=True,
        timeout=MAX_SECONDS,
        check=False,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "Warning" not in ended.stderr  # libtiff, in C, writes lines of its own
    return json.loads(ended.stdout)


def test_whole_films_are_decoded(tmp_path):
    for content in whole_films():
        (tmp_path / "film").write_bytes(content)
        assert read_film(tmp_path / "film").pixels.shape in ((96, 80), (4, 4))


def test_every_broken_film_is_decoded_or_refused_with_one_word_and_one_line(report):
    assert len(report["outcomes"]) == N_FILES
    for reason, detail in report["outcomes"]:
        assert reason in {"film", *REASONS}
        assert detail
        assert "\n" not in detail
        assert len(detail) <= 200
    refused = [reason for reason, _ in report["outcomes"] if reason != "film"]
    assert len(refused) > N_FILES / 2


def test_no_broken_film_takes_long_or_much_memory(report):
    assert report["slowest"] < 5
    assert report["mebibytes"] < MAX_MEBIBYTES


if __name__ == "__main__":
    main()
