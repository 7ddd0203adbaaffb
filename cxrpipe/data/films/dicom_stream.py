"""The compressed picture inside a DICOM film: checked before a decoder has to believe it."""

import struct

from cxrpipe.data.films.grey import UnusableFilmError
from cxrpipe.data.films.picture import JPEG_END

JPEG2000_SIZE = b"\xff\x4f\xff\x51"  # start of the stream, and of its segment SIZ
BOXES = 65_536  # bytes that a JP2 file may put before its stream
# SOF0 to SOF15 and SOF55, without the three of that range that mean something else
SIZE_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def refuse_broken_stream(frame: bytes, declared: tuple[int, int]) -> None:
    """Refuse a stream of other rows and columns than declared, and a JPEG without its end.

    Decoders trust the size in the stream, and take gigabytes or for ever where it is a lie; and
    they fill up a JPEG or JPEG-LS film that is cut off.
    """
    size = stream_size(frame)
    if size != declared:
        found = f"{size[1]} x {size[0]} pixels" if size else "no picture"
        raise UnusableFilmError(
            "unreadable", f"{found} in a film declared as {declared[1]} x {declared[0]}"
        )
    if JPEG2000_SIZE not in frame[:BOXES] and not frame.rstrip(b"\0\xff").endswith(JPEG_END):
        raise UnusableFilmError("unreadable", "the compressed picture is cut off")


def stream_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream declares, if any."""
    start = frame.find(JPEG2000_SIZE, 0, BOXES)  # a JP2 file may be around the stream
    if start >= 0 and len(frame) >= start + 24:
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return bottom - top, right - left
    place = 2
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker, length = struct.unpack_from(">xBH", frame, place)
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in SIZE_MARKERS:
            return struct.unpack_from(">HH", frame, place + 5)
        else:
            place += 2 + length
    return None
