"""What both demo applications share: their settings, their sessions in memory, and the frame of their pages."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorward.cli.demo_apps.addresses import CLIENT_SECRET_VARIABLE
from doorward.cli.demo_apps.parent import end_with_parent

_MOST_SESSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class DemoApp:
    """How one demo application runs: its own address, Doorward's address, and the words of its pages."""

    name: str
    built_on: str
    about: str
    base_url: str
    doorward: str
    cookie: str
    tint: str


@dataclass(frozen=True, slots=True)
class Started:
    """What the command line of a demo application says."""

    host: str
    port: int
    base_url: str
    doorward: str
    client_secret: str


class _Given(argparse.Namespace):
    """The flags as argparse writes them."""

    host: str = "127.0.0.1"
    port: int = 0
    base_url: str = ""
    doorward: str = ""


def read_command_line(description: str) -> Started:
    """Read the flags that `doorward demo` starts an application with; the client secret comes by environment."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--base-url", required=True, help="where browsers reach this application")
    parser.add_argument("--doorward", required=True, help="where browsers reach Doorward")
    given = parser.parse_args(namespace=_Given())
    return Started(
        host=given.host,
        port=given.port,
        base_url=given.base_url.rstrip("/"),
        doorward=given.doorward.rstrip("/"),
        client_secret=os.environ.get(CLIENT_SECRET_VARIABLE, ""),
    )


def run(app: Starlette, started: Started) -> None:
    """Serve the application until it is told to stop."""
    end_with_parent()
    uvicorn.run(app, host=started.host, port=started.port, log_level="warning", access_log=False, proxy_headers=False)


def own_path(asked: str | None) -> str:
    """Keep a path of this application; whatever could lead elsewhere becomes the home page."""
    if asked is None or not asked.startswith("/") or asked.startswith(("//", "/\\")) or not asked.isprintable():
        return "/"
    return asked


@dataclass(slots=True)
class MemorySessions:
    """ASGI middleware: `scope["session"]` is a dictionary kept in this process, found by a random cookie.

    Starlette's own session middleware would put the content into the cookie and needs one more library.
    """

    app: ASGIApp
    cookie: str
    kept: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find or begin the session of a request, and hand its cookie out where it is new."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        handle = self._given(Headers(scope=scope).get("cookie", ""))
        known = handle is not None and handle in self.kept
        session = self.kept[handle] if handle is not None and known else {}
        scope["session"] = session

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                if session and not known:
                    fresh = self._keep(session)
                    MutableHeaders(scope=message).append(
                        "set-cookie", f"{self.cookie}={fresh}; Path=/; HttpOnly; SameSite=Lax"
                    )
                elif known and handle is not None and not session:
                    del self.kept[handle]
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _given(self, header: str) -> str | None:
        try:
            morsel = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return None
        return None if morsel is None else morsel.value

    def _keep(self, session: dict[str, object]) -> str:
        while len(self.kept) >= _MOST_SESSIONS:  # the oldest goes: a demo must not grow without end
            del self.kept[next(iter(self.kept))]
        handle = secrets.token_urlsafe(32)
        self.kept[handle] = session
        return handle


@dataclass(frozen=True, slots=True)
class Facts:
    """One table of a page: what was told about the person, name and values."""

    title: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SignedInPage:
    """Who signed in, as the page shows it."""

    name: str
    line: str
    facts: Sequence[Facts]


def home_page(app: DemoApp, signed_in: SignedInPage | None, *, here: str = "/") -> Response:
    """Show who is signed in, or the way to sign in."""
    return _page(app, "home", {"signed_in": signed_in, "here": here})


def refusal_page(app: DemoApp, reason: str, status: int = 403) -> Response:
    """Say that a sign-in was not accepted, and why."""
    return _page(app, "refusal", {"reason": reason}, status)


async def style(_request: Request) -> Response:
    """Serve the style sheet of the demo applications."""
    return Response(_STYLE, media_type="text/css")


def sign_out_here(request: Request) -> Response:
    """End the session of this application alone."""
    request.session.clear()
    return RedirectResponse("/", status_code=303)


def _page(app: DemoApp, kind: str, values: Mapping[str, object], status: int = 200) -> Response:
    body = _TEMPLATE.render(app=app, kind=kind, **values)
    headers = {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(body, status_code=status, headers=headers)


_TEMPLATE: Final = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="en" class="{{ app.tint }}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ app.name }}, a demo application</title>
<link rel="stylesheet" href="/style.css">
<body>
<header><a class="mark" href="/"><span aria-hidden="true">{{ app.name[0] }}</span>{{ app.name }}</a>
<small>{{ app.about }}</small></header>
<main>
{% if kind == "refusal" %}
  <h1>{{ app.name }} did not let you in</h1>
  <p role="alert">{{ reason }}</p>
  <p class="actions"><a class="button" href="/login">Try again</a>
  <a href="{{ app.doorward }}/">Back to the User Portal</a></p>
{% elif signed_in %}
  <h1>Hello, {{ signed_in.name }}</h1>
  <p>{{ signed_in.line }}{% if here != "/" %} You asked for <code>{{ here }}</code>, and here you are.{% endif %}</p>
  {% for part in signed_in.facts %}
  <section><h2>{{ part.title }}</h2>
  <dl>
  {% for name, value in part.rows %}
    <div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
  {% endfor %}
  </dl></section>
  {% endfor %}
  <div class="actions">
  <form method="post" action="/sign-out"><button>Sign out of {{ app.name }}</button></form>
  <a href="{{ app.doorward }}/logout">Sign out of Doorward</a>
  <a href="{{ app.doorward }}/">User Portal</a>
  </div>
{% else %}
  <h1>{{ app.name }}</h1>
  <p>Nobody is signed in here. Signing in leads through Doorward and comes straight back.</p>
  <p class="actions"><a class="button" href="/login?to={{ here | urlencode }}">Sign in with Doorward</a>
  <a href="{{ app.doorward }}/">User Portal</a></p>
{% endif %}
</main>
<footer>A demo application on this computer, built on {{ app.built_on }}.
It trusts Doorward at {{ app.doorward }}.</footer>
</body>
</html>
""")

