"""`doorward backup`, `restore`, `migrate` and `doctor`, as an administrator types them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorward.cli import doorward
from doorward.clock import DAY, system_clock
from doorward.store import Vault
from support.postgres import Cluster


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOORWARD_DATA", "DOORWARD_DATABASE", "DOORWARD_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a fresh database."""
    folder = tmp_path / "data"
    assert run("migrate", "--data", folder).exit_code == 0
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(doorward, [str(argument) for argument in arguments])


def execute(data: Path, statement: str) -> list[tuple[object, ...]]:
    raw = sqlite3.connect(data / "doorward.db")
    try:
        return list(raw.execute(statement))
    finally:
        raw.commit()
        raw.close()


def test_a_backup_comes_back_into_an_empty_folder_with_its_key(data: Path, tmp_path: Path) -> None:
    execute(data, "INSERT INTO retired_ids (id, retired_at) VALUES ('a', 1)")
    told = run("backup", tmp_path / "b", "--data", data)
    assert told.exit_code == 0
    assert "master key is NOT in it" in told.stdout
    other = tmp_path / "other"
    other.mkdir()
    without = run("restore", tmp_path / "b", "--data", other)
    assert without.exit_code == 1
    assert "master.key" in without.stderr
    shutil.copyfile(data / "master.key", other / "master.key")
    assert run("restore", tmp_path / "b", "--data", other).exit_code == 0
    assert execute(other, "SELECT id FROM retired_ids") == [("a",)]


def test_a_backup_of_sqlite_comes_back_into_postgresql(data: Path, tmp_path: Path, postgres: Cluster) -> None:
    execute(data, "INSERT INTO retired_ids (id, retired_at) VALUES ('a', 1)")
    run("backup", tmp_path / "b", "--data", data)
    url = postgres.empty()
    assert run("restore", tmp_path / "b", "--data", data, "--database", url).exit_code == 0
    again = run("backup", tmp_path / "c", "--data", data, "--database", url, "--json")
    assert json.loads(again.stdout)["rows"] == 1
    postgres.drop(url)


def test_a_backup_overwrites_nothing_without_force(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text("precious")
    told = run("backup", file, "--data", data)
    assert told.exit_code == 1
    assert "--force" in told.stderr
    assert file.read_text() == "precious"
    assert run("backup", file, "--data", data, "--force").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "data"]


def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    told = run("backup", tmp_path / "no" / "folder", "--data", data)
    assert told.exit_code == 1
    assert "cannot be" in told.stderr


def test_a_restore_replaces_nothing_without_force(data: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "b", "--data", data)
    execute(data, "INSERT INTO retired_ids (id, retired_at) VALUES ('kept', 1)")
    told = run("restore", tmp_path / "b", "--data", data)
    assert told.exit_code == 1
    assert "--force" in told.stderr
    assert execute(data, "SELECT id FROM retired_ids") == [("kept",)]
    assert run("restore", tmp_path / "b", "--data", data, "--force").exit_code == 0
    assert execute(data, "SELECT id FROM retired_ids") == []


def test_a_restore_under_another_master_key_is_refused(data: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "b", "--data", data)
    (data / "master.key").unlink()
    run("migrate", "--data", data)
    told = run("restore", tmp_path / "b", "--data", data, "--force")
    assert told.exit_code == 1
    assert "another master key" in told.stderr


def test_migrate_says_what_it_did_and_does_it_twice(data: Path) -> None:
    told = run("migrate", "--data", data)
    assert told.exit_code == 0
    assert "0001" in told.stdout


def test_wrong_usage_is_2_and_a_refusal_is_1(data: Path) -> None:
    assert run("backup").exit_code == 2
    assert run("no-such-command").exit_code == 2
    assert run("migrate", "--no-such-flag").exit_code == 2
    assert run("migrate", "--data", data, "--base-url", "http://id.example").exit_code == 1


# ------------------------------------------------------------------------------------------------ doctor


def findings(*arguments: str | Path) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    told = run("doctor", "--json", *arguments)
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(told.stdout):
        assert finding["mend"] or finding["level"] == "ok"
        found.setdefault(finding["what"], []).append((finding["level"], finding["found"]))
    return told.exit_code, found


def test_doctor_tells_where_each_setting_came_from_and_keeps_secrets(data: Path) -> None:
    (data / "doorward.toml").write_text("port = 8123\n")
    code, found = findings("--data", data)
    assert code == 0
    assert found["port"] == [("ok", f"8123  from {data}/doorward.toml")]
    assert (data / "master.key").read_text().strip() not in str(found)


def test_doctor_tells_a_wrong_setting(data: Path) -> None:
    code, found = findings("--data", data, "--base-url", "http://id.example")
    assert code == 1
    assert found["settings"][0][0] == "fail"


def test_doctor_makes_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    code, found = findings("--data", tmp_path / "none")
    assert code == 1
    assert "master.key" in found["settings"][0][1]
    assert not (tmp_path / "none").exists()


def test_doctor_makes_no_database(data: Path) -> None:
    (data / "doorward.db").unlink()
    code, found = findings("--data", data)
    assert code == 1
    assert ("fail", f"{data / 'doorward.db'} does not exist") in found["database"]
    assert not (data / "doorward.db").exists()


def test_doctor_tells_that_another_key_sealed_the_database(data: Path) -> None:
    sealed = Vault(b"\x09" * 32).seal(b"key", table="keys", column="private", row="a")
    statement = (
        "INSERT INTO keys (kid, use, algorithm, state, private, certificate, created_at) "
        f"VALUES ('a', 'oidc', 'RS256', 'current', x'{sealed.hex()}', x'', 1)"
    )
    execute(data, statement)
    code, found = findings("--data", data)
    assert code == 1
    assert any(level == "fail" and "keys.private" in text for level, text in found["master_key"])
    refused = run("backup", "x", "--data", data)
    assert refused.exit_code == 1
    assert "another master key" in refused.stderr


def test_doctor_warns_of_a_key_that_others_may_read(data: Path) -> None:
    (data / "master.key").chmod(0o644)
    _, found = findings("--data", data)
    assert ("warn", f"{data / 'master.key'} is open to others on this machine") in found["master_key"]


def test_doctor_notices_a_clock_that_went_back(data: Path) -> None:
    write_sign_ins(data, ["a"], at=system_clock() + DAY)
    code, found = findings("--data", data)
    assert code == 1
    assert found["clock"][0][0] == "fail"


@pytest.mark.parametrize(("addresses", "warns"), [(["10.0.0.1"], True), (["10.0.0.1", "10.0.0.2"], False)])
def test_doctor_warns_when_everybody_seems_to_sit_behind_one_address(
    data: Path, addresses: list[str], warns: bool
) -> None:
    write_sign_ins(data, addresses, at=system_clock() - DAY)
    _, found = findings("--data", data)
    assert ("addresses" in found) is warns


def write_sign_ins(data: Path, addresses: list[str], at: int) -> None:
    for number in range(24):
        execute(
            data,
            "INSERT INTO audit_events (id, at, action, outcome, reference, actor_kind, person_id, address, user_agent,"
            f" details) VALUES ('{number}', {at}, 'signin.succeeded', 'success', 'r', 'person', 'p{number % 3}',"
            f" '{addresses[number % len(addresses)]}', '', '{{}}')",
        )


def test_doctor_looks_at_postgresql_too(data: Path, postgres_url: str) -> None:
    code, found = findings("--data", data, "--database", postgres_url)
    assert code == 0
    assert ("ok", "postgresql, reachable, at revision 0001") in found["database"]
