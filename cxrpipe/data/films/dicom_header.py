"""What the header of a DICOM file says: whether it is a chest radiograph, view, age and sex."""

import re

from pydicom.dataset import Dataset
from pydicom.uid import UID

from cxrpipe.data.films.grey import Header, UnusableFilmError

# The only tags that are ever read of a header. Of the person: number, sex and age.
HEADER_TAGS = (
    "SOPClassUID",
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "PatientID",
    "PatientSex",
    "PatientAge",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
)

# Projection radiography: computed and digital radiography, and conventional film. DR and XR are
# not in the standard, but in many archives.
RADIOGRAPHY = ("CR", "DX", "DR", "RG", "XR")
# Digitised films and films converted from pictures say OT (other), SC or nothing: they are taken
# if their kind of object is none that only another modality makes.
UNSTATED = ("", "OT", "SC")
NEUTRAL_OBJECTS = (
    "",
    "1.2.840.10008.5.1.4.1.1.1",  # computed radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # digital radiography, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # digital radiography, for processing
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
    "1.2.840.10008.5.1.4.1.1.7.2",  # secondary capture, frames of 8 bit
    "1.2.840.10008.5.1.4.1.1.7.3",  # secondary capture, frames of 16 bit
    "1.2.840.10008.5.1.4.1.1.7.4",  # secondary capture, frames in colour
)

CHEST = ("CHEST", "THORAX", "TORAX", "LUNG", "RIB", "HEART", "STERNUM")
# PS3.16, annex L, without what a chest radiograph may be filed under.
OTHER_PARTS = re.compile(
    "ABDOMEN|ANKLE|ARM|BLADDER|BREAST|CALCANEUS|CLAVICLE|COCCYX|ELBOW|EXTREMITY|EYE|FACE|FEMUR|"
    "FINGER|FOOT|FOREARM|HAND|HEAD|HEEL|HIP|HUMERUS|JAW|KNEE|LEG|MANDIBLE|MAXILLA|NECK|NOSE|ORBIT|"
    "PATELLA|PELVIS|SACRUM|SCAPULA|SHOULDER|SINUS|SKULL|[CLST]?SPINE|TEETH|THIGH|THUMB|TIBIA|TOE|"
    "TOOTH|WRIST|ZYGOMA"
)

VIEWS = {
    "PA": "PA",
    "AP": "AP",
    "LATERAL": "lateral",
    "LAT": "lateral",
    "LL": "lateral",
    "RL": "lateral",
    "LLAT": "lateral",
    "RLAT": "lateral",
    "L": "lateral",
    "R": "lateral",
    "OBLIQUE": "oblique",
    "RLO": "oblique",
    "LLO": "oblique",
    "LAO": "oblique",
    "RAO": "oblique",
    "LPO": "oblique",
    "RPO": "oblique",
}

UNITS_A_YEAR = {"Y": 1, "M": 12, "W": 52.18, "D": 365.25}
OLDEST = 120  # years; more is a slip of the pen


def said(dataset: Dataset, keyword: str) -> str:
    """Return a value as text without margins; empty if absent."""
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def shown(text: str) -> str:
    """Return a code as it is written, or ``unknown`` for what cannot be one (PS3.5, VR of CS).

    In a broken file a value may have run into the name of the person, which must not be shown.
    """
    return text if re.fullmatch("[A-Z0-9_ ]{1,16}", text) else "unknown"


def read_header(dataset: Dataset) -> Header:
    """Return view, age, sex and the raw patient number."""
    sex = said(dataset, "PatientSex").upper()
    return Header(
        view=view_of(said(dataset, "ViewPosition")),
        age=age_of(said(dataset, "PatientAge")),
        sex=sex if sex in ("F", "M") else "",
        patient=said(dataset, "PatientID"),
    )


def view_of(position: str) -> str:
    """Return PA, AP, lateral or oblique, or an unknown position as it is written.

    >>> view_of("AP_SUPINE"), view_of("LL"), view_of("")
    ('AP', 'lateral', '')
    """
    words = re.findall("[A-Z]+", position.upper())
    known = [VIEWS[word] for word in words if word in VIEWS]
    return known[0] if known else position and shown(position)


def age_of(text: str) -> str:
    """Return an age in years as digits: ``045Y`` is 45, ``018M`` is 1.5; empty if it is none.

    Ages above 89 become 90: with a rare age a person can be found, and the rules of
    de-identification (HIPAA, 45 CFR 164.514) ask for one class of all who are 90 or older.

    >>> age_of("045Y"), age_of("018M"), age_of("93"), age_of("abc")
    ('45', '1.5', '90', '')
    """
    match = re.fullmatch(r"(\d{1,3})([YMWD]?)", text.upper())
    if not match:
        return ""
    years = int(match[1]) / UNITS_A_YEAR[match[2] or "Y"]
    if years > OLDEST:
        return ""
    return "90" if years > 89 else f"{years:.3g}"


def refuse_other_films(dataset: Dataset) -> None:
    """Raise an UnusableFilmError for what is no radiograph of a chest.

    Raises
    ------
    UnusableFilmError
        With reason ``modality``, if it is not projection radiography, or ``body_part``. A blank
        or unknown body part is taken for a chest.
    """
    modality = said(dataset, "Modality").upper()
    kind = said(dataset, "SOPClassUID")
    if modality in UNSTATED and kind not in NEUTRAL_OBJECTS:
        name = UID(kind).name  # such as CT Image Storage; the number itself if it has no name
        raise _other_modality("unknown" if name == kind else name)
    if modality not in (*RADIOGRAPHY, *UNSTATED):
        raise _other_modality(shown(modality))
    part = said(dataset, "BodyPartExamined").upper()
    words = re.findall("[A-Z]+", part)
    if any(map(OTHER_PARTS.fullmatch, words)) and not any(chest in part for chest in CHEST):
        raise UnusableFilmError("body_part", f"{shown(part)}; accepted are CHEST, THORAX, LUNG")


def _other_modality(found: str) -> UnusableFilmError:
    accepted = ", ".join(RADIOGRAPHY)
    return UnusableFilmError("modality", f"{found}; accepted are {accepted}")
