"""The addresses of OpenID Connect. Loaded with the first request to one of them, or by a thread after the start."""

from __future__ import annotations

from starlette.routing import BaseRoute

from doorward.protocols.oidc import authorize, cors, discovery, names, token, userinfo
from doorward.protocols.oidc.received import MAX_BYTES
from doorward.web import Csrf, Guard, page


def routes() -> list[BaseRoute]:
    """List the addresses of OpenID Connect."""
    return [
        page(names.AUTHORIZE, authorize.authorize, guard=Guard.PUBLIC),
        # A request of another site by its nature: it reads no cookie and changes nothing that one stands for.
        page(
            names.AUTHORIZE,
            authorize.authorize_post,
            guard=Guard.PUBLIC,
            methods=("POST",),
            csrf=Csrf.UNSAFE_UNCHECKED,
            form_limit=MAX_BYTES,
        ),
        page(f"{names.RESUME}/{{id}}", authorize.resume, guard=Guard.PUBLIC),
        page(names.TOKEN, token.token, guard=Guard.PROTOCOL, methods=("POST",)),
        page(names.USERINFO, userinfo.userinfo, guard=Guard.PROTOCOL, methods=("GET", "POST")),
        page(names.TOKEN, cors.preflight, guard=Guard.MACHINE, methods=("OPTIONS",)),
        page(names.USERINFO, cors.preflight, guard=Guard.MACHINE, methods=("OPTIONS",)),
        page(names.JWKS, discovery.show_keys, guard=Guard.MACHINE),
        page(names.DISCOVERY, discovery.show_metadata, guard=Guard.MACHINE),
        page(names.OAUTH_DISCOVERY, discovery.show_metadata, guard=Guard.MACHINE),
    ]
