"""Every page of both portals: axe-core, narrow screens, keyboard, motion and forced colours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.town import (
    ATTEMPTS,
    HANDBOOK,
    PASSWORD,
    Town,
    bookmark,
    new_people,
    other_site,
    running_town,
)
from browser.visitor import Visitor, running_chromium, shown_key, visit
from doorward.clock import MINUTE
from support.browserless import Account

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-accessible")]

LONG = "Zentrale Reisekostenabrechnungs- und Genehmigungsdatenbank der Rückversicherungsabteilung"
UNBROKEN = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
MANY = 200
WIDTHS = (360, 1280)
SHOTS = os.environ.get("DOORWARD_SCREENSHOTS")
"""A folder: each page that is checked is also kept there as a picture, to look at."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def outside() -> Iterator[str]:
    pages = {**HANDBOOK}
    with other_site(pages) as address:
        yield address


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, outside: str) -> Iterator[Town]:
    people = new_people()
    people.add(8, "person")
    people.add(2, "newcomer", app=False)
    people.add(2, "busy", groups=("everything",))
    many = [
        bookmark(
            f"app-{number}",
            f"{outside}/",
            name=LONG if number == 7 else UNBROKEN if number == 8 else f"Application {number:03}",
            groups=["everything"],
            description=f"What one needs on day {number}, {LONG}" if number % 3 == 0 else None,
        )
        for number in range(MANY)
    ]
    apps = [
        bookmark("handbook", f"{outside}/"),
        bookmark("wiki", f"{outside}/", description="What we know", groups=["engineering", "everything"]),
        bookmark("payroll", f"{outside}/", groups=["visitors"]),
        *many,
    ]
    with running_town(tmp_path_factory.mktemp("town"), people, apps) as town:
        yield town


@pytest.fixture
def visitor(chromium: Browser, town: Town) -> Iterator[Visitor]:
    town.advance(2 * MINUTE)
    visitor = visit(chromium, town.now)
    yield visitor
    visitor.page.context.close()
    assert visitor.problems == []


@pytest.fixture
def alice(town: Town) -> Account:
    return town.people.take()


def is_fit(page: Page, name: str) -> None:
    """Check the present page: axe-core in light, dark and at 360 px, and no sideways scrolling at 320 px."""
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)):
        page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("Promise.allSettled(document.getAnimations().map(each => each.finished))")
        if (scheme, width) != ("dark", 360):
            found = Axe().run(page)
            assert found.violations_count == 0, f"{name}, {scheme}, {width}: {found.generate_report()}"
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320, f"{name} is {wide} wide at 320"
    assert page.get_by_role("heading", level=1).count() == 1, name
    read = page.locator("body").inner_text()
    assert re.search(r"</?[a-z]|&[a-z]+;|\{[a-z]*\}", read) is None, f"{name} shows markup: {read}"
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def test_home_and_profile(town: Town, visitor: Visitor, alice: Account) -> None:
    page = visitor.page
    page.goto(f"{town.base}/")
    visitor.signs_in(alice)
    visitor.sees("Apps")
    is_fit(page, "home")
    page.get_by_role("button", name="Wiki: favourite").click()
    expect(page.get_by_role("heading", name="Favourites")).to_be_visible()
    page.get_by_role("link", name="Handbook").click()
    visitor.sees("The handbook")
    page.goto(f"{town.base}/")
    page.locator("summary", has=page.locator(".avatar")).click()
    is_fit(page, "home-menu")
    page.goto(f"{town.base}/?q=nothing+of+this+name")
    is_fit(page, "home-nothing-found")

    page.goto(f"{town.base}/profile")
    visitor.sees("Profile")
    is_fit(page, "profile")
    page.get_by_label("Name", exact=True).fill(" ")
    visitor.press("Save")
    visitor.is_told(re.compile("."), page.get_by_label("Name", exact=True))
    is_fit(page, "profile-error")


