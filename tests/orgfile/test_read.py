"""Reading YAML from outside: within bounds, with the line of each fault, all faults at once."""

# ruff: noqa: E501 - a table of cases reads better with one in each line
from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.orgfile import BadFile
from doorward.orgfile.desired import read_organization_files
from doorward.orgfile.problems import parsed, written
from doorward.orgfile.read import Document, read_file, read_text

NONE: dict[str, str] = {}


def read(text: str, environ: dict[str, str] = NONE, folder: Path = Path()) -> Document:
    return read_text("org.yaml", text, folder, environ)


def problems(text: str, environ: dict[str, str] = NONE, folder: Path = Path()) -> list[str]:
    with pytest.raises(BadFile) as bad:
        read(text, environ, folder)
    return [str(problem) for problem in bad.value.problems]


def test_text_stays_text_and_only_yaml_1_2s_own_words_mean_something() -> None:
    text = "a: no\nb: 1:30\nc: 2026-12-01\nd: 012\ne: 12\nf: true\ng: null\nh: ~\ni:\nj: 1.5\nk: 'true'\nl: On\nm: 0x1F"
    assert read(text).content == {
        "a": "no",
        "b": "1:30",
        "c": "2026-12-01",
        "d": "012",
        "e": 12,
        "f": True,
        "g": None,
        "h": None,
        "i": None,
        "j": "1.5",
        "k": "true",
        "l": "On",
        "m": "0x1F",
    }


def test_json_is_yaml() -> None:
    assert read('{"organization": {"name": "Acme"}}').content == {"organization": {"name": "Acme"}}


def test_each_value_has_its_line() -> None:
    document = read("organization:\n  name: Acme\nusers:\n  - username: a\n\n  - username: b\n")
    assert document.where.at("users", 1, "username").line == 6
    assert document.where.at("users", 1, "email").line == 6
    assert document.where.at("nothing").line == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["org.yaml:1: holds no mapping: it begins with organization:"]),
        ("- a", ["org.yaml:1: holds no mapping: it begins with organization:"]),
        ("a: 1\nb: [}", ["org.yaml:2: is no YAML: did not find expected node content"]),
        ("a: 1\nb: 2\na: 3\nb: 4", ["org.yaml:3: a: stands twice", "org.yaml:4: b: stands twice"]),
        ("a: !!python/object/apply:os.system [x]", ["org.yaml:1: a: the tag tag:yaml.org,2002:python/object/apply:os.system is not accepted"]),
        ("a: !x y\nb: !!binary aGk=", ["org.yaml:1: a: the tag !x is not accepted", "org.yaml:2: b: the tag tag:yaml.org,2002:binary is not accepted"]),
        ("a: &x {b: 1}\nc:\n  <<: *x", ["org.yaml:3: c: merge keys (<<) are not accepted: write the fields out"]),
        ("? [a]\n: b", ["org.yaml:1: a key is text"]),
        ("a: 1\n---\nb: 2", ["org.yaml:2: holds a second document (---): write one file for each"]),
        ('a: "x\\0y"', ["org.yaml:1: a: holds a NUL"]),
    ],
)  # fmt: skip
def test_a_fault_names_its_line_and_all_are_found_at_once(text: str, found: list[str]) -> None:
    assert problems(text) == found


def billion_laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        billion_laughs(),
        "a: " + "[" * 200 + "]" * 200,
        "a: " + "{a: " * 100_000,
        "a: &a [*a]",
        "a: &x 1\nb: [" + "*x, " * 2000 + "]",
    ],
)
def test_a91_bombs_are_refused_quickly(text: str) -> None:
    began = time.monotonic()
    problems(text)
    assert time.monotonic() - began < 8


@given(st.text(max_size=200))
def test_reading_whatever_it_is_gives_values_or_problems(text: str) -> None:
    with contextlib.suppress(BadFile):
        assert isinstance(read(text).content, dict)


SECRET = "users:\n  - username: a\n    password: {}\n"


def test_secrets_come_from_files_beside_the_file_and_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from a file\n\n", "utf-8")
    assert read(SECRET.format("{file: pw}"), folder=tmp_path).content["users"] == [
        {"username": "a", "password": "from a file\n"}
    ]
    assert read(SECRET.format("{env: PW}"), {"PW": "from there\n"}).content["users"] == [
        {"username": "a", "password": "from there"}
    ]


def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1_100_000)
    (tmp_path / "latin").write_bytes(b"\xff")
    assert problems(SECRET.format("{file: nothing}"), folder=tmp_path) == [
        "org.yaml:3: users[0].password: nothing cannot be read: No such file or directory"
    ]
    assert problems(SECRET.format("{file: big}"), folder=tmp_path) == [
        "org.yaml:3: users[0].password: big is larger than 1024 KiB"
    ]
    assert "not written in UTF-8" in problems(SECRET.format("{file: latin}"), folder=tmp_path)[0]
    assert problems(SECRET.format("{env: NOTHING}")) == [
        "org.yaml:3: users[0].password: the environment has no NOTHING"
    ]
    assert problems(SECRET.format("{env: 7}")) == ["org.yaml:3: users[0].password: env needs a name"]


def test_references_stand_for_secrets_and_metadata_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x", "utf-8")
    text = "organization: {name: {file: x}}\napplications: [{slug: a, saml: {metadata: {file: x}}}]"
    content = read(text, folder=tmp_path).content
    assert content["organization"] == {"name": {"file": "x"}}
    assert content["applications"] == [{"slug": "a", "saml": {"metadata": "x"}}]


def test_a_file_that_is_absent_or_written_in_another_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read: No such file"):
        read_file(tmp_path / "nothing.yaml", NONE)
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(BadFile, match=r"a\.yaml:2: is not written in UTF-8"):
        read_file(tmp_path / "a.yaml", NONE)
    (tmp_path / "b.yaml").write_bytes("\ufefforganization: {name: Acme}".encode())
    assert read_file(tmp_path / "b.yaml", NONE).content == {"organization": {"name": "Acme"}}
    with pytest.raises(BadFile) as bad:
        read_organization_files([tmp_path / "a.yaml", tmp_path / "nothing.yaml"], NONE)
    assert len(bad.value.problems) == 2


def test_paths_are_written_as_people_do() -> None:
    path = ("applications", 2, "oidc", "redirect_uris", 0)
    assert written(path) == "applications[2].oidc.redirect_uris[0]"
    assert parsed("applications[2].oidc.redirect_uris[0]") == path
