"""Settings of a deployment: which source wins, and the one sentence that a wrong one stops the start with."""

from __future__ import annotations

import base64
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.deployment import SETTINGS, Deployment, SettingError, load

KEY = base64.b64encode(b"k" * 32).decode()


def read(data: Path, flags: dict[str, str | None] | None = None, **environ: str) -> Deployment:
    return load({"data": str(data), **(flags or {})}, {"DOORWARD_MASTER_KEY": KEY, "PATH": "/bin", **environ})


def refusal(data: Path, flags: dict[str, str | None] | None = None, **environ: str) -> str:
    with pytest.raises(SettingError) as caught:
        read(data, flags, **environ)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_defaults_need_no_setting_at_all(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.host, found.port, found.base_url, found.workers) == ("127.0.0.1", 8000, "http://localhost:8000", 1)
    assert found.database == f"sqlite:///{tmp_path}/doorward.db"
    assert found.trusted_proxies == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert not found.is_secure
    assert not found.demo


def test_flags_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "doorward.toml").write_text('port = 1\nworkers = 2\nlog_format = "json"\n')
    found = read(tmp_path, {"port": "3"}, DOORWARD_PORT="2", DOORWARD_WORKERS="4")
    assert (found.port, found.workers, found.log_format) == (3, 4, "json")
    assert found.sources["port"] == "--port"
    assert found.sources["workers"] == "DOORWARD_WORKERS"
    assert found.sources["log_format"] == str(tmp_path / "doorward.toml")
    assert found.sources["host"] == "default"


def test_every_setting_tells_where_its_value_came_from(tmp_path: Path) -> None:
    assert set(read(tmp_path).sources) == {setting.name for setting in SETTINGS}


def test_every_setting_is_a_field_of_the_deployment_and_has_a_sentence() -> None:
    fields = set(Deployment.__dataclass_fields__)
    assert {setting.name for setting in SETTINGS} | {"demo", "sources"} == fields
    assert all(setting.sentence.endswith(".") for setting in SETTINGS)


@pytest.mark.parametrize(
    ("variable", "hint"), [("DOORWARD_BASEURL", "DOORWARD_BASE_URL"), ("DOORWARD_PROXIES_TRUSTED", "doctor")]
)
def test_an_unknown_variable_is_refused_with_a_hint(tmp_path: Path, variable: str, hint: str) -> None:
    sentence = refusal(tmp_path, **{variable: "x"})
    assert variable in sentence
    assert hint in sentence


def test_an_unknown_key_of_the_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "doorward.toml").write_text('trusted_proxy = "10.0.0.0/8"\n')
    assert "did you mean trusted_proxies?" in refusal(tmp_path)


def test_a_variable_in_other_letters_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    assert "DOORWARD_PORT" in refusal(tmp_path, DOORWARD_Port="1")


@pytest.mark.parametrize("text", ["port =", "port = true", "port = {a = 1}", "port = 1.5", "data = 'x'", "\udcff"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "doorward.toml").write_text(text, errors="surrogateescape")
    assert "doorward.toml" in refusal(tmp_path)


def test_a_list_may_be_a_list_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "doorward.toml").write_text('egress_allow = ["10.0.0.0/8", "ci.internal"]\n')
    assert read(tmp_path).egress_allow == (ip_network("10.0.0.0/8"), "ci.internal")


# ------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_may_lie_in_a_file_with_one_line_end(tmp_path: Path, end: str) -> None:
    secret = tmp_path / "url"
    secret.write_bytes(b"postgresql://u:p@h/n" + end.encode())
    found = read(tmp_path, DOORWARD_DATABASE_FILE=str(secret))
    assert found.database == "postgresql://u:p@h/n"
    assert found.sources["database"] == "DOORWARD_DATABASE_FILE"


