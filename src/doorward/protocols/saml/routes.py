"""The addresses under `/saml/`. Loaded with the first request to one of them, or by a thread right after the start."""

from __future__ import annotations

from starlette.routing import BaseRoute

from doorward.protocols.saml import sso
from doorward.web import Csrf, Guard, page


def routes() -> list[BaseRoute]:
    """List the addresses of SAML 2.0."""
    return [
        page("/saml/metadata", sso.show_metadata, guard=Guard.MACHINE),
        page("/saml/sso", sso.single_sign_on, guard=Guard.PUBLIC),
        # A message of another site by its nature: it reads no cookie and changes nothing that one stands for.
        page(
            "/saml/sso",
            sso.receive_post,
            guard=Guard.PUBLIC,
            methods=("POST",),
            csrf=Csrf.UNSAFE_UNCHECKED,
            form_limit=sso.POST_LIMIT,
        ),
        page("/saml/resume/{id}", sso.resume, guard=Guard.PUBLIC),
        page("/saml/apps/{slug}/launch", sso.launch, guard=Guard.PUBLIC),
    ]
