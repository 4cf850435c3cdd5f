"""The plan: from what stands and what is desired to a list of changes. Pure: reads and writes nothing.

What is absent stays; a list or mapping that is given replaces; pruning deletes what is absent from a list that is
given, but never the last owner. The order is such that nothing is needed before it is there: groups, administrators,
people, applications; deletions first where a name may be taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Final

from doorward.directory import Role
from doorward.directory.names import email_key, group_key
from doorward.organization import Organization, Settings, Support
from doorward.organization.organization import columns
from doorward.organization.settings import GROUPS
from doorward.orgfile.accounts import plan_admins, plan_users
from doorward.orgfile.applications import plan_applications
from doorward.orgfile.changes import (
    AddAdmin,
    AddGroup,
    AlterAdmin,
    Change,
    DropAdmin,
    DropApp,
    DropGroup,
    DropPerson,
    SetOrganization,
    told,
)
from doorward.orgfile.desired import Desired
from doorward.orgfile.findings import Findings, differences
from doorward.orgfile.problems import BadFile
from doorward.orgfile.snapshot import Snapshot


class Prune(StrEnum):
    """What may be deleted for being absent."""

    USERS = "users"
    GROUPS = "groups"
    APPLICATIONS = "applications"
    ADMINS = "admins"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, in order, and what a person should know beside it."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """Tell the plan, one line for each thing."""
        return [line for change in self.changes for line in told(change)]


_NONE: Final = frozenset[Prune]()


def plan(snapshot: Snapshot, desired: Desired, prune: frozenset[Prune] = _NONE) -> Plan:
    """Compare and list the changes.

    Raises:
        BadFile: what is desired does not fit together or with what stands.
    """
    findings = Findings()
    for kind in sorted(prune):
        if kind.value not in desired.sections:
            findings.problems.append(
                desired.start.problem(f"--prune {kind.value} needs a list of {kind.value} in the file")
            )
    organization, planned = _organization(snapshot, desired, findings)
    group_changes, known_groups, dropped_groups = _groups(snapshot, desired, prune)
    people, dropped_people = plan_users(snapshot, desired, planned, known_groups, findings)
    admins, kept = plan_admins(snapshot, desired, planned, findings)
    apps, dropped_apps = plan_applications(snapshot, desired, known_groups, findings)
    drops: list[Change] = []
    if Prune.APPLICATIONS in prune:
        drops.extend(DropApp(app) for app in dropped_apps)
    if Prune.USERS in prune:
        drops.extend(DropPerson(person) for person in dropped_people)
    admin_drops: list[Change] = []
    if Prune.ADMINS in prune:
        admin_drops = list(_admin_drops(snapshot, kept, admins, findings))
    changes = (*organization, *group_changes, *admins, *admin_drops, *drops, *people, *apps, *dropped_groups)
    if findings.problems:
        raise BadFile(sorted(findings.problems, key=lambda problem: (problem.file, problem.line)))
    return Plan(changes, tuple(findings.warnings))


def _organization(snapshot: Snapshot, desired: Desired, findings: Findings) -> tuple[list[Change], Organization]:
    said, old = desired.organization, snapshot.organization
    if said is None and not snapshot.is_founded and not desired.is_partial:
        findings.problems.append(desired.start.at("organization").problem("is missing: its name is needed at first"))
    new = old
    if said is not None:
        given = {name: getattr(said.said, name) for name in said.said.model_fields_set - {"support"}}  # pyright: ignore[reportAny] - names of fields
        if "domains" in given:
            given["domains"] = tuple(said.said.domains)
        new = replace(new, **given)  # pyright: ignore[reportAny] - the model has the types of the fields
        support = said.said.support
        if "support" in said.said.model_fields_set:
            parts = {name: getattr(support, name) for name in support.model_fields_set} if support else None  # pyright: ignore[reportAny] - likewise
            new = replace(new, support=Support() if parts is None else replace(old.support, **parts))
    new = replace(new, settings=_settings(old.settings, desired))
    if new == old and (snapshot.is_founded or desired.is_partial):
        return [], new
    where = desired.start if said is None else said.where
    lines = differences(_flat(old), _flat(new)) if snapshot.is_founded else []
    return [SetOrganization(where, old if snapshot.is_founded else None, new, tuple(lines))], new


def _settings(old: Settings, desired: Desired) -> Settings:
    given: dict[str, dict[str, object]] = {}
    for path, placed in desired.settings.items():
        group, _, name = path.partition(".")
        given.setdefault(group, {})[name] = placed.said
    parts = {group: replace(getattr(old, group), **given[group]) for group in GROUPS if group in given}  # pyright: ignore[reportAny] - judged by `refusal`
    return replace(old, **parts)


def _flat(organization: Organization) -> dict[str, object]:
    flat: dict[str, object] = {name: value for name, value in columns(organization).items() if name != "settings"}
    for group in fields(Settings):
        part = getattr(organization.settings, group.name)  # pyright: ignore[reportAny] - a group of settings
        for each in fields(part):  # pyright: ignore[reportAny] - likewise
            flat[f"settings.{group.name}.{each.name}"] = getattr(part, each.name)  # pyright: ignore[reportAny] - likewise
    return flat


def _groups(
    snapshot: Snapshot, desired: Desired, prune: frozenset[Prune]
) -> tuple[list[Change], dict[str, str], list[Change]]:
    """Plan the groups, and tell which there will be: by key, with their names."""
    wanted = {group_key(each.said.name): each for each in desired.groups}
    added: list[Change] = [
        AddGroup(each.where, each.said.name) for key, each in wanted.items() if key not in snapshot.groups
    ]
    known = {key: group.name for key, group in snapshot.groups.items()}
    known |= {key: each.said.name for key, each in wanted.items() if key not in known}
    dropped = [group for key, group in snapshot.groups.items() if key not in wanted] if Prune.GROUPS in prune else []
    for group in dropped:
        del known[group_key(group.name)]
    return added, known, [DropGroup(group) for group in dropped]


def _admin_drops(
    snapshot: Snapshot, kept: frozenset[str], planned: Sequence[Change], findings: Findings
) -> Iterable[DropAdmin]:
    """Delete the administrators that are absent; where no active owner would remain, one of them stays."""
    staying = {key: known.admin for key, known in snapshot.admins.items() if key in kept}
    for change in planned:
        if isinstance(change, AlterAdmin):
            staying[email_key(change.new.email)] = change.new
    has_owner = any(admin.role is Role.OWNER and admin.is_active for admin in staying.values()) or any(
        isinstance(change, AddAdmin) and change.new.role is Role.OWNER and not change.is_suspended for change in planned
    )
    for key, known in snapshot.admins.items():
        if key in kept:
            continue
        if not has_owner and known.admin.role is Role.OWNER and known.admin.is_active:
            has_owner = True
            findings.warnings.append(f"admin {known.admin.email} is absent and stays: the last owner is never deleted")
            continue
        yield DropAdmin(known.admin)
