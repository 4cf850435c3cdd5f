"""Board: an OpenID Connect relying party on Authlib (authorization code, PKCE S256, client_secret_basic)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from doorward.cli.demo_apps import shell
from doorward.cli.demo_apps.addresses import BOARD

_TOKEN_CLAIMS: Final = ("iss", "sub", "aud", "amr", "acr", "auth_time", "sid")
_SIGNED_IN: Final = "claims"
_TO: Final = "to"


class _Client(Protocol):
    """What this application uses of Authlib's client. The library has no types."""

    async def authorize_redirect(self, request: Request, redirect_uri: str) -> Response: ...

    async def authorize_access_token(self, request: Request) -> Mapping[str, object]: ...

    async def userinfo(self, *, token: Mapping[str, object]) -> Mapping[str, object]: ...


class _Registry(Protocol):
    """Authlib's registry of clients."""

    def register(self, name: str, **settings: object) -> object: ...

    def create_client(self, name: str) -> object: ...


def _client(doorward: str, client_secret: str) -> _Client:
    registry = cast("_Registry", OAuth())
    registry.register(
        "doorward",
        client_id=BOARD,
        client_secret=client_secret,
        server_metadata_url=f"{doorward}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email groups",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic",
            "timeout": 5,
            "trust_env": False,
        },
    )
    return cast("_Client", registry.create_client("doorward"))


def create_app(base_url: str, doorward: str, client_secret: str) -> Starlette:
    """Compose the application."""
    app = shell.DemoApp(
        name="Board",
        built_on="Authlib",
        about="OpenID Connect relying party",
        base_url=base_url,
        doorward=doorward,
        cookie="demo-board",
        tint="plum",
    )
    client = _client(doorward, client_secret)

    async def home(request: Request) -> Response:
        return shell.home_page(app, _signed_in(request), here=request.url.path)

    async def login(request: Request) -> Response:
        request.session[_TO] = shell.own_path(request.query_params.get("to"))
        try:
            return await client.authorize_redirect(request, f"{base_url}/callback")
        except httpx2.HTTPError as away:
            return shell.refusal_page(app, f"Doorward could not be reached: {away}", 503)

    async def callback(request: Request) -> Response:
        try:
            token = await client.authorize_access_token(request)
            userinfo = await client.userinfo(token=token)
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, ValueError) as refused:
            return shell.refusal_page(app, f"The sign-in was not completed: {refused}")
        claims = cast("Mapping[str, object]", token.get("userinfo", {}))
        # OIDC Core §5.3.2: the answer of userinfo counts only for the same subject.
        if not claims or userinfo.get("sub") != claims.get("sub"):
            return shell.refusal_page(app, "The sign-in was not completed: the tokens speak of different people.")
        to = shell.own_path(cast("str", request.session.get(_TO, "/")))
        request.session.clear()
        request.session[_SIGNED_IN] = (dict(claims), dict(userinfo))
        return RedirectResponse(to, status_code=303)

    routes = [
        Route("/", home),
        Route("/cards/{name}", home),
        Route("/login", login),
        Route("/callback", callback),
        Route("/sign-out", shell.sign_out_here, methods=["POST"]),
        Route("/style.css", shell.style),
    ]
    return Starlette(routes=routes, middleware=[Middleware(shell.MemorySessions, cookie=app.cookie)])


def _signed_in(request: Request) -> shell.SignedInPage | None:
    kept = cast("tuple[Mapping[str, object], Mapping[str, object]] | None", request.session.get(_SIGNED_IN))
    if kept is None:
        return None
    claims, userinfo = kept
    told = [(name, _shown(value)) for name, value in userinfo.items()]
    token = [(name, _shown(claims[name])) for name in _TOKEN_CLAIMS if name in claims]
    return shell.SignedInPage(
        name=str(userinfo.get("name", claims["sub"])),
        line="You were signed in by an OpenID Connect ID Token.",
        facts=[shell.Facts("From the ID Token", token), shell.Facts("From userinfo", told)],
    )


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in cast("Sequence[object]", value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in cast("Mapping[str, object]", value).items())
    return str(value)


def main() -> None:
    """Run the application."""
    started = shell.read_command_line("The OpenID Connect application of the Doorward demo.")
    shell.run(create_app(started.base_url, started.doorward, started.client_secret), started)


if __name__ == "__main__":
    main()
