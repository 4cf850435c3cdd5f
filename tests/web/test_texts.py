"""Every sentence goes through gettext, and the catalogue holds them all."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from jinja2 import Environment
from jinja2.lexer import Lexer

from doorward.web import texts
from doorward.web.templates import PAGES
from support.catalogue import extract

LOCALE = Path(texts.FOLDER)
NAMES = {"Doorward", "UTC", "JavaScript"}
SPOKEN = re.compile(r'(?:aria-label|title|alt|placeholder|data-[a-z-]*(?:words|done|hide|soon|busy))="([^"]*)"')


def templates() -> list[Path]:
    return sorted((PAGES / "templates").rglob("*.html"))


def literal(source: str) -> str:
    """Give what a template writes by itself, each expression replaced by a gap."""
    lexer: Lexer = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lexer
    parts: list[str] = []
    inside = False
    for _line, kind, value in lexer.tokeniter(source, None):
        if kind == "data" and not inside:
            parts.append(value)
        elif kind in {"variable_begin", "block_begin"}:
            parts.append("\x01")
    return "".join(parts)


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(PAGES)))
def test_every_sentence_of_a_template_is_translated(path: Path) -> None:
    source = re.sub(r"\{% block (?:width|body_class) %\}.*?(?=\{%)", "", path.read_text("utf-8"), flags=re.DOTALL)
    written = literal(source)
    attributes = [value for value in SPOKEN.findall(written) if re.search(r"[A-Za-z]{2}", value)]
    assert attributes == [], "a spoken attribute is not translated"
    text = re.sub(r"<!--.*?-->|<[^>]*>", " ", written, flags=re.DOTALL)
    text = re.sub(r'\s[a-z-]+="[^"]*"?', " ", text)  # attributes that a macro writes
    words = set(re.findall(r"[^\W\d_]{2,}", html.unescape(text))) - NAMES
    assert words == set(), "write it as {{ _('…') }}"


def test_the_catalogue_holds_every_sentence() -> None:
    made = extract()
    kept = (LOCALE / "doorward.pot").read_text("utf-8")

    def sentences(catalogue: str) -> set[str]:
        return {block for block in re.split(r"\n\n", re.sub(r"(?m)^#.*\n", "", catalogue)) if block.strip()}

    missing = sentences(made) ^ sentences(kept)
    assert missing == set(), "run: python tests/support/catalogue.py"


@pytest.mark.parametrize(
    "header", ["", "en", "de, en;q=0.5", "*", "en;q=x", ";;;,,,q=", "x" * 10_000, "en-GB,en;q=0.9"]
)
def test_without_another_catalogue_every_reader_gets_english(header: str) -> None:
    assert texts.chosen(header) == "en"


def test_the_language_is_chosen_by_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "languages", lambda: ("en", "de", "pt-BR"))
    assert texts.chosen("de-AT,en;q=0.8") == "de"
    assert texts.chosen("en;q=0.2,de;q=0.9") == "de"
    assert texts.chosen("pt-BR") == "pt-BR"
    assert texts.chosen("fr, es") == "en"


def test_arabic_is_written_from_the_right() -> None:
    token = texts.language.set("ar")
    try:
        assert texts.direction() == "rtl"
    finally:
        texts.language.reset(token)
    assert texts.direction() == "ltr"
