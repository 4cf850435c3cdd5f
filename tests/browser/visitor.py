"""A person at Debian's Chromium, who finds what they need by its role and its label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyotp
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from doorward.clock import MINUTE, Instant
from support.browserless import Account

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_PATIENCE_MS: Final = 15_000
_STEP_S: Final = 60
_ERROR: Final = re.compile(r"^Error: ")


@contextmanager
def running_chromium(*flags: str) -> Iterator[Browser]:
    """Start a browser for a module. Two in one thread at a time are more than Playwright can do."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        yield chromium
        chromium.close()


def is_policy_broken(said: str) -> bool:
    """Tell a violation of the Content-Security-Policy from what a console says of every 4xx answer."""
    return "Content Security Policy" in said or "violates" in said


@dataclass(slots=True)
class Visitor:
    """One person at one window. `problems` are errors of scripts and violations of the policy, of any of its tabs."""

    page: Page
    now: Callable[[], Instant]
    problems: list[str] = field(default_factory=list)

    @property
    def heading(self) -> Locator:
        """The heading of the page."""
        return self.page.get_by_role("heading", level=1)

    @property
    def code_field(self) -> Locator:
        """The field of the 6-digit code, whichever page asks for it."""
        return self.page.get_by_role("textbox", name=re.compile(r"6.digit code|Enter the code for"))

    def sees(self, heading: str | re.Pattern[str]) -> None:
        """Wait for a page by its heading. Not by `expect`, which asks at ever longer intervals."""
        self.page.get_by_role("heading", level=1, name=heading, exact=isinstance(heading, str)).wait_for()

    def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait for words of the page."""
        self.page.locator("body", has_text=text).wait_for()

    def press(self, name: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=name).first.click()

    def new_tab(self) -> Visitor:
        """Open another tab of the same browser."""
        return Visitor(watched(self.page.context.new_page(), self.problems), self.now, self.problems)

    def give_name(self, name: str, label: str = "Username") -> None:
        """Type a name and go on."""
        self.page.get_by_label(label).fill(name)
        self.press("Continue")

    def give_password(self, password: str) -> None:
        """Type a password and log in."""
        self.sees("Enter your password")
        self.page.get_by_label("Password", exact=True).fill(password)
        self.press("Login")

    def choose(self, method: str = "Authenticator app") -> None:
        """Choose a method."""
        self.sees("Verify your identity")
        self.press(method)

    def give_code(self, code: str, button: str = "Verify") -> None:
        """Type a code and verify it."""
        self.code_field.fill(code)
        self.press(button)

    def goes_to_code(self, account: Account, label: str = "Username") -> None:
        """Go through the sign-in up to the page of the code."""
        self.sees("Sign in")
        self.give_name(account.username, label)
        self.give_password(account.password)
        self.choose()
        self.sees("Enter your code")

    def signs_in(self, account: Account, label: str = "Username") -> None:
        """Go through the whole sign-in from its first page."""
        self.goes_to_code(account, label)
        self.give_code(account.code(self.now()))

    def signs_out(self) -> None:
        """Sign out by the menu under the name."""
        self.page.locator("summary", has=self.page.locator(".avatar")).click()
        self.press("Sign out")
        self.sees("You are signed out")

    def is_told(self, sentence: str | re.Pattern[str], wrong: Locator, *, is_invalid: bool = True) -> None:
        """See an error as LOOK.md has it: an alert, the title says so, the field has the focus and its description."""
        self.page.get_by_role("alert").filter(has_text=sentence).wait_for()
        expect(self.page).to_have_title(_ERROR)
        expect(wrong).to_be_focused()
        if is_invalid:
            expect(wrong).to_have_attribute("aria-invalid", "true")
        expect(wrong).to_have_accessible_description(
            sentence if isinstance(sentence, re.Pattern) else re.compile(re.escape(sentence))
        )


def watched(page: Page, problems: list[str]) -> Page:
    """Listen to what the console and the scripts of a page complain about."""
    page.on("console", lambda said: problems.append(said.text) if is_policy_broken(said.text) else None)
    page.on("pageerror", lambda error: None if "Transition was" in str(error) else problems.append(str(error)))
    page.set_default_timeout(_PATIENCE_MS)
    return page


def visit(
    chromium: Browser, now: Callable[[], Instant], *, has_script: bool = True, has_motion: bool = False
) -> Visitor:
    """Sit down at a window with cookies of its own. The cross-fade between pages takes half of a test's time."""
    problems: list[str] = []
    context = chromium.new_context(
        java_script_enabled=has_script,
        ignore_https_errors=True,
        viewport={"width": 1280, "height": 800},
        reduced_motion="no-preference" if has_motion else "reduce",
    )
    return Visitor(watched(context.new_page(), problems), now, problems)


def shown_key(visitor: Visitor) -> Account:
    """Take the key of a set-up page into an authenticator app, as a person who cannot scan it does."""
    summary = visitor.page.get_by_text("Cannot scan it? Enter this key")
    code = visitor.page.locator("details.key code")
    if not code.is_visible():
        summary.click()
    return Account("", "", code.inner_text().replace(" ", ""))


def never_right(account: Account, now: Instant) -> str:
    """Give a code that this app neither shows nor showed around `now`."""
    assert account.secret is not None
    app = pyotp.TOTP(account.secret, interval=_STEP_S)
    around = {app.at(seconds) for seconds in range((now - 15 * MINUTE) // 1000, (now + 15 * MINUTE) // 1000, _STEP_S)}
    return next(code for code in ("246810", "135791", "864202") if code not in around)
