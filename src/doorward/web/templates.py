"""The templates: Jinja2 with escaping always on, gettext, icons and the addresses of static files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from doorward.clock import Instant, iso
from doorward.web import texts
from doorward.web.assets import Assets
from doorward.web.icons import icon
from doorward.web.tiles import initial_of, tint_of

if TYPE_CHECKING:
    from doorward.organization import Organization

_MOST_MADE: Final = 512

PAGES: Final = Path(__file__).parent.parent / "pages"


class Templates:
    """The loaded templates of one process, and the organisation as it was last read.

    The latter names the host on pages that are shown while the database cannot be asked.
    """

    def __init__(self, pages: Path = PAGES) -> None:
        """Open the folders `templates` and `static` of `pages`; each template is compiled on first use."""
        self.assets: Final = Assets(pages / "static")
        self.organization: Organization | None = None
        self._made: Final[dict[Hashable, str]] = {}
        self._environment: Final = _environment(pages / "templates", self.assets)

    def render(self, template: str, values: Mapping[str, object]) -> str:
        """Render a template.

        Raises:
            jinja2.TemplateError: the template is missing or wrong, or a value that it uses was not given.
        """
        return self._environment.get_template(template).render(values)

    def warm(self, folder: str) -> None:
        """Compile the templates of a folder, which takes milliseconds each, before somebody waits for them."""
        for name in self._environment.list_templates(filter_func=lambda name: name.startswith(folder)):
            self._environment.get_template(name)

    def once(self, key: Hashable, make: Callable[[], str]) -> str:
        """Give what `make` made for an equal `key` before, or make it now.

        For pages of a hot path. The key must name everything that the page depends on, and nothing of a person may
        be in it: render it with those values alone, so that a template that reads another one fails.
        """
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= _MOST_MADE:
                self._made.clear()
            made = self._made[key] = make()
        return made


def time_tag(instant: Instant, show: str = "time") -> Markup:
    """Write an instant for a person: UTC in the page, their own zone by script.

    `show` is time (14:32), date (24 November 2026), both, or ago.
    """
    written = iso(instant)
    day, clock_time = written[:10], written[11:16]
    shown = {"time": f"{clock_time} UTC", "date": day}.get(show, f"{day} {clock_time} UTC")
    return Markup('<time datetime="{}" data-local="{}">{}</time>').format(written, show, shown)


def with_parts(sentence: str, **parts: str) -> Markup:
    """Fill markup such as a `<time>` into a translated sentence, which itself is escaped."""
    return Markup(str(escape(sentence))).format(**parts)  # noqa: S704 - escaped before; Markup.format escapes the parts


def _bold(text: str) -> Markup:
    return Markup("<strong>{}</strong>").format(text)


class _Environment(Environment):
    """Jinja's environment with plain globals: its chained ones cost a tenth of a page, and ours never change."""

    def make_globals(self, d: MutableMapping[str, object] | None) -> MutableMapping[str, object]:
        """Give the globals of a template."""
        return {**cast("dict[str, object]", self.globals), **(d or {})}


def _environment(folder: Path, assets: Assets) -> Environment:
    environment = _Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install = cast("Callable[..., None]", getattr(environment, "install_gettext_callables"))  # noqa: B009 - the extension adds it
    # Old style: a sentence is a plain text that is escaped where it is shown, values and all, and costs a fifth.
    install(texts._, texts.counted, newstyle=False)
    given: dict[str, object] = {
        "_": texts._,  # the extension's own alias looks the function up anew for each sentence
        "asset": assets.address,
        "icon": icon,
        "initial": initial_of,
        "ago": partial(time_tag, show="ago"),
        "bold": _bold,
        "clock_time": partial(time_tag, show="time"),
        "day": partial(time_tag, show="date"),
        "moment": partial(time_tag, show="both"),
        "tint_of": tint_of,
    }
    cast("dict[str, object]", environment.globals).update(given)
    environment.filters |= {"nobreak": _nobreak, "with_parts": with_parts}
    return environment


def _nobreak(text: str) -> Markup:
    """Keep '6-digit' in one piece: a hyphen at which no line breaks."""
    return Markup(str(escape(text)).replace("6-digit", "6\N{NON-BREAKING HYPHEN}digit"))  # noqa: S704 - escaped before
