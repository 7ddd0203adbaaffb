"""A browser that opens a report, and what every report must do in it."""

import os
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
WIDTHS = (1280, 390)  # pixels of a desk and of a phone
MILLISECONDS = 10_000  # that a page may take for what a reader does
# Where the page would have to be moved sideways: what is wider than the window, and not in a box
# that moves by itself.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason=f"needs one of {', '.join(NAMES)}")


@contextmanager
def start_browser():
    """Start the browser, and close it at the end."""
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@contextmanager
def visits(browser):
    """Give what opens a page from the file system; it may ask for nothing and must not complain."""
    asked, said, pages = [], [], []

    def visit(path, width=1280):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(MILLISECONDS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("pageerror", lambda error: said.append(("error", str(error))))
        page.goto(path.as_uri())
        pages.append((page, path))
        return page

    yield visit
    for page, _ in pages:
        page.close()
    assert {url for url in asked if not url.startswith("data:")} == {
        path.as_uri() for _, path in pages
    }
    assert [message for message in said if message[0] in ("error", "warning")] == []


def check_nothing_overflows(page):
    """Nothing moves the page sideways, with what is folded and without."""
    assert page.evaluate(OVERFLOW) <= 0
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.evaluate(OVERFLOW) <= 0


def cells(table, column):
    """Return the texts of a column of a table, from the top."""
    return table.locator(f"tbody td:nth-child({column})").all_text_contents()


def check_models_sort(page):
    """The models are sorted by accuracy, the second column, up and then down."""
    table = page.get_by_role("region", name="Models on the test films").first
    header = table.get_by_role("columnheader", name="accuracy", exact=True)
    before = cells(table, 2)
    assert len(before) > 1
    for order, reverse in (("ascending", False), ("descending", True)):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == order
        after = cells(table, 2)
        values = [page.evaluate("measure", text) for text in after]
        assert values == sorted(values, reverse=reverse)
        assert sorted(after) == sorted(before)


def check_a_figure_enlarges(page):
    """The first figure is enlarged from the keyboard, as it is shown, and closed with Esc."""
    button = page.locator("main button.enlarge:visible").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    image = dialog.locator("img")
    assert image.evaluate("(image) => image.complete && image.naturalWidth") > 0
    assert image.get_attribute("alt") == button.locator("img").get_attribute("alt")
    caption = button.locator("xpath=..").locator("figcaption").text_content()
    assert dialog.locator("p").text_content() == caption
    assert image.bounding_box()["width"] >= button.locator("img").bounding_box()["width"] - 1
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert button.evaluate("(button) => document.activeElement === button")