def test_security_and_the_pages_of_a_change(town: Town, visitor: Visitor, alice: Account) -> None:
    page = visitor.page
    page.goto(f"{town.base}/login?to=/security")
    visitor.signs_in(alice)
    visitor.sees("Security")
    expect(page.locator(".row", has_text="Recovery codes").get_by_text("None yet", exact=True)).to_be_visible()
    is_fit(page, "security")
    town.advance(10 * MINUTE)
    page.goto(f"{town.base}/security/recovery-codes")
    visitor.sees("Confirm that it is you")
    is_fit(page, "confirm")
    visitor.give_code("12")
    visitor.is_told("The code has 6 digits.", visitor.code_field)
    is_fit(page, "confirm-error")
    visitor.give_code(alice.code(town.now()))
    visitor.sees("Make recovery codes")
    is_fit(page, "recovery-codes-question")
    visitor.press("Make codes")
    visitor.sees("Save your recovery codes")
    is_fit(page, "recovery-codes")
    visitor.press("I have saved them in a safe place")
    visitor.sees("Security")
    visitor.reads("10 of 10 left.")
    page.get_by_role("link", name="Add a method").click()
    visitor.sees("Add an authenticator app")
    is_fit(page, "authenticator-name")
    visitor.press("Continue")
    visitor.sees("Set up your authenticator app")
    is_fit(page, "set-up")
    app = shown_key(visitor)
    visitor.give_code(app.code(town.now()), "Verify and finish")
    visitor.sees("Security")
    is_fit(page, "security-two-methods")
    page.goto(f"{town.base}/security/password")
    visitor.sees("Change your password")
    is_fit(page, "password")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("short")
    visitor.press("Change password")
    visitor.is_told("too short", page.get_by_label("New password"))
    is_fit(page, "password-error")


def test_launch_question_refusal_and_signing_out(town: Town, visitor: Visitor, alice: Account, outside: str) -> None:
    page = visitor.page
    page.goto(f"{town.base}/apps/handbook/launch")
    visitor.signs_in(alice)
    visitor.sees("The handbook")
    page.goto(f"{outside}/")
    page.evaluate(f"location.href = '{town.base}/apps/handbook/launch'")
    visitor.sees("Open Handbook?")
    is_fit(page, "launch-question")
    page.get_by_role("link", name="Open Handbook").click()
    visitor.sees("The handbook")
    page.goto(f"{town.base}/apps/payroll/launch")
    visitor.sees("Payroll could not be opened")
    is_fit(page, "app-not-given")
    page.goto(f"{town.base}/nowhere")
    is_fit(page, "not-found")
    page.goto(f"{town.base}/logout")
    visitor.sees("Sign out?")
    is_fit(page, "sign-out")
    visitor.press("Sign out")
    visitor.sees("You are signed out")
    is_fit(page, "signed-out")


def test_paused_page_and_the_administrators_pages(town: Town, visitor: Visitor, alice: Account) -> None:
    page = visitor.page
    page.goto(f"{town.base}/admin")
    visitor.sees("Sign in")
    is_fit(page, "admin-sign-in")
    visitor.signs_in(town.admin, label="Email")
    visitor.sees("Overview")
    is_fit(page, "admin-overview-calm")
    page.goto(f"{town.base}/login")
    visitor.give_name(alice.username)
    for _attempt in range(ATTEMPTS):
        visitor.give_password("not the password")
        page.wait_for_load_state()
    visitor.sees("Sign-in is paused")
    is_fit(page, "paused")
    page.goto(f"{town.base}/admin")
    visitor.reads(f"{alice.username.title()} Liddell")
    is_fit(page, "admin-overview")


def test_set_up_and_recovery_codes_at_the_sign_in(town: Town, visitor: Visitor) -> None:
    page, eve = visitor.page, town.people.take("newcomer")
    page.goto(f"{town.base}/")
    visitor.give_name(eve.username)
    visitor.give_password(eve.password)
    visitor.sees("Set up your authenticator app")
    is_fit(page, "signin-set-up")
    app = shown_key(visitor)
    visitor.give_code(app.code(town.now()), "Verify and finish")
    visitor.sees("Save your recovery codes")
    is_fit(page, "signin-recovery-codes")
    page.get_by_label("I have saved them in a safe place").check()
    visitor.press("Continue")
    visitor.sees("Apps")


