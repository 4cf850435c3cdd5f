"""A demo application at an address of its own over TLS: `far_app.py saml|oidc PORT BASE DOORWARD CERT KEY AUTHORITY`.

Names under .example lead to this machine, and the tests' certificate authority is trusted. Beside the application's
own pages `/login-by-post` shows a form that sends the same request to Doorward by a cross-site POST.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
import sys
from html import escape
from urllib.parse import parse_qsl, urlsplit
from zlib import decompress

import httpcore2
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorward.cli.demo_apps import oidc_app, saml_app
from doorward.cli.demo_apps.addresses import CLIENT_SECRET_VARIABLE
from support.saml import posted


class ByPost:
    """Shows what `/login` would send by a redirect as a form."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/login-by-post":
            await self.app(scope, receive, send)
            return
        page = b""

        async def change(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                page = _form(headers["location"]).encode()
                del headers["location"]
                headers["content-type"] = "text/html; charset=utf-8"
                headers["content-length"] = str(len(page))
                await send({**message, "status": 200})
            else:
                await send({"type": "http.response.body", "body": page})

        await self.app({**scope, "path": "/login"}, receive, change)


def _form(address: str) -> str:
    parts = urlsplit(address)
    fields = dict(parse_qsl(parts.query))
    if "SAMLRequest" in fields:
        fields["SAMLRequest"] = posted(decompress(base64.b64decode(fields["SAMLRequest"]), -15))
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    target = escape(parts._replace(query="").geturl())
    return f'<!doctype html><form method="post" action="{target}">{hidden}<button>Go to Doorward</button></form>'


def main() -> None:
    """Serve one of the two."""
    kind, port, base_url, doorward, certificate, key, authority = sys.argv[1:]
    resolve = socket.getaddrinfo

    def at_home(host: str | bytes | None, *more: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name and name.endswith(".example") else host, *more, **named)

    socket.getaddrinfo = at_home
    os.environ["SSL_CERT_FILE"] = authority
    httpcore2.default_ssl_context = lambda **_: ssl.create_default_context(cafile=authority)
    if kind == "saml":
        app = saml_app.create_app(base_url, doorward)
    else:
        app = oidc_app.create_app(base_url, doorward, os.environ[CLIENT_SECRET_VARIABLE])
    uvicorn.run(
        ByPost(app),
        host="127.0.0.1",
        port=int(port),
        loop="asyncio",  # uvloop would ask the system for names by itself
        log_level="warning",
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


if __name__ == "__main__":
    main()
