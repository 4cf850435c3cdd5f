# Security: a service provider accepts a stranger's XML here (tests/clients/test_demo_apps.py, XA-21).
"""Expenses: a SAML 2.0 service provider on python3-saml.

The library checks signatures, times, issuer and audience. It keeps no memory and compares some addresses by their
beginning only, so this file adds what a service provider owes: each assertion once, an answer only to a request
that is still open, and the exact audience, recipient and destination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from doorward.cli.demo_apps import shell
from doorward.clock import MINUTE, SECOND, Clock, Instant, system_clock

_ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_REQUEST_LIVES: Final = 70 * MINUTE
"""As long as Doorward keeps the destination of a sign-in (60 minutes), and a little more."""
_MOST_REQUESTS: Final = 10_000


class Refused(Exception):
    """The answer of the identity provider is not acceptable; the text says why."""


class _Element(Protocol):
    """What this application uses of an element of lxml."""

    def get(self, key: str, /) -> str | None: ...

    def iter(self, tag: str, /) -> Iterator[_Element]: ...


class _Metadata(Protocol):
    """What reads the metadata of an identity provider in python3-saml."""

    def parse_remote(self, url: str, *, timeout: int) -> dict[str, object]: ...


class _Response(Protocol):
    """What this application uses of python3-saml's response. The library has no types."""

    document: _Element

    def is_valid(self, request_data: object, request_id: str | None = None, raise_exceptions: bool = False) -> bool: ...  # noqa: FBT001, FBT002 - the library's own signature

    def get_in_response_to(self) -> str | None: ...

    def get_audiences(self) -> list[str]: ...

    def get_assertion_id(self) -> str: ...

    def get_assertion_not_on_or_after(self) -> int | None: ...

    def get_nameid(self) -> str: ...

    def get_nameid_format(self) -> str | None: ...

    def get_session_index(self) -> str | None: ...

    def get_authn_contexts(self) -> list[str]: ...

    def get_attributes(self) -> dict[str, list[str]]: ...


class _Login(Protocol):
    """What begins a sign-in in python3-saml."""

    def login(self, return_to: str) -> str: ...

    def get_last_request_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """An assertion that passed every check."""

    name_id: str
    name_id_format: str
    authn_contexts: tuple[str, ...]
    session_index: str
    attributes: dict[str, list[str]]
    was_asked_for: bool


@dataclass(slots=True)
class Memory:
    """What must happen once: requests that are still open, and assertions that were taken."""

    open_requests: dict[str, Instant] = field(default_factory=dict[str, Instant])
    taken: dict[str, Instant] = field(default_factory=dict[str, Instant])

    def asked(self, request_id: str, now: Instant) -> None:
        """Remember a request that was sent."""
        self._forget(now)
        while len(self.open_requests) >= _MOST_REQUESTS:
            del self.open_requests[next(iter(self.open_requests))]
        self.open_requests[request_id] = now + _REQUEST_LIVES

    def answered(self, request_id: str, now: Instant) -> None:
        """Close a request by its one answer.

        Requests are not bound to the browser: the answer may come by a cross-site POST, which brings no Lax cookie,
        and an unsolicited answer is accepted from anybody anyway.

        Raises:
            Refused: no such request is open.
        """
        self._forget(now)
        if self.open_requests.pop(request_id, None) is None:
            raise Refused("The sign-in answers a request that this application did not make, or made long ago.")

    def take(self, assertion_id: str, until: Instant, now: Instant) -> None:
        """Take an assertion once (SAML Profiles §4.1.4.5).

        Raises:
            Refused: it was taken before.
        """
        self._forget(now)
        if assertion_id in self.taken:
            raise Refused("This sign-in has been used already.")
        self.taken[assertion_id] = until

    def _forget(self, now: Instant) -> None:
        for kept in (self.open_requests, self.taken):
            for key in [key for key, until in kept.items() if until <= now]:
                del kept[key]


