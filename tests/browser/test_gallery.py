"""Every page of the sign-in and of refusals in Debian's Chromium: geometry, contrast, narrow screens, no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, sync_playwright

from support.gallery import ACME, LONG, NAMES, running_gallery

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE = {"07-set-up", "07a-set-up-forced"}
SEALED = ("06", "07b", "17", "18", "19", "20", "30")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_gallery(tmp_path_factory.mktemp("acme"), ACME) as base:
        yield base


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_gallery(tmp_path_factory.mktemp("long"), LONG, demo=True) as base:
        yield base


def opened(browser: Browser, address: str, width: int = 1280, **context: object) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 800}, **context).new_page()  # pyright: ignore[reportArgumentType]
    page.goto(address)
    return page


def each(
    browser: Browser, base: str, names: Iterable[str], width: int, **context: object
) -> Iterator[tuple[str, Page]]:
    """Open one page after another in one window."""
    page = browser.new_context(viewport={"width": width, "height": 800}, **context).new_page()  # pyright: ignore[reportArgumentType]
    for name in names:
        page.goto(f"{base}/sample/{name}")
        yield name, page
    page.context.close()


def box(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None
    return cast("dict[str, float]", found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(browser: Browser, acme: str, scheme: str, width: int) -> None:
    for name, page in each(browser, acme, NAMES, width, color_scheme=scheme):
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_nothing_jumps_between_the_steps(browser: Browser, acme: str) -> None:
    steps = [name for name in NAMES if not name.startswith(SEALED) and name not in WIDE]
    assert len(steps) >= 15
    for name, page in each(browser, acme, steps, 1280):
        card, heading = box(page, ".card"), box(page, "h1")
        assert (card["x"], card["y"], card["width"]) == (430, 148, 420), name
        assert (heading["x"], heading["y"]) == (463, 181), name


@pytest.mark.parametrize("width", [1280, 320])
def test_long_names_are_never_cut_and_never_make_a_page_scroll_sideways(
    browser: Browser, long_names: str, width: int
) -> None:
    for name, page in each(browser, long_names, [f"{name}?long=1" for name in NAMES], width):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        cut = page.evaluate(
            "[...document.querySelectorAll('.card *')].filter(e => !e.closest('svg,.visually-hidden,input,.failed-app')"
            " && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' && e.clientWidth > 1)"
            ".map(e => e.outerHTML.slice(0, 120))"
        )
        assert cut == [], name


def test_targets_on_a_phone_are_large_enough(browser: Browser, acme: str) -> None:
    for name, page in each(browser, acme, NAMES, 360):
        small = page.evaluate(
            "[...document.querySelectorAll('button, .button, input:not([type=hidden]), a, summary')]"
            ".filter(e => e.checkVisibility() && !e.closest('.visually-hidden, .skip'))"
            ".map(e => [e.outerHTML.slice(0, 100), e.getBoundingClientRect().height])"
            ".filter(([h, y]) => y < (h.includes('button primary') ? 44 : h.includes('class=\"button') ? 30 : 20))"
        )
        assert small == [], name


def test_forced_colours_keep_every_edge(browser: Browser, acme: str) -> None:
    for name, page in each(browser, acme, NAMES, 1280, forced_colors="active"):
        assert page.locator(".card").evaluate("e => getComputedStyle(e).borderTopWidth") != "0px", name
        for primary in page.locator(".button.primary").all():
            assert primary.evaluate("e => getComputedStyle(e).borderTopWidth") == "3px", name


def test_the_sign_in_page_stays_below_15_kb_and_runs_nothing_inline(browser: Browser, acme: str) -> None:
    for name in ("01-username", "02-password", "04-code"):
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        problems: list[str] = []
        page.on("console", lambda message, kept=problems: kept.append(message.text))
        answers: list[Response] = []
        page.on("response", lambda response, kept=answers: kept.append(response))
        page.goto(f"{acme}/sample/{name}")
        sizes = [response.request.sizes() for response in answers]
        total = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
        assert total < 15_000, (name, total)
        assert problems == []
        assert page.locator("style, [style], script:not([src])").count() == 0
        page.context.close()


def test_a_password_can_be_shown_and_is_hidden_when_it_is_sent(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/02-password")
    field, show = page.get_by_label("Password", exact=True), page.get_by_role("button", name="Show")
    assert page.evaluate("document.activeElement.id") == "password"
    field.fill("correct horse")
    show.click()
    assert field.get_attribute("type") == "text"
    hide = page.get_by_role("button", name="Hide")
    assert hide.get_attribute("aria-pressed") == "true"
    hide.click()
    assert field.get_attribute("type") == "password"
    page.context.close()


def test_the_rules_of_a_new_password_tick_while_it_is_typed(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/02c-new-password")
    field = page.get_by_label("New password", exact=True)
    field.fill("alice in wonderland")
    assert page.locator("[data-least]").get_attribute("class") == "met"
    assert page.locator("[data-without-name]").get_attribute("class") != "met"
    field.fill("correct horse")
    assert page.locator(".rules .met").count() == 2
    page.context.close()


def test_the_ring_runs_and_the_seconds_count_down(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/04-code")
    shown = page.locator("[data-seconds]").inner_text()
    assert shown.startswith("New code in 4")
    assert page.locator("animate").get_attribute("begin") == "-18s"
    page.context.close()
    page = opened(browser, f"{acme}/sample/04c-code-attempts")
    page.get_by_text("A new code comes in a moment. You can wait for it.").wait_for()
    page.context.close()


def test_without_script_every_page_is_whole(browser: Browser, acme: str) -> None:
    for name in NAMES:
        page = opened(browser, f"{acme}/sample/{name}", java_script_enabled=False)
        assert page.get_by_role("button", name="Show").count() == 0
        assert page.locator("main .button, main button[type=submit]").count() >= (0 if name.startswith("06") else 1)
        page.context.close()
    page = opened(browser, f"{acme}/sample/04-code", java_script_enabled=False)
    assert "New code every 60 s" in page.locator("[data-ring]").inner_text()
    page.context.close()


def test_a_form_is_sent_once_however_often_it_is_pressed(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/02-password")
    sent: list[str] = []
    page.route("**/login/password", lambda route: (sent.append(route.request.method), route.fulfill(status=204)))
    page.evaluate("b = document.querySelector('button[type=submit]'); b.click(); b.click(); b.form.requestSubmit(b)")
    page.get_by_role("button", name="Checking").wait_for()
    assert page.get_by_role("button", name="Checking").get_attribute("aria-busy") == "true"
    assert sent == ["POST"]
    page.context.close()


def test_recovery_codes_can_be_downloaded(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/07b-recovery-codes", accept_downloads=True)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    kept = Path(waiting.value.path()).read_text()
    assert kept.startswith("Recovery codes for Acme\n\n7KQ4-M2XF-9PDW-3HTR\n")
    assert len(kept.splitlines()) == 12
    page.context.close()


def test_reduced_motion_hides_the_ring_and_keeps_the_words(browser: Browser, acme: str) -> None:
    page = opened(browser, f"{acme}/sample/04-code", reduced_motion="reduce")
    assert page.locator(".ring").is_hidden()
    assert page.locator("[data-seconds]").is_visible()
    page.context.close()
