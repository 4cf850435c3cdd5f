"""The sign-in against a plain model of the design: names, browsers, codes, clock, unlocks, restarts in any order."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyotp
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from doorward.organization import Lockout, Mfa, Organization, Settings
from doorward.signin import Audience, Method, accounts, perform
from doorward.signin.answers import Answer, Held, Shown
from doorward.signin.effects import SignedIn
from doorward.signin.factors.authenticator import base32
from doorward.signin.flow import NotNow, Said, Stage
from doorward.signin.transaction import Lost, TimedOut
from support.door import LOCAL, PASSWORD, SYSTEM, WRONG, Door, Somebody, Visitor, open_door
from support.plain_signin import MINUTE, Codes, Kind, Outcome, Plain, Rule

LIMIT = 3
UNLOCK_MINUTES, RESET_MINUTES = 7, 12
NAMES = ["alice", "alice@acme.example", "dave", "carol", "bob", "bob@acme.example", "root@acme.example"]
WRONG_OUTCOMES = {Outcome.WRONG, Outcome.WRONG_AND_PAUSED}


@dataclass
class Tab:
    """A sign-in under way, as the test knows it."""

    visitor: Visitor
    name: str
    tx: str
    began: int
    stage: str = "password"


@dataclass
class Phone:
    codes: Codes = field(default_factory=Codes)
    recovery_used: list[str] = field(default_factory=list)


class SignIn(RuleBasedStateMachine):
    migrated: ClassVar[Path]

    @initialize(count_passwords=st.booleans(), count_codes=st.booleans(), unlock=st.sampled_from([UNLOCK_MINUTES, 0]))
    def open(self, count_passwords: bool, count_codes: bool, unlock: int) -> None:
        self.stack = ExitStack()
        path = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "doorward.db"
        shutil.copyfile(self.migrated, path)
        lockout = Lockout(
            user_attempts=LIMIT,
            count_password_failures=count_passwords,
            count_mfa_failures=count_codes,
            unlock_after_minutes=unlock,
            reset_after_minutes=RESET_MINUTES,
            address_failures=0,
            network_failures=0,
        )
        acme = Organization(
            "Acme", domains=("acme.example",), settings=Settings(lockout=lockout, mfa=Mfa(required=False))
        )
        self.door: Door = self.stack.enter_context(open_door(f"sqlite:///{path}", organization=acme))
        door = self.door
        self.alice = door.person("alice", email="alice@acme.example")
        self.dave = door.person("dave", app=False)
        self.carol = door.person("carol", app=False)
        door.write(lambda c: accounts.suspend(c, self.carol.id, SYSTEM, LOCAL, door.clock()))
        self.root = door.admin("root@acme.example")
        self.visitors = [door.visitor() for _ in range(3)]
        self.tabs: list[Tab] = []
        pause = unlock * MINUTE or 10**15
        self.plain = Plain(
            {
                Kind.PASSWORD: Rule(LIMIT, count_passwords, pause, RESET_MINUTES * MINUTE),
                Kind.MFA: Rule(LIMIT, count_codes, pause, RESET_MINUTES * MINUTE),
            }
        )
        self.phones = {"alice": Phone(), "root@acme.example": Phone()}

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    # ------------------------------------------------------------------------- what the design says of names

    def account(self, name: str) -> Somebody | None:
        return {
            "alice": self.alice,
            "alice@acme.example": self.alice,
            "dave": self.dave,
            "carol": self.carol,
            "root@acme.example": self.root,
        }.get(name)

    def common(self, name: str) -> list[str]:
        """A mail address of the organisation also raises the count of its local part."""
        if name == "root@acme.example":
            return ["admin root"]
        account = self.account(name)
        first = f"account {account.name}" if account else f"nobody {name}"
        local = name.removesuffix("@acme.example")
        return [first] if local == name else [first, f"nobody {local}"]

    def lane(self, tab: Tab) -> str | None:
        account = self.account(tab.name)
        if account is None or (tab.visitor.handle, account.name) not in self.plain.known:
            return None
        return f"{account.name} in {tab.visitor.handle}"

    def is_admin(self, name: str) -> bool:
        return name.startswith("root")

    def phone(self, name: str) -> Phone:
        return self.phones["root@acme.example" if self.is_admin(name) else "alice"]

    # ------------------------------------------------------------------------------------------------ rules

    @rule(visitor=st.integers(0, 2), name=st.sampled_from(NAMES))
    def open_a_tab(self, visitor: int, name: str) -> None:
        self.begin(visitor, name)

    def begin(self, visitor: int, name: str) -> Tab:
        audience = Audience.ADMIN if self.is_admin(name) else Audience.PERSON
        browser = self.visitors[visitor]
        tx = self.door.begin(browser, name, audience)
        self.tabs = [*self.tabs, Tab(browser, name, tx, self.door.clock())][-6:]
        return self.tabs[-1]

    def picked(self, pick: int, *stages: str) -> Tab | None:
        fitting = [tab for tab in self.tabs if tab.stage in stages]
        return fitting[pick % len(fitting)] if fitting else None

    @precondition(lambda self: getattr(self, "tabs", None))
    @rule(pick=st.integers(0, 5), right=st.sampled_from([True, False, False]))
    def give_password(self, pick: int, right: bool) -> None:
        tab = self.picked(pick, "password")
        if tab is not None:
            self.password(tab, right=right)

    @rule(visitor=st.integers(0, 2), name=st.sampled_from(NAMES), times=st.integers(1, LIMIT + 1))
    def guess_passwords(self, visitor: int, name: str, times: int) -> None:
        tab = self.begin(visitor, name)
        for _ in range(times):
            self.password(tab, right=False)

    @rule(
        visitor=st.integers(0, 2),
        name=st.sampled_from(["alice", "alice", "alice@acme.example", "dave", "root@acme.example"]),
        codes=st.just([]) | st.lists(st.sampled_from(["wrong", "used", "expired", "expired"]), max_size=LIMIT + 1),
        recovery=st.just([]) | st.lists(st.sampled_from(["wrong", "used"]), max_size=LIMIT + 1),
        last=st.sampled_from(["code", "code", "recovery code", "nothing"]),
    )
    def sign_in(self, visitor: int, name: str, codes: list[str], recovery: list[str], last: str) -> None:
        """Name, right password, a few codes, and mostly a right one in the end."""
        tab = self.begin(visitor, name)
        self.password(tab, right=True)
        for which in [*codes, *(["right"] if last == "code" else [])]:
            if tab.stage == "choose":
                self.method(tab, Method.TOTP)
            if tab.stage == "totp":
                self.code(tab, which)
        if recovery or last == "recovery code":
            if tab.stage in {"choose", "totp"}:
                self.method(tab, Method.RECOVERY_CODE)
            for which in [*recovery, *(["right"] if last == "recovery code" else [])]:
                if tab.stage == "recovery_code":
                    self.recovery_code(tab, which)

    @rule(visitor=st.integers(0, 1), name=st.sampled_from(["alice", "dave"]), typos=st.integers(0, LIMIT))
    def somebody_comes_while_an_outsider_guesses(self, visitor: int, name: str, typos: int) -> None:
        """Whoever signed in from there before is let in, after as many typos of their own as the limit allows."""
        self.wait(61_000)
        self.sign_in(visitor, name, [], [], "code")
        self.guess_passwords(2, name, LIMIT)
        self.guess_passwords(visitor, name, typos)
        self.wait(61_000)
        self.sign_in(visitor, name, [], [], "code")

    @rule(
        name=st.sampled_from(["alice", "bob", "root@acme.example"]),
        waits=st.lists(st.sampled_from([1000, 2000, 4000, UNLOCK_MINUTES * MINUTE]), min_size=1, max_size=4),
    )
    def somebody_guesses_with_patience(self, name: str, waits: list[int]) -> None:
        """Tries beyond the limit wait longer and longer, or for the end of the pause."""
        self.guess_passwords(2, name, LIMIT)
        for milliseconds in waits:
            self.wait(milliseconds)
            self.guess_passwords(2, name, 1)

    @rule(visitor=st.integers(0, 2), name=st.sampled_from(["alice", "root@acme.example"]))
    def somebody_types_wrong_codes(self, visitor: int, name: str) -> None:
        self.sign_in(visitor, name, ["wrong"] * (LIMIT + 1), [], "nothing")

    def password(self, tab: Tab, *, right: bool) -> None:
        door, account, now = self.door, self.account(tab.name), self.door.clock()
        audience = Audience.ADMIN if self.is_admin(tab.name) else Audience.PERSON
        answer = door.password(tab.visitor, tab.tx, PASSWORD if right else WRONG, audience)
        if self.timed_out(tab, answer):
            return
        is_right = right and account is not None
        lane = self.lane(tab)
        outcome = self.plain.guess(
            self.common(tab.name),
            lane,
            Kind.PASSWORD,
            lambda: Outcome.RIGHT if is_right else Outcome.WRONG,
            now,
            admin=self.is_admin(tab.name),
        )
        if outcome is not Outcome.RIGHT or account is None:
            self.check_refused(answer, outcome, Said.WRONG)
        elif account is self.carol:
            assert isinstance(answer, Shown)
            assert answer.said is Said.SUSPENDED
        elif account is self.dave:
            self.check_signed_in(tab, account, answer, lane)
        else:
            assert isinstance(answer, Shown), answer
            assert answer.transaction.state.stage is Stage.CHOOSE
            tab.stage = "choose"

    @precondition(lambda self: getattr(self, "tabs", None))
    @rule(pick=st.integers(0, 5), method=st.sampled_from([Method.TOTP, Method.TOTP, Method.RECOVERY_CODE]))
    def choose(self, pick: int, method: Method) -> None:
        tab = self.picked(pick, "choose", "totp", "recovery_code")
        if tab is not None:
            self.method(tab, method)

    def method(self, tab: Tab, method: Method) -> None:
        audience = Audience.ADMIN if self.is_admin(tab.name) else Audience.PERSON
        answer = self.door.choose(tab.visitor, tab.tx, method, audience)
        if not self.timed_out(tab, answer):
            tab.stage = method.value

    @precondition(lambda self: getattr(self, "tabs", None))
    @rule(pick=st.integers(0, 5), which=st.sampled_from(["right", "wrong", "wrong", "used", "expired", "expired"]))
    def give_code(self, pick: int, which: str) -> None:
        tab = self.picked(pick, "totp")
        if tab is not None:
            self.code(tab, which)

    def code(self, tab: Tab, which: str) -> None:
        account = self.account(tab.name)
        assert account is not None
        assert account.seed is not None
        now, phone = self.door.clock(), self.phone(tab.name)
        app = pyotp.TOTP(base32(account.seed), interval=60)
        step = now // MINUTE
        if which == "used" and phone.codes.accepted:
            step = max(phone.codes.accepted)
        elif which == "expired":
            step -= 4
        typed = app.generate_otp(step)
        near = {app.generate_otp(other) for other in range(now // MINUTE - 40, now // MINUTE + 40)}
        if which == "wrong":
            typed = next(f"{n:06}" for n in range(1000) if f"{n:06}" not in near)
        answer = self.door.code(tab.visitor, tab.tx, typed, account.audience)
        if self.timed_out(tab, answer):
            return
        lane = self.lane(tab)
        looked: list[Outcome] = []

        def judge() -> Outcome:
            looked.append(Outcome.WRONG if which == "wrong" else phone.codes.outcome(step, now))
            return looked[0]

        outcome = self.plain.guess(self.common(tab.name), lane, Kind.MFA, judge, now, admin=self.is_admin(tab.name))
        if which != "wrong" and looked:
            phone.codes.took(step, outcome)
        self.after_code(tab, account, answer, outcome, lane)

    @precondition(lambda self: getattr(self, "tabs", None))
    @rule(pick=st.integers(0, 5), which=st.sampled_from(["right", "wrong", "used"]))
    def give_recovery_code(self, pick: int, which: str) -> None:
        tab = self.picked(pick, "recovery_code")
        if tab is not None:
            self.recovery_code(tab, which)

    def recovery_code(self, tab: Tab, which: str) -> None:
        account = self.account(tab.name)
        assert account is not None
        phone = self.phone(tab.name)
        unused = [code for code in account.recovery if code not in phone.recovery_used]
        typed, would_be = "0000-0000-0000-0000", Outcome.WRONG
        if which == "right" and len(unused) > 1:
            typed, would_be = unused[0], Outcome.RIGHT
        elif which == "used" and phone.recovery_used:
            typed, would_be = phone.recovery_used[0], Outcome.NOT_COUNTED
        answer = self.door.code(tab.visitor, tab.tx, typed, account.audience, Method.RECOVERY_CODE)
        if self.timed_out(tab, answer):
            return
        lane = self.lane(tab)
        outcome = self.plain.guess(
            self.common(tab.name),
            lane,
            Kind.MFA,
            lambda: would_be,
            self.door.clock(),
            admin=self.is_admin(tab.name),
        )
        if outcome is Outcome.RIGHT:
            phone.recovery_used.append(typed)
        self.after_code(tab, account, answer, outcome, lane)

    @precondition(lambda self: getattr(self, "tabs", None))
    @rule(pick=st.integers(0, 5))
    def step_that_does_not_belong_here(self, pick: int) -> None:
        tab = self.picked(pick, "password", "choose")
        if tab is None or self.door.clock() >= tab.began + 10 * MINUTE:
            return
        audience = Audience.ADMIN if self.is_admin(tab.name) else Audience.PERSON
        code = "000000"
        try:
            self.door.run(
                perform.give_code(self.door.means, audience, tab.visitor.browser(), tab.tx, Method.TOTP, code)
            )
        except NotNow:
            return
        raise AssertionError("a code was taken before its page")

    @rule(milliseconds=st.sampled_from([1000, 5000, 30_000, 61_000, 61_000, 4 * MINUTE, 7 * MINUTE, 12 * MINUTE]))
    def wait(self, milliseconds: int) -> None:
        self.door.clock.advance(milliseconds)

    @rule(who=st.sampled_from(["alice", "dave", "root@acme.example"]))
    def an_admin_unlocks(self, who: str) -> None:
        account, door = self.account(who), self.door
        assert account is not None
        door.write(
            lambda c: accounts.unlock(c, door.means.vault, account.audience, account.id, SYSTEM, LOCAL, door.clock())
        )
        self.plain.unlock(self.cleared_with(account), account.name)

    @rule()
    def everything_restarts(self) -> None:
        self.door.restart()

    # --------------------------------------------------------------------------------------------- checking

    def cleared_with(self, account: Somebody) -> list[str]:
        if account is self.root:
            return ["admin root"]
        return [f"account {account.name}", *(["nobody alice"] if account is self.alice else [])]

    def timed_out(self, tab: Tab, answer: Answer) -> bool:
        is_over = self.door.clock() >= tab.began + 10 * MINUTE
        assert isinstance(answer, TimedOut | Lost) == is_over, (answer, is_over)
        if is_over:
            tab.stage = "over"
        return is_over

    def check_refused(self, answer: Answer, outcome: Outcome, said: Said) -> None:
        if outcome in {Outcome.HELD, Outcome.WRONG_AND_PAUSED}:
            assert isinstance(answer, Held), (answer, outcome)
        else:
            assert isinstance(answer, Shown), (answer, outcome)
            assert answer.said is said

    def after_code(self, tab: Tab, account: Somebody, answer: Answer, outcome: Outcome, lane: str | None) -> None:
        if outcome is Outcome.RIGHT:
            self.check_signed_in(tab, account, answer, lane)
        elif outcome in {Outcome.HELD, Outcome.WRONG_AND_PAUSED}:
            assert isinstance(answer, Held), (answer, outcome)
        else:
            assert isinstance(answer, Shown), (answer, outcome)
            if answer.transaction.state.stage is Stage.ENDED:
                # With counting off a wrong code at the limit ends the sign-in.
                assert outcome is Outcome.WRONG
                assert not self.plain.rule(Kind.MFA, admin=self.is_admin(tab.name)).pauses
                assert answer.said is Said.TOO_MANY_CODES
                tab.stage = "over"
            elif outcome is Outcome.WRONG:
                bound = self.plain.counts[lane or self.common(tab.name)[0]]
                assert bound.failed[Kind.MFA] < LIMIT or self.is_admin(tab.name)

    def check_signed_in(self, tab: Tab, account: Somebody, answer: Answer, lane: str | None) -> None:
        assert isinstance(answer, SignedIn), answer
        assert answer.account_id == account.id
        self.plain.signed_in(self.cleared_with(account), lane, self.door.clock())
        if account is not self.root:
            self.plain.known.add((tab.visitor.handle, account.name))
        tab.stage = "over"

    @invariant()
    def the_counters_say_what_the_model_says(self) -> None:
        if not hasattr(self, "door"):
            return
        for account, name in ((self.alice, "account alice"), (self.dave, "account dave"), (self.root, "admin root")):
            count, row = self.plain.counts.get(name), self.door.counter(f"account:{account.id}", account.audience)
            if count is None or row is None:
                continue
            assert row["password_failed"] == row["password_claimed"] == count.failed[Kind.PASSWORD], name
            assert row["mfa_failed"] == row["mfa_claimed"] == count.failed[Kind.MFA], name
            assert bool(row["paused_until"]) == bool(count.paused_until), name


def test_the_sign_in_does_what_the_plain_model_does(migrated_sqlite: Path) -> None:
    SignIn.migrated = migrated_sqlite
    run_state_machine_as_test(
        SignIn,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
