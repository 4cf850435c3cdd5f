"""A plain model of SIGNIN 'Attempts' and 'Codes', written from the design and sharing nothing with the product.

One request after another; times in milliseconds. `Plain.guess` says what a guess must be answered with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

SECOND, MINUTE = 1000, 60_000


class Kind(Enum):
    PASSWORD = "password"
    MFA = "mfa"


class Outcome(Enum):
    HELD = "nothing was looked at"
    RIGHT = "right"
    WRONG = "wrong"
    WRONG_AND_PAUSED = "wrong, and the last one allowed"
    NOT_COUNTED = "not accepted and not counted"


@dataclass(frozen=True)
class Rule:
    limit: int
    pauses: bool
    pause: int
    forget: int


@dataclass
class Count:
    failed: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    opens: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    paused_until: int = 0
    failed_at: int = 0

    def clear(self) -> None:
        self.__init__()

    def age(self, rule: Rule, now: int) -> None:
        if self.paused_until:
            if self.paused_until <= now:
                self.clear()
        elif self.failed_at + rule.forget <= now:
            self.clear()

    def refuses(self, kind: Kind, rule: Rule, now: int) -> bool:
        if self.paused_until > now:
            return True
        return not rule.pauses and self.failed[kind] >= rule.limit and self.opens[kind] > now

    def fail(self, kind: Kind, rule: Rule, now: int) -> bool:
        """Count a failure; tells whether it starts or meets a pause."""
        self.failed[kind] += 1
        self.failed_at = now
        beyond = self.failed[kind] - rule.limit
        if beyond >= 0 and rule.pauses and not self.paused_until:
            self.paused_until = now + rule.pause
        if beyond >= 0 and not rule.pauses:
            self.opens[kind] = now + min(2**beyond, 3600) * SECOND
        return self.paused_until > now


@dataclass
class Codes:
    """An authenticator of 60 seconds whose phone is on time: which steps were accepted, which expired ones counted."""

    accepted: set[int] = field(default_factory=set)
    counted: set[int] = field(default_factory=set)

    def outcome(self, step: int, now: int) -> Outcome:
        shown = step * MINUTE
        if now >= shown + 70 * SECOND + 10 * MINUTE:
            return Outcome.WRONG  # older than ten minutes, used or not
        if step in self.accepted or (self.accepted and step < max(self.accepted) and now < shown + 70 * SECOND):
            return Outcome.NOT_COUNTED
        if shown - 10 * SECOND <= now < shown + 70 * SECOND:
            return Outcome.RIGHT
        if now >= shown + 70 * SECOND:
            return Outcome.NOT_COUNTED if step in self.counted else Outcome.WRONG
        return Outcome.WRONG

    def took(self, step: int, outcome: Outcome) -> None:
        if outcome is Outcome.RIGHT:
            self.accepted.add(step)
        elif outcome in {Outcome.WRONG, Outcome.WRONG_AND_PAUSED}:
            self.counted.add(step)


@dataclass
class Plain:
    """Counters by name of what they count: an account, a name that nobody has, a browser that somebody uses."""

    people: dict[Kind, Rule]
    admins: Rule = Rule(5, pauses=True, pause=15 * MINUTE, forget=30 * MINUTE)
    counts: dict[str, Count] = field(default_factory=dict)
    known: set[tuple[str, str]] = field(default_factory=set)

    def rule(self, kind: Kind, *, admin: bool) -> Rule:
        return self.admins if admin else self.people[kind]

    def guess(
        self,
        names: list[str],
        lane: str | None,
        kind: Kind,
        judge: Callable[[], Outcome],
        now: int,
        *,
        admin: bool = False,
    ) -> Outcome:
        """Claim, look at the secret by `judge`, count. `names` are the common counters, `lane` the known browser's."""
        rule = self.rule(kind, admin=admin)
        if admin:
            kind = Kind.PASSWORD  # either kind together
        common = [self.counts.setdefault(name, Count()) for name in names]
        for count in common:
            count.age(rule, now)
        own = None if lane is None else self.counts.setdefault(lane, Count())
        if own is not None:
            own.age(rule, now)
            if own.refuses(kind, rule, now):
                own = None
        if own is None and any(count.refuses(kind, rule, now) for count in common):
            return Outcome.HELD
        outcome = judge()
        if outcome is not Outcome.WRONG:
            return outcome
        paused = [count.fail(kind, rule, now) for count in common]
        if own is not None:
            paused = [own.fail(kind, rule, now)]
        return Outcome.WRONG_AND_PAUSED if any(paused) else Outcome.WRONG

    def signed_in(self, names: list[str], lane: str | None, now: int) -> None:
        """A whole sign-in clears: in a known browser its own count alone, else the common ones but no pause."""
        if lane is not None:
            self.counts.setdefault(lane, Count()).clear()
            return
        for name in names:
            count = self.counts.setdefault(name, Count())
            if count.paused_until <= now:
                count.clear()

    def unlock(self, names: list[str], account: str) -> None:
        for name in [*names, *(lane for lane in self.counts if lane.startswith(f"{account} in "))]:
            self.counts.setdefault(name, Count()).clear()
