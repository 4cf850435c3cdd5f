"""Pages: escaping (A75, A90), form-action, theme, the conventions of password managers (PM-01, PM-02, PM-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lxml.html
import pytest
from starlette.requests import Request
from starlette.responses import Response

from doorward.web import Guard, SsoRefusal, app_mark, page, render, sso_error
from doorward.web.rendering import policy
from doorward.web.templates import time_tag, with_parts
from doorward.web.tiles import TINTS, initial_of, tint_of
from support.gallery import SAMPLES

if TYPE_CHECKING:
    from conftest import Door, DoorMaker

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{7*7}}${7*7}"


def shown(opens: DoorMaker, name: str, **values: object) -> lxml.html.HtmlElement:
    async def sample(request: Request) -> Response:
        return await render(request, SAMPLES[name].template, {**SAMPLES[name].values, **values})

    with opens(routes=[page("/t/sample", sample, guard=Guard.PUBLIC)]) as door:
        answer = door.client.get("/t/sample")
    assert answer.status_code == 200
    return lxml.html.fromstring(answer.text)


@pytest.mark.parametrize("name", SAMPLES)
def test_a75_a90_whatever_a_name_holds_it_stays_text(opens: DoorMaker, name: str) -> None:
    plain = {"who", "label", "typed", "to", "tx", "key", "error", "field_error"}
    values: dict[str, object] = dict.fromkeys(plain & set(SAMPLES[name].values), HOSTILE)
    values["app"] = app_mark(HOSTILE, "x")
    tree = shown(opens, name, **values)
    assert [each.get("src") for each in tree.iter("script")] == [
        each.get("src") for each in tree.xpath("//head/script")
    ]
    assert tree.xpath("//img | //*[@onerror] | //style | //*[@style]") == []
    assert "49" not in tree.xpath("string(//h1)")


def test_a90_a_hostile_name_of_an_application_stays_text_on_the_page_of_a_failed_launch(opens: DoorMaker) -> None:
    async def fail(request: Request) -> Response:
        return await sso_error(request, SsoRefusal.NOT_ASSIGNED, app_mark(HOSTILE, "x"), {HOSTILE: HOSTILE})

    with opens(routes=[page("/t/fail", fail, guard=Guard.PUBLIC)]) as door:
        answer = door.client.get("/t/fail")
    tree = lxml.html.fromstring(answer.text)
    assert answer.status_code == 403
    assert tree.xpath("//img | //body//script") == []
    assert HOSTILE in tree.xpath("string(//h1)")


@pytest.mark.parametrize(
    ("addresses", "added"),
    [
        ([], ""),
        (["https://wiki.example/cb?x=1"], " https://wiki.example"),
        (["https://wiki.example:8443/cb", "https://wiki.example:8443/other"], " https://wiki.example:8443"),
        (["http://[::1]:9/cb"], " http://[::1]:9"),
        (["com.example.app:/cb"], " com.example.app:"),
        (["https://user@wiki.example/cb"], " https://wiki.example"),
        (["https://a; script-src *"], ""),
        (["https://"], ""),
        (["x'y://z"], ""),
        (["https://[bad"], ""),
        (["https://wiki.example:99999/"], ""),
    ],
)
def test_se08_form_action_is_widened_by_origins_alone(addresses: list[str], added: str) -> None:
    assert policy(addresses).split("form-action 'self'")[1] == added


@pytest.mark.parametrize(("cookie", "attribute"), [("dark", "dark"), ("light", "light"), ("system", None), ("x", None)])
def test_the_theme_that_a_person_chose_is_in_the_page_itself(door: Door, cookie: str, attribute: str | None) -> None:
    door.client.cookies.set("doorward-theme", cookie)
    tree = lxml.html.fromstring(door.client.get("/login").text)
    assert tree.get("data-theme") == attribute
    assert tree.get("lang") == "en"


@pytest.mark.parametrize(
    ("sample", "field", "tokens"),
    [
        ("01-username", "username", "username webauthn"),
        ("01c-admin", "username", "username webauthn"),
        ("02-password", "password", "current-password"),
        ("02c-new-password", "password", "new-password"),
        ("04-code", "code", "one-time-code"),
        ("07-set-up", "code", "one-time-code"),
    ],
)
def test_pm01_fields_carry_the_tokens_of_password_managers(
    opens: DoorMaker, sample: str, field: str, tokens: str
) -> None:
    tree = shown(opens, sample)
    found = tree.xpath(f"//input[@name='{field}'][not(@type='hidden')][not(@readonly)]")
    assert [each.get("autocomplete") for each in found] == [tokens]
    if tokens == "one-time-code":
        assert found[0].get("inputmode") == "numeric"
    if sample.startswith("02"):
        (name,) = tree.xpath("//form//input[@autocomplete='username']")
        assert (name.get("value"), name.get("readonly") is not None) == ("alice", True)


@pytest.mark.parametrize("sample", SAMPLES)
def test_pm02_each_form_has_one_submit_button_and_every_field_a_label(opens: DoorMaker, sample: str) -> None:
    tree = shown(opens, sample)
    assert len(tree.xpath("//h1")) == 1
    for form in tree.xpath("//form"):
        buttons = form.xpath(".//button[@type='submit']") + tree.xpath(f"//button[@form='{form.get('id')}']")
        assert len(buttons) == (2 if sample == "03-choose" and form.xpath(".//ul") else 1)
        assert form.xpath(".//input[@name='csrf']")
    for field in tree.xpath("//input[not(@type='hidden')][not(@readonly)][not(@type='checkbox')]"):
        assert tree.xpath(f"//label[@for='{field.get('id')}']")
        if field.get("aria-describedby"):
            for target in field.get("aria-describedby").split():
                assert tree.xpath(f"//*[@id='{target}']"), target


def test_pm05_the_rules_that_a_password_manager_reads_are_ours(opens: DoorMaker) -> None:
    (field,) = shown(opens, "02c-new-password", least=15).xpath("//input[@name='password']")
    assert field.get("passwordrules") == "minlength: 15; allowed: unicode;"
    assert field.get("maxlength") is None


def test_the_title_says_that_something_is_wrong(opens: DoorMaker) -> None:
    assert shown(opens, "04-code").xpath("string(//title)") == "Enter your code – Acme"
    assert shown(opens, "04b-code-error").xpath("string(//title)") == "Error: Enter your code – Acme"


@pytest.mark.parametrize("sample", [name for name in SAMPLES if SAMPLES[name].values.get("error")])
def test_every_sentence_of_a_failure_is_spoken(opens: DoorMaker, sample: str) -> None:
    tree = shown(opens, sample)
    spoken = " ".join("".join(each.itertext()) for each in tree.xpath("//*[@role='alert']"))
    wanted = str(SAMPLES[sample].values["error"]).replace("6-digit", "6\N{NON-BREAKING HYPHEN}digit")
    assert wanted in " ".join(spoken.split())


def test_6_digit_never_breaks_at_its_hyphen(opens: DoorMaker) -> None:
    text = shown(opens, "04-code").xpath("string(//main)")
    assert "6\N{NON-BREAKING HYPHEN}digit code for Acme User" in " ".join(text.split())
    assert "6-digit" not in text


def test_times_are_written_in_utc_and_marked_for_the_readers_zone() -> None:
    assert (
        str(time_tag(1_795_500_000_000)) == '<time datetime="2026-11-24T06:00:00Z" data-local="time">06:00 UTC</time>'
    )
    filled = with_parts("It opens at {time} & then.", time=time_tag(0))
    assert str(filled).startswith("It opens at <time ")
    assert str(filled).endswith(" &amp; then.")
    assert "&lt;b&gt;" in str(with_parts("{x}", x="<b>"))


def test_a_tile_always_has_the_same_tint_and_some_letter() -> None:
    assert tint_of("wiki") == tint_of("wiki")
    assert {tint_of(f"app-{n}") for n in range(200)} == set(range(TINTS))
    assert [initial_of(name) for name in ("wiki", " (board)", "ß", "…", "日本")] == ["W", "B", "SS", "·", "日"]
