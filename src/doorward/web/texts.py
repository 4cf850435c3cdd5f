"""Sentences in the reader's language, by gettext. English is the language of the source.

Templates write `{{ _('…') }}`; Python writes `_("…")` and fills values in afterwards. `marked` only marks a sentence
of a catalogue for extraction; whoever shows it calls `_` then.
"""

from __future__ import annotations

import gettext as catalogues
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "doorward"
FOLDER: Final = Path(__file__).parent / "locale"
SOURCE_LANGUAGE: Final = "en"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})

language: Final[ContextVar[str]] = ContextVar("doorward_language", default=SOURCE_LANGUAGE)
"""The language of the request that is being answered."""


@cache
def languages() -> tuple[str, ...]:
    """List the languages that have a compiled catalogue, the source language first."""
    found = sorted(path.parts[-3] for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return (SOURCE_LANGUAGE, *(code for code in found if code != SOURCE_LANGUAGE))


@cache
def _catalogue(code: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, FOLDER, [code], fallback=True)


def _(sentence: str) -> str:
    """Give `sentence` in the language of the request."""
    return _catalogue(language.get()).gettext(sentence)


def counted(one: str, many: str, n: int) -> str:
    """Give the form of a sentence that fits the number `n`, in the language of the request."""
    return _catalogue(language.get()).ngettext(one, many, n)


def direction() -> str:
    """Tell which way the language of the request is written, as HTML's `dir` says it."""
    return "rtl" if language.get().split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def marked(sentence: str) -> str:
    """Mark a sentence of a catalogue for extraction and leave it as it is."""
    return sentence


def chosen(accept_language: str) -> str:
    """Choose among `languages()` by an Accept-Language header (RFC 9110 §12.5.4), whatever it holds."""
    offered = languages()
    if len(offered) == 1:
        return SOURCE_LANGUAGE
    wanted: list[tuple[float, str]] = []
    for item in accept_language.split(",")[:20]:
        tag, _sep, weight = item.partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        wanted.append((-quality, tag.strip().lower()))
    for _quality, tag in sorted(wanted):
        for code in offered:
            if tag == code.lower() or tag.split("-")[0] == code.lower():
                return code
    return SOURCE_LANGUAGE
