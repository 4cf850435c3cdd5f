"""The XML attack corpus (STANDARDS 2.5): refused with the expected reason, in bounded time, reading nothing else.

`corpus/make.py` makes the files and says what each is. `test_corpus_by_http.py` sends the same files to the server.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.apps import App, SamlProvider
from doorward.protocols.saml.bindings import from_form, from_query
from doorward.protocols.saml.receive import accepted, known, opened
from doorward.protocols.saml.refusals import SamlError
from support.clocks import START
from support.saml import ACS, ENDPOINT, ENTITY_ID, posted, redirect_query, saml_app

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, str] = json.loads((CORPUS / "expected.json").read_text("utf-8"))
PROVIDER = SamlProvider(ENTITY_ID, (ACS,), signing_certificates=((CORPUS / "provider.pem").read_text("ascii"),))
APP = saml_app(PROVIDER)
STRICT = saml_app(replace(PROVIDER, require_signed_requests=True))
WATCHED = {"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}


class Watch:
    """Hears of every file and every connection that Python opens, once it is switched on."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event in WATCHED:
            self.heard.append((event, str(arguments[:1])))


WATCH = Watch()


def outcome(octets: bytes, app: App = APP) -> str:
    """Judge a message as the POST binding brings it."""
    try:
        received = opened(from_form({"SAMLRequest": posted(octets)}))
        registered = [app] if received.issuer == ENTITY_ID else []
        accepted(known(received, registered, ENDPOINT), None, START)
    except SamlError as error:
        return error.reason.value
    return "accepted"


def test_every_file_of_the_corpus_is_expected() -> None:
    assert {path.name for path in CORPUS.glob("*.xml")} == set(EXPECTED)
    assert len(EXPECTED) > 80


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_xa01_to_xa19_each_message_leads_where_it_must(name: str) -> None:
    octets = (CORPUS / name).read_bytes()
    outcome((CORPUS / "ok-signed.xml").read_bytes())  # what is loaded on first use is loaded now
    WATCH.heard.clear()
    WATCH.on = True
    begun = time.perf_counter()
    try:
        found = outcome(octets)
    finally:
        WATCH.on = False
    assert found == EXPECTED[name]
    assert time.perf_counter() - begun < 0.25
    assert WATCH.heard == []


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if name.startswith(("xa09", "xa1", "xa06", "xa07"))))
def test_a69_no_wrapped_message_passes_for_a_provider_that_must_sign(name: str) -> None:
    assert outcome((CORPUS / name).read_bytes(), STRICT) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if name.startswith(("xa01", "xa02", "xa16"))))
def test_hostile_markup_is_refused_in_the_redirect_binding_too(name: str) -> None:
    with pytest.raises(SamlError) as error:
        opened(from_query(redirect_query((CORPUS / name).read_bytes()).encode()))
    assert error.value.reason.value == EXPECTED[name]


def test_xa18_a_signed_message_changed_anywhere_is_not_accepted() -> None:
    """Whatever octet is changed, either the message is refused or what was read is what was signed."""
    octets = (CORPUS / "ok-signed.xml").read_bytes()
    key_info = range(octets.find(b"<ds:KeyInfo"), octets.find(b"</ds:KeyInfo>"))  # what it says is not read
    for at in (at for at in range(0, len(octets), 37) if at not in key_info):
        changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
        assert outcome(changed, STRICT) != "accepted", (at, changed[at - 20 : at + 20])
