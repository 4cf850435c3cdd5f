"""What the demo says when it is ready: where everything is, and who may sign in with what."""

from __future__ import annotations

from doorward.cli.demo.organisation import Kept
from doorward.cli.demo_apps.addresses import DemoAddresses


def welcome(kept: Kept, at: DemoAddresses) -> list[str]:
    """Write the addresses and sign-ins for a person to read."""
    places = (
        ("User Portal", f"{at.doorward}/"),
        ("Administrators", f"{at.doorward}/admin"),
        ("Expenses (SAML)", f"{at.saml_app}/"),
        ("Board (OpenID Connect)", f"{at.oidc_app}/"),
    )
    return [
        "",
        "  Doorward's demo is ready. It is for this machine alone; Ctrl-C ends it.",
        "",
        *(f"    {name:<23} {address}" for name, address in places),
        "",
        "  Sign-ins (name, password):",
        *(f"    {login.typed:<19} {login.password:<36} {login.about}" for login in kept.logins),
        "",
    ]
