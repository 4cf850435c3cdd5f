"""One run of each kind of client in a real Chromium, with its own cookies and its own way of sending forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from clients.acme import Acme
from clients.apache import Apache
from support.browserless import Account

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

Somebody = Callable[[], Account]


@pytest.fixture(scope="module", params=[True, False], ids=["script", "no-script"])
def with_script(request: pytest.FixtureRequest) -> bool:
    """Whether JavaScript is on."""
    return bool(request.param)


@pytest.fixture(scope="module")
def page(with_script: bool) -> Iterator[Page]:
    """A page of Debian's Chromium; each test clears its cookies first."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = chromium.new_context(java_script_enabled=with_script)
        context.set_default_timeout(15_000)
        yield context.new_page()
        chromium.close()


@pytest.fixture(autouse=True)
def _fresh(page: Page) -> None:
    page.context.clear_cookies()


def sign_in(page: Page, account: Account) -> None:
    page.get_by_label("Username").fill(account.username)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Verify your identity")
    page.get_by_role("button", name="Authenticator app").click()
    page.locator("input[name=code]").fill(account.code())
    page.get_by_role("button", name="Verify").click()


def carry_on(page: Page, address: str, *, with_script: bool) -> None:
    """Without script the page that carries an assertion waits for its button."""
    if not with_script:
        page.locator("form:has(input[name=SAMLResponse])").get_by_role("button").click()
    page.wait_for_url(f"{address}**")


def test_mellon(
    apache: Apache,
    somebody: Somebody,
    page: Page,
    with_script: bool,
) -> None:
    alice = somebody()
    page.goto(f"{apache.saml}/secret/")
    sign_in(page, alice)
    carry_on(page, f"{apache.saml}/secret/", with_script=with_script)
    expect(page.get_by_role("heading", level=1)).to_have_text("The secret page")


def test_mod_auth_openidc(apache: Apache, somebody: Somebody, page: Page) -> None:
    page.goto(f"{apache.oidc}/secret/")
    sign_in(page, somebody())
    page.wait_for_url(f"{apache.oidc}/secret/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("The secret page")


def test_openid_client(node: str, somebody: Somebody, page: Page) -> None:
    page.goto(f"{node}/openid-client/basic/login")
    sign_in(page, somebody())
    page.wait_for_url(f"{node}/**")
    assert '"claims"' in page.content()


def test_the_demo_applications_from_the_portal(
    acme: Acme,
    expenses: str,
    board: str,
    somebody: Somebody,
    page: Page,
    with_script: bool,
) -> None:
    alice = somebody()
    page.goto(f"{acme.base_url}/")
    sign_in(page, alice)
    page.get_by_role("link", name="Expenses").first.click()
    carry_on(page, expenses, with_script=with_script)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {alice.username.title()}")
    page.goto(f"{acme.base_url}/")
    page.get_by_role("link", name="Board").first.click()
    page.get_by_role("link", name="Sign in with Doorward").or_(
        page.get_by_role("heading", name="Hello")
    ).first.wait_for()
    page.wait_for_url(f"{board}/**")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {alice.username.title()}")
