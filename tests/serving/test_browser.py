"""The page in a browser: drop, read, slide, choose, be refused; and no request leaves."""

from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import MILLISECONDS, OVERFLOW, WIDTHS, needs_chromium, start_browser
from made import make_film
from PIL import Image
from playwright.sync_api import expect

from cxrpipe.runtime import RESEARCH_USE

pytestmark = needs_chromium
SLOW = 6 * MILLISECONDS  # the first answer of a model


@pytest.fixture(scope="module")
def browser():
    with start_browser() as started:
        yield started


@pytest.fixture
def visit(browser, served):
    """Open the page; it may ask for nothing but the page's own host, and must not complain."""
    asked, said, pages = [], [], []

    def visit(width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.set_default_timeout(MILLISECONDS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("pageerror", lambda error: said.append(("error", str(error))))
        page.goto(served.address)
        pages.append(page)
        return page

    yield visit
    for page in pages:
        assert page.context.cookies() == []
        page.close()
    host = urlsplit(served.address).netloc
    hosts = {urlsplit(url.removeprefix("blob:")).netloc for url in asked}
    assert hosts == {host}
    complaints = [text for kind, text in said if kind in ("error", "warning")]
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "a film.png")


@pytest.fixture
def bright(tmp_path):
    Image.fromarray(np.full((128, 160), 250, np.uint8)).save(tmp_path / "bright.png")
    return tmp_path / "bright.png"


def choose(page, *films):
    page.get_by_label("Drop chest radiographs here").set_input_files(films)


def card(page, name):
    return page.get_by_role("article", name=name)


def heatmap(card):
    return card.get_by_role("img", name="Heatmap of")


def wait_for_heatmap(card):
    expect(heatmap(card)).to_be_visible(timeout=SLOW)
    assert heatmap(card).evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0


def test_a_film_gets_its_picture_its_answer_and_its_heatmap(visit, film):
    page = visit()
    choose(page, film)
    shown = card(page, "a film.png")
    expect(shown.get_by_role("listitem")).to_have_count(3, timeout=SLOW)
    wait_for_heatmap(shown)
    picture = shown.get_by_role("img", name="The film a film.png")
    assert picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [128, 160]
    assert heatmap(shown).bounding_box() == picture.bounding_box()
    shares = shown.locator(".number").all_text_contents()
    bars = shown.locator(".bar i").evaluate_all("(bars) => bars.map((bar) => bar.style.width)")
    for share, width in zip(shares, bars, strict=True):
        assert float(share.strip("%")) == pytest.approx(float(width.strip("%")), abs=0.051)
    ticks = shown.locator(".bar b").evaluate_all("(ticks) => ticks.map((tick) => tick.style.left)")
    assert ticks == ["30%", "50%"]  # the third finding has no threshold


def test_the_slider_fades_the_heatmap(visit, film):
    page = visit()
    choose(page, film)
    shown = card(page, "a film.png")
    wait_for_heatmap(shown)
    slider = shown.get_by_role("slider", name="Heatmap")
    opacity = "(image) => getComputedStyle(image).opacity"
    assert heatmap(shown).evaluate(opacity) == "0.55"
    slider.focus()
    page.keyboard.press("Home")
    assert heatmap(shown).evaluate(opacity) == "0"
    page.keyboard.press("ArrowRight")
    assert heatmap(shown).evaluate(opacity) == "0.01"
    expect(shown.locator("output")).to_have_text("1%")


def test_another_finding_method_or_model_is_asked_for_anew(visit, film):
    page = visit()
    choose(page, film)
    shown = card(page, "a film.png")
    wait_for_heatmap(shown)
    assert heatmap(shown).get_attribute("alt") == "Heatmap of tuberculosis"
    for label, value in (("Finding", "normal"), ("Method", "hirescam")):
        before = heatmap(shown).get_attribute("src")
        shown.get_by_role("combobox", name=label).select_option(value)
        expect(heatmap(shown)).not_to_have_attribute("src", before, timeout=SLOW)
        wait_for_heatmap(shown)
    assert heatmap(shown).get_attribute("alt") == "Heatmap of normal"
    assert page.get_by_label("Model").locator("option").all_text_contents() == [
        "second (best on validation)",
        "first",
    ]
    expect(shown.locator("[data-part=verdict]")).not_to_contain_text("is likeliest")
    page.get_by_label("Model").select_option("first")
    expect(shown.locator("[data-part=verdict]")).to_contain_text("is likeliest", timeout=SLOW)
    wait_for_heatmap(shown)


def test_a_photograph_is_refused_with_its_reason_and_answered_to_when_forced(visit, bright):
    page = visit()
    choose(page, bright)
    refused = card(page, "bright.png")
    reason = refused.get_by_role("alert")
    told = "no frontal chest: as a picture far from the training films"
    expect(reason).to_contain_text(f"Refused, {told}", timeout=SLOW)
    expect(refused.get_by_role("img", name="The film")).to_be_visible()
    expect(refused.get_by_role("listitem")).to_have_count(0)
    expect(heatmap(refused)).to_have_count(0)
    refused.get_by_role("button", name="Answer anyway").click()
    expect(refused.get_by_role("listitem")).to_have_count(3, timeout=SLOW)
    expect(reason).to_contain_text(f"Answered all the same, though {told}")
    expect(refused.get_by_role("button", name="Answer anyway")).to_be_hidden()


def test_what_is_no_film_is_refused_and_cannot_be_forced(visit, tmp_path):
    (tmp_path / "letter.txt").write_text("no film")
    page = visit()
    choose(page, tmp_path / "letter.txt")
    refused = card(page, "letter.txt")
    expect(refused.get_by_role("alert")).to_have_text("Refused, unreadable: no known image format")
    expect(refused.get_by_role("button", name="Answer anyway")).to_be_hidden()


def test_200_megabytes_are_refused_by_the_page_and_by_the_server(visit, tmp_path):
    with (tmp_path / "large.dcm").open("wb") as file:
        file.truncate(200_000_000)
    page = visit()
    choose(page, tmp_path / "large.dcm")
    told = "The film has 200 MB; at most 1 MB are taken (--most-megabytes)."
    expect(card(page, "large.dcm").get_by_role("alert")).to_have_text(told)
    past_the_page = """async () => {
      const film = new Blob([new Uint8Array(200e6)]);
      const response = await fetch("film", { method: "POST", body: film });
      return [response.status, await response.text()];
    }"""
    status, said = page.evaluate(past_the_page)
    assert status == 413
    assert said == "The film has over 200 MB; at most 1 MB are taken (--most-megabytes)."


def test_several_films_may_be_dropped(visit):
    page = visit()
    drop = """() => {
      const dropped = new DataTransfer();
      dropped.items.add(new File(["no film"], "one.png"));
      dropped.items.add(new File(["no film"], "two.png"));
      document.body.dispatchEvent(
        new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop)
    for name in ("one.png", "two.png"):
        expect(card(page, name).get_by_role("alert")).to_contain_text("unreadable")
    card(page, "one.png").get_by_role("button", name="Remove one.png").click()
    expect(page.get_by_role("article")).to_have_count(1)


def test_a_server_that_is_gone_is_said_on_the_card(visit, film):
    page = visit()
    page.context.set_offline(True)
    choose(page, film)
    expect(card(page, "a film.png").get_by_role("alert")).to_contain_text(
        "The server does not answer; is cxrpipe serve still running?"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_note_is_in_sight_wherever_the_page_is(width, visit, film, bright):
    page = visit(width)
    choose(page, film, bright, film)
    wait_for_heatmap(page.get_by_role("article").last)
    note = page.get_by_role("note")
    expect(note).to_have_text(RESEARCH_USE)
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height > 1600
    for top in (0, height // 3, height // 2, height):
        page.evaluate("(top) => window.scrollTo(0, top)", top)
        expect(note).to_be_in_viewport(ratio=1)
        assert note.evaluate(
            """(note) => {
              const { left, top, width, height } = note.getBoundingClientRect();
              return document.elementFromPoint(left + width / 2, top + height / 2) === note;
            }"""
        )
    assert page.evaluate(OVERFLOW) <= 0
