"""Conversations by SAML with a house of the tests: a wiki, a person, and what the provider asks and gets."""

from __future__ import annotations

import re

import httpx2

from doorward.apps import AttributeRule, SamlProvider
from doorward.directory import Person
from support.house import BASE, PASSWORD, Browser, House
from support.saml import ACS, ENTITY_ID, Asks, Posted, posted_by, redirect_query

PASSWORD_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
REFEDS_MFA = "https://refeds.org/profile/mfa"
PROVIDER = SamlProvider(
    ENTITY_ID,
    (ACS,),
    attributes={"mail": AttributeRule("user.email"), "uid": AttributeRule("user.username", "uri")},
    groups_attribute="memberOf",
)


def asks(house: House, **fields: object) -> Asks:
    """A request to this house, of now."""
    return Asks(**{"destination": f"{BASE}/saml/sso", "issued": house.clock(), **fields})


def wiki(house: House, provider: SamlProvider = PROVIDER, **fields: object) -> None:
    """Register the wiki, given to the engineers."""
    house.application("wiki", kind=provider, **fields)


def alice(house: House, *, groups: tuple[str, ...] = ("engineering",), **fields: object) -> Person:
    """An engineer."""
    return house.person("alice", groups=groups, email="alice@acme.example", **fields)


def redirected(browser: Browser, request: Asks, relay_state: str | None = None, **headers: str) -> httpx2.Response:
    """Send a request by the Redirect binding."""
    return browser.get(f"/saml/sso?{redirect_query(request.xml(), relay_state)}", **headers)


def answered(response: httpx2.Response) -> Posted:
    """Read what the page sends to the provider."""
    assert response.status_code == 200, response.text
    return posted_by(response.text)


def reasons(house: House) -> list[str | None]:
    """Why launches were refused, newest first."""
    return [entry.event.reason for entry in house.events("app.refused")]


def sign_in(house: House, browser: Browser, address: str, name: str = "alice") -> str:
    """Go through the sign-in that waits at `address`; gives where it leads."""
    fields = {"tx": address.partition("tx=")[2]}
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(address).text)[1]
    for path, more in (
        ("/login", {"username": name}),
        ("/login/password", {"password": PASSWORD}),
        ("/login/code", {"code": house.code()}),
    ):
        led = browser.raw_post(path, {"csrf": token, **fields, **more})
        if path == "/login/password":
            page = browser.get(led.headers["location"]).text if led.status_code == 303 else led.text
            method = re.search(r'name="method" value="([^"]+)"', page)
            if method:
                browser.raw_post("/login/method", {"csrf": token, **fields, "method": method[1]})
    assert led.status_code == 303, led.text
    if len([cookie for cookie in browser.client.cookies.jar if cookie.name == "doorward"]) > 1:
        browser.client.cookies.delete("doorward", domain="", path="/")  # a browser keeps one cookie of a name
    return str(led.headers["location"])
