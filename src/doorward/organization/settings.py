"""Every setting of the organisation, declared once: name, type, default, limits, unit and sentence.

The name is the field's, the type its annotation, the default its default; the rest stands in its metadata.
Organisation file, Admin Portal and reference documentation are made from `declared()`. What must not be
settable (the five attempts of administrators) has no field here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final, TypeAlias, cast

Value: TypeAlias = "int | bool | tuple[str, ...]"
"""What a setting can be."""


class Kind(StrEnum):
    """The type of a setting."""

    NUMBER = "number"
    SWITCH = "switch"
    LIST = "list"


class Factor(StrEnum):
    """A way to prove who one is beside the password, by its name in `mfa.factors`."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the type of a field cannot say.

    `sentence` tells a reader what the present value means: `{value}` stands for it. A value with a meaning
    of its own (0, off) has its sentence in `special`.
    """

    sentence: str
    unit: str | None = None
    lowest: int = 0
    highest: int = 0
    choices: tuple[str, ...] = ()
    special: Mapping[Value, str] = field(default_factory=dict[Value, str])


_KEY: Final = "declaration"


def _number(lowest: int, highest: int, unit: str, sentence: str, **special: str) -> dict[str, Declaration]:
    """Declare a whole number; `at_0="…"` gives the sentence of the value 0."""
    meanings: dict[Value, str] = {int(name.removeprefix("at_")): text for name, text in special.items()}
    return {_KEY: Declaration(sentence, unit, lowest, highest, special=meanings)}


def _switch(*, on: str, off: str) -> dict[str, Declaration]:
    return {_KEY: Declaration(on, special={True: on, False: off})}


@dataclass(frozen=True, slots=True)
class Lockout:
    """How many wrong guesses are allowed, and what follows."""

    user_attempts: int = field(
        default=6,
        metadata=_number(
            1,
            100,
            "attempts",
            "After {value} wrong passwords in a row, or {value} wrong codes in a row, "
            "sign-in with that name is paused.",
            at_1="The first wrong password or code pauses sign-in with that name.",
        ),
    )
    count_password_failures: bool = field(
        default=True,
        metadata=_switch(
            on="Wrong passwords lead to the pause.",
            off="Wrong passwords never pause sign-in; each try beyond the limit waits longer instead.",
        ),
    )
    count_mfa_failures: bool = field(
        default=True,
        metadata=_switch(
            on="Wrong verification codes lead to the pause.",
            off="Wrong verification codes never pause sign-in; beyond the limit that sign-in ends, "
            "and each further try waits longer.",
        ),
    )
    unlock_after_minutes: int = field(
        default=15,
        metadata=_number(
            0,
            1440,
            "minutes",
            "A pause ends by itself after {value} minutes.",
            at_0="A pause ends only when an administrator unlocks the account.",
            at_1="A pause ends by itself after a minute.",
        ),
    )
    reset_after_minutes: int = field(
        default=30,
        metadata=_number(
            1,
            1440,
            "minutes",
            "After {value} minutes without a wrong guess, earlier ones are forgotten.",
            at_1="After a minute without a wrong guess, earlier ones are forgotten.",
        ),
    )
    address_failures: int = field(
        default=100,
        metadata=_number(
            0,
            100_000,
            "failures",
            "After {value} wrong guesses from one address, whatever the names, further ones from there wait.",
            at_0="Wrong guesses from one address against many names are not slowed.",
        ),
    )
    network_failures: int = field(
        default=300,
        metadata=_number(
            0,
            100_000,
            "failures",
            "After {value} wrong guesses from one network, whatever the names, further ones from there wait.",
            at_0="Wrong guesses from one network against many names are not slowed.",
        ),
    )
    address_window_minutes: int = field(
        default=10,
        metadata=_number(
            1,
            1440,
            "minutes",
            "Wrong guesses from addresses and networks are counted over {value} minutes.",
            at_1="Wrong guesses from addresses and networks are counted over a minute.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Mfa:
    """Whether a second factor is required, and which ones exist."""

    required: bool = field(
        default=True,
        metadata=_switch(
            on="Everybody proves a second factor, for the portal and for every application.",
            off="Only people who have set up a second factor are asked for it.",
        ),
    )
    factors: tuple[str, ...] = field(
        default=(Factor.TOTP.value, Factor.RECOVERY_CODE.value),
        metadata={
            _KEY: Declaration(
                "People may verify their identity with: {value}.",
                choices=(Factor.TOTP.value, Factor.RECOVERY_CODE.value),
            )
        },
    )
    enrolment_days: int = field(
        default=7,
        metadata=_number(
            0,
            365,
            "days",
            "A person has {value} days from the first sign-in that requires it to set up a second factor.",
            at_0="A second factor is set up at the first sign-in that requires it.",
            at_1="A person has one day from the first sign-in that requires it to set up a second factor.",
        ),
    )


@dataclass(frozen=True, slots=True)
class TotpSettings:
    """Verification codes of an authenticator app."""

    period_seconds: int = field(
        default=60, metadata=_number(60, 60, "seconds", "The authenticator app shows a new code every {value} seconds.")
    )
    drift_seconds: int = field(
        default=10,
        metadata=_number(
            0,
            30,
            "seconds",
            "A code is accepted up to {value} seconds before and after the time in which it is shown.",
            at_0="A code is accepted only while it is shown.",
            at_1="A code is accepted up to a second before and after the time in which it is shown.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Sessions:
    """How long somebody stays signed in."""

    idle_minutes: int = field(
        default=60,
        metadata=_number(
            1,
            43_200,
            "minutes",
            "A person is signed out after {value} minutes without a request.",
            at_1="A person is signed out after a minute without a request.",
        ),
    )
    lifetime_hours: int = field(
        default=12,
        metadata=_number(
            1,
            8760,
            "hours",
            "A person signs in again after {value} hours at the latest.",
            at_1="A person signs in again after an hour at the latest.",
        ),
    )
    admin_idle_minutes: int = field(
        default=15,
        metadata=_number(
            1,
            60,
            "minutes",
            "An administrator is signed out after {value} minutes without a request.",
            at_1="An administrator is signed out after a minute without a request.",
        ),
    )
    admin_lifetime_hours: int = field(
        default=12,
        metadata=_number(
            1,
            24,
            "hours",
            "An administrator signs in again after {value} hours at the latest.",
            at_1="An administrator signs in again after an hour at the latest.",
        ),
    )
    persistent_cookie: bool = field(
        default=False,
        metadata=_switch(
            on="A person stays signed in when the browser is closed, within the two times above.",
            off="Closing the browser signs a person out, unless the browser restores its windows.",
        ),
    )


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a new password must be. Passwords in use are not touched by a change of these."""

    min_length: int = field(
        default=12, metadata=_number(8, 64, "characters", "A new password has at least {value} characters.")
    )
    history: int = field(
        default=0,
        metadata=_number(
            0,
            24,
            "passwords",
            "A new password must differ from the last {value}.",
            at_0="Earlier passwords may be used again.",
            at_1="A new password must differ from the present one.",
        ),
    )
    max_age_days: int = field(
        default=0,
        metadata=_number(
            0,
            3650,
            "days",
            "A password is changed after {value} days at the latest.",
            at_0="A password need never be changed because of its age.",
            at_1="A password is changed every day.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, in their groups."""

    lockout: Lockout = field(default_factory=Lockout)
    mfa: Mfa = field(default_factory=Mfa)
    totp: TotpSettings = field(default_factory=TotpSettings)
    sessions: Sessions = field(default_factory=Sessions)
    password: PasswordRules = field(default_factory=PasswordRules)


GROUPS: Final[Mapping[str, type[Lockout | Mfa | TotpSettings | Sessions | PasswordRules]]] = {
    "lockout": Lockout,
    "mfa": Mfa,
    "totp": TotpSettings,
    "sessions": Sessions,
    "password": PasswordRules,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the surfaces see it. `path` is its name in the organisation file: `lockout.user_attempts`."""

    group: str
    name: str
    kind: Kind
    default: Value
    declaration: Declaration

    @property
    def path(self) -> str:
        """Name the setting as the organisation file does."""
        return f"{self.group}.{self.name}"


def declared() -> Iterator[Setting]:
    """List every setting in the order of the organisation file."""
    for group, holder in GROUPS.items():
        for each in fields(holder):
            default = cast("Value", each.default)
            yield Setting(group, each.name, _kind_of(default), default, cast("Declaration", each.metadata[_KEY]))


def value_of(settings: Settings, setting: Setting) -> Value:
    """Read the present value of `setting`."""
    return cast("Value", getattr(cast("object", getattr(settings, setting.group)), setting.name))


def sentence(setting: Setting, value: Value) -> str:
    """Explain `value` in one sentence."""
    text = setting.declaration.special.get(value, setting.declaration.sentence)
    return text.format(value=", ".join(value) if isinstance(value, tuple) else value)


def refusal(setting: Setting, value: object) -> str | None:
    """Say why `value` cannot be the value of `setting`, or None where it can."""
    declaration = setting.declaration
    match setting.kind:
        case Kind.SWITCH:
            return None if isinstance(value, bool) else "must be true or false"
        case Kind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int):
                return "must be a whole number"
            if declaration.lowest == declaration.highest != value:
                return f"can only be {declaration.lowest} {declaration.unit}"
            if not declaration.lowest <= value <= declaration.highest:
                return f"must be from {declaration.lowest} to {declaration.highest} {declaration.unit}"
            return None
        case Kind.LIST:
            return _list_refusal(declaration, value)


def _list_refusal(declaration: Declaration, value: object) -> str | None:
    if not isinstance(value, list | tuple):
        return "must be a list"
    given = cast("list[object] | tuple[object, ...]", value)
    unknown = [each for each in given if each not in declaration.choices]
    if unknown:
        return f"knows {', '.join(declaration.choices)}, not {unknown[0]}"
    if len(set(given)) != len(given):
        return "names one of them twice"
    # Recovery codes replace a lost factor for once; they are never the only way (SIGNIN, Codes).
    if set(given) <= {Factor.RECOVERY_CODE.value}:
        return "must name at least one factor besides recovery_code"
    return None


def _kind_of(default: Value) -> Kind:
    if isinstance(default, bool):
        return Kind.SWITCH
    return Kind.NUMBER if isinstance(default, int) else Kind.LIST
