# Security: everything that a browser sends is read here (tests/web/test_forms.py).
"""Forms and queries, read strictly: bounded, each field once, valid UTF-8, no NUL. Anything else is a 4xx page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from doorward.web.refusals import BadInput, Refusal
from doorward.web.visit import visit_of

KIB: Final = 1024
FORM_LIMIT: Final = 64 * KIB
_MOST_FIELDS: Final = 64
_MOST_QUERY: Final = 32 * KIB
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form or query, each once."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])

    def one(self, name: str) -> str:
        """Give the field `name`; a missing one is empty, as browsers leave out what is not ticked."""
        return self.fields.get(name, "")

    def needed(self, name: str) -> str:
        """Give the field `name`, which our own pages always send.

        Raises:
            BadInput: it is missing or empty.
        """
        value = self.fields.get(name, "")
        if not value:
            raise BadInput(f"field {name} is missing")
        return value


async def read_form(request: Request, limit: int = FORM_LIMIT) -> Form:
    """Read the form that `request` carries, at most `limit` bytes. Asked again, it gives the same form.

    Raises:
        BadInput: it is too large, of another type, doubled, damaged or cut off.
    """
    visit = visit_of(request)
    if visit.fields is None:
        kind = visit.header(b"content-type").split(";")[0].strip().lower()
        body = await read_body(request, limit)
        if body and kind != _FORM_TYPE:
            raise BadInput("the form has another content type", Refusal.WRONG_TYPE)
        visit.fields = parse_fields(body)
    return Form(visit.fields)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body of `request`, at most `limit` bytes.

    Raises:
        BadInput: it is larger, or was cut off.
    """
    declared = visit_of(request).header(b"content-length")
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > limit):
        raise BadInput("the body is too large", Refusal.TOO_LARGE)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise BadInput("the body is too large", Refusal.TOO_LARGE)
            parts.append(part)
    except ClientDisconnect as gone:
        raise BadInput("the client went away") from gone
    return b"".join(parts)


def read_query(request: Request) -> Form:
    """Read the query of `request`.

    Raises:
        BadInput: it is too long, doubled or damaged.
    """
    raw = cast("bytes", request.scope["query_string"])
    if len(raw) > _MOST_QUERY:
        raise BadInput("the query is too long", Refusal.TOO_LONG)
    return Form(parse_fields(raw))


def parse_fields(raw: bytes) -> dict[str, str]:
    """Parse `application/x-www-form-urlencoded` (URL Standard §5.1), stricter than browsers write it.

    Raises:
        BadInput: a field stands twice, there are too many, or the octets are no UTF-8 text without NUL.
    """
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadInput("the fields are too many or no UTF-8") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise BadInput("a field stands twice")
        if "\0" in name or "\0" in value:
            raise BadInput("a field holds NUL")
        found[name] = value
    return found
