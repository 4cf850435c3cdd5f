"""The commands about people, groups, applications, administrators, keys and the audit log, as people run them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result

from doorward.cli import doorward

PASSWORD = "an owl beside the window\n"
Run = Callable[..., Result]

FILE = """
organization: {name: Acme}
groups: [{name: staff}]
users: [{username: alice, email: alice@acme.example, name: Alice Liddell, groups: [staff]}]
applications: [{slug: board, name: Board, oidc: {client_id: board, redirect_uris: [https://board.example/cb]}}]
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command in a data folder of this test; `refused` expects exit code 1."""

    def command(*words: str, given: str = "", refused: bool = False, usage: bool = False) -> Result:
        result = CliRunner().invoke(doorward, [*words, "--data", str(tmp_path / "data")], input=given)
        expected = 1 if refused else 2 if usage else 0
        assert result.exit_code == expected, result.output
        return result

    return command


@pytest.fixture
def applied(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "org.yaml").write_text(FILE, "utf-8")
    run("apply", str(tmp_path / "org.yaml"))
    return run


def as_json(result: Result) -> object:
    return cast("object", json.loads(result.stdout))


def test_apply_prints_the_plan_and_a_new_secret_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(FILE, "utf-8")
    rehearsed = run("apply", str(file), "--dry-run").stdout
    assert "+ application board" in rehearsed
    assert "dry run" in rehearsed
    assert "shown this once" not in rehearsed
    first = run("apply", str(file)).stdout
    assert "client_secret of board (shown this once): " in first
    assert run("apply", str(file)).stdout == "Nothing to change.\n"
    assert as_json(run("apply", str(file), "--json")) == {
        "dry_run": False,
        "plan": [],
        "warnings": [],
        "client_secrets": [],
    }


def test_a_bad_file_is_told_on_stderr_with_exit_code_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("organization: {name: Acme}\nusers: [{username: a b}, {user: c}]\n", "utf-8")
    result = run("apply", str(file), refused=True)
    assert result.stdout == ""
    assert "nothing was changed, because of 3 problems:" in result.stderr
    assert f"{file}:2: users[0].username: " in result.stderr
    run("apply", usage=True)
    run("apply", str(file), "--prune", "everything", usage=True)


def test_an_export_applied_changes_nothing(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "export.yaml").write_text(applied("export").stdout, "utf-8")
    assert applied("apply", str(tmp_path / "export.yaml")).stdout == "Nothing to change.\n"


def test_people_are_added_changed_and_removed(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(PASSWORD, "utf-8")
    added = ("user", "add", "bob", "--email", "bob@acme.example", "--group", "STAFF", "--password-file")
    assert "+ user bob" in applied(*added, str(tmp_path / "pw")).stdout
    assert "already" in applied(*added, "-", given=PASSWORD, refused=True).stderr
    shown = cast("dict[str, object]", as_json(applied("user", "show", "BOB@acme.example", "--json")))
    assert (shown["username"], shown["groups"], shown["second_factor"]) == ("bob", ["staff"], False)
    assert "phone: null -> 123" in applied("user", "change", "bob", "--phone", "123", "--mfa", "required").stdout
    assert applied("user", "change", "bob", "--phone", "123").stdout == "Nothing to change.\n"
    assert "phone: 123 -> null" in applied("user", "change", "bob", "--phone", "").stdout
    applied("user", "change", "bob", "--username", "robert", "--attribute", "floor=3")
    assert "email:" in applied("user", "change", "robert", "--email", "nobody", refused=True).stderr
    applied("user", "change", "robert", "--attribute", "floor", usage=True)
    names = [row["username"] for row in cast("list[dict[str, object]]", as_json(applied("user", "list", "--json")))]
    assert names == ["alice", "robert"]
    applied("user", "remove", "robert", given="n\n", refused=True)
    applied("user", "remove", "robert", "--yes")
    assert "nobody with" in applied("user", "show", "robert", refused=True).stderr


def test_doors_of_a_person_are_closed_and_opened(applied: Run) -> None:
    assert applied("user", "suspend", "alice").stdout == "alice is suspended.\n"
    assert applied("user", "suspend", "alice").stdout == "alice was suspended already.\n"
    assert "suspended" in applied("user", "list").stdout
    assert applied("user", "activate", "alice").stdout == "alice is active.\n"
    applied("user", "unlock", "alice")
    applied("user", "reset-mfa", "alice")
    applied("user", "set-password", "alice", "--password-file", "-", given=PASSWORD)
    assert "fewer than 12" in applied("user", "set-password", "alice", given="short\n", refused=True).stderr
    assert (
        "name of the person" in applied("user", "set-password", "alice", given="alice liddell\n", refused=True).stderr
    )


def test_groups_are_added_changed_and_removed(applied: Run) -> None:
    applied("group", "add", "Night shift")
    applied("group", "add", "night  shift", refused=True)
    applied("group", "change", "night shift", "--name", "Day shift", "--add-user", "alice")
    assert applied("group", "show", "day shift").stdout == "alice\n"
    applied("group", "change", "day shift", "--remove-user", "ALICE", "--add-user", "nobody", refused=True)
    applied("group", "change", "day shift", "--remove-user", "ALICE")
    assert as_json(applied("group", "list", "--json")) == [
        {"name": "Day shift", "people": 0},
        {"name": "staff", "people": 1},
    ]
    applied("group", "remove", "day shift", "--yes")
    applied("group", "show", "day shift", refused=True)


def test_applications_of_every_kind_are_added_changed_and_removed(applied: Run) -> None:
    applied("app", "add", "handbook", "--bookmark", "https://handbook.example", "--group", "staff")
    applied(
        "app", "add", "wiki", "--entity-id", "urn:wiki", "--acs-url", "https://wiki.example/acs", "--state", "draft"
    )
    made = applied("app", "add", "grafana", "--redirect-uri", "https://g.example/cb", "--name", "Grafana").stdout
    assert "client_secret  " in made
    public = applied("app", "add", "phone", "--redirect-uri", "app.phone:/cb", "--public").stdout
    assert "client_secret" not in public
    changed = applied("app", "change", "grafana", "--redirect-uri", "https://two.example/cb", "--hidden").stdout
    assert "client_secret" not in changed
    shown = cast("dict[str, object]", as_json(applied("app", "show", "grafana", "--json")))
    assert (shown["redirect_uris"], shown["hidden"]) == (["https://two.example/cb"], True)
    assert "shown this once" in applied("app", "new-secret", "grafana").stdout
    applied("app", "new-secret", "wiki", refused=True)
    assert "wildcard" in applied("app", "change", "grafana", "--redirect-uri", "https://*/cb", refused=True).stderr
    applied("app", "add", "grafana", "--bookmark", "https://g.example", refused=True)
    applied("app", "add", "nothing", refused=True)
    listed = cast("list[dict[str, object]]", as_json(applied("app", "list", "--json")))
    assert [(row["slug"], row["kind"], row["state"]) for row in listed] == [
        ("board", "oidc", "active"),
        ("grafana", "oidc", "active"),
        ("handbook", "bookmark", "active"),
        ("phone", "oidc", "active"),
        ("wiki", "saml", "draft"),
    ]
    applied("app", "remove", "wiki", "--yes")
    applied("app", "show", "wiki", refused=True)


def test_the_first_administrator_is_made_before_there_is_an_organisation(run: Run) -> None:
    made = cast("dict[str, str]", as_json(run("admin", "create", "root@acme.example", "--json", given=PASSWORD)))
    assert made["otpauth"].startswith("otpauth://totp/Doorward%20Admin:root%40acme.example?secret=")
    assert len(made["secret"]) == 32
    run("admin", "create", "ROOT@acme.example", given=PASSWORD, refused=True)
    assert "fewer than" in run("admin", "create", "b@acme.example", given="short\n", refused=True).stderr
    run("admin", "create", "help@acme.example", "--role", "help_desk", "--name", "Help", given=PASSWORD)
    shown = cast("dict[str, object]", as_json(run("admin", "show", "help@acme.example", "--json")))
    assert (shown["role"], shown["second_factor"]) == ("help_desk", True)


def test_a_locked_out_owner_is_recovered_with_a_new_password_and_authenticator(run: Run) -> None:
    before = cast("dict[str, str]", as_json(run("admin", "create", "root@acme.example", "--json", given=PASSWORD)))
    after = cast(
        "dict[str, str]", as_json(run("admin", "recover", "root@acme.example", "--json", given="x" + PASSWORD))
    )
    assert before["secret"] != after["secret"]
    text = run("admin", "recover", "root@acme.example", given=PASSWORD).stdout
    assert "shown this once" in text
    run("admin", "recover", "nobody@acme.example", given=PASSWORD, refused=True)
    actions = [json.loads(line)["action"] for line in run("audit", "tail", "--json", "-n", "5").stdout.splitlines()]
    assert actions[-1] == "admin.recovered"
    assert {"account.unlocked", "factor.reset", "password.changed"} <= set(actions)


def test_the_last_owner_stays(run: Run) -> None:
    run("admin", "create", "root@acme.example", given=PASSWORD)
    assert "last active owner" in run("admin", "remove", "root@acme.example", "--yes", refused=True).stderr
    assert "last active owner" in run("admin", "change", "root@acme.example", "--role", "auditor", refused=True).stderr
    run("admin", "create", "two@acme.example", given=PASSWORD)
    run("admin", "change", "root@acme.example", "--role", "auditor", "--name", "Old root")
    assert "Old root" in run("admin", "list").stdout
    run("admin", "remove", "root@acme.example", "--yes")


def test_the_audit_log_is_read_back_by_reference(applied: Run) -> None:
    applied("user", "suspend", "alice")
    last = json.loads(applied("audit", "tail", "--json", "-n", "1").stdout)
    assert (last["action"], last["actor"]) == ("person.suspended", {"kind": "system", "id": None})
    found = applied("audit", "tail", "--reference", last["reference"].lower()).stdout
    assert "person.suspended" in found
    assert "Nothing has the reference" in applied("audit", "tail", "--reference", "XXXX-XXXX").stdout


def test_keys_are_listed_even_before_there_are_any(applied: Run) -> None:
    assert "made when the server first needs them" in applied("keys", "list").stdout
    assert as_json(applied("keys", "list", "--json")) == []


@pytest.mark.parametrize(
    "words", [("user",), ("user", "fly"), ("user", "show"), ("admin", "create"), ("audit", "tail", "-n", "x")]
)
def test_bad_usage_exits_with_2(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(doorward, [*words]).exit_code == 2
