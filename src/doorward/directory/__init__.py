"""People, groups and administrators: who they are, in which state, and what they are called.

Owns names and their uniqueness, states with their dates, memberships, and the rule that an owner remains.
Never holds a password, a factor or a session: those belong to `signin`. Read `people.py` first, then `names.py`.
"""

from __future__ import annotations

from doorward.directory.admins import (
    Admin,
    AdminState,
    NewAdmin,
    Role,
    admin,
    admin_from_row,
    admins,
    change_admin,
    create_admin,
    find_admin,
    note_admin_sign_in,
    remove_admin,
)
from doorward.directory.errors import BadName, DirectoryRefusal, IdTaken, LastOwner, NameTaken
from doorward.directory.groups import (
    Group,
    create_group,
    find_group,
    groups,
    groups_of,
    members_of,
    remove_group,
    rename_group,
    set_groups,
)
from doorward.directory.ids import AdminId, GroupId, PersonId
from doorward.directory.names import lookup_key
from doorward.directory.people import (
    Address,
    NewPerson,
    Person,
    PersonState,
    Standing,
    Theme,
    dismiss_nag,
    find_person,
    note_mfa_due,
    note_sign_in,
    people,
    person,
    person_from_row,
)
from doorward.directory.writing import change_person, create_person, remove_person, set_state

__all__ = [
    "Address",
    "Admin",
    "AdminId",
    "AdminState",
    "BadName",
    "DirectoryRefusal",
    "Group",
    "GroupId",
    "IdTaken",
    "LastOwner",
    "NameTaken",
    "NewAdmin",
    "NewPerson",
    "Person",
    "PersonId",
    "PersonState",
    "Role",
    "Standing",
    "Theme",
    "admin",
    "admin_from_row",
    "admins",
    "change_admin",
    "change_person",
    "create_admin",
    "create_group",
    "create_person",
    "dismiss_nag",
    "find_admin",
    "find_group",
    "find_person",
    "groups",
    "groups_of",
    "lookup_key",
    "members_of",
    "note_admin_sign_in",
    "note_mfa_due",
    "note_sign_in",
    "people",
    "person",
    "person_from_row",
    "remove_admin",
    "remove_group",
    "remove_person",
    "rename_group",
    "set_groups",
    "set_state",
]
