"""Where the parts of the demo are reached; imports nothing, so that the command can read it without the libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EXPENSES: Final = "expenses"
"""The slug of the SAML application."""
BOARD: Final = "board"
"""The slug of the OpenID Connect application, and its client_id."""

CLIENT_SECRET_VARIABLE: Final = "DEMO_CLIENT_SECRET"  # noqa: S105 - the name of a variable of the environment


@dataclass(frozen=True, slots=True)
class DemoAddresses:
    """The addresses under which a browser reaches Doorward and the two demo applications."""

    doorward: str
    saml_app: str
    oidc_app: str
