"""What the tests of figures share: the style in which all of them are drawn."""

from importlib.resources import files

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context(fname=str(files("cxrpipe.reporting.drawing") / "cxrpipe.mplstyle")):
        yield