@dataclass(slots=True)
class ServiceProvider:
    """The SAML side of the application: settings from Doorward's metadata, requests out, answers in."""

    base_url: str
    doorward: str
    clock: Clock
    memory: Memory = field(default_factory=Memory)
    known: OneLogin_Saml2_Settings | None = None

    @property
    def entity_id(self) -> str:
        """Name this application."""
        return f"{self.base_url}/metadata"

    @property
    def acs(self) -> str:
        """The address that takes assertions."""
        return f"{self.base_url}/acs"

    def settings(self, *, fresh: bool = False) -> OneLogin_Saml2_Settings:
        """Give python3-saml's settings, made of Doorward's metadata at first use."""
        if self.known is None or fresh:
            reader = cast("_Metadata", OneLogin_Saml2_IdPMetadataParser)
            parsed = reader.parse_remote(f"{self.doorward}/saml/metadata", timeout=5)
            self.known = OneLogin_Saml2_Settings(
                {**self._own_settings(), "idp": parsed["idp"]}, sp_validation_only=False
            )
        return self.known

    def _own_settings(self) -> dict[str, object]:
        return {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": self.entity_id,
                "assertionConsumerService": {
                    "url": self.acs,
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                },
                "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantMessagesSigned": True,
                "wantAttributeStatement": False,
                "requestedAuthnContext": False,
                "rejectDeprecatedAlgorithm": True,
                "allowRepeatAttributeName": False,
            },
        }

    def begin(self, to: str) -> str:
        """Make an AuthnRequest that leads back to `to`, and give the address that carries it."""
        login = cast("_Login", OneLogin_Saml2_Auth(self._request_data({}), self.settings()))
        address = login.login(return_to=to)
        self.memory.asked(login.get_last_request_id(), self.clock())
        return address

    def accept(self, encoded: str) -> Accepted:
        """Check an answer of the identity provider and take it.

        Raises:
            Refused: a check failed.
        """
        try:
            response = cast("_Response", OneLogin_Saml2_Response(self.settings(), encoded))
            response.is_valid(self._request_data({"SAMLResponse": encoded}), raise_exceptions=True)
        except Exception as wrong:  # the library raises its own errors and those of lxml, xmlsec and base64
            raise Refused(f"The sign-in could not be verified: {wrong}") from wrong
        self._check_addresses(response)
        now = self.clock()
        asked = response.get_in_response_to()
        until = response.get_assertion_not_on_or_after()
        self.memory.take(response.get_assertion_id(), now + _REQUEST_LIVES if until is None else until * SECOND, now)
        if asked is not None:
            self.memory.answered(asked, now)
        return Accepted(
            name_id=response.get_nameid(),
            name_id_format=response.get_nameid_format() or "",
            authn_contexts=tuple(response.get_authn_contexts()),
            session_index=response.get_session_index() or "",
            attributes=response.get_attributes(),
            was_asked_for=asked is not None,
        )

    def _check_addresses(self, response: _Response) -> None:
        if response.get_audiences() != [self.entity_id]:
            raise Refused("The sign-in was made for another application.")
        if response.document.get("Destination") != self.acs:
            raise Refused("The sign-in was sent to another address.")
        recipients = [
            data.get("Recipient") for data in response.document.iter(f"{{{_ASSERTION}}}SubjectConfirmationData")
        ]
        if recipients != [self.acs]:
            raise Refused("The sign-in names another recipient.")

    def _request_data(self, post: dict[str, str]) -> dict[str, object]:
        """Describe a request to python3-saml: always under our own configured address, whatever Host says."""
        parts = urlsplit(self.base_url)
        return {
            "https": "on" if parts.scheme == "https" else "off",
            "http_host": parts.netloc,
            "script_name": "/acs",
            "get_data": {},
            "post_data": post,
        }


def create_app(base_url: str, doorward: str, clock: Clock = system_clock) -> Starlette:
    """Compose the application."""
    app = shell.DemoApp(
        name="Expenses",
        built_on="python3-saml",
        about="SAML 2.0 service provider",
        base_url=base_url,
        doorward=doorward,
        cookie="demo-expenses",
        tint="blue",
    )
    provider = ServiceProvider(base_url, doorward, clock)

    async def home(request: Request) -> Response:
        return shell.home_page(app, _signed_in(request), here=request.url.path)

    async def login(request: Request) -> Response:
        to = shell.own_path(request.query_params.get("to"))
        try:
            return RedirectResponse(await run_in_threadpool(provider.begin, to), status_code=302)
        except OSError as away:
            return shell.refusal_page(app, f"Doorward could not be reached: {away}", 503)

    async def acs(request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=10)
        encoded, relay_state = form.get("SAMLResponse"), form.get("RelayState")
        try:
            accepted = await run_in_threadpool(provider.accept, str(encoded or ""))
        except Refused as refused:
            return shell.refusal_page(app, str(refused))
        request.session.clear()
        request.session["accepted"] = accepted
        return RedirectResponse(shell.own_path(str(relay_state or "/")), status_code=303)

    async def metadata(_request: Request) -> Response:
        settings = await run_in_threadpool(provider.settings)
        return Response(cast("bytes | str", settings.get_sp_metadata()), media_type="application/samlmetadata+xml")

    routes = [
        Route("/", home),
        Route("/reports/{name}", home),
        Route("/login", login),
        Route("/acs", acs, methods=["POST"]),
        Route("/metadata", metadata),
        Route("/sign-out", shell.sign_out_here, methods=["POST"]),
        Route("/style.css", shell.style),
    ]
    return Starlette(routes=routes, middleware=[Middleware(shell.MemorySessions, cookie=app.cookie)])


def _signed_in(request: Request) -> shell.SignedInPage | None:
    accepted = cast("object", request.session.get("accepted"))
    if not isinstance(accepted, Accepted):
        return None
    attributes = [(name, ", ".join(values)) for name, values in accepted.attributes.items()]
    assertion = [
        ("NameID", accepted.name_id),
        ("Format", accepted.name_id_format),
        ("AuthnContextClassRef", ", ".join(accepted.authn_contexts)),
        ("SessionIndex", accepted.session_index),
        ("Begun by", "this application" if accepted.was_asked_for else "the User Portal"),
    ]
    name = next(iter(accepted.attributes.get("displayName", [])), accepted.name_id)
    return shell.SignedInPage(
        name=name,
        line="You were signed in by a SAML assertion.",
        facts=[shell.Facts("From the assertion", assertion), shell.Facts("Attributes", attributes)],
    )


def main() -> None:
    """Run the application."""
    started = shell.read_command_line("The SAML application of the Doorward demo.")
    shell.run(create_app(started.base_url, started.doorward), started)


if __name__ == "__main__":
    main()
