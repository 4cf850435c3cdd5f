"""The sign-in as SIGNIN.md asks for it, in Debian's Chromium, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from browser.town import ATTEMPTS, ENROLMENT_DAYS, HANDBOOK, Town, bookmark, new_people, other_site, running_town
from browser.visitor import Visitor, never_right, running_chromium, shown_key, visit
from doorward.clock import DAY, MINUTE
from support.browserless import Account

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-signin")]

Visits = Callable[[], Visitor]
WRONG_PAIR = "The username or password is not right. Check both and try again."


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    people = new_people()
    people.add(36, "person")
    people.add(4, "newcomer", app=False)
    with (
        other_site(HANDBOOK) as handbook,
        running_town(tmp_path_factory.mktemp("town"), people, [bookmark("handbook", f"{handbook}/")]) as town,
    ):
        yield town


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def has_motion() -> bool:
    return False


@pytest.fixture
def visits(has_script: bool, has_motion: bool, chromium: Browser, town: Town) -> Iterator[Visits]:
    """Opens windows, each with cookies of its own; none may break the policy or have an error in a script."""
    opened: list[Visitor] = []

    def another() -> Visitor:
        opened.append(visit(chromium, town.now, has_script=has_script, has_motion=has_motion))
        return opened[-1]

    town.advance(2 * MINUTE)
    yield another
    for visitor in opened:
        visitor.page.context.close()
        assert visitor.problems == []


@pytest.fixture
def visitor(visits: Visits) -> Visitor:
    return visits()


@pytest.fixture
def alice(town: Town) -> Account:
    return town.people.take()


@pytest.mark.parametrize("has_motion", [True])
def test_a_person_signs_in_step_by_step(town: Town, visitor: Visitor, alice: Account) -> None:
    page = visitor.page
    page.goto(f"{town.base}/")
    visitor.sees("Sign in")
    expect(page).to_have_title(re.compile("^Sign in . Acme$"))
    name = page.get_by_label("Username")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("autocomplete", "username webauthn")
    visitor.give_name(alice.username)

    visitor.sees("Enter your password")
    visitor.reads(alice.username)
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(password).to_have_attribute("autocomplete", "current-password")
    visitor.give_password(alice.password)

    visitor.sees("Verify your identity")
    methods = page.get_by_role("list").filter(has=page.get_by_role("button")).get_by_role("button")
    expect(methods).to_have_count(1)
    expect(methods).to_have_accessible_name(re.compile("Authenticator app.*6.digit code for Acme User"))
    expect(methods).to_be_focused()
    visitor.choose()

    visitor.sees("Enter your code")
    visitor.reads(re.compile("enter the 6.digit code for Acme User"))
    expect(visitor.code_field).to_be_focused()
    expect(visitor.code_field).to_have_attribute("autocomplete", "one-time-code")
    code = alice.code(town.now())
    visitor.give_code(f"{code[:3]} {code[3:]}")
    visitor.sees("Apps")
    assert page.url == f"{town.base}/"


def test_after_an_error_the_wrong_field_has_the_focus_and_the_title_says_so(
    town: Town, visitor: Visitor, alice: Account
) -> None:
    page = visitor.page
    page.goto(f"{town.base}/login")
    visitor.press("Continue")
    visitor.is_told("Enter your username.", page.get_by_label("Username"))
    visitor.give_name(alice.username)
    visitor.sees("Enter your password")
    password = page.get_by_label("Password", exact=True)
    visitor.press("Login")
    visitor.is_told("Enter your password.", password)
    visitor.give_password("not the password")
    visitor.is_told(WRONG_PAIR, password, is_invalid=False)  # it may be the name as well
    expect(password).to_have_value("")
    visitor.give_password(alice.password)
    visitor.choose()
    visitor.press("Verify")
    visitor.is_told(re.compile("Enter the 6.digit code."), visitor.code_field)
    visitor.give_code("12 34")
    visitor.is_told("The code has 6 digits. Enter all of them.", visitor.code_field)
    visitor.give_code(never_right(alice, town.now()))
    visitor.is_told("Enter the code that your app shows for Acme User.", visitor.code_field)
    expect(visitor.code_field).to_have_value("")
    old = alice.code(town.now() - 3 * MINUTE)
    visitor.give_code(old)
    visitor.is_told("That code has expired. Enter the next code your app shows.", visitor.code_field)
    visitor.give_code(alice.code(town.now()))
    visitor.sees("Apps")


def test_after_the_last_attempt_sign_in_is_paused_until_an_administrator_unlocks_it(
    town: Town, visits: Visits, alice: Account
) -> None:
    visitor = visits()
    visitor.page.goto(f"{town.base}/")
    visitor.goes_to_code(alice)
    wrong = never_right(alice, town.now())
    for left in range(ATTEMPTS - 1, 0, -1):
        visitor.give_code(wrong)
        words = {1: "You have 1 attempt left before sign-in is paused."}
        words |= {many: f"You have {many} attempts left before sign-in is paused." for many in (2, 3)}
        visitor.is_told(words.get(left, "That code is not right."), visitor.code_field)
    visitor.give_code(wrong)
    visitor.sees("Sign-in is paused")
    visitor.reads("It opens again at")
    visitor.reads("in 15 minutes")
    visitor.reads("Acme IT")
    assert visitor.page.get_by_role("main").get_by_role("button").count() == 0

    visitor.page.goto(f"{town.base}/")
    visitor.give_name(alice.username)
    visitor.give_password(alice.password)
    visitor.sees("Sign-in is paused")

    town.advance(MINUTE)
    root = visits()
    root.page.goto(f"{town.base}/admin")
    root.signs_in(town.admin, label="Email")
    root.sees("Overview")
    root.press(f"Unlock {alice.username.title()} Liddell")
    expect(root.page.get_by_role("status").filter(has_text="Sign-in is open again.")).to_be_visible()

    visitor.page.goto(f"{town.base}/")
    visitor.signs_in(alice)
    visitor.sees("Apps")


def test_wrong_passwords_pause_a_name_that_nobody_has_in_the_same_words(
    town: Town, visits: Visits, alice: Account
) -> None:
    said = []
    for name in (alice.username, f"nobody-{alice.username}"):
        visitor = visits()
        visitor.page.goto(f"{town.base}/")
        visitor.give_name(name)
        for _attempt in range(ATTEMPTS):
            visitor.give_password("not the password")
            visitor.page.wait_for_load_state()
        visitor.sees("Sign-in is paused")
        shown = visitor.page.get_by_role("main").inner_text()
        said.append(re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{4}", "REFERENCE", shown))
    assert said[0] == said[1]


def test_set_up_later_then_set_up_by_force_then_a_recovery_code(town: Town, visitor: Visitor) -> None:
    page, eve = visitor.page, town.people.take("newcomer")
    page.goto(f"{town.base}/")
    visitor.give_name(eve.username)
    visitor.give_password(eve.password)
    visitor.sees("Set up your authenticator app")
    visitor.reads("Acme asks for a second step at sign-in")
    visitor.press(f"Set up later ({ENROLMENT_DAYS} days left)")
    visitor.sees("Apps")
    visitor.reads(f"{ENROLMENT_DAYS} days left to set up a second step")
    visitor.signs_out()

    town.advance((ENROLMENT_DAYS + 1) * DAY)
    page.get_by_role("link", name="Sign in again").click()
    visitor.give_name(eve.username)
    visitor.give_password(eve.password)
    visitor.sees("Set up your authenticator app")
    assert page.get_by_role("button", name=re.compile("Set up later")).count() == 0
    app = shown_key(visitor)
    visitor.give_code(never_right(app, town.now()), "Verify and finish")
    visitor.is_told("That code does not match.", visitor.code_field)
    visitor.give_code(app.code(town.now()), "Verify and finish")

    visitor.sees("Save your recovery codes")
    codes = page.locator("[data-codes] li").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_label("I have saved them in a safe place").check()
    visitor.press("Continue")
    visitor.sees("Apps")
    visitor.signs_out()

    town.advance(MINUTE)
    page.goto(f"{town.base}/")
    visitor.give_name(eve.username)
    visitor.give_password(eve.password)
    visitor.choose("Recovery code")
    visitor.sees("Enter a recovery code")
    field = page.get_by_label("Recovery code")
    expect(field).to_be_focused()
    field.fill("AAAA-AAAA-AAAA-AAAA")
    visitor.press("Verify")
    visitor.is_told("That recovery code is not right.", field)
    field.fill(codes[3].lower().replace("-", " "))
    visitor.press("Verify")
    visitor.sees("Apps")
    visitor.reads("You used a recovery code. 9 are left.")
    page.goto(f"{town.base}/security")
    visitor.reads("9 of 10 left.")


def test_a_forgotten_password_names_the_support_contact(town: Town, visitor: Visitor) -> None:
    for name in (town.people.take().username, "nobody-at-all"):
        visitor.page.goto(f"{town.base}/")
        visitor.give_name(name)
        visitor.sees("Enter your password")
        answer = visitor.page.get_by_text("Ask Acme IT to set a new one.")
        expect(answer).to_be_hidden()
        visitor.page.get_by_text("Forgot password?").click()
        expect(answer).to_be_visible()


def test_the_name_can_be_changed(town: Town, visitor: Visitor, alice: Account) -> None:
    visitor.page.goto(f"{town.base}/apps/handbook/launch")
    visitor.reads("to continue to")
    visitor.give_name("alise")
    visitor.sees("Enter your password")
    visitor.page.get_by_role("link", name="Change the username").click()
    visitor.sees("Sign in")
    expect(visitor.page.get_by_label("Username")).to_have_value("alise")
    visitor.give_name(alice.username)
    visitor.sees("Enter your password")
    visitor.reads(alice.username)
    visitor.give_password(alice.password)
    visitor.choose()
    visitor.give_code(alice.code(town.now()))
    visitor.sees("The handbook")


def test_another_method_and_another_name_can_be_chosen_behind_the_password(
    town: Town, visitor: Visitor, alice: Account
) -> None:
    bob = town.people.take()
    visitor.page.goto(f"{town.base}/")
    visitor.goes_to_code(alice)
    visitor.press("Use another method")
    visitor.sees("Verify your identity")
    visitor.press("Change the username")
    visitor.signs_in(bob)
    visitor.sees("Apps")
    visitor.reads(bob.username)


def test_two_tabs_of_one_browser_do_not_disturb_each_other(town: Town, visitor: Visitor, alice: Account) -> None:
    bob = town.people.take()
    one, two = visitor, visitor.new_tab()
    one.page.goto(f"{town.base}/apps/handbook/launch")
    two.page.goto(f"{town.base}/login")
    one.give_name(alice.username)
    two.give_name(bob.username)
    one.give_password(alice.password)
    one.choose()
    two.give_password(bob.password)
    one.sees("Enter your code")
    two.choose()
    two.give_code(bob.code(town.now()))
    two.sees("Apps")
    two.reads(f"{bob.username.title()} Liddell")
    one.give_code(alice.code(town.now()))
    one.sees("The handbook")
    two.page.reload()
    two.reads(f"{alice.username.title()} Liddell")


def test_the_sign_in_goes_on_after_a_restart_of_the_server(town: Town, visitor: Visitor, alice: Account) -> None:
    visitor.page.goto(f"{town.base}/apps/handbook/launch")
    visitor.give_name(alice.username)
    visitor.sees("Enter your password")
    town.restart()
    visitor.give_password(alice.password)
    visitor.choose()
    visitor.sees("Enter your code")
    town.restart()
    visitor.give_code(alice.code(town.now()))
    visitor.sees("The handbook")
    visitor.page.goto(f"{town.base}/")
    visitor.sees("Apps")
    town.restart()
    visitor.page.reload()
    visitor.sees("Apps")


def test_a_sign_in_of_more_than_ten_minutes_starts_again_and_still_gets_to_the_application(
    town: Town, visitor: Visitor, alice: Account
) -> None:
    visitor.page.goto(f"{town.base}/apps/handbook/launch")
    visitor.goes_to_code(alice)
    town.advance(11 * MINUTE)
    visitor.give_code(alice.code(town.now()))
    visitor.sees("This sign-in took too long")
    visitor.reads("Start again; you will still get to Handbook.")
    town.advance(30 * MINUTE)
    visitor.press("Start again")
    visitor.reads("to continue to")
    visitor.signs_in(alice)
    visitor.sees("The handbook")


def test_signing_out_asks_and_ends(town: Town, visitor: Visitor, alice: Account) -> None:
    page = visitor.page
    page.goto(f"{town.base}/")
    visitor.signs_in(alice)
    visitor.sees("Apps")
    page.goto(f"{town.base}/logout")
    visitor.sees("Sign out?")
    page.get_by_role("link", name="Stay signed in").click()
    visitor.sees("Apps")
    visitor.signs_out()
    page.go_back()
    visitor.sees("Sign in")
    page.goto(f"{town.base}/security")
    visitor.sees("Sign in")
    town.advance(MINUTE)
    visitor.signs_in(alice)
    visitor.sees("Security")


def test_going_back_after_the_sign_in_shows_no_error(
    town: Town, visitor: Visitor, alice: Account, has_script: bool
) -> None:
    page = visitor.page
    page.goto(f"{town.base}/")
    visitor.goes_to_code(alice)
    if has_script:  # without it the browser itself asks before it sends a form again
        visitor.give_code(never_right(alice, town.now()))
        visitor.is_told("That code is not right.", visitor.code_field)
        page.reload()
        expect(page).not_to_have_title(re.compile("Error"))
    visitor.give_code(alice.code(town.now()))
    visitor.sees("Apps")
    for _step in range(3):
        answer = page.go_back()
        assert answer is None or answer.status < 400
        expect(page).not_to_have_title(re.compile("Error|took too long"))
        expect(visitor.heading).to_have_count(1)
    page.goto(f"{town.base}/")
    visitor.sees("Apps")
