"""Opening applications in Debian's Chromium: from the portal and from both kinds of application, near and far."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import Browser, expect

from browser.places import Place, running_place
from browser.town import new_people
from browser.visitor import Visitor, running_chromium, visit
from doorward.clock import system_clock
from support.browserless import Account

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-launch")]

APPS = ("expenses", "board")
FAR = "different-sites-over-https"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium("--host-resolver-rules=MAP *.example 127.0.0.1") as chromium:
        yield chromium


@pytest.fixture(scope="module", params=[False, True], ids=["one-site", FAR])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA
) -> Iterator[Place]:
    people = new_people()
    people.add(30, "person")
    people.add(6, "outsider", groups=("visitors",))
    with running_place(tmp_path_factory.mktemp("place"), people, authority, far=bool(request.param)) as place:
        yield place


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def visitor(chromium: Browser, has_script: bool) -> Iterator[Visitor]:
    visitor = visit(chromium, system_clock, has_script=has_script)
    yield visitor
    visitor.page.context.close()
    assert visitor.problems == []


@pytest.fixture
def alice(place: Place) -> Account:
    return place.people.take()


def address(place: Place, app: str) -> str:
    return place.expenses if app == "expenses" else place.board


def arrives(visitor: Visitor, place: Place, app: str, account: Account, *, has_script: bool) -> None:
    """Land in the application. Without script the page that carries an assertion waits for its button."""
    if app == "expenses" and not has_script:
        visitor.sees("Opening Expenses")
        visitor.press("Continue")
    visitor.sees(f"Hello, {account.username.title()} Liddell")
    assert visitor.page.url.startswith(f"{address(place, app)}/")


def test_from_the_portal_with_a_session_each_application_opens_at_once(
    place: Place, visitor: Visitor, alice: Account, has_script: bool
) -> None:
    visitor.page.goto(f"{place.portal}/")
    visitor.signs_in(alice)
    for app in APPS:
        visitor.sees("Apps")
        visitor.page.get_by_role("link", name=app.title()).first.click()
        arrives(visitor, place, app, alice, has_script=has_script)
        visitor.page.goto(f"{place.portal}/")
    expect(visitor.page.get_by_role("region", name="Recently opened").get_by_role("listitem")).to_have_count(2)
    cookies = visitor.page.context.cookies(place.portal)
    ours = {cookie["name"]: cookie for cookie in cookies if "doorward" in cookie["name"]}
    prefix = "__Host-" if place.is_far else ""
    assert f"{prefix}doorward" in ours
    for name, cookie in ours.items():
        assert name.startswith(prefix)
        assert cookie["secure"] is place.is_far
        assert cookie["httpOnly"]
        assert cookie["path"] == "/"


@pytest.mark.parametrize("app", APPS)
def test_from_the_application_without_a_session_the_person_signs_in_and_lands_there(
    place: Place, visitor: Visitor, alice: Account, has_script: bool, app: str
) -> None:
    deep = "/reports/november" if app == "expenses" else "/cards/week"
    visitor.page.goto(f"{address(place, app)}{deep}")
    visitor.page.get_by_role("link", name="Sign in with Doorward").click()
    visitor.reads("to continue to")
    visitor.reads(app.title())
    visitor.signs_in(alice)
    arrives(visitor, place, app, alice, has_script=has_script)
    assert visitor.page.url == f"{address(place, app)}{deep}"
    other = next(each for each in APPS if each != app)
    visitor.page.goto(f"{address(place, other)}/")
    visitor.page.get_by_role("link", name="Sign in with Doorward").click()
    arrives(visitor, place, other, alice, has_script=has_script)


@pytest.mark.parametrize("app", APPS)
def test_a_launch_without_a_session_leads_through_the_sign_in(
    place: Place, visitor: Visitor, alice: Account, has_script: bool, app: str
) -> None:
    visitor.page.goto(f"{place.portal}/apps/{app}/launch")
    visitor.reads("to continue to")
    visitor.signs_in(alice)
    arrives(visitor, place, app, alice, has_script=has_script)


def test_a_person_without_the_group_is_told_so_and_nothing_leaves(place: Place, visitor: Visitor) -> None:
    bob = place.people.take("outsider")
    visitor.page.goto(f"{place.expenses}/")
    visitor.page.get_by_role("link", name="Sign in with Doorward").click()
    visitor.signs_in(bob)
    for app in APPS:
        visitor.sees(f"{app.title()} could not be opened")
        visitor.reads(f"{app.title()} has not been given to you yet.")
        assert visitor.page.url.startswith(f"{place.portal}/")
        assert visitor.page.locator("input[name=SAMLResponse]").count() == 0
        visitor.page.goto(f"{place.board}/")
        visitor.page.get_by_role("link", name="Sign in with Doorward").click()
    visitor.page.get_by_role("link", name="Go to my apps").click()
    visitor.sees("Apps")


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("place", [True], ids=[FAR], indirect=True)
def test_a_request_by_cross_site_post_signs_in_and_then_opens_at_once(
    place: Place, visitor: Visitor, alice: Account, has_script: bool, app: str
) -> None:
    page = visitor.page
    page.goto(f"{address(place, app)}/login-by-post")
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        visitor.press("Go to Doorward")
    assert answered.value.status == 303
    assert "cookie" not in answered.value.request.all_headers()
    visitor.reads("to continue to")
    visitor.signs_in(alice)
    arrives(visitor, place, app, alice, has_script=has_script)

    page.goto(f"{address(place, app)}/login-by-post")
    visitor.press("Go to Doorward")
    arrives(visitor, place, app, alice, has_script=has_script)
