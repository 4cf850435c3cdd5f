"""The decisions of `policy.py` over plain values."""

from __future__ import annotations

import pytest

from doorward.directory import Admin, AdminId, AdminState, Role, Theme
from doorward.signin import Audience
from doorward.signin.policy import may_unlock

OWN = AdminId("own")


def admin(role: Role) -> Admin:
    return Admin(OWN, "ada@acme.example", "Ada", role, AdminState.ACTIVE, Theme.SYSTEM, None, 0, 0)


@pytest.mark.parametrize("role", Role)
def test_all_but_an_auditor_open_people(role: Role) -> None:
    assert may_unlock(admin(role), Audience.PERSON, "alice") is (role is not Role.AUDITOR)


@pytest.mark.parametrize("role", Role)
def test_owners_and_administrators_open_colleagues(role: Role) -> None:
    assert may_unlock(admin(role), Audience.ADMIN, "other") is (role in {Role.OWNER, Role.ADMINISTRATOR})


@pytest.mark.parametrize("role", Role)
def test_nobody_opens_their_own_account(role: Role) -> None:
    assert not may_unlock(admin(role), Audience.ADMIN, OWN)
