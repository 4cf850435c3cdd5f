"""Known, unknown, suspended and paused names do not differ (EN-01, EN-02, EN-05, LK-06, LK-11, A30, A34, A45)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from doorward.clock import DAY, HOUR, MINUTE
from doorward.directory import DirectoryRefusal
from doorward.signin import Audience, accounts
from doorward.signin.answers import Answer, Held, NotJudged, Shown
from doorward.signin.flow import Said
from doorward.signin.hashing import Overloaded
from doorward.store import schema
from support.door import LOCAL, PASSWORD, SYSTEM, WRONG, Door, statements


def shape(collected: list[str]) -> list[str]:
    """Reduce statements to what they do: their text without the names of values."""
    return [re.sub(r"\s+", " ", statement) for statement in collected]


def measured(door: Door, typed: str, password: str = WRONG) -> tuple[list[str], int, object]:
    """One wrong password against a name: its statements, its hashes, and what is told."""
    visitor = door.visitor()
    door.organization()  # read once and kept; whose name is typed next has no part in it
    tx = door.begin(visitor, typed)
    before = door.means.hasher.verified
    with statements() as seen:
        answer = door.password(visitor, tx, password)
    return shape(seen), door.means.hasher.verified - before, told(answer)


def told(answer: Answer) -> object:
    """Everything of an answer from which a page is made, without the id of the sign-in and the typed name."""
    if isinstance(answer, Held):
        return ("held", answer.why)
    assert isinstance(answer, Shown)
    state = answer.transaction.state
    return (
        state.stage,
        state.account_id,
        state.proofs,
        answer.said,
        answer.factors,
        answer.pending,
        answer.attempts_left,
        answer.account_name == state.typed,
    )


def suspended(door: Door, name: str) -> None:
    who = door.person(name, email=f"{name}@acme.example")
    door.write(lambda c: accounts.suspend(c, who.id, SYSTEM, LOCAL, door.clock()))


def test_en02_known_unknown_and_suspended_names_cost_the_same_statements_and_hashes(door_on_both: Door) -> None:
    door = door_on_both
    door.person("alice", email="alice@acme.example")
    door.person("nofactor", app=False)
    suspended(door, "carol")
    table = schema.PERSON.passwords
    nobody = door.person("nopassword")
    door.write(lambda c: c.execute(table.delete().where(table.c.owner_id == nobody.id)) and None)
    expected = measured(door, "unknown")
    assert expected[1] == 1
    for name in ("alice", "nofactor", "carol", "nopassword", "another-unknown", "ALICE", "\0", "x" * 320, "@", "a b"):
        assert measured(door, name) == expected, name
    in_domain = measured(door, "unknown@acme.example")
    assert in_domain[1:] == expected[1:]
    for name in ("alice@acme.example", "carol@acme.example", "other@acme.example", "nofactor@acme.example"):
        assert measured(door, name) == in_domain, name


def test_en02_a_guess_that_found_no_room_costs_known_and_unknown_names_the_same(door: Door) -> None:
    """Whoever fills the queue of hashes learns nothing from how long the refusal takes."""
    door.person("alice", email="alice@acme.example")

    async def overloaded(_phc: str | None, _password: str) -> bool:
        raise Overloaded

    door.means.hasher.verify = overloaded
    door.organization()  # read once and kept
    for known, unknown in (("alice", "unknown"), ("alice@acme.example", "unknown@acme.example")):
        seen: list[list[str]] = []
        for name in (known, unknown):
            visitor = door.visitor()
            tx = door.begin(visitor, name)
            with statements() as ran:
                assert isinstance(door.password(visitor, tx), NotJudged)
            seen.append(shape(ran))
        assert seen[0] == seen[1]


def test_en02_administrators_known_and_unknown_cost_the_same(door: Door) -> None:
    door.admin("root@acme.example")
    results = []
    for name in ("root@acme.example", "nobody@acme.example", "root"):
        visitor = door.visitor()
        door.organization()
        tx = door.begin(visitor, name, Audience.ADMIN)
        before = door.means.hasher.verified
        with statements() as seen:
            answer = door.password(visitor, tx, WRONG, Audience.ADMIN)
        results.append((shape(seen), door.means.hasher.verified - before, told(answer)))
    assert results[0] == results[1] == results[2]


def test_lk06_paused_names_known_or_not_are_told_alike_and_nothing_is_looked_at(door_on_both: Door) -> None:
    door = door_on_both
    door.person("alice")
    suspended(door, "carol")
    for name in ("alice", "unknown", "carol"):
        for _ in range(6):
            last = measured(door, name)
        assert last[2] == ("held", measured(door, name)[2][1])
    results = [
        measured(door, name, password) for name in ("alice", "unknown", "carol") for password in (PASSWORD, WRONG)
    ]
    assert all(result == results[0] for result in results)
    assert results[0][1] == 0


def test_lk11_unknown_names_age_and_open_again_like_known_ones(door: Door) -> None:
    door.person("alice")
    for name in ("alice", "unknown"):
        for _ in range(5):
            measured(door, name)
    door.clock.advance(31 * MINUTE)
    for name in ("alice", "unknown"):
        for _ in range(5):
            assert measured(door, name)[2][3] is Said.WRONG
        assert measured(door, name)[2][0] == "held"
    door.clock.advance(15 * MINUTE)
    for name in ("alice", "unknown"):
        assert measured(door, name)[2][3] is Said.WRONG


@pytest.mark.parametrize(
    "variant",
    ["ALICE", " alice ", "Ａｌｉｃｅ", "alice@acme.example", "Alice@ACME.example", "alice@acme.example "],
)
def test_a30_every_form_of_a_name_counts_on_one_counter(door: Door, variant: str) -> None:
    door.person("alice", email="alice@acme.example")
    for _ in range(3):
        measured(door, "alice")
        measured(door, variant)
    assert measured(door, "alice")[2][0] == "held"
    assert measured(door, variant)[2][0] == "held"


def test_a30_every_form_of_an_unknown_name_counts_on_one_slot(door: Door) -> None:
    for variant in ("bob", "BOB", " bob ", "Ｂｏｂ", "bob", "Bob"):
        measured(door, variant)
    assert measured(door, "bob")[2][0] == "held"


Order = Callable[[str], tuple[str, str]]


@pytest.mark.parametrize(
    "order",
    [lambda name: (f"{name}@acme.example", name), lambda name: (name, f"{name}@acme.example")],
    ids=["address first", "name first"],
)
@pytest.mark.parametrize("kind", ["unknown", "same person", "address of nobody", "address alone", "address of another"])
def test_en05_an_address_of_the_organisation_and_its_local_part_pause_together_known_or_not(
    door: Door, order: Order, kind: str
) -> None:
    """Guessing at one and looking at the other tells nobody whether either is known."""
    if kind == "same person":
        door.person("zoe", email="zoe@acme.example")
    elif kind == "address of nobody":
        door.person("zoe", email="somewhere@else.example")
    elif kind == "address alone":
        door.person("someone", email="zoe@acme.example")
    elif kind == "address of another":
        door.person("zoe")
        door.person("someone", email="zoe@acme.example")
    first, second = order("zoe")
    for _ in range(6):
        measured(door, first)
    paused = [measured(door, name)[2][0] == "held" for name in (first, second)]
    assert paused == [True, True]


def test_a_success_clears_what_was_counted_under_every_name_of_the_account(door: Door) -> None:
    alice = door.person("alice", email="alice@acme.example")
    for _ in range(5):
        measured(door, "alice@acme.example")
    door.sign_in(door.visitor(), alice)
    for _ in range(5):
        assert measured(door, "alice@acme.example")[2][3] is Said.WRONG


def test_an_admins_unlock_opens_every_name_of_the_account(door: Door) -> None:
    alice = door.person("alice", email="alice@acme.example")
    for _ in range(6):
        measured(door, "alice@acme.example")
    door.write(lambda c: accounts.unlock(c, door.means.vault, Audience.PERSON, alice.id, SYSTEM, LOCAL, door.clock()))
    for name in ("alice", "alice@acme.example"):
        assert measured(door, name)[2][3] is Said.WRONG


def test_a34_nobody_gets_a_username_that_is_somebodys_address(door: Door) -> None:
    door.person("victim", email="victim@acme.example")
    with pytest.raises(DirectoryRefusal):
        door.person("victim@acme.example")
    with pytest.raises(DirectoryRefusal):
        door.person("mallory", email="VICTIM@acme.example")


def test_en01_the_name_step_looks_nobody_up(door: Door) -> None:
    door.person("alice")
    results = []
    for name in ("alice", "unknown"):
        visitor = door.visitor()
        with statements() as seen:
            tx = door.begin(visitor, name)
        results.append((shape(seen), len(tx)))
    assert results[0] == results[1]


@pytest.mark.parametrize("typed", ["", " ", "\0", "a\0b", "\ud800", "x" * 100_000, "٠", "\u202e", "%", "' OR 1=1 --"])
def test_a45_empty_and_hostile_passwords_and_names_are_wrong_and_nothing_else(door: Door, typed: str) -> None:
    door.person("alice")
    assert measured(door, "alice", typed)[2][3] is Said.WRONG
    if "\ud800" not in typed:
        assert measured(door, typed)[2][3] is Said.WRONG


def test_the_audit_log_keeps_unknown_names_only_as_keyed_hashes(door: Door) -> None:
    measured(door, "my-mistyped-password")
    [entry] = door.events("signin.failed")
    assert "my-mistyped-password" not in repr(entry)
    assert len(str(entry.event.details["name_hash"])) == 16


def test_every_outcome_is_recorded_the_refused_ones_too(door: Door) -> None:
    alice = door.person("alice")
    for _ in range(8):
        measured(door, "alice")
    assert [
        entry.event.action for entry in reversed(door.events("signin.failed", "signin.paused", "signin.refused"))
    ] == [
        *["signin.failed"] * 5,
        "signin.paused",
        *["signin.refused"] * 2,
    ]
    refused = door.events("signin.refused")[0].event
    assert (refused.reason, refused.person_id) == ("paused", alice.id)


def test_lk08_one_password_against_many_names_from_one_address_is_slowed(door: Door) -> None:
    door.lockout(address_failures=20, network_failures=30)
    alice = door.person("alice")

    def spray(address: str, number: int) -> Answer:
        visitor = door.visitor(address)
        return door.password(visitor, door.begin(visitor, f"name{number}"), WRONG)

    answers = [spray("192.0.2.7", number) for number in range(25)]
    assert [isinstance(answer, Held) for answer in answers] == [False] * 20 + [True] * 5
    answers = [spray("192.0.2.8", number) for number in range(100, 125)]
    assert [isinstance(answer, Held) for answer in answers] == [False] * 10 + [True] * 15
    answers = [spray(f"2001:db8::{number:x}", number) for number in range(200, 225)]
    assert [isinstance(answer, Held) for answer in answers] == [False] * 20 + [True] * 5
    door.sign_in(door.visitor("198.51.100.9"), alice)
    door.clock.advance(10 * MINUTE)
    assert isinstance(spray("192.0.2.7", 999), Shown)


def test_lk08_a_whole_office_behind_one_address_signs_in(door: Door) -> None:
    door.lockout(address_failures=3, network_failures=3)
    for number in range(12):
        door.sign_in(door.visitor("192.0.2.7"), door.person(f"colleague{number}"))


def test_lk07_an_outsider_does_not_keep_somebody_out_of_the_browser_they_use(door: Door) -> None:
    alice = door.person("alice")
    mine, new = door.visitor(), door.visitor()
    door.sign_in(mine, alice)
    door.clock.advance(HOUR)
    for _ in range(6):
        measured(door, "alice")
    assert measured(door, "alice")[2][0] == "held"
    door.sign_in(mine, alice)
    # The common pause stays for every other browser.
    assert isinstance(door.password(new, door.begin(new, "alice")), Held)
    for _ in range(6):
        door.password(mine, door.begin(mine, "alice"), WRONG)
    assert isinstance(door.password(mine, door.begin(mine, "alice")), Held)


def test_lk01_a_password_that_is_closed_opens_only_from_a_known_browser(door: Door) -> None:
    alice = door.person("alice")
    mine = door.visitor()
    door.sign_in(mine, alice)
    table = schema.PERSON.passwords
    door.write(lambda c: c.execute(update(table).values(failures=100)) and None)
    door.clock.advance(DAY)
    new = door.visitor()
    answer = door.password(new, door.begin(new, "alice"))
    assert isinstance(answer, Shown)
    assert answer.said is Said.WRONG
    door.sign_in(mine, alice)
    door.clock.advance(MINUTE)
    door.sign_in(door.visitor(), alice)
