"""The plan for people and administrators. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from argon2.low_level import Type

from doorward.clock import SECOND, Instant
from doorward.directory import (
    Admin,
    AdminState,
    NewAdmin,
    NewPerson,
    Person,
    PersonState,
    Role,
    errors,
    fields,
)
from doorward.directory.names import email_key, group_key, username_key
from doorward.organization import Organization
from doorward.orgfile.changes import AddAdmin, AddPerson, AlterAdmin, AlterPerson, Authenticator, Change, Credentials
from doorward.orgfile.desired import Desired, Placed
from doorward.orgfile.findings import Findings, differences
from doorward.orgfile.model import AdminModel, TotpModel, UserModel, decoded_seed
from doorward.orgfile.problems import Where
from doorward.orgfile.snapshot import KnownPerson, Snapshot
from doorward.signin.passwords import PasswordFault, least_length, refusal

_RECOMMENDED_SEED_BYTES: Final = 16  # RFC 4226 §4, R6
_MOST_MEMORY_KIB: Final = 1024 * 1024
_MOST_PASSES: Final = 32
_MOST_LANES: Final = 16

_PLAIN_FIELDS: Final = ("username", "email", "email_verified", "name", "given_name", "family_name", "phone", "address")
_MORE_FIELDS: Final = ("locale", "mfa_required")


def plan_users(
    snapshot: Snapshot, desired: Desired, organization: Organization, groups: Mapping[str, str], findings: Findings
) -> tuple[list[Change], list[Person]]:
    """Plan the people, and tell who is there and absent from the file."""
    changes: list[Change] = []
    kept: set[str] = set()
    for placed in desired.users:
        said = placed.said
        _check_user(placed, findings)
        wanted = group_names(placed.where, said.groups, groups, findings)
        known = _known(snapshot, placed, findings)
        if known is None:
            credentials = _credentials(placed.where, said, _words(said, organization), organization, findings)
            changes.append(AddPerson(placed.where, _new_person(said), wanted, credentials))
            continue
        kept.add(known.person.id)
        change = _altered(placed, known, wanted, findings)
        if change is not None:
            changes.append(change)
    return changes, [known.person for key, known in snapshot.people.items() if key not in kept]


def plan_admins(
    snapshot: Snapshot, desired: Desired, organization: Organization, findings: Findings
) -> tuple[list[Change], frozenset[str]]:
    """Plan the administrators, and tell the keys of those that the file names."""
    changes: list[Change] = []
    kept = frozenset(email_key(placed.said.email) for placed in desired.admins)
    for placed in desired.admins:
        said, key = placed.said, email_key(placed.said.email)
        known = snapshot.admins.get(key)
        role, state = Role(said.role), AdminState(said.state)
        if known is None:
            credentials = _credentials(placed.where, said, [said.email, organization.name], organization, findings)
            new = NewAdmin(said.email, said.name or said.email, role, said.id)
            changes.append(AddAdmin(placed.where, new, state is AdminState.SUSPENDED, credentials))
            continue
        old = known.admin
        if said.id is not None and said.id != old.id:
            findings.problems.append(placed.where.at("id").problem(f"{said.email} has the id {old.id}"))
        given = said.model_fields_set
        new_admin = replace(
            old,
            email=said.email,
            role=role,
            name=said.name if "name" in given and said.name is not None else old.name,
            state=state if "state" in given else old.state,
        )
        totp = None if known.has_totp else _authenticator(placed.where, said.totp, findings)
        lines = differences(_admin_view(old), _admin_view(new_admin))
        if lines or totp is not None:
            lines += ["with an authenticator"] if totp is not None else []
            changes.append(AlterAdmin(placed.where, new_admin, totp, tuple(lines)))
    # Whoever becomes an owner comes before whoever ceases to be one: the role may be handed over in one file.
    return sorted(changes, key=_after_new_owners), kept


def _after_new_owners(change: Change) -> bool:
    return isinstance(change, AlterAdmin) and not (change.new.role is Role.OWNER and change.new.is_active)


def _known(snapshot: Snapshot, placed: Placed[UserModel], findings: Findings) -> KnownPerson | None:
    """Find who is meant: by id where one is given, else by username."""
    said = placed.said
    by_name = snapshot.usernames.get(username_key(said.username))
    if said.id is None:
        return None if by_name is None else snapshot.people[by_name]
    known = snapshot.people.get(said.id)
    if known is None and by_name is not None:
        findings.problems.append(placed.where.at("id").problem(f"{said.username} has the id {by_name}"))
    return known


def _altered(
    placed: Placed[UserModel], known: KnownPerson, wanted: tuple[str, ...], findings: Findings
) -> AlterPerson | None:
    said, old, given = placed.said, known.person, placed.said.model_fields_set
    new = old
    for name in (*_PLAIN_FIELDS, *_MORE_FIELDS):
        if name in given:
            new = replace(new, **{name: getattr(said, name)})  # pyright: ignore[reportAny] - the model has the field's type
    if new.name is None:  # pyright: ignore[reportUnnecessaryComparison] - the file may say `name: null`
        new = replace(new, name=new.username)
    if "state" in given:
        new = replace(new, state=PersonState(said.state))
    if "attributes" in given:
        new = replace(new, attributes=_attributes(said))
    if "starts_at" in given:
        new = replace(new, starts_at=_same_second(old.starts_at, said.starts_at))
    if "ends_at" in given:
        new = replace(new, ends_at=_same_second(old.ends_at, said.ends_at))
    new = replace(new, email_verified=new.email_verified and new.email is not None, address=new.address or None)
    groups = wanted if "groups" in given and frozenset(wanted) != known.groups else None
    totp = None if known.has_totp else _authenticator(placed.where, said.totp, findings)
    lines = differences(_view(old), _view(new))
    if groups is not None:
        lines += differences({"groups": sorted(known.groups)}, {"groups": sorted(groups)})
    if totp is not None:
        lines.append("with an authenticator")
    return AlterPerson(placed.where, old, new, groups, totp, tuple(lines)) if lines else None


def _new_person(said: UserModel) -> NewPerson:
    return NewPerson(
        username=said.username,
        id=said.id,
        email=said.email,
        email_verified=said.email_verified and said.email is not None,
        name=said.name,
        given_name=said.given_name,
        family_name=said.family_name,
        phone=said.phone,
        address=said.address,
        locale=said.locale,
        state=PersonState(said.state),
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        attributes=_attributes(said),
        mfa_required=said.mfa_required,
    )


def _check_user(placed: Placed[UserModel], findings: Findings) -> None:
    """Judge what the form cannot: by the functions with which the directory judges."""
    said, where = placed.said, placed.where
    checks = (
        ("locale", lambda: fields.checked_locale(said.locale)),
        ("address", lambda: fields.checked_address(said.address)),
        ("attributes", lambda: fields.checked_attributes(_attributes(said))),
    )
    for name, check in checks:
        try:
            check()
        except errors.BadName as error:
            findings.problems.append(where.at(name).problem(str(error)))
    if "@" in said.username and (said.email is None or username_key(said.username) != email_key(said.email)):
        sentence = "looks like a mail address, and is not this person's own"
        findings.problems.append(where.at("username").problem(sentence))
    if said.starts_at is not None and said.ends_at is not None and said.ends_at <= said.starts_at:
        findings.problems.append(where.at("ends_at").problem("is not after starts_at"))


def group_names(where: Where, given: Sequence[str], known: Mapping[str, str], findings: Findings) -> tuple[str, ...]:
    """Give the groups their own spelling; one that does not exist is a problem."""
    found: list[str] = []
    for index, name in enumerate(given):
        if group_key(name) in known:
            found.append(known[group_key(name)])
        else:
            findings.problems.append(where.at("groups", index).problem(f"there is no group {name!r}: add it to groups"))
    return tuple(dict.fromkeys(found))


def _credentials(
    where: Where,
    said: UserModel | AdminModel,
    words: Sequence[str],
    organization: Organization,
    findings: Findings,
) -> Credentials:
    if said.password is not None and said.password_hash is not None:
        findings.problems.append(where.at("password_hash").problem("stands beside a password: give one of them"))
    if said.password is not None:
        required = True if isinstance(said, AdminModel) else said.mfa_required
        sentence = password_refusal(said.password, words, organization, required)
        if sentence is not None:
            findings.problems.append(where.at("password").problem(sentence))
    if said.password_hash is not None:
        sentence = hash_refusal(said.password_hash)
        if sentence is not None:
            findings.problems.append(where.at("password_hash").problem(sentence))
    return Credentials(said.password, said.password_hash, _authenticator(where, said.totp, findings))


def password_refusal(
    password: str,
    words: Sequence[str],
    organization: Organization,
    required: bool | None,  # noqa: FBT001 - a value of the person
) -> str | None:
    """Say why a password cannot be set, or None. `required`: whether a second factor is; None: as usual here."""
    rules = organization.settings.password
    always = organization.settings.mfa.required if required is None else required
    fault = refusal(password, names=words, rules=rules, mfa_required=always)
    return None if fault is None else _password_sentence(fault, least_length(rules, mfa_always=always))


def _password_sentence(fault: PasswordFault, least: int) -> str:
    match fault:
        case PasswordFault.EMPTY:
            return "is empty"
        case PasswordFault.SHORT:
            return f"has fewer than {least} characters"
        case PasswordFault.LONG:
            return "is longer than 1024 bytes"
        case PasswordFault.COMMON:
            return "is easy to guess"
        case PasswordFault.PERSONAL:
            return "is made of the name of the person or the organisation"
        case PasswordFault.REUSED:
            return "was used before"


def hash_refusal(phc: str) -> str | None:
    """Say why a password hash cannot be imported, or None: argon2id as a PHC string, within bounds."""
    if not phc.startswith("$argon2id$"):
        return "must be a PHC string of argon2id ($argon2id$…): hashes of other kinds have not come to Doorward yet"
    try:
        found = extract_parameters(phc)
    except (InvalidHashError, ValueError):
        return "is no valid PHC string of argon2id"
    fits = (
        found.type is Type.ID
        and found.memory_cost <= _MOST_MEMORY_KIB
        and found.time_cost <= _MOST_PASSES
        and found.parallelism <= _MOST_LANES
    )
    return None if fits else "asks for more memory or time than a sign-in may take"


def _authenticator(where: Where, said: TotpModel | None, findings: Findings) -> Authenticator | None:
    if said is None:
        return None
    seed = decoded_seed(said.secret)
    if len(seed) < _RECOMMENDED_SEED_BYTES:
        place = where.at("totp", "secret")
        findings.warnings.append(
            str(place.problem(f"has only {len(seed) * 8} bits; set up a new authenticator when you can"))
        )
    return Authenticator(seed, said.period_seconds)


def _words(said: UserModel, organization: Organization) -> list[str]:
    given = (said.username, said.email, said.name, said.given_name, said.family_name, organization.name)
    return [word for word in given if word is not None]


def _attributes(said: UserModel) -> dict[str, str | list[str]]:
    """One value is text, several are a list; both spellings of one value are the same."""
    return {name: values[0] if len(values) == 1 else list(values) for name, values in said.attributes.items()}


def _same_second(old: Instant | None, said: Instant | None) -> Instant | None:
    """Keep an instant that the file, which writes seconds, says alike."""
    return old if old is not None and said is not None and old // SECOND == said // SECOND else said


def _view(of: Person) -> dict[str, object]:
    names = (*_PLAIN_FIELDS, *_MORE_FIELDS, "starts_at", "ends_at", "attributes")
    view: dict[str, object] = {name: getattr(of, name) for name in names}
    return {**view, "state": of.state.value}


def _admin_view(of: Admin) -> dict[str, object]:
    return {"email": of.email, "name": of.name, "role": of.role.value, "state": of.state.value}
