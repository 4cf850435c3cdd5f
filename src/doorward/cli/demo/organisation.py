"""The demo's folder and its organisation: who may sign in with what, made on each machine and kept there (0600)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, cast

from doorward.cli.demo_apps.addresses import BOARD, EXPENSES, DemoAddresses

KEPT_FILE: Final = "demo.json"
"""Marks a folder as made by the demo, and holds what its people type."""

PERIOD_SECONDS: Final = 60
_MARK: Final = "Doorward demo: made on this machine, of no use elsewhere"
_WORDS: Final = (
    "acorn amber anchor apple badger bamboo barley beacon birch bramble breeze bridge candle canyon cedar cherry "
    "cinder clover cobalt copper coral cotton cricket crystal daisy falcon feather fennel garnet ginger glacier harbor "
    "hazel heron indigo island ivory jasmine juniper kettle lantern lemon linen lotus maple marble meadow mellow "
    "nutmeg olive orchid otter pebble pepper poplar quartz raven river saffron silver sparrow thistle timber velvet"
)


class NotADemo(Exception):
    """The folder exists and was not made by the demo, or its file cannot be read. One sentence with the mend."""


@dataclass(frozen=True, slots=True)
class Login:
    """What one person or administrator types. `secret` is the authenticator's, in base32; None: none set up yet."""

    typed: str
    name: str
    about: str
    password: str
    secret: str | None
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What the demo keeps in its folder."""

    logins: tuple[Login, ...]
    client_secret: str


def make_folder(folder: Path) -> Kept:
    """Make the demo's folder, complete with its file or not at all.

    Raises:
        NotADemo: something stands there already, or it cannot be made.
    """
    kept = Kept(
        logins=(
            _login("alice", "Alice Liddell", "engineering, with both demo applications"),
            _login("bob", "Bob Crane", "in no group that has an application: an empty portal, a polite refusal"),
            _login("carol", "Carol Ames", "engineering, nothing set up yet: sets up an authenticator", has_code=False),
            _login("admin@acme.example", "Ada Root", "administrator, at /admin", is_admin=True),
        ),
        client_secret=secrets.token_urlsafe(32),
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))  # mode 0700
        _write(draft / KEPT_FILE, kept)
        if folder.exists():
            raise FileExistsError(folder)
        draft.rename(folder)
    except OSError as error:
        raise NotADemo(f"The demo's folder {folder} cannot be made ({error}); name another with --data.") from error
    return kept


def read_folder(folder: Path) -> Kept:
    """Read what the demo keeps.

    Raises:
        NotADemo: the folder was not made by the demo.
    """
    try:
        read = cast("object", json.loads((folder / KEPT_FILE).read_text("utf-8")))
    except FileNotFoundError:
        raise NotADemo(
            f"{folder} exists and was not made by `doorward demo`; name another folder with --data."
        ) from None
    except (OSError, ValueError) as error:
        raise NotADemo(f"{folder / KEPT_FILE} cannot be read ({error}); name another folder with --data.") from error
    if not isinstance(read, dict) or cast("Mapping[str, object]", read).get("mark") != _MARK:
        raise NotADemo(f"{folder / KEPT_FILE} is not the demo's file; name another folder with --data.")
    try:
        return _parsed(cast("Mapping[str, object]", read))
    except (KeyError, TypeError) as error:
        raise NotADemo(f"{folder / KEPT_FILE} is damaged; remove {folder} and start the demo again.") from error


def organisation(kept: Kept, at: DemoAddresses) -> dict[str, object]:
    """Give the whole organisation file of the demo."""
    people = [login for login in kept.logins if not login.is_admin]
    return {
        "organization": {
            "name": "Acme",
            "domains": ["acme.example"],
            "support": {"name": "Acme IT", "email": "help@acme.example"},
        },
        "groups": [{"name": "engineering"}, {"name": "visitors"}],
        "users": [_user(login) for login in people],
        "admins": [_admin(login) for login in kept.logins if login.is_admin],
        "applications": [*own_applications(kept, at), *_bookmarks()],
    }


def own_applications(kept: Kept, at: DemoAddresses) -> list[dict[str, object]]:
    """Give the two demo applications, whose addresses follow the flags of each start."""
    expenses: dict[str, object] = {
        "slug": EXPENSES,
        "name": "Expenses",
        "description": "Receipts and travel costs",
        "groups": ["engineering"],
        "saml": {
            "entity_id": f"{at.saml_app}/metadata",
            "acs_urls": [f"{at.saml_app}/acs"],
            "attributes": {"displayName": "user.name", "mail": "user.email", "username": "user.username"},
            "groups_attribute": "memberOf",
        },
    }
    board: dict[str, object] = {
        "slug": BOARD,
        "name": "Board",
        "description": "Tasks of the week",
        "groups": ["engineering"],
        "start_url": f"{at.oidc_app}/login",
        "oidc": {
            "client_id": BOARD,
            "client_secret": kept.client_secret,
            "redirect_uris": [f"{at.oidc_app}/callback"],
            "grant_types": ["authorization_code"],
        },
    }
    return [expenses, board]


def _bookmarks() -> list[dict[str, object]]:
    places = (
        ("calendar", "Calendar", "Meetings and rooms"),
        ("canteen", "Canteen", "Lunch this week"),
        ("design", "Design system", "Colours, type, components"),
        ("handbook", "Handbook", "How we work"),
        ("helpdesk", "Help desk", "Ask Acme IT"),
        ("status", "Status", "Is everything up?"),
        ("travel", "Travel", "Trains and hotels"),
        ("wiki", "Wiki", "What we know"),
    )
    return [
        {
            "slug": slug,
            "name": name,
            "description": description,
            "groups": ["engineering"],
            "bookmark": {"url": f"https://{slug}.acme.example/"},
        }
        for slug, name, description in places
    ]


def _user(login: Login) -> dict[str, object]:
    given_name, _, family_name = login.name.partition(" ")
    group = "visitors" if login.typed == "bob" else "engineering"
    return {
        "username": login.typed,
        "email": f"{login.typed}@acme.example",
        "email_verified": True,
        "name": login.name,
        "given_name": given_name,
        "family_name": family_name,
        "password": login.password,
        "groups": [group],
        **_authenticator(login),
    }


def _admin(login: Login) -> dict[str, object]:
    return {
        "email": login.typed,
        "name": login.name,
        "role": "owner",
        "password": login.password,
        **_authenticator(login),
    }


def _authenticator(login: Login) -> dict[str, object]:
    return {} if login.secret is None else {"totp": {"secret": login.secret, "period_seconds": PERIOD_SECONDS}}


def _login(typed: str, name: str, about: str, *, has_code: bool = True, is_admin: bool = False) -> Login:
    words = secrets.SystemRandom().sample(_WORDS.split(), 4)
    password = "-".join([*words, str(secrets.randbelow(90) + 10)])
    secret = base64.b32encode(secrets.token_bytes(20)).decode("ascii") if has_code else None
    return Login(typed, name, about, password, secret, is_admin)


def _write(path: Path, kept: Kept) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"mark": _MARK, **asdict(kept)}, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _parsed(read: Mapping[str, object]) -> Kept:
    logins = cast("Sequence[Mapping[str, object]]", read["logins"])
    return Kept(
        logins=tuple(
            Login(
                typed=str(login["typed"]),
                name=str(login["name"]),
                about=str(login["about"]),
                password=str(login["password"]),
                secret=None if login["secret"] is None else str(login["secret"]),
                is_admin=login["is_admin"] is True,
            )
            for login in logins
        ),
        client_secret=str(read["client_secret"]),
    )
