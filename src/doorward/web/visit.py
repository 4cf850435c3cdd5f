"""What belongs to one request: from where it came, what its cookies say, and what its answer will carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from starlette.requests import HTTPConnection

from doorward.audit import Caller, new_reference
from doorward.audit.events import MAX_USER_AGENT
from doorward.web.address import client_address
from doorward.web.site import Site

if TYPE_CHECKING:
    from starlette.types import Scope

    from doorward.organization import Organization
    from doorward.signin.sessions import AdminSession, Session

VISIT: Final = "doorward.visit"

_Header = tuple[bytes, bytes]


@dataclass(slots=True)
class Visit:
    """The working state of one request, filled in as far as it is needed. It never outlives the request."""

    site: Site
    headers: list[_Header]
    peer: str | None
    cookies: dict[str, str] | None = None
    set_cookies: dict[str, str] = field(default_factory=dict[str, str])
    browser: str | None = None
    organization: Organization | None = None
    session: Session | None = None
    is_session_read: bool = False
    admin_session: AdminSession | None = None
    fields: dict[str, str] | None = None
    _reference: str | None = None
    _address: str | None = None

    @property
    def reference(self) -> str:
        """The reference of this request: on its pages, in its log lines and in its audit events."""
        if self._reference is None:
            self._reference = new_reference()
        return self._reference

    @property
    def address(self) -> str:
        """The address of the client, as far as trusted proxies tell it."""
        if self._address is None:
            forwarded = self.all(b"x-forwarded-for")
            self._address = client_address(self.peer, forwarded, self.site.deployment.trusted_proxies)
        return self._address

    def header(self, name: bytes) -> str:
        """Give the first header of that lower-case name, or an empty text."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return ""

    def all(self, name: bytes) -> list[str]:
        """Give every header of that lower-case name, in order."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]


def arrive(scope: Scope, site: Site) -> Visit:
    """Begin the visit of a request."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    visit = Visit(site, cast("list[_Header]", scope["headers"]), client[0] if client else None)
    scope[VISIT] = visit
    return visit


def visit_of(request: HTTPConnection) -> Visit:
    """Give the visit that `request` is."""
    return cast("Visit", request.scope[VISIT])


def path_of(request: HTTPConnection) -> str:
    """Give the decoded path that `request` asks for."""
    return cast("str", request.scope["path"])


def caller_of(request: HTTPConnection) -> Caller:
    """Tell the audit log from where `request` comes."""
    visit = visit_of(request)
    return Caller(visit.address, visit.header(b"user-agent")[:MAX_USER_AGENT], visit.reference)
