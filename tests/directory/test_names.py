"""Names in the form in which they are compared: one person is not two by case, width or alias."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.directory import lookup_key
from doorward.directory.errors import BadName
from doorward.directory.names import (
    email_key,
    group_key,
    kept_email,
    kept_group_name,
    kept_username,
    username_key,
)

NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöüßéñ0123456789._-", min_size=1, max_size=30)


def widened(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@given(st.text(max_size=2000))
def test_a_lookup_never_raises_whatever_was_typed(typed: str) -> None:
    key = lookup_key(typed)
    assert key is None or lookup_key(key) == key


@given(NAMES)
def test_a30_case_and_width_never_make_another_name(name: str) -> None:
    key = lookup_key(name)
    assert key is not None
    assert lookup_key(widened(name)) == key
    assert lookup_key(f"  {name}\t") == key
    assert lookup_key(name.upper()) in {key, lookup_key(name.upper().lower())}


@given(NAMES)
def test_what_is_kept_has_the_key_of_what_was_given(name: str) -> None:
    assert username_key(kept_username(name)) == username_key(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("alice", "ＡLＩCE"),
        ("zoë", "ZOE\N{COMBINING DIAERESIS}"),
        ("k", "\N{KELVIN SIGN}"),
        ("alice@acme.example", "Alice@ACME.Example"),
        ("alice@acme.example", "alice@acme.example."),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@bücher.example", "ALICE@BÜCHER.EXAMPLE"),
    ],
)
def test_a30_aliases_of_one_name_have_one_key(one: str, other: str) -> None:
    assert lookup_key(one) == lookup_key(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("alice", "аlice"), ("groß", "gross"), ("alice@faß.example", "alice@fass.example")],
)
def test_different_letters_stay_different_names(one: str, other: str) -> None:
    assert lookup_key(one) != lookup_key(other)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "a b",
        "ﬁn",
        "a\0b",
        "a\u200bb",
        "a\u202eb",
        "x" * 65,
        "x" * 5000,
        "\ud800",
        "@",
        "a@",
        "@b.example",
        "a@b@c.example",
        "a@-b.example",
        "a@b..example",
        "a@exa mple",
        "x" * 65 + "@acme.example",
        "a@" + "b" * 300,
        "a@" + "ü" * 300,
        "a@\u2488com",
    ],
)
def test_what_nobody_can_be_called_has_no_key(typed: str) -> None:
    assert lookup_key(typed) is None


def test_a_kept_address_keeps_the_case_of_its_local_part() -> None:
    assert kept_email(" Alice.L@Acme.Example ") == "Alice.L@acme.example"
    assert email_key("Alice.L@Acme.Example") == "alice.l@acme.example"


def test_group_names_may_hold_spaces_and_are_one_in_any_case() -> None:
    assert kept_group_name("  R &  D ") == "R & D"
    assert group_key("r & d") == group_key("R &  D")
    for bad in ("", "  ", "x" * 200, "a\nb"):
        with pytest.raises(BadName):
            group_key(bad)