def test_only_one_line_end_is_taken_off(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://u:p@h/n\n\n")
    assert read(tmp_path, DOORWARD_DATABASE_FILE=str(secret)).database == "postgresql://u:p@h/n\n"


def test_a_secret_and_its_file_together_are_an_error(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, DOORWARD_MASTER_KEY_FILE=str(tmp_path / "x"))
    assert "DOORWARD_MASTER_KEY" in sentence
    assert "DOORWARD_MASTER_KEY_FILE" in sentence


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "DOORWARD_DATABASE_FILE" in refusal(tmp_path, DOORWARD_DATABASE_FILE=str(tmp_path / "none"))


def test_only_secrets_may_lie_in_files(tmp_path: Path) -> None:
    assert "DOORWARD_PORT_FILE" in refusal(tmp_path, DOORWARD_PORT_FILE="x")


def test_secrets_are_in_no_repr_and_no_refusal(tmp_path: Path) -> None:
    shown = repr(read(tmp_path, DOORWARD_DATABASE="postgresql://u:hush@h/n"))
    assert "hush" not in shown
    assert "kkkk" not in shown
    assert "hush" not in refusal(tmp_path, DOORWARD_DATABASE="mysql://u:hush@h/n")


# ------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "65536"),
        ("port", "eighty"),
        ("port", "-1"),
        ("port", "８０"),
        ("port", ""),
        ("workers", "0"),
        ("workers", "65"),
        ("log_format", "xml"),
        ("argon2_memory_kib", "1024"),
        ("argon2_time_cost", "0"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy"),
        ("egress_allow", "no_such!"),
        ("egress_allow", "1.2.3.4.5"),
        ("egress_ca_file", "/no/such/file"),
        ("tls_cert", "/no/such/file"),
        ("database", "mysql://x"),
        ("database", "sqlite:///"),
        ("host", "not a host"),
        ("host", "1.2.3"),
        ("master_key", "short"),
        ("master_key", base64.b64encode(b"k" * 31).decode()),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    assert name in refusal(tmp_path, {name: value})


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    certificate = tmp_path / "c.pem"
    certificate.write_text("x")
    assert "tls_key is missing" in refusal(tmp_path, {"tls_cert": str(certificate)})
    assert "tls_cert is missing" in refusal(tmp_path, {"tls_key": str(certificate)})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "id.example"])  # noqa: S104 - refused here
def test_a_host_that_is_not_loopback_needs_a_base_url(tmp_path: Path, host: str) -> None:
    assert "--base-url" in refusal(tmp_path, {"host": host})
    assert read(tmp_path, {"host": host, "base_url": "https://id.example"}).base_url == "https://id.example"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_a_loopback_host_needs_none(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, {"host": host, "port": "8443"}).base_url == "http://localhost:8443"


def test_with_a_certificate_the_base_url_is_https(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.write_text("x")
    assert read(tmp_path, {"tls_cert": str(file), "tls_key": str(file)}).base_url == "https://localhost:8000"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://id.example", "https://id.example"),
        ("https://ID.example/", "https://id.example"),
        ("https://id.example:443", "https://id.example"),
        ("https://id.example:8443", "https://id.example:8443"),
        ("http://localhost:80/", "http://localhost"),
        ("http://doorward.localhost:8000", "http://doorward.localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://192.0.2.1", "https://192.0.2.1"),
    ],
)
def test_a_base_url_is_kept_in_one_form(tmp_path: Path, written: str, kept: str) -> None:
    assert read(tmp_path, {"base_url": written}).base_url == kept


@pytest.mark.parametrize(
    "written",
    [
        "http://id.example",
        "http://192.0.2.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "ftp://localhost",
        "id.example",
        "https://",
        "https://id.example/path",
        "https://id.example?x",
        "https://id.example#x",
        "https://user@id.example",
        "https://id.example:99999",
        "https://id.example:x",
        "https://id_example",
        "https://-id.example",
        "https://id.example\n",
        "https://id.exa\tmple",
        "https://id.example\\@evil.example",
        "https://[fe80::1%25eth0]",
        "https://münchen.example",
        "",
    ],
)
def test_another_base_url_is_refused(tmp_path: Path, written: str) -> None:
    assert "base_url" in refusal(tmp_path, {"base_url": written})


# ---------------------------------------------------------------------------------------------- properties


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([s.name for s in SETTINGS if s.name != "data"]), value=st.text(max_size=40))
def test_any_value_is_taken_or_refused_in_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    flags = {"data": str(tmp_path), "master_key": KEY, name: value}
    try:
        found = load(flags, {})
    except SettingError:
        with pytest.raises(SettingError, match=name.partition("_")[0]) as caught:
            load(flags, {})
        assert "\n" not in str(caught.value)
    else:
        assert found.base_url.startswith(("https://", "http://localhost", "http://127.", "http://[::1]"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(url=st.from_regex(r"http://[a-z0-9.:\[\]@/%-]{1,30}", fullmatch=True))
def test_no_http_base_url_but_loopback_is_ever_taken(tmp_path: Path, url: str) -> None:
    try:
        found = read(tmp_path, {"base_url": url})
    except SettingError:
        return
    host = found.base_url.removeprefix("http://").rpartition(":")[0] or found.base_url.removeprefix("http://")
    assert host.startswith(("127.", "[::1]")) or host.endswith("localhost")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.from_regex(r"DOORWARD_[A-Z_]{1,20}", fullmatch=True))
def test_no_unknown_variable_is_ever_ignored(tmp_path: Path, name: str) -> None:
    known = {setting.variable for setting in SETTINGS} | {"DOORWARD_DATABASE_FILE", "DOORWARD_MASTER_KEY_FILE"}
    if name in known:
        return
    with pytest.raises(SettingError, match=name):
        read(tmp_path, **{name: "1"})