_STYLE: Final = """\
:root { color-scheme: light dark; --ground: #f6f5f1; --card: #fff; --line: #e1dfd7; --text: #191c19; --quiet: #50544d;
  --accent: #1f4f8f; --soft: #dbe7f8; --on: #fff; }
.plum { --accent: #5a3a96; --soft: #eae3f7; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1211; --card: #171b19; --line: #2a302d; --text: #eceeeb; --quiet: #b3bab5;
    --accent: #9cc3f5; --soft: #1b2a40; --on: #0d1a2b; }
  .plum { --accent: #c5b0f2; --soft: #2b2140; --on: #1b1230; } }
* { box-sizing: border-box; }
body { margin: 0; min-block-size: 100vh; background: var(--ground); color: var(--text);
  font: 15px/1.5 Inter, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 16px 28px;
  background: var(--card); border-block-end: 1px solid var(--line); }
header small, footer { color: var(--quiet); font-size: 13px; }
.mark { display: inline-flex; align-items: center; gap: 10px; color: inherit; font-weight: 650; text-decoration: none; }
.mark span { display: grid; place-items: center; inline-size: 32px; block-size: 32px; border-radius: 8px;
  background: var(--soft); color: var(--accent); }
main { max-inline-size: 760px; margin: 32px auto; padding: 28px 32px; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; letter-spacing: -.018em; }
h2 { margin: 24px 0 8px; font-size: 16px; }
dl { margin: 0; border-block-start: 1px solid var(--line); }
dl div { display: grid; grid-template-columns: minmax(110px, 200px) 1fr; gap: 16px; padding: 8px 0;
  border-block-end: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
a { color: var(--accent); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 12px 20px; margin-block-start: 24px; }
button, .button { display: inline-block; padding: 10px 18px; border: 0; border-radius: 8px; background: var(--accent);
  color: var(--on); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
footer { max-inline-size: 760px; margin: 0 auto 32px; padding: 0 32px; }
"""
