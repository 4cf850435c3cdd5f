"""The addresses that launch an application for somebody who is signed in."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.acme import ACS, ENTITY_ID, REDIRECT_URI
from doorward.clock import iso, system_clock


@dataclass(frozen=True, slots=True)
class Launches:
    """Paths with their queries."""

    oidc: str
    saml: str
    saml_asked: str


def launches(authority: str) -> Launches:
    """Write the addresses for a server. The SAML request is of now: it is refused when it is too old."""
    asked = {
        "response_type": "code",
        "client_id": "board",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": "a-state-of-the-bench",
        "nonce": "a-nonce-of-the-bench",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, appendix B
        "code_challenge_method": "S256",
    }
    sso = f"http://{authority}/saml/sso"
    issued = iso(system_clock())
    request = (
        '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:'
        f'2.0:assertion" ID="_a-request-of-the-bench" Version="2.0" IssueInstant="{issued}" Destination="{sso}" '
        f'AssertionConsumerServiceURL="{ACS}"><saml:Issuer>{ENTITY_ID}</saml:Issuer></samlp:AuthnRequest>'
    )
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    octets = packed.compress(request.encode()) + packed.flush()
    message = {"SAMLRequest": base64.b64encode(octets).decode("ascii"), "RelayState": "a-state"}
    return Launches(
        oidc=f"/oidc/authorize?{urlencode(asked)}",
        saml="/saml/apps/expenses/launch",
        saml_asked=f"/saml/sso?{urlencode(message)}",
    )