def test_home_stays_usable_with_two_hundred_applications(town: Town, visitor: Visitor) -> None:
    page, busy = visitor.page, town.people.take("busy")
    page.goto(f"{town.base}/")
    visitor.signs_in(busy)
    visitor.sees("Apps")
    tiles = page.locator(".tile:visible")
    expect(tiles).to_have_count(MANY + 1)
    is_fit(page, "home-200")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        cut = page.evaluate(
            "[...document.querySelectorAll('.tile')].filter(e => e.scrollWidth > e.clientWidth + 1 || "
            "e.clientHeight < 44 || e.querySelector('button').clientHeight < 24).map(e => e.outerHTML.slice(0, 200))"
        )
        assert cut == []
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("application 04")
    expect(tiles).to_have_count(10)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Application 040").first).to_be_focused()
    page.keyboard.press("Enter")
    visitor.sees("The handbook")


def tab_to(page: Page, is_there: Callable[[], bool]) -> None:
    """Press Tab until the focus is where it is wanted; what has the focus is always to be seen."""
    for _press in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "(e => e.matches('input') || [getComputedStyle(e), getComputedStyle(e, '::after'),"
            " getComputedStyle(e.closest('li') ?? e)].some(s => s.outlineStyle !== 'none'))(document.activeElement)"
        ), page.evaluate("document.activeElement.outerHTML")
        if is_there():
            return
    raise AssertionError("the Tab key does not get there")


def focused(page: Page) -> str:
    return str(page.evaluate("(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()"))


def test_by_keyboard_alone_a_person_signs_in_and_opens_an_application(
    town: Town, visitor: Visitor, alice: Account
) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    page.goto(f"{town.base}/")
    visitor.sees("Sign in")
    keyboard.type(alice.username)
    tab_to(page, lambda: focused(page) == "Continue")
    keyboard.press("Enter")
    visitor.sees("Enter your password")
    keyboard.type(alice.password)
    keyboard.press("Enter")
    visitor.sees("Verify your identity")
    keyboard.press("Enter")
    visitor.sees("Enter your code")
    keyboard.type(alice.code(town.now()))
    keyboard.press("Enter")
    visitor.sees("Apps")
    tab_to(page, lambda: focused(page) == "Handbook")
    keyboard.press("Enter")
    visitor.sees("The handbook")


def test_reduced_motion_and_forced_colours(town: Town, visitor: Visitor) -> None:
    page, busy = visitor.page, town.people.take("busy")
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    page.goto(f"{town.base}/")
    visitor.signs_in(busy)
    visitor.sees("Apps")
    for path in ("/", "/security", "/profile"):
        page.goto(f"{town.base}{path}")
        moving = page.evaluate(
            "[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);"
            " return parseFloat(s.transitionDuration) > 0.001 || (s.animationName !== 'none' &&"
            " parseFloat(s.animationDuration) > 0.001) }).map(e => e.outerHTML.slice(0, 100))"
        )
        assert moving == [], path
        for box in page.locator(".tile, .panel, .card-form").all()[:3]:
            assert box.evaluate("e => getComputedStyle(e).borderTopWidth") != "0px", path
        current = page.locator("[aria-current=page]").first
        assert current.evaluate(
            "e => getComputedStyle(e).borderStyle !== 'none' || getComputedStyle(e, '::after').content !== 'none'"
        ), path
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"forced{path.replace('/', '-')}.png")


def test_the_foot_of_the_side_bar_is_seen_below_the_banner_of_the_demo(town: Town, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{town.base}/admin")
    visitor.signs_in(town.admin, label="Email")
    visitor.sees("Overview")
    # The banner as a page of `doorward demo` has it.
    page.evaluate("document.body.insertAdjacentHTML('afterbegin', '<p class=demo>Everything here is made up.</p>')")
    for height in (800, 600):
        page.set_viewport_size({"width": 1280, "height": height})
        foot = page.locator(".side .who").bounding_box()
        assert foot is not None
        assert foot["y"] + foot["height"] <= height
