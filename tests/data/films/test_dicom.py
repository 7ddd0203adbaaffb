"""DICOM films: greys by hand, lossless round trips, what a header tells, and what is refused."""

import logging
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_windowing
from pydicom.sequence import Sequence

from cxrpipe.data.films.dicom import NO_PIXELS
from cxrpipe.data.films.dicom_grey import _from_window
from cxrpipe.data.films.dicom_header import age_of, view_of
from cxrpipe.data.films.film import Header, UnusableFilmError, read_film

RANDOM = np.random.default_rng(4).integers(0, 256, (5, 8), dtype=np.uint8)
DEEP = np.random.default_rng(5).integers(0, 4096, (64, 48), dtype=np.uint16)
BLACK_TO_WHITE = np.array([[0, 1000, 2000, 4080]], np.uint16)


def film_of(values, **changes):
    """A digital radiograph of a chest with these stored values."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Modality = "DX"
    dataset.BodyPartExamined = "CHEST"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = values.shape[2] if values.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(np.issubdtype(values.dtype, np.signedinteger))
    dataset.PixelData = values.tobytes()
    for key, value in changes.items():
        setattr(dataset, key, value)
    return dataset


def save(path, dataset, syntax=uid.ExplicitVRLittleEndian):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].VR = "OB" if syntax.is_encapsulated or dataset.BitsStored <= 8 else "OW"
    dataset.save_as(path, enforce_file_format=True)
    return path


def read(tmp_path, dataset, syntax=uid.ExplicitVRLittleEndian):
    return read_film(save(tmp_path / "a.dcm", dataset, syntax))


def refusal(path, *arguments):
    with pytest.raises(UnusableFilmError) as error:
        read_film(path, *arguments)
    return error.value.reason, error.value.detail


def full_window(bits):
    """The window that maps 0 to 0 and the largest value to 255 (PS3.3, C.11.2.1.2.1)."""
    return {"WindowCenter": 2 ** (bits - 1), "WindowWidth": 2**bits}


def test_eight_bits_with_a_full_window_keep_their_values(tmp_path):
    film = read(tmp_path, film_of(RANDOM, **full_window(8)))
    np.testing.assert_array_equal(film.pixels, RANDOM)
    assert film.mode == "MONOCHROME2 8 bit"
    assert film.tint == 0


def test_monochrome1_is_the_inverse_of_monochrome2(tmp_path):
    for changes in ({}, full_window(8), {"PixelPaddingValue": 77}):
        two = read(tmp_path, film_of(RANDOM, **changes)).pixels
        one = read(tmp_path, film_of(RANDOM, PhotometricInterpretation="MONOCHROME1", **changes))
        seen = np.not_equal(RANDOM, changes.get("PixelPaddingValue", -1))
        np.testing.assert_array_equal(one.pixels[seen], 255 - two[seen])
        assert one.mode == "MONOCHROME1 8 bit"


def test_a_film_without_window_is_stretched_over_its_range(tmp_path):
    # 4080 / 255 = 16 steps to a grey: 1000 / 16 = 62.5 and 2000 / 16 = 125
    film = read(tmp_path, film_of(BLACK_TO_WHITE, BitsStored=12, HighBit=11))
    assert film.pixels.tolist() == [[0, 62, 125, 255]]  # half rounds to even
    assert film.mode == "MONOCHROME2 12 bit"


def test_a_thousandth_of_the_pixels_does_not_set_the_range(tmp_path):
    values = np.full((50, 40), 1000, np.uint16)  # 2000 pixels: two may stand out at each end
    values[:25] = 2000
    values[0, :2], values[49, :2] = 65535, 0
    film = read(tmp_path, film_of(values))
    assert (film.pixels[0] == 255).all()
    assert (film.pixels[49] == 0).all()
    values[0, :3] = 65535
    film = read(tmp_path, film_of(values))
    assert film.pixels[0, 3] == round(1000 / 64535 * 255)


def test_padding_is_black_and_does_not_set_the_range(tmp_path):
    values = np.array([[-2000, -2000, 100, 151, 355]], np.int16)
    padded = {"PixelPaddingValue": -2000}
    assert read(tmp_path, film_of(values, **padded)).pixels.tolist() == [[0, 0, 0, 51, 255]]
    inverted = film_of(values, PhotometricInterpretation="MONOCHROME1", **padded)
    assert read(tmp_path, inverted).pixels.tolist() == [[0, 0, 255, 204, 0]]
    limited = film_of(values, PixelPaddingValue=-2000, PixelPaddingRangeLimit=100)
    assert read(tmp_path, limited).pixels.tolist() == [[0, 0, 0, 0, 255]]
    only = film_of(np.full((2, 2), 9, np.uint16), PixelPaddingValue=9)
    assert read(tmp_path, only).pixels.tolist() == [[0, 0], [0, 0]]


def test_signed_values_of_any_number_of_bits_are_ordered(tmp_path):
    values = np.array([[-510, 0, 510]], np.int16)
    assert read(tmp_path, film_of(values)).pixels.tolist() == [[0, 128, 255]]
    # 10 stored bits whose six unused bits hold an overlay; -510 is 0b1000000010
    spoiled = np.array([[0b0110011000000010, 0b1001100000000000, 0b0100000111111110]], np.uint16)
    film = film_of(spoiled, BitsStored=10, HighBit=9, PixelRepresentation=1)
    assert read(tmp_path, film).pixels.tolist() == [[0, 128, 255]]


def test_the_window_by_hand_after_rescaling(tmp_path):
    # rescaled: 2 x - 100 = -100, 0, 100, 300; window 0 to 200: centre 100.5, width 201
    values = np.array([[0, 50, 100, 200]], np.uint16)
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -100}
    film = film_of(values, WindowCenter=[100.5, 7], WindowWidth=[201, 9], **rescale)
    assert read(tmp_path, film).pixels.tolist() == [[0, 0, 128, 255]]
    exact = film_of(
        values, WindowCenter=100, WindowWidth=200, VOILUTFunction="LINEAR_EXACT", **rescale
    )
    assert read(tmp_path, exact).pixels.tolist() == [[0, 0, 128, 255]]
    # 255 / (1 + e^(-4 (x - 100) / 200)) for x = -100, 0, 100, 300
    sigmoid = film_of(
        values, WindowCenter=100, WindowWidth=200, VOILUTFunction="SIGMOID", **rescale
    )
    assert read(tmp_path, sigmoid).pixels.tolist() == [[5, 30, 128, 250]]


def test_a_falling_rescale_turns_the_film_around(tmp_path):
    film = film_of(BLACK_TO_WHITE, RescaleSlope=-1, RescaleIntercept=4080)
    assert read(tmp_path, film).pixels.tolist() == [[255, 192, 130, 0]]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_agree_with_those_of_pydicom(function):
    values = np.arange(4096.0)
    dataset = film_of(DEEP, BitsStored=12, HighBit=11, VOILUTFunction=function)
    dataset.WindowCenter, dataset.WindowWidth = 1234, 777
    theirs = apply_windowing(values.astype(np.uint16), dataset) / 4095 * 255
    assert np.abs(_from_window(values, dataset) - theirs).max() <= 0.5 + 1e-6


def test_a_window_that_the_standard_forbids_counts_as_none(tmp_path):
    for window in ({"WindowCenter": 5, "WindowWidth": 0}, {"WindowCenter": 5}):
        film = film_of(BLACK_TO_WHITE, **window)
        assert read(tmp_path, film).pixels.tolist() == [[0, 62, 125, 255]]
    step = film_of(BLACK_TO_WHITE, WindowCenter=1500, WindowWidth=1)
    assert read(tmp_path, step).pixels.tolist() == [[0, 0, 255, 255]]


def table(first, entries, bits=16):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return Sequence([item])


def test_tables_of_values_are_looked_up(tmp_path):
    # values 0 1 2 3; modality table 10 20 30 40; VOI table from 20: 20 -> 0, 30 -> 0.4, 40 -> 1
    values = np.array([[0, 1, 2, 3]], np.uint16)
    voi = [0] * 21
    voi[10:] = [400] * 10 + [1000]
    film = film_of(values, ModalityLUTSequence=table(0, [10, 20, 30, 40]))
    assert read(tmp_path, film).pixels.tolist() == [[0, 85, 170, 255]]
    film.VOILUTSequence = table(20, voi)
    film.WindowCenter, film.WindowWidth = 1, 1  # a table goes before a window
    assert read(tmp_path, film).pixels.tolist() == [[0, 0, 102, 255]]


COLOURS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]], np.uint8)


def test_colours_become_their_luma(tmp_path):
    film = read(tmp_path, film_of(COLOURS))
    assert film.pixels.tolist() == [[76, 150, 29, 90]]
    assert film.mode == "RGB 8 bit"
    planar = film_of(COLOURS, PlanarConfiguration=1, PixelData=COLOURS[0].T.tobytes())
    assert read(tmp_path, planar).pixels.tolist() == [[76, 150, 29, 90]]
    deep = film_of(COLOURS.astype(np.uint16) * 16, BitsStored=12, HighBit=11)
    assert read(tmp_path, deep).pixels.tolist() == [[76, 150, 29, 90]]


def test_luma_and_colour_differences_become_grey(tmp_path):
    # neutral chroma is 128; Y 76, Cb 85, Cr 255 is a pure red
    values = np.array([[[200, 128, 128], [76, 85, 255]]], np.uint8)
    film = read(tmp_path, film_of(values, PhotometricInterpretation="YBR_FULL"))
    assert film.pixels.tolist() == [[200, 76]]
    assert film.mode == "YBR_FULL 8 bit"


def test_a_palette_is_looked_up(tmp_path):
    film = film_of(np.array([[0, 1, 2, 2]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name, entries in (("Red", b"\xc8\xff\x07\0"), ("Green", b"\xc8\0\x07\0")):
        setattr(film, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 8])
        setattr(film, f"{name}PaletteColorLookupTableData", entries)
    film.BluePaletteColorLookupTableDescriptor = [4, 0, 8]
    film.BluePaletteColorLookupTableData = b"\xc8\0\x07\0"
    assert read(tmp_path, film).pixels.tolist() == [[200, 76, 7, 7]]


@pytest.mark.parametrize(
    "syntax",
    [uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian],
)
@pytest.mark.parametrize("values", [RANDOM, DEEP, DEEP.astype(np.int16) - 2048])
def test_every_native_syntax_gives_the_same_film(tmp_path, syntax, values):
    expected = read(tmp_path, film_of(values)).pixels
    big = syntax == uid.ExplicitVRBigEndian and values.dtype.itemsize == 2
    content = values.byteswap().tobytes() if big else values.tobytes()
    dataset = film_of(values, PixelData=content)
    np.testing.assert_array_equal(read(tmp_path, dataset, syntax).pixels, expected)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEG2000Lossless])
@pytest.mark.parametrize("values", [(DEEP >> 4).astype(np.uint8), DEEP])
def test_lossless_compression_loses_nothing(tmp_path, syntax, values):
    bits = 12 if values.dtype == np.uint16 else 8
    expected = read(tmp_path, film_of(values, BitsStored=bits, HighBit=bits - 1)).pixels
    dataset = film_of(values, BitsStored=bits, HighBit=bits - 1)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.compress(syntax, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    dataset.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_film(tmp_path / "b.dcm").pixels, expected)


# The example of ISO/IEC 14495-1 (JPEG-LS), annex H.3: a picture and its stream.
JPEG_LS_PICTURE = [[0, 0, 90, 74], [68, 50, 43, 205], [64, 145, 145, 145], [100, 145, 145, 145]]
JPEG_LS_STREAM = bytes.fromhex(
    "FFD8 FFF7000B080004000401011100 FFDA0008010100000000"
    "C000006C80208E01C00000574000006EE6000001BC18000005D8000091 60FFD9"
)


def difference(value):
    """Category as a 5 bit code and the bits of a difference (ITU-T T.81, F.1.2.1 and H.1.2.2)."""
    category = abs(value).bit_length()
    bits = value if value > 0 else value + (1 << category) - 1
    return f"{category:05b}" + (f"{bits:0{category}b}" if category else "")


# 17 codes of five bits for the categories 0 to 16: one code of each value
CATEGORIES = b"\x00" + bytes([0, 0, 0, 0, 17, *[0] * 11]) + bytes(range(17))


def lossless_jpeg(values, bits):
    """Encode a film as lossless JPEG with the left neighbour as prediction."""
    values = values.astype(int)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    codes = "".join(map(difference, (values - predicted).ravel().tolist()))
    codes += "1" * (-len(codes) % 8)
    scan = int(codes, 2).to_bytes(len(codes) // 8, "big").replace(b"\xff", b"\xff\x00")
    sides = b"".join(side.to_bytes(2, "big") for side in values.shape)
    return b"".join(
        (
            b"\xff\xd8",
            b"\xff\xc4" + (2 + len(CATEGORIES)).to_bytes(2, "big") + CATEGORIES,
            b"\xff\xc3\x00\x0b" + bytes([bits]) + sides + b"\x01\x01\x11\x00",
            b"\xff\xda\x00\x08\x01\x01\x00\x01\x00\x00" + scan,
            b"\xff\xd9",
        )
    )


def compressed(values, stream, bits):
    changes = {"BitsStored": bits, "HighBit": bits - 1, "PixelData": encapsulate([stream])}
    return film_of(values, **full_window(bits), **changes)


def test_jpeg_ls_gives_the_picture_of_its_standard(tmp_path):
    picture = np.array(JPEG_LS_PICTURE, np.uint8)
    film = read(tmp_path, compressed(picture, JPEG_LS_STREAM, 8), uid.JPEGLSLossless)
    np.testing.assert_array_equal(film.pixels, picture)


@pytest.mark.parametrize("values", [RANDOM, DEEP])
def test_lossless_jpeg_loses_nothing(tmp_path, values):
    bits = 12 if values.dtype == np.uint16 else 8
    film = read(
        tmp_path, compressed(values, lossless_jpeg(values, bits), bits), uid.JPEGLosslessSV1
    )
    expected = np.round(values * (255 / (2**bits - 1)))
    np.testing.assert_array_equal(film.pixels, expected)


def test_baseline_jpeg_is_decoded_as_a_picture_is(tmp_path):
    ramp = np.add.outer(np.arange(64), 2 * np.arange(48)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg")
    stream = (tmp_path / "a.jpg").read_bytes()
    film = read(tmp_path, compressed(ramp, stream, 8), uid.JPEGBaseline8Bit)
    np.testing.assert_array_equal(film.pixels, read_film(tmp_path / "a.jpg").pixels)


def test_extended_jpeg_of_12_bits_is_decoded(tmp_path):
    path = get_testdata_file("JPGExtended.dcm", download=False)
    dataset = pydicom.dcmread(path)
    dataset.Modality = "DX"
    dataset.save_as(tmp_path / "a.dcm")
    values = dataset.pixel_array
    film = read_film(tmp_path / "a.dcm")
    assert film.mode == "MONOCHROME2 12 bit"
    lowest, highest = np.sort(values, axis=None)[[values.size // 1000, -1 - values.size // 1000]]
    expected = np.clip((values.astype(float) - lowest) / (float(highest) - lowest), 0, 1) * 255
    np.testing.assert_array_equal(film.pixels, np.round(expected))


def test_a_file_without_preamble_is_read_whatever_its_name(tmp_path):
    for syntax in (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian):
        whole = save(tmp_path / "a.dcm", film_of(RANDOM, **full_window(8)), syntax).read_bytes()
        body = whole.index(b"\x08\x00\x16\x00")
        for name, content in (("b.png", whole), ("c", whole[132:]), ("d.dcm", whole[body:])):
            (tmp_path / name).write_bytes(content)
            np.testing.assert_array_equal(read_film(tmp_path / name).pixels, RANDOM)
    Image.fromarray(RANDOM).save(tmp_path / "e.dcm", "PNG")
    np.testing.assert_array_equal(read_film(tmp_path / "e.dcm").pixels, RANDOM)
    (tmp_path / "f.dcm").write_bytes(b"\x08\x00" + bytes(range(200)))
    assert refusal(tmp_path / "f.dcm")[0] == "unreadable"


PERSONAL = {
    "PatientName": "Secret^Name",
    "PatientBirthDate": "19700101",
    "PatientAddress": "Secret street",
    "OtherPatientIDs": "secret number",
    "AccessionNumber": "secret4711",
    "StudyDate": "20200202",
    "InstitutionName": "Secret hospital",
    "ReferringPhysicianName": "Secret^Doctor",
}


def test_the_header_tells_view_age_sex_and_number_and_nothing_else_of_the_person(tmp_path):
    told = {"ViewPosition": "PA", "PatientAge": "045Y", "PatientSex": "F", "PatientID": "p7"}
    film = read(tmp_path, film_of(RANDOM, **told, **PERSONAL))
    assert film.header == Header("PA", "45", "F", "p7")
    assert "secret" not in repr(film).lower()
    assert "1970" not in repr(film)
    empty = read(tmp_path, film_of(RANDOM, PatientSex="O", PatientAge=""))
    assert empty.header == Header("", "", "", "")


def test_a_value_that_ran_into_the_name_is_not_shown(tmp_path):
    content = save(tmp_path / "a.dcm", film_of(RANDOM, **PERSONAL)).read_bytes()
    n_silent = 0
    for tag in (b"\x08\x00\x16\x00", b"\x08\x00\x60\x00", b"\x08\x00\x50\x00"):
        place = content.rindex(tag) + 6  # of the length
        for length in range(40, 260, 2):
            broken = content[:place] + length.to_bytes(2, "little") + content[place + 2 :]
            (tmp_path / "b.dcm").write_bytes(broken)
            try:
                said = repr(read_film(tmp_path / "b.dcm"))
            except UnusableFilmError as error:
                said = str(error)
            assert "secret" not in said.lower()
            n_silent += 1
    assert n_silent == 330


def test_ages_are_years_and_great_ages_are_one_class():
    ages = {"045Y": "45", "18M": "1.5", "026W": "0.498", "073D": "0.2", "62": "62", "": ""}
    ages |= {
        "089Y": "89",
        "090Y": "90",
        "093Y": "90",
        "103Y": "90",
        "411Y": "",
        "old": "",
        "-01Y": "",
    }
    assert {text: age_of(text) for text in ages} == ages


def test_views_have_one_name():
    views = {"PA": "PA", "ap": "AP", "AP_SUPINE": "AP", "LL": "lateral", "LATERAL": "lateral"}
    views |= {"RAO": "oblique", "": "", "SWIMMER": "SWIMMER", "LO p1 Secret^Name": "unknown"}
    assert {text: view_of(text) for text in views} == views


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "RG", "", "OT"])
def test_projection_radiography_is_accepted_also_unnamed(tmp_path, modality):
    capture = "1.2.840.10008.5.1.4.1.1.7"
    film = read(tmp_path, film_of(RANDOM, Modality=modality, SOPClassUID=capture))
    assert film.pixels.shape == RANDOM.shape


def test_other_modalities_are_refused_by_name(tmp_path):
    accepted = "; accepted are CR, DX, DR, RG, XR"
    for modality in ("CT", "MR", "MG", "RF", "PX"):
        path = save(tmp_path / "a.dcm", film_of(RANDOM, Modality=modality))
        assert refusal(path) == ("modality", modality + accepted)
    unnamed = film_of(RANDOM, Modality="", SOPClassUID=uid.CTImageStorage)
    path = save(tmp_path / "a.dcm", unnamed)
    assert refusal(path) == ("modality", "CT Image Storage" + accepted)


@pytest.mark.parametrize("part", ["", "CHEST", "THORAX", "LUNG", "CHESTABDOMEN", "ABDOMEN CHEST"])
def test_a_chest_goes_by_many_names(tmp_path, part):
    film = read(tmp_path, film_of(RANDOM, BodyPartExamined=part))
    assert film.pixels.shape == RANDOM.shape


@pytest.mark.parametrize("part", ["HAND", "KNEE", "SKULL", "C SPINE", "LSPINE", "FOOT_LEFT"])
def test_other_parts_of_the_body_are_refused(tmp_path, part):
    path = save(tmp_path / "a.dcm", film_of(RANDOM, BodyPartExamined=part))
    assert refusal(path) == ("body_part", f"{part}; accepted are CHEST, THORAX, LUNG")


def test_several_frames_are_refused_with_their_number(tmp_path):
    dataset = film_of(RANDOM, NumberOfFrames=3, PixelData=RANDOM.tobytes() * 3)
    path = save(tmp_path / "a.dcm", dataset)
    assert refusal(path) == ("several_frames", "3 frames; a film is one")


def test_what_has_no_pixels_says_so(tmp_path):
    report = film_of(RANDOM)
    save(tmp_path / "a.dcm", report)
    del report.PixelData
    report.save_as(tmp_path / "a.dcm")
    assert refusal(tmp_path / "a.dcm") == ("unreadable", "the file ends before its pixels")
    del report.Rows
    report.save_as(tmp_path / "a.dcm")
    reason, detail = refusal(tmp_path / "a.dcm")
    assert (reason, detail) == ("no_pixels", NO_PIXELS)


def test_a_film_is_refused_by_its_declared_size_before_its_pixels_are_read(tmp_path):
    path = save(tmp_path / "a.dcm", film_of(RANDOM, Rows=60000, Columns=50000))
    assert refusal(path) == ("too_large", "50000 x 60000 pixels, over 100 million")
    assert refusal(path, 4000)[0] == "unreadable"


def test_a_file_much_larger_than_it_declares_is_refused(tmp_path):
    path = save(tmp_path / "a.dcm", film_of(RANDOM))
    with path.open("r+b") as file:
        file.truncate(2**20 * 65)  # a hole on the disk, not bytes
    assert refusal(path)[0] == "too_large"


def test_a_file_that_inflates_beyond_all_films_is_refused(tmp_path):
    whole = save(tmp_path / "a.dcm", film_of(RANDOM), uid.DeflatedExplicitVRLittleEndian)
    content = whole.read_bytes()
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(deflate.compress(bytes(2**20)) for _ in range(300)) + deflate.flush()
    meta = 132 + 12 + int.from_bytes(content[140:144], "little")
    whole.write_bytes(content[:meta] + bomb)
    assert refusal(whole) == ("too_large", "over 128 MiB inflated")


@pytest.mark.parametrize("size", [(65535, 65535), (0, 8), (5, 9)])
def test_a_stream_of_another_size_than_declared_is_refused_before_decoding(tmp_path, size):
    stream = bytearray(lossless_jpeg(RANDOM, 8))
    place = stream.index(b"\xff\xc3") + 5
    stream[place : place + 4] = b"".join(side.to_bytes(2, "big") for side in size)
    path = save(tmp_path / "a.dcm", compressed(RANDOM, bytes(stream), 8), uid.JPEGLosslessSV1)
    found = f"{size[1]} x {size[0]} pixels in a film declared as 8 x 5"
    assert refusal(path) == ("unreadable", found)


def test_cut_off_films_are_never_filled_up(tmp_path):
    ramp = np.add.outer(np.arange(128), np.arange(96)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg")
    baseline = (tmp_path / "a.jpg").read_bytes()
    streams = {
        uid.JPEGLSLossless: (np.array(JPEG_LS_PICTURE, np.uint8), JPEG_LS_STREAM),
        uid.JPEGLosslessSV1: (DEEP, lossless_jpeg(DEEP, 12)),
        uid.JPEGBaseline8Bit: (ramp, baseline),
    }
    for syntax, (values, stream) in streams.items():
        bits = 12 if values.dtype == np.uint16 else 8
        cut = compressed(values, stream[: len(stream) * 3 // 4], bits)
        assert refusal(save(tmp_path / "a.dcm", cut, syntax))[0] == "unreadable"
    closed = compressed(ramp, baseline[: len(baseline) * 3 // 4] + b"\xff\xd9", 8)
    path = save(tmp_path / "a.dcm", closed, uid.JPEGBaseline8Bit)
    assert refusal(path) == ("unreadable", "the JPEG ends before its picture does")
    native = save(tmp_path / "b.dcm", film_of(DEEP)).read_bytes()
    (tmp_path / "b.dcm").write_bytes(native[:-100])
    assert refusal(tmp_path / "b.dcm")[0] == "unreadable"


def test_broken_descriptions_are_unreadable(tmp_path):
    changes = (
        {"BitsAllocated": 32},
        {"SamplesPerPixel": 2},
        {"PhotometricInterpretation": ""},
        {"RescaleSlope": "1e300", "RescaleIntercept": 0},
        {"VOILUTFunction": "CUBIC", "WindowCenter": 1, "WindowWidth": 2},
        {"BitsStored": 40},
    )
    for change in changes:
        path = save(tmp_path / "a.dcm", film_of(DEEP, **change))
        reason, detail = refusal(path)
        assert reason == "unreadable"
        assert "\n" not in detail


def test_pydicom_says_nothing_beside(tmp_path, caplog):
    content = save(tmp_path / "a.dcm", film_of(RANDOM, PatientAge="045Y")).read_bytes()
    (tmp_path / "a.dcm").write_bytes(content.replace(b"045Y", b"4.5_") + b"beyond")
    caplog.set_level(logging.DEBUG)
    assert read_film(tmp_path / "a.dcm").header.age == ""
    assert [record for record in caplog.records if record.name.startswith("pydicom")] == []


@pytest.mark.mirror
def test_real_dicom_films_are_read_or_refused_as_they_should(mirror):
    folder = mirror / "oddities"
    accepted = "; accepted are CR, DX, DR, RG, XR"
    for name in ("anon_apct.dcm", "test_jpeg.dcm"):
        assert refusal(folder / name) == ("modality", "CT" + accepted)
    names = {
        "02099738-7465-4786-b71c-de8cdac477c3.dcm": ("AP", "34", "F"),
        "h_00a85be6-6eb0-421d-8acf-ff2dc0007e8a.dcm": ("PA", "48", "M"),
        "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm": ("PA", "62", "M"),
    }
    for name, told in names.items():
        film = read_film(folder / name)
        assert film.pixels.shape == (1024, 1024)
        assert (film.header.view, film.header.age, film.header.sex) == told
    inverted = read_film(folder / "Fake_MONOHR1.dcm")
    assert inverted.mode == "MONOCHROME1 8 bit"
    np.testing.assert_array_equal(255 - inverted.pixels, film.pixels)
