"""The page that carries a Response: RelayState byte for byte, no markup of a stranger, one place to go (RS-01, A75)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from doorward.apps import SamlProvider
from doorward.organization import change
from support.house import LOCAL, SYSTEM, House
from support.saml import ACS, ENTITY_ID
from support.saml_house import alice, answered, asks, redirected, wiki

HOSTILE = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</form><form action=https://evil.example>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "a&b;c=d&#x41;&amp;",
    "\tTab and \r\n break \u2028 \u00e9 \U0001f98a",
    " padded ",
    "",
    "x" * 8192,
)


@pytest.mark.parametrize("relay_state", HOSTILE, ids=range(len(HOSTILE)))
def test_sr21_a75_relay_state_goes_back_byte_for_byte_and_is_never_markup(quick_house: House, relay_state: str) -> None:
    wiki(quick_house)
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house), relay_state)
    assert answered(page).fields["RelayState"] == relay_state
    assert len(re.findall(r"<form\b", page.text)) == 1
    scripts = re.findall(r"<script\b[^>]*>", page.text)
    assert all(re.search(r'src="/static/[\w.-]+"', script) for script in scripts)
    assert "<img" not in page.text


def test_sr21_without_a_relay_state_the_form_has_none(quick_house: House) -> None:
    wiki(quick_house)
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house))
    assert set(answered(page).fields) == {"SAMLResponse"}


def test_rs01_the_page_works_without_script_and_sends_to_one_origin_alone(quick_house: House) -> None:
    wiki(quick_house)
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house))
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert policy["form-action"] == "https://wiki.example"
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert re.search(r'<button class="[^"]*" type="submit">Continue</button>', page.text)
    assert len(re.findall(r"<h1", page.text)) == 1
    assert "hidden>" not in page.text.partition("<form")[2].partition("<button")[2].partition("</button")[0]
    assert " on" not in re.sub(r">[^<]*<", "><", page.text).replace(" one", "")
    assert "style=" not in page.text


@pytest.mark.parametrize(
    ("acs", "origin"),
    [
        ("https://wiki.example:8443/acs", "https://wiki.example:8443"),
        ("http://localhost:8001/acs", "http://localhost:8001"),
        ("http://127.0.0.1:8001/a?b=c;d,e'f", "http://127.0.0.1:8001"),
    ],
)
def test_rs01_the_origin_is_that_of_the_address(quick_house: House, acs: str, origin: str) -> None:
    wiki(quick_house, SamlProvider(ENTITY_ID, (acs,)))
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house, acs_url=acs))
    assert answered(page).action == acs
    assert page.headers["content-security-policy"].endswith(f"form-action {origin}")


def test_catalogue_4_the_address_keeps_its_query(quick_house: House) -> None:
    wiki(quick_house)
    assert "?" in ACS
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house))
    assert answered(page).action == ACS
    assert 'action="https://wiki.example/acs?tenant=a&amp;x=1"' in page.text


def test_a75_the_name_of_an_application_is_never_markup(quick_house: House) -> None:
    wiki(quick_house, name="<b>Wiki</b> & {{ org }}")
    page = redirected(quick_house.signed_in(alice(quick_house)), asks(quick_house))
    assert "<b>" not in page.text
    assert "&lt;b&gt;Wiki&lt;/b&gt; &amp; {{ org }}" in page.text


def test_the_page_of_one_person_is_that_of_another_but_for_what_it_carries(quick_house: House) -> None:
    """The page is made once for all: nothing of a person, a cookie or a request may be in what is kept."""
    wiki(quick_house)
    bob = quick_house.person("bob", groups=("engineering",), email="bob@acme.example")
    frames = set()
    for person in (alice(quick_house), bob):
        page = redirected(quick_house.signed_in(person), asks(quick_house), f"for {person.username}")
        sent = answered(page)
        assert sent.fields["RelayState"] == f"for {person.username}"
        assert person.email.encode() in sent.octets
        frames.add(page.text.replace(sent.fields["SAMLResponse"], "").replace(sent.fields["RelayState"], ""))
    assert len(frames) == 1
    assert not re.search("alice|bob", frames.pop(), re.IGNORECASE)


def test_a_change_of_the_organisation_shows_on_the_next_page(quick_house: House) -> None:
    wiki(quick_house)
    browser = quick_house.signed_in(alice(quick_house))
    assert "Acme" in redirected(browser, asks(quick_house)).text
    old = quick_house.organization()
    new = replace(old, name="Umbrella")
    quick_house.store.write(lambda c: change(c, SYSTEM, LOCAL, old, new, quick_house.clock()))
    page = redirected(browser, asks(quick_house)).text
    assert "Umbrella" in page
    assert "– Acme" not in page


def test_a_theme_and_a_status_have_pages_of_their_own(quick_house: House) -> None:
    wiki(quick_house)
    browser = quick_house.signed_in(alice(quick_house))
    assert "data-theme" not in redirected(browser, asks(quick_house)).text
    browser.client.cookies.set("doorward-theme", "dark")
    assert 'data-theme="dark"' in redirected(browser, asks(quick_house)).text
    error = redirected(browser, asks(quick_house, version="1.1"))
    assert answered(error).statuses == ["VersionMismatch", "RequestVersionTooLow"]
    assert "You are signed in" not in error.text
