"""Write the catalogue of every sentence: `python tests/support/catalogue.py`. Babel is needed here alone.

A translation begins as
`pybabel init -i doorward.pot -d . -D doorward -l de` and is compiled by
`pybabel compile -d . -D doorward`, in `src/doorward/web/locale`; a language is offered as soon as its compiled
catalogue lies here.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

PACKAGE: Final = Path(__file__).parents[2] / "src" / "doorward"
HERE: Final = PACKAGE / "web" / "locale"
CATALOGUE: Final = HERE / "doorward.pot"
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "counted": (1, 2), "marked": None}


def extract() -> str:
    """Give the catalogue of the present source, in an order that does not change with line numbers."""
    with (HERE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalogue = Catalog(project="Doorward", copyright_holder="the Doorward authors", fuzzy=False)
    for name, _line, message, comments, context in sorted(
        extract_from_dir(PACKAGE, methods, options, KEYWORDS, strip_comment_tags=True), key=lambda found: found[:2]
    ):
        catalogue.add(message, locations=[(name, None)], auto_comments=comments, context=context)
    out = io.BytesIO()
    write_po(out, catalogue, omit_header=True, include_lineno=False, sort_output=True, width=120)
    header = '# Every sentence of Doorward. Made by tests/support/catalogue.py; do not edit.\nmsgid ""\nmsgstr ""\n'
    return header + '"Content-Type: text/plain; charset=utf-8\\n"\n\n' + out.getvalue().decode()


if __name__ == "__main__":
    CATALOGUE.write_text(extract(), encoding="utf-8")
