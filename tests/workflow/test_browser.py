"""The report of a run, in a browser."""

import pytest
from browsing import (
    WIDTHS,
    check_a_figure_enlarges,
    check_models_sort,
    check_nothing_overflows,
    needs_chromium,
    start_browser,
    visits,
)

pytestmark = needs_chromium


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_of_a_run_works_without_a_request_or_an_error(finished, width):
    with start_browser() as browser, visits(browser) as visit:
        page = visit(finished / "results/tiny/report.html", width)
        check_models_sort(page)
        check_a_figure_enlarges(page)
        check_nothing_overflows(page)
