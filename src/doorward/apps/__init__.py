"""Applications: what they are, to whom they are given, and whether somebody may open one now.

Owns the kinds and their rules, assignment by groups, the values that leave to an application, and client secrets.
Never speaks a protocol: it says what is registered, and `protocols` say it on the wire. Read `kinds.py` first,
then `access.py`.
"""

from __future__ import annotations

from doorward.apps.app import App, AppId, AppState, NewApp
from doorward.apps.kinds import AttributeRule, Bookmark, OidcClient, SamlProvider
from doorward.apps.launch import launch_address
from doorward.apps.opened import launch_event, note_opened, note_opened_once, opened_in
from doorward.apps.registry import by_client_id, by_entity_id, by_id, by_slug, given_to, listed
from doorward.apps.rules import Fault
from doorward.apps.secrets import add_client_secret, drop_client_secrets, new_client_secret, verify_client_secret
from doorward.apps.tiles import Tile, note_launch, set_favourite, tiles_for
from doorward.apps.writing import BadApp, change_app, create_app, groups_of_app, remove_app, set_app_groups

__all__ = [
    "App",
    "AppId",
    "AppState",
    "AttributeRule",
    "BadApp",
    "Bookmark",
    "Fault",
    "NewApp",
    "OidcClient",
    "SamlProvider",
    "Tile",
    "add_client_secret",
    "by_client_id",
    "by_entity_id",
    "by_id",
    "by_slug",
    "change_app",
    "create_app",
    "drop_client_secrets",
    "given_to",
    "groups_of_app",
    "launch_address",
    "launch_event",
    "listed",
    "new_client_secret",
    "note_launch",
    "note_opened",
    "note_opened_once",
    "opened_in",
    "remove_app",
    "set_app_groups",
    "set_favourite",
    "tiles_for",
    "verify_client_secret",
]
